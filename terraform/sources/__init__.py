"""Sources: upstream data sets behind one protocol.

Adding one is one module in `terraform.sources.catalog` and one line in `AnySource` or `AnyPlanetSource` of
`terraform.config.sources`, beside its settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

from terraform.config import SOURCES, Config
from terraform.errors import ConfigError
from terraform.geo.bodies import Body
from terraform.geo.grid import RasterGrid
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.regions import Region
from terraform.provenance import Credit, Provenance

Kind = Literal["elevation", "imagery"]
PlanetKind = Literal["elevation", "imagery", "temperature", "precipitation"]


@dataclass(frozen=True)
class Request:
    """What a source is asked for.

    Attributes
    ----------
    region : Region
        The region to serve.
    kind : {"elevation", "imagery"}
        Heights as int16 metres (`terraform.geo.heights`), or uint8 RGB.
    grid : RasterGrid
        The window, degrees, with the pixel size that the tiles or the mosaic need. A source may answer on its own
        grid within it, in the body's geographic CRS, north up, east of west even across the antimeridian.
    """

    region: Region
    kind: Kind
    grid: RasterGrid


@dataclass(frozen=True)
class PlanetRequest:
    """What a source of whole bodies is asked for.

    Attributes
    ----------
    kind : {"elevation", "imagery", "temperature", "precipitation"}
        Heights as int16 metres, uint8 RGB, twelve months as int16 of 0.1 degC, or of millimetres a month.
    grid : PlanetGrid
        Body and cells of the result, which is on exactly this grid.
    """

    kind: PlanetKind
    grid: PlanetGrid

    @property
    def body(self) -> Body:
        """The body."""
        return self.grid.body


@dataclass(frozen=True)
class FetchEstimate:
    """What serving a request would ask of a remote service: known before anything starts.

    Attributes
    ----------
    service : str
        The source.
    requests : int
        Requests still to be made.
    bytes : int
        Bytes still to be fetched.
    kept_bytes : int
        Bytes of what the cache holds already.
    exact : bool
        Nothing of it is estimated.
    """

    service: str
    requests: int = 0
    bytes: int = 0
    kept_bytes: int = 0
    exact: bool = True

    def plus(self, other: "FetchEstimate") -> "FetchEstimate":
        """Both together."""
        return FetchEstimate(
            self.service,
            self.requests + other.requests,
            self.bytes + other.bytes,
            self.kept_bytes + other.kept_bytes,
            self.exact and other.exact,
        )


def require(request: Request, source: str, body: Body, kind: Kind) -> None:
    """Refuse a request for what a source does not have.

    Parameters
    ----------
    source : str
        Its name, for the message.
    body, kind : Body, {"elevation", "imagery"}
        What it has.

    Raises
    ------
    ConfigError
        Another body, or the other kind, is asked for.
    """
    asked = request.region.body
    if asked != body or request.kind != kind:
        raise ConfigError(
            f"{source} has no {request.kind} of {asked.name}: it has {kind} of {body.name}; choose another source for "
            f"sources.{asked.name}.{request.kind}"
        )


def require_planet(request: PlanetRequest, source: str, body: Body | None, kinds: Sequence[PlanetKind]) -> None:
    """Refuse a request for a planet raster that a source does not have.

    Parameters
    ----------
    source : str
        Its name, for the message.
    body : Body or None
        The body that it has; None where it may have any.
    kinds : sequence of str
        What it has of it.

    Raises
    ------
    ConfigError
        Another body, or another kind, is asked for.
    """
    if (body is not None and request.body != body) or request.kind not in kinds:
        owner = f" of {body.name}" if body else ""
        raise ConfigError(
            f"{source} has no {request.kind} of the whole of {request.body.name}: it has {' and '.join(kinds)}{owner}; "
            f"choose another source for sources.{request.body.name}.planet.{request.kind}"
        )


class DataSource(Protocol):
    """An upstream data set with a licence."""

    def credit(self) -> Credit:
        """Licence and attribution of what this source, as configured, serves."""
        ...

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate what `fetch` would ask of a remote service. Asks nothing of it."""
        ...

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the raster for a request at `destination` and return where it comes from.

        Raises
        ------
        InputError, RemoteError
            The data are missing, damaged, of the wrong body, or the service refuses.
        """
        ...


class PlanetSource(Protocol):
    """An upstream data set with a licence that has rasters of a whole body."""

    def credit(self) -> Credit:
        """Licence and attribution of what this source, as configured, serves."""
        ...

    def estimate_planet(self, request: PlanetRequest) -> FetchEstimate:
        """Estimate what `fetch_planet` would ask of a remote service. Asks nothing of it."""
        ...

    def fetch_planet(self, request: PlanetRequest, destination: Path) -> Provenance:
        """Publish the raster of a whole body at `destination` and return where it comes from.

        Raises
        ------
        ConfigError, InputError, RemoteError
            It has no such raster; the data are missing or damaged; the service refuses.
        """
        ...


def module_of(name: str) -> str:
    """Name the module of a source. It has `build(settings, config) -> DataSource`.

    Raises
    ------
    ConfigError
        There is no such source.
    """
    if name not in SOURCES:
        raise ConfigError(f"source {name!r} is unknown: use one of {', '.join(SOURCES)}")
    return f"terraform.sources.catalog.{name}"


def source_named(name: str, settings: Any, config: Config) -> DataSource:
    """Build the source of that name from its section of the configuration, and the whole of it.

    Raises
    ------
    ConfigError
        There is no such source.
    """
    source: DataSource = import_module(module_of(name)).build(settings, config)
    return source


def planet_source_named(name: str, settings: Any, config: Config) -> PlanetSource:
    """Build the source of that name, of whole bodies: by `build_planet` of its module, or else by `build`.

    Raises
    ------
    ConfigError
        There is no such source.
    """
    module = import_module(module_of(name))
    source: PlanetSource = getattr(module, "build_planet", module.build)(settings, config)
    return source

"""Sources: upstream data sets behind one protocol, so that adding one is one module and one line here."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

from terraform.errors import ConfigError
from terraform.geo.grid import RasterGrid
from terraform.geo.regions import Region
from terraform.provenance import Credit, Provenance

What = Literal["elevation", "imagery"]


@dataclass(frozen=True)
class Request:
    """What a source is asked for.

    Attributes
    ----------
    region : Region
        The region to serve.
    what : {"elevation", "imagery"}
        Heights as int16 metres (`terraform.geo.heights`), or uint8 RGB.
    grid : RasterGrid
        The window, degrees, with the pixel size that the tiles or the mosaic need. A source may answer on its own
        grid within it, in the body's geographic CRS, north up, east of west even across the antimeridian.
    """

    region: Region
    what: What
    grid: RasterGrid


class Source(Protocol):
    """An upstream data set with a licence."""

    def credit(self) -> Credit:
        """Licence and attribution of what this source, as configured, serves."""
        ...

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the raster for a request at `destination` and return where it comes from.

        Raises
        ------
        InputError, RemoteError
            The data are missing, damaged, of the wrong body, or the service refuses.
        """
        ...


_MODULES = {"sample": "terraform.sources.sample", "files": "terraform.sources.files"}
"""Where each source lives. Its module has `build(settings, seed) -> Source`."""


def module_of(name: str) -> str:
    """The module of the source of that name.

    Raises
    ------
    ConfigError
        There is no such source.
    """
    if name not in _MODULES:
        raise ConfigError(f"source {name!r} is unknown: use one of {', '.join(_MODULES)}")
    return _MODULES[name]


def source_named(name: str, settings: Any, seed: int) -> Source:
    """The source of that name with its section of the configuration.

    Raises
    ------
    ConfigError
        There is no such source.
    """
    source: Source = import_module(module_of(name)).build(settings, seed)
    return source

"""Estimates of what a run would fetch, before anything starts; nothing is asked of any service for them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from terraform.config import Config
from terraform.geo.bodies import BODIES, Body
from terraform.geo.grid import download_grid
from terraform.geo.regions import Region
from terraform.geo.tile_spec import TileSpec
from terraform.sources import DataSource, FetchEstimate, Kind, PlanetKind, Request, planet_source_named, source_named
from terraform.sources.fetch import planet_request, planet_settings_of, settings_of


class RasterEstimate(NamedTuple):
    """One raster to fetch; `present` where it is there already."""

    region: str
    body: str
    kind: PlanetKind
    estimate: FetchEstimate
    present: bool


def estimate(
    config: Config, wanted: Iterable[tuple[Region, Kind]], folder: Path = Path("resources")
) -> list[RasterEstimate]:
    """Estimate what each raster needs from its source.

    Parameters
    ----------
    wanted : iterable of (Region, {"elevation", "imagery"})
    folder : Path
        Where the workflow keeps downloads.

    Raises
    ------
    ConfigError
        A body has no source of that kind.
    """
    sources: dict[tuple[str, Kind], DataSource] = {}
    return [_item(config, region, kind, folder, sources) for region, kind in wanted]


def _item(
    config: Config, region: Region, kind: Kind, folder: Path, sources: dict[tuple[str, Kind], DataSource]
) -> RasterEstimate:
    """Estimate one raster; a source is built once for all regions of a body."""
    settings = settings_of(config, region, kind)
    if (folder / region.body.name / region.name / f"{kind}.tif").exists():
        return RasterEstimate(region.name, region.body.name, kind, FetchEstimate(settings.source), present=True)
    named = region.body.name, kind
    if named not in sources:
        sources[named] = source_named(settings.source, settings, config)
    estimate = sources[named].estimate(Request(region, kind, download_grid(region, TileSpec.of(config.tile))))
    return RasterEstimate(region.name, region.body.name, kind, estimate, present=False)


def estimate_planets(config: Config, folder: Path = Path("resources")) -> list[RasterEstimate]:
    """Estimate what each configured planet raster needs from its source.

    Parameters
    ----------
    folder : Path
        Where the workflow keeps downloads.
    """
    kinds: tuple[PlanetKind, ...] = get_args(PlanetKind)
    wanted = [(body, kind) for body in BODIES.values() for kind in kinds]
    return [
        _planet(config, body, kind, folder)
        for body, kind in wanted
        if getattr(getattr(config.sources, body.name).planet, kind, None) is not None
    ]


def _planet(config: Config, body: Body, kind: PlanetKind, folder: Path) -> RasterEstimate:
    settings = planet_settings_of(config, body, kind)
    if (folder / body.name / "planet" / f"{kind}.tif").exists():
        return RasterEstimate("planet", body.name, kind, FetchEstimate(settings.source), present=True)
    source = planet_source_named(settings.source, settings, config)
    needed = source.estimate_planet(planet_request(config, body, kind))
    return RasterEstimate("planet", body.name, kind, needed, present=False)


def totals(made: Sequence[RasterEstimate]) -> list[FetchEstimate]:
    """Sum up by service. Regions that overlap share what they fetch, so that these are upper bounds."""
    found: dict[str, FetchEstimate] = {}
    for item in made:
        found[item.estimate.service] = found.get(item.estimate.service, FetchEstimate(item.estimate.service)).plus(
            item.estimate
        )
    return list(found.values())

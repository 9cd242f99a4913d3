"""What a run would fetch, region by region, before anything starts; nothing is asked of any service for it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from terraform.config import Config
from terraform.geo.grid import download_grid
from terraform.geo.regions import Region
from terraform.sources import Needs, Request, What, source_named
from terraform.sources.fetch import settings_of


class Item(NamedTuple):
    """One raster to fetch; `present` where it lies there already."""

    region: str
    body: str
    what: What
    needs: Needs
    present: bool


def items(config: Config, wanted: Iterable[tuple[Region, What]], folder: Path = Path("resources")) -> list[Item]:
    """What each raster needs from its source.

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
    return [_item(config, region, what, folder) for region, what in wanted]


def _item(config: Config, region: Region, what: What, folder: Path) -> Item:
    settings = settings_of(config, region, what)
    if (folder / region.body.name / region.name / f"{what}.tif").exists():
        return Item(region.name, region.body.name, what, Needs(settings.source), present=True)
    source = source_named(settings.source, settings, config)
    needs = source.plan(Request(region, what, download_grid(region)))
    return Item(region.name, region.body.name, what, needs, present=False)


def totals(made: Sequence[Item]) -> list[Needs]:
    """Sums by service. Regions that overlap share what they fetch, so that these are upper bounds."""
    found: dict[str, Needs] = {}
    for item in made:
        found[item.needs.service] = found.get(item.needs.service, Needs(item.needs.service)).plus(item.needs)
    return list(found.values())

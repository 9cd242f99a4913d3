"""The source `copernicus`: GLO-30, and GLO-90 where GLO-30 is not public; sea where neither has a tile."""

import re
from dataclasses import dataclass
from pathlib import Path

from terraform.config import Config, CopernicusSource
from terraform.errors import InputError
from terraform.geo.bodies import EARTH
from terraform.provenance import Credit, Provenance
from terraform.sources import Needs, Request, require
from terraform.sources.raster.georeference import Placed
from terraform.sources.remote.content import TEXT
from terraform.sources.remote.store import Bucket, bucket
from terraform.sources.remote_raster.cog import Cog, Held
from terraform.sources.remote_raster.dem import Tile, fetch_window, look, needs, placed, publish, waters
from terraform.sources.remote_raster.one_degree import Cell, cells

LICENCE = "LicenseRef-Copernicus-DEM"
NOTICE = (
    "produced using Copernicus WorldDEM-30 © DLR e.V. 2010-2014 and © Airbus Defence and Space GmbH 2014-2018 "
    "provided under COPERNICUS by the European Union and ESA; all rights reserved. The organisations in charge of the "
    "Copernicus programme by law or by delegation do not incur any liability for any use of the Copernicus WorldDEM-30"
)
"""What the licence of GLO-30 and GLO-90 asks for with whatever is derived from them, whoever serves them."""

CREDIT = Credit("copernicus", LICENCE, NOTICE)

_MOST_LIST_BYTES = 8 << 20
_LIST_BYTES = 1_200_000
_TILE_BYTES = {"10": 28_000_000, "30": 3_500_000}
_SEA_PIXELS = 1200
_NAME = re.compile(r"Copernicus_DSM_COG_(10|30)_[NS]\d{2}_00_[EW]\d{3}_00_DEM")


def build(settings: CopernicusSource, config: Config) -> "Copernicus":
    """The source as configured."""
    fine = bucket(settings, config.downloads, "GLO-30")
    coarse = bucket(settings.model_copy(update={"base_url": settings.coarse_url}), config.downloads, "GLO-90")
    return Copernicus(fine, coarse)


@dataclass(frozen=True)
class Copernicus:
    """GLO-30 and GLO-90. The lists of tiles tell the sea from a failure: what they name must be there."""

    fine: Bucket
    coarse: Bucket

    def credit(self) -> Credit:
        """With the notice that must go along."""
        return CREDIT

    def plan(self, request: Request) -> Needs:
        """Tiles of the window; without the lists all count, also those that turn out to be sea."""
        require(request, "copernicus", EARTH, "elevation")
        fine, coarse = (_kept_list(of) for of in (self.fine, self.coarse))
        here = cells(request.grid)
        total = needs(self.fine, _tiles(self.fine, "10", here, fine), request.grid, _TILE_BYTES["10"], EARTH)
        if fine is not None and coarse is not None:
            others = [cell for cell in here if _named("10", cell) not in fine]
            missing = _tiles(self.coarse, "30", others, coarse)
            total = total.plus(needs(self.coarse, missing, request.grid, _TILE_BYTES["30"], EARTH))
        lists = [known for known in (fine, coarse) if known is None]
        return total.plus(Needs(total.service, len(lists), len(lists) * _LIST_BYTES, 0, exact=not lists))

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the heights of a region.

        Raises
        ------
        ConfigError
            Imagery, or another body, is asked for.
        RemoteError, IntegrityError
            The service fails, or what it sends is damaged or has changed.
        """
        require(request, "copernicus", EARTH, "elevation")
        here, held = cells(request.grid), Held()
        with self.fine.shelf.alone():
            fine_list, coarse_list = _list(self.fine), _list(self.coarse)
            fine = _tiles(self.fine, "10", here, fine_list)
            others = [cell for cell in here if _named("10", cell) not in fine_list]
            coarse = _tiles(self.coarse, "30", others, coarse_list)
            rasters = _fetched(self.fine, fine, request, held)
            fillers = _fetched(self.coarse, coarse, request, held)
        wet = [cell for cell in others if _named("30", cell) not in coarse_list]
        fine_group = [*rasters, *waters(wet, fine, rasters, _SEA_PIXELS)]
        groups = [group for group in (fine_group, fillers) if group]
        return publish(request, groups, destination, CREDIT, "2021", [*fine, *coarse])


def _fetched(of: Bucket, tiles: list[Tile], request: Request, held: Held) -> list[Placed]:
    look(of, tiles)
    rasters = [placed(tile, held, EARTH) for tile in tiles]
    fetch_window(of, tiles, rasters, request.grid)
    return rasters


def _tiles(of: Bucket, spacing: str, here: list[Cell], listed: set[str] | None) -> list[Tile]:
    named = [(cell, _named(spacing, cell)) for cell in here]
    return [Tile(Cog(of, f"{name}/{name}.tif", name), cell) for cell, name in named if listed is None or name in listed]


def _named(spacing: str, cell: Cell) -> str:
    """The name of a tile; 10 and 30 are tenths of an arc second."""
    return f"Copernicus_DSM_COG_{spacing}_{cell.latitude}_00_{cell.longitude}_00_DEM"


def _list(of: Bucket) -> set[str]:
    return _names(of.kept("tileList.txt", TEXT, _MOST_LIST_BYTES, "list"))


def _kept_list(of: Bucket) -> set[str] | None:
    content = of.shelf.read("list")
    return None if content is None else _names(content)


def _names(content: bytes) -> set[str]:
    names = {match[0] for match in _NAME.finditer(content.decode("utf-8", "replace"))}
    if not names:
        raise InputError("copernicus: tileList.txt names no tile: base_url or coarse_url leads to something else")
    return names

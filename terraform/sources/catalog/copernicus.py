"""The source `copernicus`: GLO-30, and GLO-90 where GLO-30 is not public; sea where neither has a tile."""

import re
from dataclasses import dataclass
from pathlib import Path

from terraform.config import Config, CopernicusSource
from terraform.errors import InputError
from terraform.geo.bodies import EARTH
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, Request, require
from terraform.sources.raster.georeference import GeoreferencedRaster
from terraform.sources.remote.response import TEXT
from terraform.sources.remote.store import RemoteStore, open_store
from terraform.sources.remote_raster.cog import BlockCache, Cog
from terraform.sources.remote_raster.dem import (
    DemTile,
    estimate_tiles,
    fetch_window,
    prefetch_headers,
    sea_tiles,
    tile_raster,
    write_dem,
)
from terraform.sources.remote_raster.one_degree import Cell, cells

LICENCE = "LicenseRef-Copernicus-DEM"
NOTICE = (
    "produced using Copernicus WorldDEM-30 © DLR e.V. 2010-2014 and © Airbus Defence and Space GmbH 2014-2018 "
    "provided under COPERNICUS by the European Union and ESA; all rights reserved. The organisations in charge of the "
    "Copernicus programme by law or by delegation do not incur any liability for any use of the Copernicus WorldDEM-30"
)
"""What the licence of GLO-30 and GLO-90 asks for with everything that is derived from them."""

CREDIT = Credit("copernicus", LICENCE, NOTICE)

_MOST_LIST_BYTES = 8 << 20
_LIST_BYTES = 1_200_000
_TILE_BYTES = {"10": 28_000_000, "30": 3_500_000}
_SEA_PIXELS = 1200
_NAME = re.compile(r"Copernicus_DSM_COG_(10|30)_[NS]\d{2}_00_[EW]\d{3}_00_DEM")


def build(settings: CopernicusSource, config: Config) -> "Copernicus":
    """Build the source as configured."""
    fine = open_store(settings, config.downloads, "GLO-30")
    coarse = open_store(settings.model_copy(update={"base_url": settings.coarse_url}), config.downloads, "GLO-90")
    return Copernicus(fine, coarse)


@dataclass(frozen=True)
class Copernicus:
    """GLO-30 and GLO-90. The lists of tiles tell the sea from a failure: what they name must be there."""

    fine: RemoteStore
    coarse: RemoteStore

    def credit(self) -> Credit:
        """With the notice that must go along."""
        return CREDIT

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate the tiles of the window; without the lists all count, also those that turn out to be sea."""
        require(request, "copernicus", EARTH, "elevation")
        fine, coarse = (_kept_list(of) for of in (self.fine, self.coarse))
        here = cells(request.grid)
        total = estimate_tiles(self.fine, _tiles(self.fine, "10", here, fine), request.grid, _TILE_BYTES["10"], EARTH)
        if fine is not None and coarse is not None:
            others = [cell for cell in here if _named("10", cell) not in fine]
            missing = _tiles(self.coarse, "30", others, coarse)
            total = total.plus(estimate_tiles(self.coarse, missing, request.grid, _TILE_BYTES["30"], EARTH))
        lists = [known for known in (fine, coarse) if known is None]
        return total.plus(FetchEstimate(total.service, len(lists), len(lists) * _LIST_BYTES, 0, exact=not lists))

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
        here, block_cache = cells(request.grid), BlockCache()
        with self.fine.cache.exclusive():
            fine_list, coarse_list = _list(self.fine), _list(self.coarse)
            fine = _tiles(self.fine, "10", here, fine_list)
            others = [cell for cell in here if _named("10", cell) not in fine_list]
            coarse = _tiles(self.coarse, "30", others, coarse_list)
            rasters = _fetched(self.fine, fine, request, block_cache)
            fillers = _fetched(self.coarse, coarse, request, block_cache)
        wet = [cell for cell in others if _named("30", cell) not in coarse_list]
        fine_group = [*rasters, *sea_tiles(wet, fine, rasters, _SEA_PIXELS)]
        groups = [group for group in (fine_group, fillers) if group]
        return write_dem(request, groups, destination, CREDIT, "2021", [*fine, *coarse])


def _fetched(
    of: RemoteStore, tiles: list[DemTile], request: Request, block_cache: BlockCache
) -> list[GeoreferencedRaster]:
    prefetch_headers(of, tiles)
    rasters = [tile_raster(tile, block_cache, EARTH) for tile in tiles]
    fetch_window(of, tiles, rasters, request.grid)
    return rasters


def _tiles(of: RemoteStore, spacing: str, here: list[Cell], listed: set[str] | None) -> list[DemTile]:
    named = [(cell, _named(spacing, cell)) for cell in here]
    return [
        DemTile(Cog(of, f"{name}/{name}.tif", name), cell) for cell, name in named if listed is None or name in listed
    ]


def _named(spacing: str, cell: Cell) -> str:
    """Name a tile; 10 and 30 are tenths of an arc second."""
    return f"Copernicus_DSM_COG_{spacing}_{cell.latitude}_00_{cell.longitude}_00_DEM"


def _list(of: RemoteStore) -> set[str]:
    return _names(of.get_cached("tileList.txt", TEXT, _MOST_LIST_BYTES, "list"))


def _kept_list(of: RemoteStore) -> set[str] | None:
    content = of.cache.read("list")
    return None if content is None else _names(content)


def _names(content: bytes) -> set[str]:
    names = {match[0] for match in _NAME.finditer(content.decode("utf-8", "replace"))}
    if not names:
        raise InputError("copernicus: tileList.txt names no tile: base_url or coarse_url leads to something else")
    return names

"""The source `opentopography`: SRTM GL1 (30 m, between 60 N and 56 S) from the public bucket, without an account."""

import re
from dataclasses import dataclass
from pathlib import Path

from terraform.config import Config, OpenTopographySource
from terraform.errors import InputError
from terraform.geo.bodies import EARTH
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, Request, require
from terraform.sources.remote.response import ContentType
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

CREDIT = Credit("opentopography", "LicenseRef-Public-Domain", "SRTM GL1 v3, NASA/USGS, by OpenTopography")
"""Data of NASA; OpenTopography asks to be named (doi.org/10.5069/G9445JDF)."""

VERSION = "SRTM_GL1"
_NORTH, _SOUTH = 60, -56
_FOLDER = "SRTM_GL1/SRTM_GL1_srtm"
_LIST = ContentType("the list of tiles", ("application/xml", "text/xml", "text/plain", "application/octet-stream",
                                   "binary/octet-stream"), (b"<VRTDataset",))  # fmt: skip
_LIST_BYTES = 8_000_000
_MOST_LIST_BYTES = 64 << 20
_TILE_BYTES = 14_000_000
_PIXELS = 3601
_NAME = re.compile(rb"\b([NS]\d{2}[EW]\d{3})\.tif")


def build(settings: OpenTopographySource, config: Config) -> "OpenTopography":
    """Build the source as configured."""
    return OpenTopography(open_store(settings, config.downloads, VERSION))


@dataclass(frozen=True)
class OpenTopography:
    """SRTM GL1. A tile that the bucket's own list does not name is sea; one that it names must be there."""

    store: RemoteStore

    def credit(self) -> Credit:
        """Public domain."""
        return CREDIT

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate the tiles of the window; without the list all count, also those that turn out to be sea."""
        _check(request)
        found = estimate_tiles(self.store, self._tiles(request, self._kept_list()), request.grid, _TILE_BYTES, EARTH)
        if self.store.cache.has("list"):
            return found
        return found.plus(FetchEstimate(found.service, 1, _LIST_BYTES, 0, exact=False))

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the heights of a region.

        Raises
        ------
        ConfigError
            Imagery, or another body, is asked for.
        InputError
            The region reaches beyond 60 N or 56 S.
        RemoteError, IntegrityError
            The service fails, or what it sends is damaged or has changed.
        """
        _check(request)
        with self.store.cache.exclusive():
            listed = self._list()
            tiles = self._tiles(request, listed)
            prefetch_headers(self.store, tiles)
            block_cache = BlockCache()
            rasters = [tile_raster(tile, block_cache, EARTH) for tile in tiles]
            fetch_window(self.store, tiles, rasters, request.grid)
        wet = [cell for cell in cells(request.grid) if _covered(cell) and _named(cell) not in listed]
        group = [*rasters, *sea_tiles(wet, tiles, rasters, _PIXELS)]
        return write_dem(request, [group], destination, CREDIT, VERSION, tiles)

    def _tiles(self, request: Request, listed: set[str] | None) -> list[DemTile]:
        wanted = [cell for cell in cells(request.grid) if _covered(cell)]
        return [
            DemTile(Cog(self.store, f"{_FOLDER}/{_named(cell)}.tif", _named(cell)), cell)
            for cell in wanted
            if listed is None or _named(cell) in listed
        ]

    def _list(self) -> set[str]:
        """Names of all tiles, by the bucket's virtual mosaic."""
        content = self.store.get_cached(f"{_FOLDER}.vrt", _LIST, _MOST_LIST_BYTES, "list")
        return _names(content)

    def _kept_list(self) -> set[str] | None:
        content = self.store.cache.read("list")
        return None if content is None else _names(content)


def _names(content: bytes) -> set[str]:
    names = {name.decode() for name in _NAME.findall(content)}
    if not names:
        raise InputError("opentopography: its list of tiles names none: base_url leads to something else")
    return names


def _named(cell: Cell) -> str:
    return cell.latitude + cell.longitude


def _covered(cell: Cell) -> bool:
    return _SOUTH <= cell.south < _NORTH


def _check(request: Request) -> None:
    require(request, "opentopography", EARTH, "elevation")
    _, south, _, north = request.region.bounds
    if north > _NORTH or south < _SOUTH:
        raise InputError(
            f"region {request.region.name!r} reaches from {south:g} to {north:g} degrees north, SRTM covers {_SOUTH} "
            f"to {_NORTH}: use the source copernicus there"
        )

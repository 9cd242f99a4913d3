"""The source `s2mosaic120`: colours of Earth from the open Sentinel-2 mosaic of 120 m (CC BY 4.0).

Reflectance becomes colour by one stretch for the whole planet, so that regions look alike::

    value = 1 + 254 * (min(reflectance, white) / white) ** (1 / gamma)

With white = 0.45 deserts keep their structure; gamma = 1.8 lifts forests (2 to 5 % in the visible) out of the dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS

from terraform.config import Config, Mosaic120Source
from terraform.errors import InputError, IntegrityError
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, Request, require
from terraform.sources.raster.assemble import result_grid, strips_of, write_raster
from terraform.sources.raster.classify import classify_colours
from terraform.sources.raster.formats import Pixels, Raster, Span
from terraform.sources.raster.georeference import GeoreferencedRaster, georeference
from terraform.sources.raster.resample import windows
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.response import NotFound
from terraform.sources.remote.store import RemoteStore, open_store
from terraform.sources.remote_raster.cog import BlockCache, Cog, fetch_all

_BANDS = ("B04", "B03", "B02")
"""Red, green, blue."""

_FULL = 10_000
"""Digital number of reflectance 1."""

_LETTERS = "CDEFGHJKLMNPQRSTUVWX"
_ABSENT = b"absent"
_BAND_BYTES = 30_000_000
_ZONE_DEG2 = 48


class Zone(NamedTuple):
    """A grid zone of the MGRS: a zone of UTM and a band of latitude, such as 32T."""

    number: int
    letter: str

    @property
    def name(self) -> str:
        """As in a path: two digits and a letter."""
        return f"{self.number:02}{self.letter}"

    @property
    def epsg(self) -> int:
        """The CRS: UTM on WGS 84."""
        return (32600 if self.letter >= "N" else 32700) + self.number


@dataclass(frozen=True)
class MgrsTile:
    """The three bands of a grid zone."""

    zone: Zone
    bands: tuple[Cog, ...]


def build(settings: Mosaic120Source, config: Config) -> "Mosaic120":
    """Build the source as configured."""
    return Mosaic120(open_store(settings, config.downloads, settings.date), settings)


@dataclass(frozen=True)
class Mosaic120:
    """The mosaic at one date. A grid zone that the bucket does not have (404) is void: open sea."""

    store: RemoteStore
    settings: Mosaic120Source

    def credit(self) -> Credit:
        """CC BY 4.0: commercial use is allowed."""
        year = self.settings.date[:4]
        return Credit(
            "s2mosaic120", "CC-BY-4.0", f"Contains modified Copernicus Sentinel data {year} processed by Sentinel Hub"
        )

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate the zones of the window; those that were never looked at all count."""
        require(request, "s2mosaic120", EARTH, "imagery")
        total = FetchEstimate(self.store.cache.source)
        for tile in self._tiles(request.grid):
            total = total.plus(self._estimate_tile(tile, request.grid))
        return total

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the colours of a region.

        Raises
        ------
        ConfigError
            Heights, or another body, are asked for.
        InputError
            The mosaic has nothing there.
        RemoteError, IntegrityError
            The service fails, or what it sends is damaged or has changed.
        """
        require(request, "s2mosaic120", EARTH, "imagery")
        block_cache = BlockCache()
        with self.store.cache.exclusive():
            tiles = self._present(self._tiles(request.grid))
            self.store.map(lambda cog: cog.file.pin_version(), [cog for tile in tiles for cog in tile.bands])
            rasters = [(tile, self._georeferenced(tile, block_cache)) for tile in tiles]
            fetch_all(self.store, _wanted(rasters, request.grid))
        reaching = [raster for _, raster in rasters if windows(raster, request.grid)]
        if not reaching:
            raise InputError(
                f"region {request.region.name!r} has no imagery in s2mosaic120: it is open sea, or base_url leads to "
                "something else"
            )
        write_raster(request, [reaching], classify_colours, destination, Provenance((self.credit(),)))
        details = {"version": self.settings.date, "stretch": self._stretch()}
        return Provenance((self.credit(),), details | {"files": _records(tiles)})

    def _stretch(self) -> dict[str, float]:
        return {"white_reflectance": self.settings.white_reflectance, "gamma": self.settings.gamma}

    def _tiles(self, grid: RasterGrid) -> list[MgrsTile]:
        return [self._tile(zone) for zone in zones(grid)]

    def _tile(self, zone: Zone) -> MgrsTile:
        year, month, day = (int(part) for part in self.settings.date.split("-"))
        folder = f"{year}/{month}/{day}/{zone.name}"
        return MgrsTile(zone, tuple(Cog(self.store, f"{folder}/{b}.tif", f"{zone.name}-{b}") for b in _BANDS))

    def _present(self, tiles: Sequence[MgrsTile]) -> list[MgrsTile]:
        """Those that the bucket has; that one is absent is kept too."""
        there = self.store.map(self._there, tiles)
        return [tile for tile, found in zip(tiles, there, strict=True) if found]

    def _there(self, tile: MgrsTile) -> bool:
        if self.store.cache.read(f"{tile.zone.name}-absent") == _ABSENT:
            return False
        try:
            return bool(tile.bands[0].layout)
        except NotFound:
            self.store.cache.write(_ABSENT, f"{tile.zone.name}-absent")
            return False

    def _georeferenced(self, tile: MgrsTile, block_cache: BlockCache) -> GeoreferencedRaster:
        first = tile.bands[0].layout
        name = redact_url(tile.bands[0].file.url)
        if any((cog.layout.transform, cog.layout.width) != (first.transform, first.width) for cog in tile.bands):
            raise IntegrityError(f"{name}: its bands do not lie on each other")
        if first.crs is not None and first.crs.to_epsg() not in (None, tile.zone.epsg):
            raise IntegrityError(
                f"{name} is in EPSG:{first.crs.to_epsg()}, not in EPSG:{tile.zone.epsg} as its name says"
            )

        def read(rows: Span, columns: Span) -> Pixels:
            numbers = np.stack([cog.read(rows, columns, block_cache) for cog in tile.bands], axis=-1)
            return Pixels(self._stretched(numbers), None)

        crs = CRS.from_epsg(tile.zone.epsg)
        return georeference(
            Raster(name, crs, first.transform, first.height, first.width, 3, "uint8", 0.0, read), EARTH
        )  # fmt: skip

    def _stretched(self, numbers: NDArray[Any]) -> NDArray[np.uint8]:
        """Stretch reflectance to colours, (H, W, 3) uint8; 0 in any band is missing, and missing is black."""
        share = np.minimum(numbers / np.float32(_FULL * self.settings.white_reflectance), 1)
        values = np.rint(1 + 254 * share ** np.float32(1 / self.settings.gamma)).astype(np.uint8)
        values[(numbers == 0).any(axis=-1)] = 0
        return values

    def _estimate_tile(self, tile: MgrsTile, grid: RasterGrid) -> FetchEstimate:
        service = self.store.cache.source
        if self.store.cache.has(f"{tile.zone.name}-absent"):
            return FetchEstimate(service)
        if not all(cog.file.has_header for cog in tile.bands):
            area = abs(grid.latitudes.step * grid.latitudes.count) * grid.longitudes.step * grid.longitudes.count
            size = round(3 * _BAND_BYTES * min(1.0, area / _ZONE_DEG2))
            return FetchEstimate(service, 3 + max(3, size >> 22), size, 0, exact=False)
        wanted = _wanted([(tile, self._georeferenced(tile, BlockCache()))], grid)
        missing = [(cog, cog.missing(blocks)) for cog, blocks in wanted]
        size = sum(cog.size_of(blocks) for cog, blocks in missing)
        kept = sum(cog.size_of(blocks) for cog, blocks in wanted) - size
        return FetchEstimate(service, sum(len(cog.requests(blocks)) for cog, blocks in missing), size, kept)


def zones(grid: RasterGrid) -> list[Zone]:
    """List the grid zones that a window touches (NGA.STND.0037, 3.1).

    Zones 31 and 32 meet at 3 E in band V; in band X there are no zones 32, 34 and 36, and 31, 33, 35, 37 are wider.
    Every zone that could hold a part is named: what does not reach the window is not read.
    """
    south, north = max(-80.0, grid.latitudes.end), min(84.0, grid.latitudes.origin)
    bands = range(floor((south + 80) / 8), ceil((north + 80) / 8)) if south < north else range(0)
    letters = list(dict.fromkeys(_LETTERS[min(band, 19)] for band in bands))
    numbers = range(floor((grid.longitudes.origin + 180) / 6), ceil((grid.longitudes.end + 180) / 6))
    plain = [(number % 60) + 1 for number in numbers]
    found = [Zone(number, letter) for letter in letters for base in plain for number in _also(base, letter)]
    return list(dict.fromkeys(found))


def _also(number: int, letter: str) -> list[int]:
    if letter == "V" and number == 31:
        return [31, 32]
    if letter == "X" and 31 <= number <= 37:
        return [number] if number % 2 else [number - 1, number + 1]
    return [number]


def _wanted(tiles: Sequence[tuple[MgrsTile, GeoreferencedRaster]], grid: RasterGrid) -> list[tuple[Cog, list[int]]]:
    """List the blocks of each band that a window needs, strip by strip: in UTM a whole window lies askew."""
    if not tiles:
        return []
    strips = list(strips_of(result_grid(grid, [raster for _, raster in tiles])))
    return [
        (cog, list(dict.fromkeys(n for strip in strips for w in windows(raster, strip) for n in cog.blocks(*w))))
        for tile, raster in tiles
        for cog in tile.bands
    ]


def _records(tiles: Sequence[MgrsTile]) -> list[dict[str, Any]]:
    return [cog.provenance_record() for tile in tiles for cog in tile.bands]

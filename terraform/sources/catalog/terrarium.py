"""The source `terrarium`: AWS Terrain Tiles, heights of Earth in the colours of PNG tiles of the Web Mercator pyramid.

Height in metres: red * 256 + green + blue / 256 - 32768. The tiles hold the floor of the sea too: what lies below 0 m
counts as sea, and so do the few lands below it (the Dead Sea, Death Valley); use opentopography or copernicus there.
"""

import io
from dataclasses import dataclass, replace
from functools import partial
from math import asinh, ceil, floor, log2, pi, radians, tan
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rasterio.crs import CRS
from rasterio.transform import Affine

from terraform.config import Config, TerrariumSource
from terraform.errors import RemoteError
from terraform.geo.bodies import EARTH, Body
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import VOID
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, PlanetRequest, Request, require, require_planet
from terraform.sources.raster.assemble import write_raster
from terraform.sources.raster.classify import MaskedPixels, classify_heights
from terraform.sources.raster.formats import Pixels, Raster, Span
from terraform.sources.raster.georeference import georeference
from terraform.sources.raster.planet import planet_strips, raster_grid, with_sea_floor, write_planet
from terraform.sources.remote.cache import Cache
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.response import PNG
from terraform.sources.remote.store import RemoteStore, open_store

CREDIT = Credit(
    "terrarium",
    "LicenseRef-Terrain-Tiles",
    "Terrain Tiles by Mapzen on AWS: ArcticDEM (DigitalGlobe, PGC), Geoscience Australia (CC BY 4.0), "
    "data.gv.at Austria (CC BY 3.0 AT), Natural Resources Canada (OGL), EU-DEM (Copernicus), ETOPO1 and USGS 3DEP and "
    "SRTM and GMTED2010 (public domain), INEGI Mexico, LINZ New Zealand (CC BY 4.0), Kartverket Norway (CC BY 4.0), "
    "Environment Agency UK (OGL)",
)
"""The list of attributions that the tiles ask for."""

_SIDE = 256
_FORMATS = ["PNG"]
"""Pillow tries no other decoder."""
_HALF_M = pi * 6_378_137
_MOST_BYTES = 400_000
_TILE_BYTES = 90_000
_HIGHEST_DEG = 85.0
_PACIFIC = "+proj=webmerc +datum=WGS84 +lon_0=180 +units=m +no_defs"
"""EPSG:3857 about the antimeridian, where that one is cut."""


class XyzTile(NamedTuple):
    """A tile of the pyramid; x counts eastwards from 180 W, y southwards."""

    x: int
    y: int


def build(settings: TerrariumSource, config: Config) -> "Terrarium":
    """Build the source as configured."""
    return Terrarium(open_store(settings, config.downloads, f"zoom-{settings.zoom}"), settings.zoom)


@dataclass(frozen=True)
class Terrarium:
    """The tiles of one zoom level."""

    store: RemoteStore
    zoom: int

    def credit(self) -> Credit:
        """Many sources, each with its own terms."""
        return CREDIT

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate one request a tile."""
        require(request, "terrarium", EARTH, "elevation")
        tiles = self._tiles(request.grid)
        missing = [tile for tile in tiles if not self.store.cache.has(*self._names(tile))]
        kept = len(tiles) - len(missing)
        service, exact = self.store.cache.source, not missing
        return FetchEstimate(service, len(missing), len(missing) * _TILE_BYTES, kept * _TILE_BYTES, exact)

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the heights of a region.

        Raises
        ------
        ConfigError
            Imagery, or another body, is asked for.
        RemoteError
            The service fails, or a tile is not what it should be.
        """
        require(request, "terrarium", EARTH, "elevation")
        tiles = self._tiles(request.grid)
        with self.store.cache.exclusive():
            self.store.map(self._png, tiles)
        raster = georeference(self._raster(request.grid), EARTH)
        write_raster(request, [[raster]], partial(_land_and_sea, body=EARTH), destination, Provenance((CREDIT,)))
        columns, rows = sorted({tile.x for tile in tiles}), sorted({tile.y for tile in tiles})
        details = {
            "version": f"zoom {self.zoom}",
            "url": redact_url(self.store.client.access.url(f"{self.zoom}/{{x}}/{{y}}.png")),
            "tiles": len(tiles), "x": columns, "y": rows,
            "tiles_sha256": self.store.cache.digest(map(self._names, sorted(tiles))),
        }  # fmt: skip
        return Provenance((CREDIT,), details)

    def estimate_planet(self, request: PlanetRequest) -> FetchEstimate:
        """Estimate one request a tile of the level whose pixels are about a cell."""
        require_planet(request, "terrarium", EARTH, ["elevation"])
        level = self._level_of(request)
        tiles = level._tiles(raster_grid(request.grid))
        missing = sum(not level.store.cache.has(*level._names(tile)) for tile in tiles)
        kept = len(tiles) - missing
        return FetchEstimate(
            self.store.cache.source, missing, missing * _TILE_BYTES, kept * _TILE_BYTES, exact=not missing
        )

    def fetch_planet(self, request: PlanetRequest, destination: Path) -> Provenance:
        """Publish the heights of Earth, with the floor of the sea.

        The pyramid ends at 85.05 degrees: beyond, the last row is repeated.

        Raises
        ------
        ConfigError
            Anything else is asked for.
        RemoteError
            The service fails, or a tile is not what it should be.
        """
        require_planet(request, "terrarium", EARTH, ["elevation"])
        level, grid = self._level_of(request), raster_grid(request.grid)
        tiles = level._tiles(grid)
        with level.store.cache.exclusive():
            level.store.map(level._png, tiles)
        raster = georeference(level._raster(grid), EARTH)
        classify = partial(classify_heights, body=with_sea_floor(EARTH), missing_is_sea=False)
        provenance = Provenance((CREDIT,), {
            "version": f"zoom {level.zoom}", "tiles": len(tiles), "beyond_85_deg": "the last row is repeated",
            "url": redact_url(level.store.client.access.url(f"{level.zoom}/{{x}}/{{y}}.png")),
            "tiles_sha256": level.store.cache.digest(map(level._names, sorted(tiles))),
        })  # fmt: skip
        strips = [*planet_strips(request, [[raster]], classify)]
        write_planet(request, [_to_the_poles(np.concatenate(strips))], destination, provenance)
        return provenance

    def _level_of(self, request: PlanetRequest) -> "Terrarium":
        """Choose the coarsest zoom level whose pixels on the equator are at most 1.2 cells."""
        zoom = min(max(ceil(log2(request.grid.width / _SIDE) - 0.25), 0), 7)
        cache = Cache(self.store.cache.folder.parents[1], self.store.cache.source, f"zoom-{zoom}")
        return Terrarium(replace(self.store, cache=cache), zoom)

    def _span(self, grid: RasterGrid) -> tuple[range, range]:
        """Rows and columns of tiles that a window touches; columns count on beyond the antimeridian."""
        count = 1 << self.zoom
        north, south = (
            min(max(lat, -_HIGHEST_DEG), _HIGHEST_DEG) for lat in (grid.latitudes.origin, grid.latitudes.end)
        )  # fmt: skip
        rows = range(int(_row(north, count)), min(count, int(_row(south, count)) + 1))
        left, right = ((lon + 180) / 360 * count for lon in (grid.longitudes.origin, grid.longitudes.end))
        return rows, range(floor(left), min(ceil(right), floor(left) + count))

    def _tiles(self, grid: RasterGrid) -> list[XyzTile]:
        rows, columns = self._span(grid)
        return [self._tile(x, y) for y in rows for x in columns]

    def _tile(self, x: int, y: int) -> XyzTile:
        return XyzTile(x % (1 << self.zoom), y)

    def _names(self, tile: XyzTile) -> tuple[str, str]:
        return str(tile.x), str(tile.y)

    def _png(self, tile: XyzTile) -> bytes:
        """Get a tile from the cache or the service; it is decoded before it is kept."""
        stored = self.store.cache.read(*self._names(tile))
        if stored is None:
            url = self.store.client.access.url(f"{self.zoom}/{tile.x}/{tile.y}.png")
            stored = self.store.client.get(url, PNG, _MOST_BYTES)
            decode_tile(stored, redact_url(url))
            self.store.cache.write(stored, *self._names(tile))
        return stored

    def _raster(self, grid: RasterGrid) -> Raster:
        """All tiles of a window as one raster, so that it has no seams inside, nor at the antimeridian."""
        rows, columns = self._span(grid)
        pixel = 2 * _HALF_M / (_SIDE << self.zoom)
        crossing = columns.start < 0 or columns.stop > 1 << self.zoom
        left = (columns.start % (1 << self.zoom)) * _SIDE * pixel - (2 if crossing else 1) * _HALF_M
        transform = Affine(pixel, 0, left, 0, -pixel, _HALF_M - rows.start * _SIDE * pixel)

        def read(down: Span, across: Span) -> Pixels:
            ys, xs = (range(span[0] // _SIDE, -(-span[1] // _SIDE)) for span in (down, across))
            tiles = [[self._heights(self._tile(columns[x], rows[y])) for x in xs] for y in ys]
            y0, x0 = ys.start * _SIDE, xs.start * _SIDE
            return Pixels(np.block(tiles)[down[0] - y0 : down[1] - y0, across[0] - x0 : across[1] - x0], None)

        crs = CRS.from_user_input(_PACIFIC if crossing else "EPSG:3857")
        shape = (_SIDE * len(rows), _SIDE * len(columns))
        return Raster(f"terrarium at zoom {self.zoom}", crs, transform, *shape, 1, "float32", None, read)

    def _heights(self, tile: XyzTile) -> NDArray[np.float32]:
        return decode_tile(self._png(tile), f"tile {self.zoom}/{tile.x}/{tile.y}")


def decode_tile(png: bytes, name: str) -> NDArray[np.float32]:
    """Decode the heights of a tile, (256, 256) float32 metres.

    Raises
    ------
    RemoteError
        It is damaged, or of another size.
    """
    try:
        with Image.open(io.BytesIO(png), formats=_FORMATS) as image:
            # The size is known before a pixel is unpacked.
            if image.size != (_SIDE, _SIDE):
                raise RemoteError(f"{name} has {image.width} x {image.height} pixels, expected {_SIDE} x {_SIDE}")
            # Unpacking alone leaves out the checksums of the pixels, and a quarter of all damage shows in nothing else.
            image.verify()
        with Image.open(io.BytesIO(png), formats=_FORMATS) as image:
            rgb = np.asarray(image.convert("RGB"), np.float32)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise RemoteError(f"{name} is no sound PNG ({error}): fetch it again later") from None
    # In this order every step is exact in float32.
    return np.asarray((rgb[..., 0] * 256 - 32768) + rgb[..., 1] + rgb[..., 2] / 256, np.float32)


def _land_and_sea(pixels: Pixels, raster: Raster, body: Body) -> MaskedPixels:
    below = pixels.values < 0
    known = classify_heights(
        pixels._replace(values=np.where(below, 0, pixels.values)), raster, body, missing_is_sea=False
    )
    sea = known.valid & below
    return MaskedPixels(known.values, known.valid & ~sea, sea)


def _to_the_poles(stored: NDArray[np.int16]) -> NDArray[np.int16]:
    """Repeat the first and the last row that has heights up to the poles, (H, W)."""
    known = np.flatnonzero((stored != VOID).mean(axis=1) > 0.5)
    if known.size:
        stored[: known[0]], stored[known[-1] + 1 :] = stored[known[0]], stored[known[-1]]
    return stored


def _row(lat_deg: float, count: int) -> float:
    return (1 - asinh(tan(radians(lat_deg))) / pi) / 2 * count

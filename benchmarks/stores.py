"""Files in the layouts of the true stores, a region on each, and the bytes that its window needs at the least."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from servers import buckets

from terraform.geo.bodies import EARTH, MARS, Body
from terraform.geo.grid import RasterGrid, download_grid
from terraform.geo.regions import Region, rectangle
from terraform.sources import Kind


class Window(NamedTuple):
    """What is fetched.

    Attributes
    ----------
    region : Region
    minimum_bytes : float
        The pixels of its window, in bytes as they are packed on average.
    kind : {"elevation", "imagery"}
    section : dict
        Settings of the source beyond its address.
    """

    region: Region
    minimum_bytes: float
    kind: Kind
    section: dict[str, Any]


def _region(body: Body, west: float, south: float, east: float, north: float) -> Region:
    return Region("here", body, "train", "Here", rectangle(west, south, east, north))


def _size_deg(grid: RasterGrid) -> tuple[float, float]:
    return abs(grid.latitudes.step * grid.latitudes.count), grid.longitudes.step * grid.longitudes.count


def _rough(lon: Any, lat: Any) -> Any:
    """Heights that pack as badly as real relief does: about half of their bits."""
    shape = np.broadcast_shapes(np.shape(lon), np.shape(lat))
    noise = np.random.default_rng(0).normal(0, 6, shape)
    return 1000 + 400 * np.sin(np.asarray(lon) * 12) + 300 * np.cos(np.asarray(lat) * 15) + noise


def _earth_tiles(write: Callable[[int, int], Path]) -> tuple[Region, float]:
    """Nine tiles of one degree, a region on them, and the bytes that its window needs."""
    sizes = [write(south, west).stat().st_size for south in (45, 46, 47) for west in (8, 9, 10)]
    region = _region(EARTH, 8.3, 45.3, 10.5, 47.5)
    tall, wide = _size_deg(download_grid(region))
    return region, float(np.mean(sizes)) * tall * wide


def opentopography(folder: Path) -> Window:
    """SRTM in blocks of 512."""
    made = _earth_tiles(
        lambda south, west: buckets.srtm(folder, south, west, 3601, _rough, BLOCKSIZE=512, LEVEL=1, OVERVIEWS="NONE")
    )
    buckets.srtm_list(folder)
    return Window(*made, "elevation", {})


def copernicus(folder: Path) -> Window:
    """GLO-30 in blocks of 1,024."""
    options = {"BLOCKSIZE": 1024, "LEVEL": 1, "OVERVIEWS": "NONE"}
    made = _earth_tiles(
        lambda south, west: buckets.copernicus(folder, south, west, side=3600, heights=_rough, **options)
    )
    buckets.copernicus_list(folder)
    return Window(*made, "elevation", {"coarse_url": ""})


def mosaic120(folder: Path) -> Window:
    """Three bands of reflectance in UTM."""

    def reflectance(lon: Any, lat: Any, band: str) -> Any:
        return _rough(lon, lat) / 5000

    shape = (3500, 3500)
    paths = buckets.mosaic120(
        folder, "2019-07-10", "32T", 32632, 300_000, 5_320_000, shape, reflectance, BLOCKSIZE=512, LEVEL=1
    )
    region = _region(EARTH, 7.5, 45.5, 10.0, 47.3)
    tall, wide = _size_deg(download_grid(region))
    metres = EARTH.metres_per_degree
    pixels = tall * metres / 120 * wide * metres * np.cos(np.radians(46.4)) / 120
    minimum = sum(path.stat().st_size for path in paths) * pixels / (shape[0] * shape[1])
    return Window(region, minimum, "imagery", {})


def hrsc(folder: Path) -> Window:
    """Rows in degrees."""
    # 8,000 columns stand for 106,694: the window has as many pixels as one of 7.6 degrees in the true file.
    buckets.planet(folder / "Mars_HRSC_MOLA_BlendDEM_Global_200mp_v2.tif", 4000, 8000, True, lambda lon, lat: lon + lat)
    return _mars_window(4000, 8000, _region(MARS, -150, -30, -50, 25))


def mola(folder: Path) -> Window:
    """Rows in metres."""
    buckets.planet(folder / "Mars_MGS_MOLA_DEM_mosaic_global_463m.tif", 4000, 8000, False, lambda lon, lat: lon + lat)
    return _mars_window(4000, 8000, _region(MARS, -150, -30, -50, 25))


def _mars_window(height: int, width: int, region: Region) -> Window:
    tall, wide = _size_deg(download_grid(region))
    return Window(region, 2 * height * tall / 180 * width * wide / 360, "elevation", {})


def terrarium(folder: Path) -> Window:
    """PNG tiles."""
    region = _region(EARTH, 8.3, 45.3, 12.5, 48.5)
    tall, wide = _size_deg(download_grid(region))
    count = 1 << 10
    sizes = []
    for x in range(int(188 / 360 * count) - 2, int(193 / 360 * count) + 3):
        sizes += [buckets.terrarium(folder, 10, x, y, _rough).stat().st_size for y in range(350, 370)]
    # A tile of zoom 10 is 0.352 degrees wide and, here, 0.24 tall.
    tiles = wide / (360 / count) * tall / (360 / count * np.cos(np.radians(46.9)))
    return Window(region, float(np.mean(sizes)) * tiles, "elevation", {})

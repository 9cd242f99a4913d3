"""Regions of the Earth Engine stand-in, how they are fetched, and what they must be."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from servers.earthengine import EarthEngine
from servers.ee_ground import sea, unseen_land
from servers.surface import height_m
from servers.windows import rectangle_of
from terraform.config import Config, parse
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import SEA, VOID
from terraform.geo.raster import grid_of, opened, read
from terraform.geo.regions import Region, rectangle
from terraform.provenance import Provenance
from terraform.sources import source_named

SECOND = 1 / 3600


FAST = {
    "attempts": 3, "backoff_s": 0.01, "connect_timeout_s": 2, "read_timeout_s": 20, "deadline_s": 60,
    "longest_wait_s": 2,
}  # fmt: skip


SRTM, NASADEM, GLO30 = "USGS/SRTMGL1_003", "NASA/NASADEM_HGT/001", "COPERNICUS/DEM/GLO30_2024_1"


def region(west: float, south: float, east: float, north: float, name: str = "here") -> Region:
    return Region(name, EARTH, "train", "Here", rectangle(west, south, east, north))


HERE = region(10.45, 45.45, 10.61, 45.55)


COAST = region(9.95, 45.01, 10.15, 45.13)


CORNER = region(10.85, 45.85, 10.95, 45.93)


OVER = region(179.85, 40.15, 180.15, 40.25)  # where the antimeridian is no edge of the windows anyway


asked = partial(rectangle_of, kind="elevation")


def settings(server: EarthEngine, folder: Path, downloads: dict[str, Any] | None = None, **own: Any) -> Config:
    source = {"source": "earthengine", "base_url": server.url, **own}
    cached = {"cache": str(folder / "cache"), **FAST, **(downloads or {})}
    return parse({"downloads": cached, "sources": {"earth": {"elevation": source}}})


def fetched(config: Config, where: Region, folder: Path) -> tuple[NDArray[np.int16], RasterGrid, Provenance]:
    folder.mkdir(exist_ok=True)
    source = source_named("earthengine", config.sources.earth.elevation, config)
    made = source.fetch(asked(where), folder / "elevation.tif")
    with opened(folder / "elevation.tif") as dataset:
        return read(dataset), grid_of(dataset), made


def expected(grid: RasterGrid) -> NDArray[np.int16]:
    """What the means of the model's own pixels are, by the formula of the ground."""
    down, across = round(-grid.latitudes.step / SECOND), round(grid.longitudes.step / SECOND)

    def native(origin: float, step: float, count: int) -> NDArray[np.float64]:
        return np.rint((origin + (np.arange(count) + 0.5) * step) / SECOND) * SECOND

    lat = native(grid.latitudes.origin, -SECOND, grid.latitudes.count * down)[:, None]
    lon = native(grid.longitudes.origin, SECOND, grid.longitudes.count * across)[None, :]
    lon = np.mod(lon + 180, 360) - 180
    wet, unknown = sea(lon, lat), unseen_land(lon, lat)
    shape = (grid.latitudes.count, down, grid.longitudes.count, across)
    land = ~wet & ~unknown
    count = land.reshape(shape).sum((1, 3))
    total = np.where(land, np.rint(height_m(lon, lat)), 0).reshape(shape).sum((1, 3))
    heights = np.rint(total / np.maximum(count, 1)).astype(np.int16)
    known = (~unknown).reshape(shape).mean((1, 3))
    heights[wet.reshape(shape).mean((1, 3)) * 2 > known] = SEA
    heights[known < 0.5] = VOID
    return heights

"""Regions over tiles of one degree, how they are fetched, and what they must be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from servers.surface import height_m
from terraform import provenance
from terraform.config import Config, parse
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import SEA
from terraform.geo.raster import grid_of, opened, read
from terraform.geo.regions import Region, rectangle
from terraform.geo.resample import Axis
from terraform.sources import Request, source_named
from terraform.sources.fetch import settings_of

FAST = {"attempts": 3, "backoff_s": 0.01, "read_timeout_s": 1, "connect_timeout_s": 2, "deadline_s": 8}


def region(west: float, south: float, east: float, north: float, role: Any = "train") -> Region:
    return Region("here", EARTH, role, "Here", rectangle(west, south, east, north))


def config(url: str, cache: Path, source: str = "opentopography", **more: Any) -> Config:
    section = {"source": source, "base_url": url, "hosts": [], **more}
    downloads = {**FAST, "cache": str(cache), "lock": str(cache.parent / "sources.lock.json")}
    return parse({"downloads": downloads, "sources": {"earth": {"elevation": section}}})


def window(asked: Region) -> RasterGrid:
    """Pixels of 200 m over the region alone, without the margins of its tiles."""
    west, south, east, north = asked.bounds
    return RasterGrid(EARTH, axis(north, south), axis(west, east))


def axis(start: float, end: float) -> Axis:
    count = max(1, round(abs(end - start) / 0.0018))
    return Axis(start, (end - start) / count, count)


def fetched(settings: Config, asked: Region, path: Path) -> tuple[NDArray[Any], RasterGrid]:
    source = source_named(settings.sources.earth.elevation.source, settings_of(settings, asked, "elevation"), settings)
    provenance.write(source.fetch(Request(asked, "elevation", window(asked)), path), path.with_suffix(".json"))
    with opened(path) as dataset:
        return read(dataset), grid_of(dataset)


def assert_is_the_surface(
    values: NDArray[Any], grid: RasterGrid, tolerance_m: float = 0, sea: Callable[..., Any] | None = None
) -> None:
    lon, lat = np.meshgrid(grid.longitudes.centres(), grid.latitudes.centres())
    expected = np.rint(height_m(lon, lat))
    wet = np.zeros(values.shape, bool) if sea is None else sea(lon, lat)
    assert np.abs(values[~wet] - expected[~wet]).max() <= tolerance_m
    assert (values[wet] == SEA).all()


def under(url: str, folder: Path) -> str:
    return f"{url}/{folder.name}"


def glo(file_server_url: str, tiles: Path, cache: Path) -> Config:
    return config(
        under(file_server_url, tiles / "fine").replace("/fine", f"/{tiles.name}/fine"), cache, "copernicus",
        coarse_url=f"{file_server_url}/{tiles.name}/coarse",
    )  # fmt: skip

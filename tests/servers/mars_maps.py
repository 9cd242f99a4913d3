"""Regions of coarse maps of Mars, how they are fetched, and what they must be."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from servers.surface import height_m
from terraform import provenance
from terraform.config import Config, parse
from terraform.geo.bodies import MARS
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import grid_of, opened, read
from terraform.geo.regions import Region, rectangle
from terraform.geo.resample import Axis
from terraform.sources import Request, source_named
from terraform.sources.fetch import settings_of

FAST = {"attempts": 3, "backoff_s": 0.01, "read_timeout_s": 2, "connect_timeout_s": 2, "deadline_s": 20}


BLEND = "Mars_HRSC_MOLA_BlendDEM_Global_200mp_v2.tif"


MAP = "Mars_MGS_MOLA_DEM_mosaic_global_463m.tif"


def region(west: float, south: float, east: float, north: float) -> Region:
    return Region("there", MARS, "mosaic", "There", rectangle(west, south, east, north))


def config(url: str, here: Path, source: str, **more: Any) -> Config:
    section = {"source": source, "base_url": url, "hosts": [], **more}
    downloads = {**FAST, "cache": str(here / "cache"), "lock": str(here / "sources.lock.json")}
    return parse({"downloads": downloads, "sources": {"mars": {"elevation": section}}})


def window(asked: Region, step: float = 0.05) -> RasterGrid:
    west, south, east, north = asked.bounds
    return RasterGrid(
        MARS, Axis(north, -step, round((north - south) / step)), Axis(west, step, round((east - west) / step))
    )


def fetched(settings: Config, asked: Region, path: Path, step: float = 0.05) -> tuple[NDArray[Any], RasterGrid]:
    source = source_named(settings.sources.mars.elevation.source, settings_of(settings, asked, "elevation"), settings)
    provenance.write(source.fetch(Request(asked, "elevation", window(asked, step)), path), path.with_suffix(".json"))
    with opened(path) as dataset:
        return read(dataset), grid_of(dataset)


def slow(lon: Any, lat: Any) -> Any:
    """Heights with periods of 30 degrees, for the coarse planets of these tests."""
    return height_m(np.asarray(lon) / 60, np.asarray(lat) / 60)


def assert_is_slow(values: NDArray[Any], grid: RasterGrid) -> None:
    expected = np.rint(slow(grid.longitudes.centres()[None, :], grid.latitudes.centres()[:, None]))
    assert np.abs(values - expected).max() == 0

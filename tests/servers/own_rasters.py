"""Rasters of one's own, written for tests as files, and what the source `files` makes of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

from terraform.config import Config, FilesSource
from terraform.geo.bodies import Body
from terraform.geo.grid import RasterGrid, download_grid
from terraform.geo.raster import grid_of, opened, read
from terraform.geo.regions import Region, rectangle
from terraform.sources import Request
from terraform.sources.catalog import files

SHARED = Path(__file__).parents[3] / "shared" / "data"


FIXTURES = SHARED / "fixtures"


real = pytest.mark.skipif(not SHARED.is_dir(), reason="the real rasters (../shared/data) are not on this machine")


Values = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def region(body: Body, west: float, south: float, east: float, north: float) -> Region:
    return Region("here", body, "train", "Here", rectangle(west, south, east, north))


def write(
    path: Path, values: NDArray[Any], crs: str | None, transform: Affine, nodata: float | None = None, **profile: Any
) -> Path:
    bands = values[None] if values.ndim == 2 else np.moveaxis(values, -1, 0)
    kind = {"driver": "GTiff", "dtype": values.dtype.name, "count": len(bands), **profile}
    height, width = bands.shape[1:]
    with rasterio.open(
        path, "w", height=height, width=width, crs=crs, transform=transform, nodata=nodata, **kind
    ) as dataset:
        dataset.write(bands)
    return path


def degrees(path: Path, west: float, north: float, step: float, values: NDArray[Any], **more: Any) -> Path:
    return write(path, values, more.pop("crs", "EPSG:4326"), Affine(step, 0, west, 0, -step, north), **more)


def fetch(
    asked: Region, destination: Path, path: Any, kind: str = "elevation", window: RasterGrid | None = None, **more: Any
) -> tuple[NDArray[Any], RasterGrid]:
    names = [str(item) for item in path] if isinstance(path, list) else str(path)
    source = files.build(FilesSource(source="files", path=names, **more), Config())
    source.fetch(Request(asked, kind, window or download_grid(asked)), destination)  # type: ignore[arg-type]
    with opened(destination) as dataset:
        return read(dataset), grid_of(dataset)


def at(values: NDArray[Any], grid: RasterGrid, lon: float, lat: float) -> Any:
    x = int((lon - grid.longitudes.origin) // grid.longitudes.step)
    y = int((lat - grid.latitudes.origin) // grid.latitudes.step)
    return values[y, x]


def colours(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(1, 256, (200, 200, 3)).astype(np.uint8)


def holed(kind: str, missing: float) -> NDArray[Any]:
    ground = np.full((200, 200), 700, kind)
    ground[80:120, 80:120] = missing
    return ground


LABEL = """PDS_VERSION_ID = PDS3
RECORD_BYTES = 80
^IMAGE = ("IN.IMG", 3)
OBJECT = IMAGE
 LINES = 20
 LINE_SAMPLES = 40
 SAMPLE_TYPE = MSB_INTEGER
 SAMPLE_BITS = 16
 UNIT = METER
 DESCRIPTION = "Lines
 LINES = 7 of a text"
END_OBJECT = IMAGE
OBJECT = IMAGE_MAP_PROJECTION
 MAP_PROJECTION_TYPE = "SIMPLE CYLINDRICAL"
 A_AXIS_RADIUS = {radius} <KM>
 CENTER_LATITUDE = 0.0 <DEGREE>
 CENTER_LONGITUDE = 180.0 <DEGREE>
 MAP_RESOLUTION = 2.0 <PIXEL/DEGREE>
 WESTERNMOST_LONGITUDE = 100.0 <DEGREE>
 MAXIMUM_LATITUDE = {north} <DEGREE>
 LINE_PROJECTION_OFFSET = 20.5
 SAMPLE_PROJECTION_OFFSET = 160.5
END_OBJECT = IMAGE_MAP_PROJECTION
END
"""


def labelled(folder: Path, radius: float = 3396.0, north: float = 10.0) -> Path:
    (folder / "in.lbl").write_text(LABEL.format(radius=radius, north=north))
    ground = (np.arange(20)[:, None] * 100 + np.arange(40)).astype(">i2")
    (folder / "in.img").write_bytes(bytes(160) + ground.tobytes())
    return folder / "in.lbl"

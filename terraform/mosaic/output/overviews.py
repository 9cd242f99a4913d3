"""A picture and its overviews, written while it is made: each stripe is downsample_2x in memory, and that again.

Left to itself, GDAL makes overviews by reading the finished picture again, and takes more time for that than for
compressing it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.windows import Window

from terraform.geo.geobox import GeoBox

Planes = NDArray[np.uint8]

ROWS = 256
"""Rows that are written at once: a row of blocks, so that no block is compressed twice."""
SMALLEST_PX = 512
"""Sides of the last overview are at most that."""


@contextmanager
def pyramid(beside: Path, frame: GeoBox, stripes: Iterable[Planes], tags: Mapping[str, str]) -> Iterator[Path]:
    """Write a picture into temporary files, one for each overview, and yield a virtual raster of them.

    Parameters
    ----------
    beside : Path
        What the names of the files begin with.
    stripes : iterable of (4, h, W) uint8
        Red, green, blue and 255 where valid, north to south, of any heights.
    tags : mapping
        Written into the virtual raster.
    """
    frames = [frame]
    while max(frames[-1].height, frames[-1].width) > SMALLEST_PX:
        frames.append(frames[-1].zoom_out())
    paths = [beside.with_name(f"{beside.name}.{number}.tif") for number in range(len(frames))]
    virtual = beside.with_name(f"{beside.name}.vrt")
    try:
        _write(paths, frames, stripes, tags)
        _join(paths, virtual)
        yield virtual
    finally:
        for path in (*paths, virtual):
            path.unlink(missing_ok=True)


def _write(paths: list[Path], frames: list[GeoBox], stripes: Iterable[Planes], tags: Mapping[str, str]) -> None:
    with ExitStack() as stack:
        files = [stack.enter_context(rasterio.open(path, "w", **_profile(frame)))
                 for path, frame in zip(paths, frames, strict=True)]  # fmt: skip
        files[0].update_tags(**tags)
        levels: Iterable[Planes] = stripes
        for file in files:
            levels = _written(file, levels)
        for _ in levels:
            pass


def _written(file: rasterio.io.DatasetWriter, stripes: Iterable[Planes]) -> Iterator[Planes]:
    """Write stripes into a file and pass each on in half its size."""
    top = 0
    for stripe in rechunk_rows(stripes, ROWS):
        window = Window(0, top, file.width, stripe.shape[1])
        file.write(stripe[:3], window=window)
        file.write_mask(stripe[3], window=window)
        top += stripe.shape[1]
        yield downsample_2x(stripe)


def rechunk_rows(stripes: Iterable[Planes], rows: int) -> Iterator[Planes]:
    """Cut the same rows into stripes of equal height, the last excepted."""
    waiting: list[Planes] = []
    for stripe in stripes:
        waiting.append(stripe)
        while sum(part.shape[1] for part in waiting) >= rows:
            joined = np.concatenate(waiting, axis=1) if len(waiting) > 1 else waiting[0]
            yield joined[:, :rows]
            waiting = [joined[:, rows:]] if joined.shape[1] > rows else []
    if waiting:
        yield np.concatenate(waiting, axis=1)


def downsample_2x(planes: Planes) -> Planes:
    """(4, h, W) -> (4, ceil(h / 2), ceil(W / 2)): the mean of what is valid in 2 x 2 pixels, valid where half is."""
    _, height, width = planes.shape
    if height % 2 or width % 2:
        planes = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    if planes[3].all():
        mean = (_four(planes[:3].astype(np.uint16)) + np.uint16(2)) // np.uint16(4)
        return np.concatenate([mean, np.full_like(mean[:1], 255)]).astype(np.uint8)
    known = (planes[3] > 0).astype(np.uint16)
    count = _four(known)
    colours = (_four(planes[:3] * known) + count // 2) // np.maximum(count, 1)
    valid = count >= 2
    return np.concatenate([colours * valid, valid[None] * np.uint16(255)]).astype(np.uint8)


def _four(values: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Sum 2 x 2 pixels."""
    across: NDArray[np.uint16] = values[..., ::2] + values[..., 1::2]
    return across[..., ::2, :] + across[..., 1::2, :]


def _profile(frame: GeoBox) -> dict[str, object]:
    """Not compressed: of imagery that would save an eighth of the room, for a quarter more of the encoder's time."""
    return {
        "driver": "GTiff", "height": frame.height, "width": frame.width, "count": 3, "dtype": "uint8",
        "crs": frame.crs, "transform": frame.transform, "photometric": "RGB", "interleave": "pixel", "tiled": True,
        "blockxsize": ROWS, "blockysize": ROWS, "bigtiff": "IF_SAFER",
    }  # fmt: skip


def _join(paths: list[Path], virtual: Path) -> None:
    """Join files into a virtual raster of the first, the others its overviews."""
    rasterio.shutil.copy(paths[0], virtual, driver="VRT")
    document = ElementTree.parse(virtual)  # noqa: S314 (GDAL wrote it just now)
    for band in document.iter("VRTRasterBand"):
        for path in paths[1:]:
            overview = ElementTree.SubElement(band, "Overview")
            ElementTree.SubElement(overview, "SourceFilename", relativeToVRT="1").text = path.name
            ElementTree.SubElement(overview, "SourceBand").text = band.get("band") or "mask,1"
    document.write(virtual)

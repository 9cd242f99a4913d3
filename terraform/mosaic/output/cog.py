"""Writing a picture as a cloud-optimised GeoTIFF, stripe by stripe."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from terraform.errors import IntegrityError, ResourceError
from terraform.geo.geobox import GeoBox
from terraform.geo.raster import opened, read
from terraform.mosaic.output.overviews import pyramid
from terraform.storage.atomic_write import atomic_write, require_space

DESCRIPTION = "plausible, not predicted: drawn by a neural network, not an observation"

_GDAL = {
    "GDAL_NUM_THREADS": "ALL_CPUS",
    "GDAL_TIFF_INTERNAL_MASK": True,
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_CACHEMAX": 256,
}
_COMPRESSION: dict[str, dict[str, Any]] = {
    "zstd": {"compress": "ZSTD", "predictor": "YES"},
    "deflate": {"compress": "DEFLATE", "predictor": "YES", "level": 6},
    "jpeg": {"compress": "JPEG", "quality": 90},
    "webp": {"compress": "WEBP", "quality": 90},
}


def write(
    path: Path, frame: GeoBox, stripes: Iterable[NDArray[np.uint8]], compression: str, tags: Mapping[str, str]
) -> None:
    """Publish a picture as a COG with overviews and an internal mask.

    Parameters
    ----------
    stripes : iterable of (4, h, W) uint8
        Red, green, blue and 255 where valid, north to south.
    compression : {"zstd", "deflate", "jpeg", "webp"}
    tags : mapping
        Written into the file, beside the description.

    Raises
    ------
    ResourceError
        The disk has no room.
    IntegrityError
        What was written cannot be read back.
    """
    require_space(path.parent, needed_bytes(frame))

    def check(temporary: Path) -> None:
        _verify(temporary, frame)

    with atomic_write(path, verify=check) as temporary:
        labels = {"DESCRIPTION": DESCRIPTION, **tags}
        try:
            with rasterio.Env(**_GDAL), pyramid(temporary, frame, stripes, labels) as made:
                rasterio.shutil.copy(
                    made, temporary, driver="COG", bigtiff="IF_SAFER", num_threads="ALL_CPUS",
                    **_COMPRESSION[compression],
                )  # fmt: skip
        except (RasterioError, CPLE_BaseError) as error:
            raise ResourceError(
                f"{path} cannot be written ({error.__cause__ or error}): is the disk full, or the folder not writable?"
            ) from None


def needed_bytes(frame: GeoBox) -> int:
    """Room for the mosaic and what it is made from, both with overviews, were it not compressible."""
    return frame.height * frame.width * 8


def _verify(path: Path, frame: GeoBox) -> None:
    with opened(path) as dataset:
        if dataset.shape != (frame.height, frame.width) or dataset.count != 3:
            raise IntegrityError(f"{path} came out as {dataset.shape} x {dataset.count}: run it again")
        if dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") != "COG":
            raise IntegrityError(f"{path} is no cloud-optimised GeoTIFF: run it again")
        for row in range(0, frame.height, 512):
            read(dataset, (row, min(row + 512, frame.height)))


def small(path: Path, width: int) -> NDArray[np.uint8]:
    """Read the picture at most `width` pixels wide, (h, w, 4) uint8: red, green, blue and its mask."""
    with opened(path) as dataset:
        factor = min(1.0, width / dataset.width)
        shape = max(1, round(dataset.height * factor)), max(1, round(dataset.width * factor))
        resampling = rasterio.enums.Resampling.average
        colours = dataset.read(out_shape=(3, *shape), resampling=resampling)
        mask = dataset.dataset_mask(out_shape=shape)
    return np.moveaxis(np.concatenate([colours, mask[None]]), 0, -1)

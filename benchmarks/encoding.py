"""A cloud-optimised GeoTIFF with overviews against a plain, tiled GeoTIFF of the same picture; both are read back.

`python -m benchmarks.encoding [--json]`
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.windows import Window

from benchmarks.measure import cpu_seconds, interleaved, report
from terraform.geo.bodies import MARS
from terraform.geo.geobox import GeoBox
from terraform.geo.raster import opened, read
from terraform.mosaic.output import cog

_HEIGHT, _WIDTH, _STRIPE = 3072, 6144, 256


def plain(path: Path, frame: GeoBox, stripes: Iterator[NDArray[np.uint8]]) -> None:
    """Write the colours and their mask, compressed alike and read back, and nothing else."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(
        path, "w", driver="GTiff", height=frame.height, width=frame.width, count=3, dtype="uint8", photometric="RGB",
        interleave="pixel", tiled=True, blockxsize=512, blockysize=512, compress="DEFLATE", predictor=2, zlevel=6,
        num_threads="ALL_CPUS", crs=frame.crs, transform=frame.transform,
    ) as dataset:  # fmt: skip
        for number, stripe in enumerate(stripes):
            window = Window(0, number * _STRIPE, frame.width, stripe.shape[1])
            dataset.write(stripe[:3], window=window)
            dataset.write_mask(stripe[3], window=window)
    with opened(path) as dataset:
        for row in range(0, frame.height, 512):
            read(dataset, (row, min(row + 512, frame.height)))


def main() -> None:
    """Both, alternately, in CPU seconds."""
    picture = _picture()
    frame = GeoBox(_HEIGHT, _WIDTH, Affine(200, 0, 0, 0, -200, 0), CRS.from_user_input(MARS.map_crs))

    def stripes() -> Iterator[NDArray[np.uint8]]:
        return (picture[:, top : top + _STRIPE] for top in range(0, _HEIGHT, _STRIPE))

    with tempfile.TemporaryDirectory() as name:
        sides = {
            "plain": lambda: plain(Path(name) / "plain.tif", frame, stripes()),
            "ours": lambda: cog.write(Path(name) / "ours.tif", frame, stripes(), "deflate", {}),
        }
        seconds = interleaved(sides, rounds=3, clock=cpu_seconds)
        sizes = [(Path(name) / f"{side}.tif").stat().st_size for side in sides]
    report(
        "COG with overviews, a plain write over it", seconds["plain"] / seconds["ours"], 1 / 1.5,
        mpx_per_cpu_s=_HEIGHT * _WIDTH / 1e6 / seconds["ours"], bits_a_pixel=sizes[1] * 8 / (_HEIGHT * _WIDTH),
    )  # fmt: skip


def _picture() -> NDArray[np.uint8]:
    """Provinces, hills and grain: about as hard to compress as imagery, 20 bits a pixel."""
    draw = np.random.default_rng(0)
    broad = draw.integers(50, 180, (3, _HEIGHT // 96, _WIDTH // 96)).repeat(96, 1).repeat(96, 2)
    hills = draw.integers(0, 24, (1, _HEIGHT // 6, _WIDTH // 6)).repeat(6, 1).repeat(6, 2)
    grain = draw.integers(0, 40, (1, _HEIGHT, _WIDTH)) + draw.integers(0, 12, (3, _HEIGHT, _WIDTH))
    whole = np.full((1, _HEIGHT, _WIDTH), 255)
    return np.concatenate([broad + hills + grain, whole]).astype(np.uint8)


if __name__ == "__main__":
    main()

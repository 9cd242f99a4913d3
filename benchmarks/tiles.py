"""Tiles of the viewer from a mosaic, against a loop that reads it and has Pillow write WebP tiles.

`python -m benchmarks.tiles [--json] [MOSAIC]`; without a mosaic one of 4,096 x 3,072 pixels is made.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import interleaved, report

# isort: split
import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.crs import CRS
from rasterio.transform import Affine

from terraform.geo.bodies import MARS
from terraform.geo.geobox import GeoBox
from terraform.mosaic.output import cog
from terraform.viewer.pictures import mosaic_picture
from terraform.viewer.tiles import write_tiles

_GOAL_MPX = 40
_SIDE_PX = 256


def main() -> None:
    """Compare CPU seconds of one thread, and say how large the tiles are."""
    given = [Path(name) for name in sys.argv[1:] if not name.startswith("--")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mosaic = given[0] if given else _mosaic(folder / "mosaic.tif")
        picture = mosaic_picture(mosaic)
        sizes: dict[str, float] = {}
        rounds = iter(range(100))

        def ours() -> None:
            output = folder / f"ours-{next(rounds)}"
            write_tiles(picture, output, workers=1)
            sizes["ours"] = sum(path.stat().st_size for path in output.rglob("*.*") if path.suffix != ".json")

        def plain() -> None:
            sizes["plain"] = _plain(mosaic, folder / f"plain-{next(rounds)}", picture.grid.levels)

        spent = interleaved({"ours": ours, "plain": plain})
    mpx = picture.grid.width * picture.grid.height / 1e6
    report(
        "tiles of the viewer", spent["plain"] / spent["ours"], 2.0,
        Mpx_of_the_mosaic_a_CPU_second=mpx / spent["ours"], wanted=_GOAL_MPX,
        plain_Mpx_a_CPU_second=mpx / spent["plain"], bytes_a_pixel=sizes["ours"] / mpx / 1e6,
        plain_bytes_a_pixel=sizes["plain"] / mpx / 1e6,
    )  # fmt: skip


def _plain(mosaic: Path, folder: Path, levels: int) -> int:
    """Write the same levels as WebP in tiles of 256 pixels; bytes."""
    written = 0
    with rasterio.open(mosaic) as dataset:
        for level in range(levels):
            shape = -(-dataset.height >> level), -(-dataset.width >> level)
            pixels = np.moveaxis(dataset.read((1, 2, 3), out_shape=(3, *shape)), 0, -1)
            for top in range(0, shape[0], _SIDE_PX):
                for left in range(0, shape[1], _SIDE_PX):
                    path = folder / f"{level}/{left}/{top}.webp"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    tile = np.ascontiguousarray(pixels[top : top + _SIDE_PX, left : left + _SIDE_PX])
                    Image.fromarray(tile).save(path, "WEBP", quality=85, method=0)
                    written += path.stat().st_size
    return written


def _mosaic(path: Path) -> Path:
    """Make a mosaic of rough colours: octaves of noise, each half as strong as the coarser one."""
    height, width, pixel = 3072, 4096, 200.0
    noise = np.random.default_rng(0)
    colours = np.full((3, height, width), 128, np.float32)
    for octave in range(8):
        side = 4 << octave
        coarse = noise.normal(0, 24 / 1.6**octave, (3, side * 3 // 4, side))
        colours += np.stack([_enlarged(plane, (width, height)) for plane in coarse])
    planes = np.concatenate([np.clip(colours, 0, 255), np.full((1, height, width), 255)]).astype(np.uint8)
    crs = CRS.from_user_input(MARS.map_crs)
    cog.write(path, GeoBox(height, width, Affine(pixel, 0, 0, 0, -pixel, 0), crs), [planes], "deflate", {})
    return path


def _enlarged(plane: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(plane.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))


if __name__ == "__main__":
    main()

"""The pictures of the documents that show the published models: truth beside generated, a mosaic, the whole of Mars.

`python -m benchmarks.pictures RASTERS --run published` after `snakemake planet mosaics` with the overlays `files.yaml`
and `published.yaml`: italy, which neither generator nor base model saw, Korolev, and Mars from `models/mars-base.tif`.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.vrt import WarpedVRT
from rasterio.warp import Resampling
from rasterio.windows import Window

from terraform.storage.atomic_write import atomic_write, write_text

_DOCS = Path("docs")
_CONFIGS = ("config.yaml", "workflow/config/files.yaml", "workflow/config/published.yaml")
_SIDE_PX = 512
_SHORELINE_M = "-2500"
_OF_KOROLEV_M = -4500
"""At 2,500 m below the datum the crater lies under the ice of the ocean."""
_ITALY = ((0.13, 0.35), (0.62, 0.62))
"""Middles of the crops, shares of the height and width of the mosaic: the Alps and the plain; Tuscany."""


def main() -> None:
    """Draw them into `docs`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("rasters", type=Path)
    parser.add_argument("--run", default="published")
    options = parser.parse_args()
    mosaics = Path("results/mars") / options.run
    truth = options.rasters / "earth/italy/imagery.tif"
    rows = [beside(truth, mosaics / "italy/terraformed.tif", middle) for middle in _ITALY]
    _save(np.concatenate(rows), _DOCS / "real-italy.jpg")
    shrink(_korolev(options.run) / "preview.jpg", _DOCS / "real-korolev.jpg")
    whole = Path("results/planet") / options.run / "mars.png"
    relief = options.rasters / "planet/mars_elevation.tif"
    _terraform("render-planet", elevation=relief, output=whole, shoreline=_SHORELINE_M)
    shrink(whole, _DOCS / "mars.jpg", 1600)


def _korolev(run: str) -> Path:
    """Draw Korolev under a lower sea, on a polar map: climate, base colours, mosaic; nothing is learnt again."""
    folder, relief = Path("results/lakes"), "resources/mars/planet/elevation.tif"
    write_text(folder / "config.yaml", f"mosaics: {{elevation: {{policy: sea_level, shoreline_m: {_OF_KOROLEV_M}}}}}\n")
    given = [part for path in (*_CONFIGS, folder / "config.yaml") for part in ("--config", str(path))]
    planet, mars = Path("results/planet") / run, folder / "mars"
    _terraform("simulate-climate", *given, body="mars", elevation=relief, output=mars)
    _terraform("draw-base-colours", *given, base_model=planet / "base-model.safetensors", elevation=relief,
               climate=mars / "climate.tif", output=mars)  # fmt: skip
    weights = Path("results/model") / run / "weights.safetensors"
    _terraform("generate", *given, weights=weights, elevation="resources/mars/korolev/elevation.tif", region="korolev",
               base=mars / "base.tif", grid="polar", output=folder / "korolev")  # fmt: skip
    return folder / "korolev"


def _terraform(command: str, *given: str, **options: Path | str) -> None:
    named = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    subprocess.run([sys.executable, "-m", "terraform", command, *given, *named], check=True)


def beside(truth: Path, generated: Path, middle: tuple[float, float]) -> NDArray[np.uint8]:
    """Crop real and generated imagery of one place, pixel by pixel: (512, 1032, 3) uint8, white between them."""
    with rasterio.open(generated) as drawn, rasterio.open(truth) as real:
        top, left = (int(share * size) - _SIDE_PX // 2 for share, size in zip(middle, drawn.shape, strict=True))
        window = Window(left, top, _SIDE_PX, _SIDE_PX)
        like = {"crs": drawn.crs, "transform": drawn.transform, "width": drawn.width, "height": drawn.height}
        with WarpedVRT(real, resampling=Resampling.bilinear, **like) as warped:
            sides = [source.read((1, 2, 3), window=window).transpose(1, 2, 0) for source in (warped, drawn)]
    gap = np.full((_SIDE_PX, 8, 3), 255, np.uint8)
    return np.concatenate([sides[0], gap, sides[1]], axis=1)


def shrink(picture: Path, smaller: Path, side_px: int = 1000) -> None:
    """Write a picture no larger than `side_px` as JPEG."""
    with Image.open(picture) as image:
        image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        _save(np.asarray(image.convert("RGB")), smaller)


def _save(picture: NDArray[np.uint8], path: Path) -> None:
    with atomic_write(path) as temporary:
        Image.fromarray(picture).save(temporary, "JPEG", quality=85)


if __name__ == "__main__":
    main()

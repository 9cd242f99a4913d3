"""The pictures of docs/mars.md: a canyon of the embedded Mars under each knob of `mosaics`."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rasterio
from PIL import Image, ImageDraw, ImageFont

from benchmarks.seams import embedded
from terraform.config import Mosaics
from terraform.mosaic.output import cog
from terraform.mosaic.region import render_region
from terraform.storage.atomic_write import atomic_write

PLACE = (-66.0, -12.0, -58.0, -7.0)
SIZE_PX = (480, 300)
FLOODED = {"policy": "sea_level", "shoreline_m": -2500}
SHEETS: dict[str, dict[str, dict[str, Any]]] = {
    "elevation": {
        "clip": {"elevation": {"policy": "clip"}},
        "sea_level, shoreline_m: -2500": {"elevation": FLOODED},
        "sea_level, shoreline_m: 500": {"elevation": FLOODED | {"shoreline_m": 500}},
        "affine, shoreline_m: -2500": {"elevation": FLOODED | {"policy": "affine"}},
        "quantile, shoreline_m: -2500": {"elevation": FLOODED | {"policy": "quantile"}},
        "relief, shoreline_m: -2500": {"elevation": FLOODED | {"policy": "relief"}},
    },
    "climate": {
        "latitude_shift_deg: -40": {"elevation": FLOODED, "climate": {"latitude_shift_deg": -40}},
        "latitude_scale: 0": {"elevation": FLOODED, "climate": {"latitude_scale": 0}},
        "latitude_scale: 3": {"elevation": FLOODED, "climate": {"latitude_scale": 3}},
        "sun_azimuth_deg: 90": {"elevation": FLOODED, "climate": {"sun_azimuth_deg": 90}},
        "sun_azimuth_deg: 180": {"elevation": FLOODED, "climate": {"sun_azimuth_deg": 180}},
        "sun_azimuth_deg: 270": {"elevation": FLOODED, "climate": {"sun_azimuth_deg": 270}},
    },
}


def main(weights: Path, docs: Path) -> None:
    """Draw both sheets."""
    with TemporaryDirectory() as name:
        region, elevation = embedded("canyon", PLACE, Path(name))
        for sheet, knobs in SHEETS.items():
            pictures = {}
            for caption, settings in knobs.items():
                output = Path(name) / "drawn"
                render_region(weights, elevation, region, output, Mosaics.model_validate({"device": "cpu", **settings}))
                pictures[caption] = _small(output / "terraformed.tif")
            _save(pictures, docs / f"mars-{sheet}.jpg")


def _small(path: Path) -> Image.Image:
    with rasterio.open(path) as dataset:
        width = dataset.width
    return Image.fromarray(cog.small(path, min(width, SIZE_PX[0]))[..., :3]).resize(SIZE_PX)


def _save(pictures: dict[str, Image.Image], path: Path) -> None:
    width, height = SIZE_PX
    rows = -(-len(pictures) // 3)
    sheet = Image.new("RGB", (3 * width, rows * (height + 24)), (245, 245, 245))
    pen = ImageDraw.Draw(sheet)
    for number, (caption, picture) in enumerate(pictures.items()):
        left, top = number % 3 * width, number // 3 * (height + 24)
        sheet.paste(picture, (left, top))
        pen.text((left + 6, top + height + 4), caption, fill=(40, 40, 40), font=ImageFont.load_default(14))
    with atomic_write(path) as temporary:
        sheet.save(temporary, "JPEG", quality=82)

"""The published models draw the same picture wherever they are run."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image
from rasterio.crs import CRS
from rasterio.transform import from_origin

from terraform.learn import weights
from terraform.storage.models import published

PICTURE = Path(__file__).parent / "files" / "published-mars.png"
MODELS = Path(__file__).parents[2] / "models"
MARS = "IAU_2015:49900"


def relief(path, side=120, pixel_deg=0.004):
    """Ridges and a valley below the shoreline, south of Elysium, at no place of Mars."""
    y, x = np.mgrid[:side, :side] / side
    metres = 600 * np.sin(9 * x + 4 * np.sin(5 * y)) + 900 * np.cos(7 * y - 3 * x) - 2000
    profile = {"driver": "GTiff", "height": side, "width": side, "count": 1, "dtype": "int16"}
    with rasterio.open(
        path, "w", **profile, crs=CRS.from_string(MARS), transform=from_origin(130, -5, pixel_deg, pixel_deg)
    ) as dataset:
        dataset.write(np.rint(metres).astype(np.int16), 1)
    return path


def test_the_same_picture_on_every_machine(tmp_path):
    """As a user draws: the command alone, in a folder of its own."""
    options = ["--elevation", relief(tmp_path / "e.tif"), "--output", tmp_path / "o.tif", "--shoreline", "-2500"]
    subprocess.run([sys.executable, "-m", "terraform", "generate", *options], cwd=tmp_path, check=True)
    with rasterio.open(tmp_path / "o.tif") as dataset:
        drawn = np.moveaxis(dataset.read([1, 2, 3]), 0, -1).astype(int)
    known = np.asarray(Image.open(PICTURE)).astype(int)
    assert drawn.shape == known.shape
    assert np.abs(drawn - known).max() <= 1
    assert known.std((0, 1)).min() > 5


def test_each_has_a_card_and_a_size_to_hand_on():
    said = "".join(card.read_text(encoding="utf-8") for card in MODELS.glob("*.md"))
    files = [path for path in MODELS.iterdir() if path.suffix in (".safetensors", ".tif")]
    assert {path.name for path in files} >= {
        "base-model.safetensors", "earth-base.tif", "earth-climate.tif", "earth-tints.tif", "mars-base.tif",
        "mars-climate.tif", "mars-tints.tif", "generator.safetensors",
    }  # fmt: skip
    for path in files:
        assert path.name in said
        assert path.stat().st_size <= (16e6 if path.name == "generator.safetensors" else 2e6)


def test_licences_travel():
    made = weights.load(published("generator.safetensors")).provenance
    assert made.licence == "CC-BY-NC-SA-4.0"
    assert "Sentinel-2 cloudless" in made.attribution

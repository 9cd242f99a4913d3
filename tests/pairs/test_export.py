"""Pairs as the A|B pictures of other pix2pix trainers."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.world import make_pairs
from terraform.config import Sheet
from terraform.pairs.colormap import turbo
from terraform.pairs.export import export
from terraform.pairs.store import open_pairs


@pytest.fixture
def exported(tmp_path):
    folder = make_pairs(tmp_path / "pairs", 3)
    assert export(folder, tmp_path / "out" / "train", Sheet()) == 3
    return open_pairs(folder), tmp_path / "out" / "train"


def test_relief_is_left_and_imagery_right_pixel_by_pixel(exported):
    pairs, folder = exported
    for number, tile in enumerate(pairs.tiles):
        name = f"{pairs.region}_{tile['row']:03d}_{tile['column']:03d}.png"
        picture = np.asarray(Image.open(folder / name))
        assert picture.shape == (256, 512, 3)
        assert (picture[:, 256:] == pairs.imagery[number]).all()
        metres = pairs.elevation[number][64:-64, 64:-64].astype(np.float32)
        land = metres > 0
        expected = turbo(metres, ~land, 0, 9000)
        assert land.any() and (picture[:, :256][land] == expected[land]).all()


def test_the_licence_goes_with_them(exported):
    pairs, folder = exported
    assert len(list(folder.iterdir())) == len(pairs) + 1
    text = (folder / "LICENCE.txt").read_text(encoding="utf-8")
    assert pairs.provenance.licence in text and pairs.provenance.attribution in text

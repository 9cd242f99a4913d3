"""The package in one's own Python: weights from a file, an array in, an array out."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from exact import MADE, PLAIN

import terraform
from terraform.config import Sheet, Train
from terraform.errors import InputError
from terraform.learn import weights
from terraform.learn.models.generators import build_generator
from terraform.learn.weights import input_channels


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "weights.safetensors"
    settings = Train(network="unet_fc", width=4, noise=0)
    torch.manual_seed(0)
    network = build_generator(settings, input_channels(PLAIN, settings))
    weights.save(path, network, PLAIN, Sheet(), settings, MADE)
    return path


def test_an_array_in_an_array_out(file):
    draw = terraform.load_generator(file)
    heights = 1000 + 500 * np.sin(np.arange(120) / 9)[None] * np.ones((80, 1))
    heights[:20, :20] = np.nan
    picture = draw(heights, pixel_m=400, latitude_deg=45)
    assert picture.shape == (160, 240, 4) and picture.dtype == np.uint8
    assert (picture[:36, :36] == 0).all() and (picture[45:, :, 3] == 255).all()
    assert np.array_equal(picture, draw(heights, 400, 45)), "the same again"
    assert draw.trained.provenance.licence == "CC0-1.0"
    flooded = draw(np.full((64, 64), 100.0), shoreline_m=500)
    assert not np.array_equal(flooded, draw(np.full((64, 64), 100.0)))


@pytest.mark.parametrize("wrong", [np.zeros((2, 3, 4)), np.zeros((0, 3)), np.full((3, 3), np.nan), np.array([["a"]])])
def test_what_is_no_plane_of_heights_is_refused(file, wrong):
    with pytest.raises(InputError, match="the array"):
        terraform.load_generator(file)(wrong)


@pytest.mark.parametrize("place", [{"pixel_m": -1}, {"pixel_m": float("nan")}, {"latitude_deg": 95}])
def test_what_is_no_place_is_refused(file, place):
    with pytest.raises(InputError, match="expected metres above 0, and -90 to 90 degrees"):
        terraform.load_generator(file)(np.zeros((8, 8)), **place)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        terraform.load_generator(tmp_path / "none.safetensors")


def test_the_public_list_is_small_and_light():
    assert set(terraform.__all__) == {"__version__", "load_generator"}
    program = "import sys, terraform; assert terraform.load_generator; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

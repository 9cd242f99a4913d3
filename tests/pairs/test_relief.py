"""Encoding: what is not said by the tests of the sample world and of the bands."""

import math

import pytest
import torch
import torch.nn.functional as F

from terraform.config import Condition, Sheet
from terraform.geo.tile_spec import TileSpec
from terraform.pairs.relief import ReliefBatch, encode, sun_at
from terraform.pairs.smoothing import smooth


@pytest.mark.parametrize("fwhm_px", [1.0, 5.6, 33.5])
@pytest.mark.parametrize("size", [(384, 384), (97, 130)])
def test_smoothing_is_a_gaussian_s_convolution(fwhm_px, size):
    torch.manual_seed(0)
    values = torch.randn(2, 1, *size, dtype=torch.float64)
    sigma = fwhm_px / (2 * math.sqrt(2 * math.log(2)))
    radius = math.ceil(3 * sigma)
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=torch.float64) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    padded = F.pad(values, (radius,) * 4, mode="replicate")
    direct = F.conv2d(F.conv2d(padded, kernel), kernel.transpose(2, 3))
    assert torch.allclose(smooth(values, fwhm_px), direct, atol=1e-12)


def test_smoothing_is_the_same_in_whatever_window():
    torch.manual_seed(0)
    wide = torch.randn(1, 1, 300, 300) * 3000
    part = smooth(wide[..., 37:237, 11:211], 33.5)
    assert (smooth(wide, 33.5)[..., 87:187, 61:161] - part[..., 50:150, 50:150]).abs().max() < 1e-2


def channel(name, metres, latitude_deg):
    side = 2 * TileSpec().margin_px + 4
    heights = torch.full((1, 1, side, side), float(metres))
    nowhere, latitude = torch.zeros_like(heights, dtype=torch.bool), torch.tensor(latitude_deg).view(1, 1, 1, 1)
    relief = ReliefBatch(heights, nowhere, nowhere, 200.0, latitude, sun_at(latitude, 10.5))
    values = encode(relief, Condition(channels=[name]), Sheet())
    assert values.shape == (1, 1, 4, 4)
    return float(values[0, 0, 0, 0])


@pytest.mark.parametrize(
    ("metres", "latitude_deg", "celsius"), [(0, 0.0, 28.9), (2000, 0.0, 15.9), (0, 90.0, -13.1), (1000, -45.0, 1.4)]
)
def test_temperature_falls_with_height_and_towards_the_poles(metres, latitude_deg, celsius):
    assert channel("temperature", metres, latitude_deg) == pytest.approx(math.tanh(celsius / 15), abs=1e-4)


@pytest.mark.parametrize("name", ["absolute_latitude", "temperature"])
def test_hemispheres_are_alike(name):
    assert channel(name, 700, -33.0) == channel(name, 700, 33.0) != channel(name, 700, 34.0)


def test_land_teaches_nothing_about_the_sea():
    """The channel of the sea is 0 on land: the weights that it meets there do not move."""
    side = 2 * TileSpec().margin_px + 4
    heights, latitude = torch.full((1, 1, side, side), 300.0), torch.zeros(1, 1, 1, 1)
    sea = torch.zeros_like(heights, dtype=torch.bool)
    sea[..., side // 2 :] = True
    relief = ReliefBatch(heights, sea, torch.zeros_like(sea), 200.0, latitude, sun_at(latitude, 10.5))
    assert encode(relief, Condition(channels=["sea"]), Sheet())[0, 0].tolist() == [[0, 0, 1, 1]] * 4

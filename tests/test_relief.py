"""Encoding: what is not said by the tests of the sample world and of the bands."""

import math

import pytest
import torch
import torch.nn.functional as F

from terraform.pairs.relief import smooth


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

"""Losses: what each asks for, and what it leaves out."""

import pytest
import torch

from terraform.learn import metrics
from terraform.learn.models import losses


def test_texture_loss_sees_missing_texture_and_not_its_place():
    torch.manual_seed(0)
    rough, moved, smooth = torch.randn(2, 3, 128, 128) / 4, torch.randn(2, 3, 128, 128) / 4, torch.zeros(2, 3, 128, 128)
    valid = torch.ones(2, 1, 128, 128)
    assert losses.texture_loss(rough, rough, valid) == 0
    assert losses.texture_loss(moved, rough, valid) < 0.3 < 2 < losses.texture_loss(smooth, rough, valid)


def test_an_octave_is_halved_into_grain_and_what_is_broader():
    x = torch.arange(128)
    grain = torch.where((x[:, None] + x) % 2 == 0, 1.0, -1.0).expand(1, 3, 128, 128)
    fields = torch.sin(torch.pi / 2 * x + 0.4).expand(1, 3, 128, 128)
    for picture, finer in ((grain, True), (fields, False)):
        fine, coarse = losses._halves(picture)
        assert torch.allclose(fine + coarse, picture, atol=1e-6)
        assert (fine.square().mean() > 4 * coarse.square().mean()) == finer


def test_mean_colour_loss_asks_for_means_and_not_for_pixels():
    torch.manual_seed(0)
    real, valid = torch.rand(1, 3, 128, 128), torch.ones(1, 1, 128, 128)
    assert losses.mean_colour_loss(real.flip(2, 3).roll(64, 2).roll(64, 3), real, valid) < 0.02  # other pixels
    assert losses.mean_colour_loss(real + 0.1, real, valid) == pytest.approx(0.1, rel=1e-3)
    spoilt = torch.where(torch.arange(128) < 64, real + 9, real)
    assert losses.mean_colour_loss(spoilt, real, valid * (torch.arange(128) >= 64)) == 0


def test_masked_l1_leaves_voids_out():
    one, other = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    valid = torch.zeros(1, 1, 4, 4)
    valid[..., :2] = 1
    other[..., 2:] = 9
    assert losses.masked_l1(one, other, valid) == 1
    assert metrics.l1(one, other, valid) == pytest.approx(127.5)

"""Metrics know what they measure."""

import numpy as np
import pytest
import torch

from terraform.geo.tile_spec import TileSpec
from terraform.learn import baseline as table
from terraform.learn import metrics
from terraform.learn.data.dataset import StoredPairs


def test_metrics_know_the_same_from_the_other():
    torch.manual_seed(0)
    real = torch.randn(8, 3, 256, 256).clamp(-1, 1) / 3
    soft = torch.nn.functional.avg_pool2d(real, 3, 1, 1)
    assert metrics.sliced_wasserstein(real, real) == 0
    assert metrics.sliced_wasserstein(soft, real) > 100
    assert metrics.spectrum_distance(real, real) == 0
    assert metrics.spectrum_distance(soft, real) > 3
    lattice = real + 0.3 * torch.tensor([1.0, -1.0]).repeat(128)
    assert metrics.checkerboard(real)[2] < 3 < metrics.checkerboard(lattice)[2]


def test_colour_given_relief_asks_for_the_colours_of_a_place_not_for_its_pixels():
    torch.manual_seed(0)
    real = torch.rand(1, 3, 128, 128) / 4
    real[..., 64:] += 0.5  # the mountains of this world are bright
    kinds = torch.zeros(1, 128, 128, dtype=torch.int64)
    kinds[..., 64:] = 1
    turned, swapped = real.flip(2), real.flip(3)
    assert metrics.colour_given_relief(turned, real, kinds) < 0.01
    assert metrics.colour_given_relief(swapped, real, kinds) == pytest.approx(0.5 * 127.5, rel=0.02)
    assert metrics.colour_given_relief(real - 1, real, torch.full_like(kinds, -1)) == 0  # unknown ground


def test_kinds_of_terrain_are_told_by_height_steepness_and_knowledge():
    elevation = np.zeros((1, 384, 384), np.int16)
    elevation[:, :, 192:] = 3000
    elevation[:, :, 100:110] = -32768
    imagery, base = np.full((1, 256, 256, 3), 9, np.uint8), np.zeros((1, *TileSpec().base_shape), np.uint8)
    kinds = table.terrain_classes(
        StoredPairs(
            *(torch.from_numpy(part) for part in (elevation, imagery, base)),
            torch.full((1, 384), 45.0),
            torch.zeros(1, 0, 0),
            torch.zeros(1),
        ),
        200.0,
    )
    assert kinds.shape == (1, 256, 256)
    low, cliff, high = kinds[0, 9, 120], kinds[0, 9, 127], kinds[0, 9, 140]
    assert len({int(kind) for kind in (low, cliff, high)}) == 3
    assert (kinds[:, :, 36:46] == -1).all() and (kinds[:, :, 48:] >= 0).all()


def test_spectrum_of_a_known_wave():
    x = torch.arange(256) / 256
    wave = torch.sin(2 * torch.pi * 20 * x).expand(1, 3, 256, 256) / 2
    assert int(np.argmax(metrics.spectrum_db(wave))) == 20

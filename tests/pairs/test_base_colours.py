"""Base colours: smooth, of one kind each, the same for neighbours, and refused where pairs have none."""

import numpy as np
import pytest
import torch

from benchmarks.world import make_pairs
from terraform.errors import InputError
from terraform.geo.tile_spec import TileSpec
from terraform.pairs import base_colours
from terraform.pairs.context import Context
from terraform.pairs.store import open_pairs

PIXEL_M = TileSpec().pixel_m
SAMPLES = 4 * (16 + 2 * base_colours.reach_cells(PIXEL_M))  # of one tile


def world(land=(90, 120, 60), sea=(10, 30, 50), columns=SAMPLES):
    """Land in the west, sea in the east, each of one colour."""
    kinds = np.zeros((2, SAMPLES, columns), bool)
    kinds[0, :, : columns // 2] = True
    kinds[1] = ~kinds[0]
    return np.where(kinds[0][..., None], np.float32(land), np.float32(sea)).astype(np.float32), kinds


def test_neither_bleeds_over_a_coast():
    base = base_colours.smooth_by_kind(*world(), PIXEL_M)
    assert base.shape == TileSpec().base_shape
    assert (base[0] == (90, 120, 60)).all()
    assert (base[1] == (10, 30, 50)).all()


def test_the_width_is_sixteen_kilometres():
    """Ripples of a known wavelength come out weaker by what a Gaussian of that width leaves of them."""
    wavelength_px = 200
    x = (np.arange(SAMPLES) + 0.5) * base_colours.SAMPLE_PX
    ripples = (128 + 100 * np.sin(2 * np.pi * x / wavelength_px)).astype(np.float32)
    colours = np.broadcast_to(ripples[None, :, None], (SAMPLES, SAMPLES, 3)).copy()
    base = base_colours.smooth_by_kind(
        colours, np.stack([np.ones((SAMPLES,) * 2, bool), np.zeros((SAMPLES,) * 2, bool)]), PIXEL_M
    )
    sigma_px = 16_000 / PIXEL_M / 2.3548
    left = np.exp(-2 * (np.pi * sigma_px / wavelength_px) ** 2)
    assert base[0].std() == pytest.approx(100 * left / np.sqrt(2), rel=0.1)


def test_what_is_unknown_does_not_count():
    colours, kinds = world()
    colours[60:64], kinds[:, 60:64] = 255, False
    assert (base_colours.smooth_by_kind(colours, kinds, PIXEL_M)[0] == (90, 120, 60)).all()


def test_a_kind_that_is_nowhere_and_a_strip_of_which_nothing_is_known():
    colours, kinds = world()
    kinds[1] = False
    assert (base_colours.smooth_by_kind(colours, kinds, PIXEL_M)[1] == (90, 120, 60)).all()
    assert np.isin(base_colours.smooth_by_kind(colours, kinds & False, PIXEL_M), (127, 128)).all()


def test_far_from_a_kind_its_nearest_colour_stands():
    colours, kinds = world(columns=4 * SAMPLES)
    colours[:, : SAMPLES // 2] = 200  # other land, farther from the sea
    base = base_colours.smooth_by_kind(colours, kinds, PIXEL_M)
    assert np.abs(base[0, :, -1].astype(int) - (90, 120, 60)).max() > 0  # nothing near: the mean of all land
    half = base.shape[2] // 2
    assert np.abs(base[0, :, half + 6].astype(int) - (90, 120, 60)).max() <= 3


def test_pixels_of_the_sea_take_the_sea_s_colours():
    context = Context(torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 2, 2), -0.5))
    sea = torch.tensor([[[[True, False], [False, False]]]])
    assert context.composite(sea)[0, 0].tolist() == [[-0.5, 0.5], [0.5, 0.5]]


def test_pairs_of_an_older_version_are_refused_with_the_remedy(tmp_path):
    folder = make_pairs(tmp_path / "pairs", 2)
    (folder / "base.npy").unlink()
    with pytest.raises(InputError, match=r"base.npy does not exist: cut the region first, or again"):
        open_pairs(folder)

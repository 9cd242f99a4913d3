"""Resampling between parallel grids: nothing shifts, nothing aliases, and what is invalid never counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.resample import Axis, gather, gather_masked, taps
from terraform.geo.resample_torch import average

steps = st.floats(0.2, 5)


@given(steps, st.floats(-3, 3), st.integers(4, 40), st.integers(4, 40), st.booleans())
def test_a_constant_stays_constant_and_a_slope_a_slope(step, origin, many, few, southward):
    """Inside the source, whatever the scale: weights sum to one and are centred to a tenth of a pixel."""
    source = Axis(-250, 1, 600)
    target = Axis(origin + 40, -step, few) if southward else Axis(origin, step, few)
    found = taps(source, target)
    assert found.weight.sum(1) == pytest.approx(np.ones(few), abs=1e-5)
    line = source.centres().astype(np.float32)[:, None].repeat(many, 1)
    same = taps(Axis(0, 1, many), Axis(0, 1, many))
    assert gather(line, found, same)[:, 0] == pytest.approx(target.centres(), abs=0.1 * max(1, step))


@given(st.integers(0, 2**31), st.floats(1.5, 6))
@settings(deadline=None)
def test_downsampling_does_not_alias(seed, step):
    """A lattice finer than the target's pixels averages out: its mean is left, no pattern."""
    lattice = np.indices((240, 240)).sum(0) % 2 * np.float32(1000)
    lattice = np.roll(lattice, seed % 7, 1)
    few = int(200 / step)
    found = taps(Axis(0, 1, 240), Axis(15, step, few))
    assert np.ptp(gather(lattice, found, found)) < 250


@given(st.integers(0, 2**31))
@settings(deadline=None, max_examples=20)
def test_what_is_invalid_never_counts(seed):
    draw = np.random.default_rng(seed)
    values = draw.uniform(100, 200, (40, 40)).astype(np.float32)
    valid = draw.random((40, 40)) > 0.3
    found = taps(Axis(0, 1, 40), Axis(0.3, 1.7, 22))
    mixed, good = gather_masked(np.where(valid, values, np.float32(1e6)), valid, found, found)
    assert mixed[good].min() >= 100 - 1e-3 and mixed[good].max() <= 200 + 1e-3
    assert (mixed[~good] == 0).all()


def test_a_row_that_closes_round_the_planet_has_no_edge():
    grid = RasterGrid(EARTH, Axis(1, -0.5, 4), Axis(-180, 0.5, 720))
    assert grid.wraps
    found = taps(grid.longitudes, Axis(179, 0.5, 6), wrap=True)
    assert found.weight.sum(1) == pytest.approx(np.ones(6))
    assert {0, 719} <= set(found.index.ravel().tolist())


@given(st.integers(0, 2**32 - 1), st.floats(2.5, 9), st.booleans())
@settings(deadline=None, max_examples=30)
def test_averages_are_those_of_gathering(seed, coarser, wrap):
    draw = np.random.default_rng(seed)
    colours = draw.integers(0, 256, (90, 120, 3), np.uint8)
    valid = draw.random((90, 120)) < draw.choice([0.5, 1])
    onto = [taps(Axis(0, 1, n), Axis(-7.3, coarser, n // 4), w) for n, w in ((90, False), (120, wrap))]
    gathered, averaged = gather_masked(colours, valid, *onto), gather_masked(colours, valid, *onto, average)
    assert (gathered[1] == averaged[1]).mean() > 0.99  # a kernel of which half is valid, but for rounding
    both = gathered[1] & averaged[1]
    assert np.abs(gathered[0] - averaged[0])[both].max(initial=0) < 1e-3


def test_pixels_on_pixels_are_copied():
    """Whatever rounding says of where they lie, and whatever is beside them."""
    values = np.random.default_rng(0).integers(-9000, 9000, (50, 60), np.int16)
    rows = taps(Axis(60.3, -0.1, 50), Axis(60.3 - 7 * 0.1, -0.1, 30))
    assert rows.are_copies and rows.index[:, 0].tolist() == list(range(7, 37))
    same = taps(Axis(0, 1, 60), Axis(0, 1, 60))
    assert (gather(values, rows, same) == values[7:37]).all()

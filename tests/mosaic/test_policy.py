"""Elevation policies: pointwise, monotone, and what their names say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terraform.config import Elevation
from terraform.geo.heights import Heights
from terraform.mosaic import policy

heights = st.lists(st.floats(-8000, 21000, width=32), min_size=2, max_size=30)


def applied(metres, sea=None, broad=None, **settings):
    metres = np.asarray(metres, np.float32)[None]
    sea = np.zeros(metres.shape, bool) if sea is None else np.asarray(sea)[None]
    broad = None if broad is None else np.asarray(broad, np.float32)[None]
    seen = policy.apply(Elevation(**settings), Heights(metres, sea, np.zeros_like(sea)), policy.MARS, broad)
    assert seen.metres.dtype == np.float32 and not seen.void.any()
    return seen.metres[0], seen.sea[0]


def test_tables_are_tables():
    for heights_m, shares in (policy.MARS, (policy.EARTH_HEIGHTS_M, policy.EARTH_SHARES)):
        assert (np.diff(heights_m) > 0).all() and (np.diff(shares) > 0).all()
        assert shares[0] == 0 and shares[-1] == 1


def test_clip_leaves_heights_and_sea_alone():
    metres, sea = applied([-4000, 10, 20000], sea=[False, True, False], policy="clip", shoreline_m=500)
    np.testing.assert_array_equal(metres, [-4000, 10, 20000])
    np.testing.assert_array_equal(sea, [False, True, False])


def test_sea_level_floods_below_the_shoreline():
    metres, sea = applied([-3000, -2500, 0], policy="sea_level", shoreline_m=-2500)
    np.testing.assert_array_equal(sea, [True, False, False])
    np.testing.assert_array_equal(metres[1:], [0, 2500])


def test_affine_gives_the_highest_land_its_height():
    metres, sea = applied([-1, 0, 21134], policy="affine", top_m=8000)
    assert metres[2] == pytest.approx(8000) and metres[1] == 0 and sea.tolist() == [True, False, False]


@pytest.mark.parametrize("shoreline_m", [-8068.0, -2500.0, 0.0, 3000.0])
def test_quantile_gives_mars_the_hypsometry_of_earth(shoreline_m):
    """Heights drawn from the table of Mars come out distributed as Earth's land."""
    draws = np.interp((np.arange(200_000) + 0.5) / 200_000, policy.MARS.shares, policy.MARS.heights_m)
    metres, sea = applied(draws, policy="quantile", shoreline_m=shoreline_m)
    land = np.sort(metres[~sea])
    found = np.searchsorted(land, policy.EARTH_HEIGHTS_M[1:10]) / len(land)
    np.testing.assert_allclose(found, policy.EARTH_SHARES[1:10], atol=2e-3)
    assert land[0] == pytest.approx(0, abs=10) and land[-1] <= policy.EARTH_HEIGHTS_M[-1]


@given(heights, st.sampled_from(["sea_level", "affine", "quantile"]), st.floats(-5000, 5000))
def test_higher_stays_higher(metres, name, shoreline_m):
    low_to_high = np.sort(np.asarray(metres, np.float32))
    land, sea = applied(low_to_high, policy=name, shoreline_m=shoreline_m)
    land = land[~sea]
    assert (np.diff(land) >= 0).all() and (land >= -1e-3).all()
    np.testing.assert_array_equal(sea, low_to_high < shoreline_m)


def test_relief_is_what_stands_out():
    metres, sea = applied([1000, 1200], broad=[900, 900], policy="relief", shoreline_m=1100)
    np.testing.assert_array_equal(metres, [100, 300])
    np.testing.assert_array_equal(sea, [True, False])
    with pytest.raises(ValueError, match="broad average"):
        applied([1000], policy="relief")


@given(st.integers(2, 500), st.integers(0, 2**32 - 1))
def test_measured_hypsometry_is_that_of_the_pixels(count, seed):
    values = np.random.default_rng(seed).normal(0, 1000, count)
    found = policy.measured(values, np.ones(count))
    assert found.heights_m[0] == values.min() and found.highest_m == values.max()
    assert np.interp(0.5, found.shares, found.heights_m) == pytest.approx(np.median(values), abs=1e-6 + np.ptp(values))

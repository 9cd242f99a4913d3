"""Strips of a planet: true to scale, no gap, no overlap but the cross-fades, caps that know where they are."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terraform.geo.bodies import EARTH, MARS
from terraform.geo.resample import Axis, cubic_taps
from terraform.mosaic.bands import HIGHEST_ROWS, TOLERANCE, Band, Cap, GlobalGrid, strips

RADII = {"mars": MARS.radius_m, "earth": EARTH.radius_m, "moon": 1_737_400.0, "europa": 1_560_800.0, "phobos": 11_100.0}
bodies = pytest.mark.parametrize("radius_m", RADII.values(), ids=RADII)


def test_mars_closes_after_106694_pixels():
    globe = GlobalGrid(MARS.radius_m)
    assert (globe.columns, globe.rows) == (106_694, 53_347)
    assert globe.pixel_m == pytest.approx(200.00085, abs=1e-5)


@bodies
def test_strips_follow_each_other_from_pole_to_pole(radius_m):
    globe = GlobalGrid(radius_m)
    every = strips(globe, 16)
    assert every[0].top == 0 and every[-1].bottom == globe.rows
    assert all(a.bottom == b.top for a, b in pairwise(every))
    assert isinstance(every[0], Cap) and isinstance(every[-1], Cap)


@bodies
def test_weights_sum_to_one_in_every_row(radius_m):
    globe = GlobalGrid(radius_m)
    rows = np.arange(globe.rows)
    weights = np.array([strip.weights(rows) for strip in strips(globe, 16)])
    np.testing.assert_allclose(weights.sum(0), 1, atol=1e-12)
    assert (weights >= 0).all() and (weights > 0).sum(0).max() <= 2
    for strip, weight in zip(strips(globe, 16), weights, strict=True):
        inside = np.flatnonzero(weight)
        assert strip.first <= inside[0] and inside[-1] < strip.last


@bodies
@pytest.mark.parametrize("stride", [1, 16, 256])
def test_scale_is_right_within_five_percent(radius_m, stride):
    globe = GlobalGrid(radius_m)
    for strip in strips(globe, stride):
        for row in (strip.first, strip.last):
            assert abs(strip.scale_error(90 - globe.pixel_deg * row)) <= TOLERANCE
        if isinstance(strip, Band):
            assert strip.last - strip.first <= HIGHEST_ROWS
            assert strip.columns % stride == 0
            true = globe.columns * math.cos(math.radians(strip.middle_deg))
            assert abs(strip.columns - true) <= stride / 2 + 1e-6


def test_bands_of_mars_are_as_equal_as_the_tolerance_lets_them_be():
    north = [
        s.bottom - s.top for s in strips(GlobalGrid(MARS.radius_m), 16) if isinstance(s, Band) and s.middle_deg > 0
    ]
    assert len(north) == 13
    assert north == sorted(north) and north[0] > 700


@given(st.floats(-180, 180), st.floats(60, 89.999), st.booleans())
def test_cap_knows_where_it_is(lon, lat, north):
    cap = Cap(GlobalGrid(MARS.radius_m), 0, 1, 0, 0, north)
    lat = lat if north else -lat
    x, y = cap.to_pixels(np.array([lon]), np.array([lat]))
    back_lon, back_lat = cap.to_degrees(x, y)
    assert back_lat[0] == pytest.approx(lat, abs=1e-9)
    assert math.cos(math.radians(back_lon[0] - lon)) == pytest.approx(1, abs=1e-9)


@given(st.floats(-180, 180), st.floats(62, 89), st.booleans())
def test_cap_is_conformal_and_its_east_is_east(lon, lat, north):
    globe = GlobalGrid(MARS.radius_m)
    cap = Cap(globe, 0, 1, 0, 0, north)
    lat = lat if north else -lat
    step = 1e-4
    x, y = cap.to_pixels(np.array([lon, lon + step, lon]), np.array([lat, lat, lat + step]))
    metre = globe.pixel_m / (MARS.metres_per_degree * step)
    east = np.array([x[1] - x[0], -(y[1] - y[0])]) * metre / math.cos(math.radians(lat))
    northwards = np.array([x[2] - x[0], -(y[2] - y[0])]) * metre
    right, up = (float(part[0]) for part in cap.eastwards(np.array([lon])))
    scale = 1 / (1 + cap.scale_error(lat))
    np.testing.assert_allclose(east, np.array([right, up]) * scale, atol=2e-4)
    np.testing.assert_allclose(northwards, np.array([-up, right]) * scale, atol=2e-4)


def test_the_pole_is_the_corner_of_pixel_zero():
    cap = Cap(GlobalGrid(MARS.radius_m), 0, 1, 0, 0, True)
    x, y = cap.to_pixels(np.array([0.0, 90.0]), np.array([90.0, 89.0]))
    assert (x[0], y[0]) == (0, 0) and x[1] > 0 and y[1] == pytest.approx(0, abs=1e-9)


@given(st.floats(1, 3), st.floats(-0.4, 0.4))
def test_cubic_taps_reproduce_straight_lines(finer, offset):
    source = Axis(0.0, 1.0, 40)
    target = Axis(5 + offset, 1 / finer, 30)
    found = cubic_taps(source, target)
    values = (3 * source.centres() - 7)[found.index]
    np.testing.assert_allclose((values * found.weight).sum(1), 3 * target.centres() - 7, atol=1e-4)


def test_cubic_taps_go_on_round_the_planet():
    wrapped = cubic_taps(Axis(0, 10, 36), Axis(-5, 10, 1), wrap=True)
    assert set(wrapped.index[0, wrapped.weight[0] != 0]) <= {34, 35, 0, 1}
    assert wrapped.weight[0] @ np.where(wrapped.index[0] > 17, 1, -1) == pytest.approx(0, abs=1e-6)

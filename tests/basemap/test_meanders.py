"""Noise on a sphere: of place alone, of unit variance, without a seam."""

import numpy as np
import pytest

from terraform.basemap.meanders import meanders

MARS_M = 3_396_190.0


def whole_body(step_deg):
    latitude = np.arange(-90 + step_deg / 2, 90, step_deg)
    longitude = np.arange(-180 + step_deg / 2, 180, step_deg)
    y, x = np.meshgrid(latitude, longitude, indexing="ij")
    return y, x, meanders(y.ravel(), x.ravel(), MARS_M).reshape(y.shape)


def test_mean_and_variance_over_a_body():
    y, _, values = whole_body(1.0)
    weight = np.cos(np.radians(y))
    mean = np.average(values, weights=weight)
    assert abs(mean) < 0.25
    assert np.sqrt(np.average((values - mean) ** 2, weights=weight)) == pytest.approx(1, abs=0.2)


def test_a_place_has_its_value_at_every_resolution_and_on_its_own():
    y, x, values = whole_body(3.0)
    alone = meanders(y[10:12, 5], x[10:12, 5], MARS_M)
    np.testing.assert_array_equal(alone, values[10:12, 5])


def test_no_seam_at_the_date_line_and_one_value_at_a_pole():
    latitude = np.linspace(-80, 80, 200)
    west, east = (meanders(latitude, np.full(200, lon), MARS_M) for lon in (-180.0, 180.0))
    np.testing.assert_allclose(west, east, atol=1e-3)
    around = meanders(np.full(36, 90.0), np.arange(0, 360, 10.0), MARS_M)
    assert np.ptp(around) < 1e-3


def test_it_is_continuous_and_rough():
    """Over 1 km next to nothing changes, over 100 km a good part of a standard deviation does."""
    latitude = np.linspace(-60, 60, 500)
    base = meanders(latitude, np.zeros(500), MARS_M)
    per_metre = 360 / (2 * np.pi * MARS_M)
    near, far = (meanders(latitude, np.full(500, metres * per_metre), MARS_M) for metres in (1_000, 100_000))
    assert np.abs(near - base).max() < 0.02
    assert 0.2 < np.abs(far - base).mean() < 0.8

"""Noise on a sphere: of place alone, of unit variance, without a seam."""

import numpy as np
import pytest

from terraform.climate.sphere_noise import sphere_noise

MARS_M = 3_396_190.0


def whole_body(step_deg):
    latitude = np.arange(-90 + step_deg / 2, 90, step_deg)
    longitude = np.arange(-180 + step_deg / 2, 180, step_deg)
    y, x = np.meshgrid(latitude, longitude, indexing="ij")
    return y, x, sphere_noise(y.ravel(), x.ravel(), MARS_M).reshape(y.shape)


def test_mean_and_variance_over_a_body():
    y, _, values = whole_body(1.0)
    weight = np.cos(np.radians(y))
    mean = np.average(values, weights=weight)
    assert abs(mean) < 0.25
    assert np.sqrt(np.average((values - mean) ** 2, weights=weight)) == pytest.approx(1, abs=0.2)


def test_fields_know_nothing_of_one_another():
    y, x, values = whole_body(4.0)
    other = sphere_noise(y.ravel(), x.ravel(), MARS_M, 1)
    assert abs(np.corrcoef(values.ravel(), other)[0, 1]) < 0.3


def test_a_place_has_its_value_at_every_resolution_and_on_its_own():
    y, x, values = whole_body(3.0)
    alone = sphere_noise(y[10:12, 5], x[10:12, 5], MARS_M)
    np.testing.assert_array_equal(alone, values[10:12, 5])


def test_no_seam_at_the_date_line_and_one_value_at_a_pole():
    latitude = np.linspace(-80, 80, 200)
    west, east = (sphere_noise(latitude, np.full(200, lon), MARS_M) for lon in (-180.0, 180.0))
    np.testing.assert_allclose(west, east, atol=1e-3)
    around = sphere_noise(np.full(36, 90.0), np.arange(0, 360, 10.0), MARS_M)
    assert np.ptp(around) < 1e-3


def test_it_is_continuous_and_rough():
    """Over 1 km next to nothing changes, over 100 km a good part of a standard deviation does."""
    latitude = np.linspace(-60, 60, 500)
    base = sphere_noise(latitude, np.zeros(500), MARS_M)
    per_metre = 360 / (2 * np.pi * MARS_M)
    near, far = (sphere_noise(latitude, np.full(500, metres * per_metre), MARS_M) for metres in (1_000, 100_000))
    assert np.abs(near - base).max() < 0.02
    assert 0.2 < np.abs(far - base).mean() < 0.8

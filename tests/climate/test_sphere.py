"""Calculus and transport on the sphere, and sunlight: no direction is preferred, no pole is a special place."""

import numpy as np
import pytest

from terraform.climate.carrying import Flow
from terraform.climate.insolation import declination_deg, monthly_insolation
from terraform.climate.sphere import Smoother, divergence, gradient
from terraform.config.climate import EARTH_CLIMATE, MARS_CLIMATE, Orbit
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid

FINE = PlanetGrid(EARTH, 0.5)


def unit_vectors(grid):
    latitude, longitude = np.radians(grid.latitude_deg)[:, None], np.radians(grid.longitude_deg)[None]
    across = np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude)
    return np.stack([*across, np.broadcast_to(np.sin(latitude), grid.shape)])


def spot(latitude_deg, longitude_deg, width_deg=10.0):
    """A round hill of height 1 around a place."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    axis = np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)
    cosine = np.tensordot(axis, unit_vectors(FINE), 1)
    return np.exp((cosine - 1) / np.radians(width_deg) ** 2).astype(np.float32)


def test_slopes_of_a_tilted_plane():
    east, north = gradient(unit_vectors(FINE)[0], FINE)
    longitude, latitude = np.radians(FINE.longitude_deg)[None], np.radians(FINE.latitude_deg)[:, None]
    np.testing.assert_allclose(east * EARTH.radius_m, np.broadcast_to(-np.sin(longitude), FINE.shape), atol=2e-3)
    np.testing.assert_allclose(north * EARTH.radius_m, -np.sin(latitude) * np.cos(longitude), atol=2e-3)


def test_what_flows_out_flows_in():
    wind = np.random.default_rng(0).normal(size=(2, *FINE.shape))
    assert FINE.mean(divergence(*wind, FINE)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("latitude", [0, 60, 85])
def test_smoothing_is_the_same_everywhere(latitude):
    hill = spot(latitude, 37.0)
    smooth = Smoother(FINE, 1.0e6)(hill)
    expected = Smoother(FINE, 1.0e6)(spot(0, 37.0)).max()
    assert smooth.max() == pytest.approx(expected, rel=0.02)
    assert FINE.mean(smooth) == pytest.approx(FINE.mean(hill), rel=1e-4)


def test_wind_carries_over_the_pole():
    """The whole air turns about an axis through the equator, so that a hill at 70 N, 0 E comes to 70 N, 180 E."""
    longitude, latitude = np.radians(FINE.longitude_deg)[None], np.radians(FINE.latitude_deg)[:, None]
    speed = np.radians(40) * EARTH.radius_m / (20 * 86_400.0)
    east = np.broadcast_to(np.sin(latitude) * -np.sin(longitude) * speed, FINE.shape)
    north = np.broadcast_to(np.cos(longitude) * speed, FINE.shape)
    flow = Flow(east[None].astype(np.float32), north[None].astype(np.float32), FINE, 86_400.0)
    hill = spot(70, 0)[None]
    for _ in range(20):
        hill = flow.carry(hill)
    row, column = np.unravel_index(hill[0].argmax(), FINE.shape)
    assert FINE.latitude_deg[row] == pytest.approx(70, abs=3)
    assert abs(FINE.longitude_deg[column]) == pytest.approx(180, abs=6)


def test_sunlight_of_the_year_is_a_quarter_of_the_beam():
    sunlight = monthly_insolation(FINE.latitude_deg, Orbit(eccentricity=0)).mean(axis=0)
    assert FINE.mean(np.broadcast_to(sunlight[:, None], FINE.shape)) == pytest.approx(1361 / 4, rel=2e-3)


def test_polar_night_is_dark_and_polar_summer_bright():
    sunlight = monthly_insolation(FINE.latitude_deg, EARTH_CLIMATE.orbit)
    assert sunlight[0, 0] == 0
    assert sunlight[5, 0] > sunlight[5].mean()


def test_the_sun_turns_back_in_december():
    for orbit in (EARTH_CLIMATE.orbit, MARS_CLIMATE.orbit):
        assert declination_deg(orbit).argmin() == 11
        assert -orbit.obliquity_deg <= declination_deg(orbit).min() < -0.985 * orbit.obliquity_deg
        assert declination_deg(orbit).max() <= orbit.obliquity_deg


def test_southern_summer_on_mars_has_the_stronger_sun():
    sunlight = monthly_insolation(FINE.latitude_deg, MARS_CLIMATE.orbit)
    assert sunlight.max(axis=0)[-1] > 1.2 * sunlight.max(axis=0)[0]

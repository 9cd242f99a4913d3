"""Features: near unit range, of place alone, smooth in height."""

import numpy as np

from terraform.basemap.features import FEATURES, Relief, feature_names, features_of, relief_of
from terraform.basemap.render import Ground
from terraform.climate.monthly import MonthlyClimate
from terraform.geo.planet_grid import PlanetGrid


def test_finite_and_near_unit_range(features: np.ndarray):
    assert features.shape[-1] == len(FEATURES) == len(set(feature_names()))
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert np.abs(features).max() < 10


def test_a_cell_depends_on_itself_alone(
    climate: MonthlyClimate, ground: Ground, features: np.ndarray, grid: PlanetGrid
):
    part = (slice(None), slice(30, 60), slice(100, 140))
    cut = MonthlyClimate(climate.temperature[part], climate.precipitation[part])
    relief = relief_of(ground.height_m, grid, 150_000.0, 400_000.0)
    here = features_of(cut, Relief(*(values[part[1:]] for values in relief)), 9.807, 7)
    np.testing.assert_allclose(here, features[part[1:]], atol=1e-5)


def test_no_rain_no_warmth_and_every_extreme_are_finite():
    extremes = np.array([-150.0, -40.0, 0.0, 40.0, 90.0], np.float32)
    warmth = np.broadcast_to(extremes[None, :, None], (12, 5, 3))
    rain = np.broadcast_to(np.array([0.0, 1.0, 5000.0], np.float32), (12, 5, 3))
    height = np.full((5, 3), 25_000, np.float32)
    for month in range(13):
        assert np.isfinite(features_of(MonthlyClimate(warmth, rain), Relief(height, -height, height), 3.7, month)).all()


def test_height_counts_less_where_gravity_is_weak(climate: MonthlyClimate, ground: Ground):
    rough = np.full_like(ground.height_m, 100)
    mars = features_of(climate, Relief(ground.height_m * 2, rough * 2, rough * 2), 9.807 / 2, 0)
    earth = features_of(climate, Relief(ground.height_m, rough, rough), 9.807, 0)
    np.testing.assert_allclose(mars, earth, atol=1e-4)


def test_relief_is_the_spread_of_heights_and_the_place_among_them(grid: PlanetGrid):
    flat = relief_of(np.full(grid.shape, 700, np.float32), grid, 150_000.0, 400_000.0)
    np.testing.assert_allclose(flat.roughness_m, 0, atol=0.5)
    np.testing.assert_allclose(flat.position_m, 0, atol=0.5)
    noise = 5000 + np.random.default_rng(0).normal(0, 100, grid.shape).astype(np.float32)
    rough = relief_of(noise, grid, 300_000.0, 600_000.0)
    np.testing.assert_allclose(rough.roughness_m[60:120].mean(), 100, rtol=0.1)
    assert np.corrcoef(rough.position_m[60:120].ravel(), noise[60:120].ravel())[0, 1] > 0.95

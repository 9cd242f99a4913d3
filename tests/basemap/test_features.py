"""Features: near unit range, of place alone, smooth in height."""

import numpy as np

from terraform.basemap.features import FEATURES, feature_names, features_of, roughness_of
from terraform.basemap.render import Ground
from terraform.climate.monthly import MonthlyClimate
from terraform.geo.planet_grid import PlanetGrid


def test_finite_and_near_unit_range(features: np.ndarray):
    assert features.shape[-1] == len(FEATURES) == len(set(feature_names()))
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert np.abs(features).max() < 10


def test_a_cell_depends_on_itself_alone(climate: MonthlyClimate, ground: Ground, features: np.ndarray):
    part = (slice(None), slice(30, 60), slice(100, 140))
    cut = MonthlyClimate(climate.temperature[part], climate.precipitation[part])
    height = ground.height_m[part[1:]]
    other = [name != "roughness_log" for name in feature_names()]
    here = features_of(cut, height, np.zeros_like(height), 9.807, 7)
    np.testing.assert_allclose(here[..., other], features[part[1:]][..., other], atol=1e-5)


def test_no_rain_no_warmth_and_every_extreme_are_finite():
    extremes = np.array([-150.0, -40.0, 0.0, 40.0, 90.0], np.float32)
    warmth = np.broadcast_to(extremes[None, :, None], (12, 5, 3))
    rain = np.broadcast_to(np.array([0.0, 1.0, 5000.0], np.float32), (12, 5, 3))
    height = np.full((5, 3), 25_000, np.float32)
    assert np.isfinite(features_of(MonthlyClimate(warmth, rain), height, height, 3.7, 0)).all()


def test_little_gravity_makes_height_count_less(climate: MonthlyClimate, ground: Ground):
    rough = np.zeros_like(ground.height_m)
    column = feature_names().index("height_log")
    mars = features_of(climate, ground.height_m * 2, rough, 9.807 / 2, 0)[..., column]
    earth = features_of(climate, ground.height_m, rough, 9.807, 0)[..., column]
    np.testing.assert_allclose(mars, earth, atol=1e-4)


def test_roughness_is_the_spread_of_heights(grid: PlanetGrid):
    flat = np.full(grid.shape, 700, np.float32)
    np.testing.assert_allclose(roughness_of(flat, grid, 150_000.0), 0, atol=0.5)
    noise = np.random.default_rng(0).normal(0, 100, grid.shape).astype(np.float32)
    middle = roughness_of(noise, grid, 300_000.0)[60:120]
    np.testing.assert_allclose(middle.mean(), 100, rtol=0.1)

"""A small planet with a lawful climate, and a model learnt on it."""

import numpy as np
import pytest

from terraform.basemap.features import features_of, relief_of
from terraform.basemap.fitting import Cells, cells_of, fit
from terraform.basemap.model import BaseModel
from terraform.basemap.render import Ground
from terraform.climate.monthly import MonthlyClimate
from terraform.config.basemap import BaseTraining
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid

LAPSE = 6.5
GRAVITY = 9.807


@pytest.fixture(scope="session")
def grid() -> PlanetGrid:
    return PlanetGrid(EARTH, 1)


@pytest.fixture(scope="session")
def ground(grid: PlanetGrid) -> Ground:
    """Two round continents with a mountain each, and sea without a known floor."""
    latitude, longitude = np.radians(grid.latitude_deg)[:, None], np.radians(grid.longitude_deg)[None]
    height = 3000 * np.sin(2 * longitude) * np.cos(latitude) + 500 * np.cos(5 * longitude + 3 * latitude)
    return Ground(grid, np.maximum(height, 0).astype(np.float32), (height > 0).astype(np.float32), LAPSE, GRAVITY)


@pytest.fixture(scope="session")
def climate(grid: PlanetGrid, ground: Ground) -> MonthlyClimate:
    """Cold poles, a wet equator, seasons."""
    latitude, longitude = np.radians(grid.latitude_deg)[:, None], np.radians(grid.longitude_deg)[None]
    month = np.arange(12)[:, None, None]
    season = -np.cos(2 * np.pi * month / 12)
    warmth = 28 - 55 * np.sin(latitude) ** 2 + 12 * np.sin(latitude) * season - LAPSE * ground.height_m / 1000
    rain = 150 * np.cos(latitude) ** 2 * (1 + 0.6 * np.sin(3 * longitude + month)) + 5
    return MonthlyClimate(warmth.astype(np.float32), rain.astype(np.float32))


@pytest.fixture(scope="session")
def features(grid: PlanetGrid, ground: Ground, climate: MonthlyClimate) -> np.ndarray:
    """Of July, (H, W, F)."""
    return features_of(climate, relief_of(ground.height_m, grid, 150_000.0, 400_000.0), GRAVITY, 7)


@pytest.fixture(scope="session")
def colours(climate: MonthlyClimate) -> np.ndarray:
    """Of July: green where it rains, white where it is cold; (H, W, 3)."""
    green = climate.annual_precipitation / 3000
    white = (1 / (1 + np.exp(climate.temperature[6] / 3)))[..., None]
    rgb = np.stack([0.5 - 0.4 * green, 0.5 - 0.2 * green, 0.4 - 0.3 * green], axis=-1)
    return (rgb * (1 - white) + white).astype(np.float32)


@pytest.fixture(scope="session")
def settings() -> BaseTraining:
    return BaseTraining(months=[7], hidden=12, members=2, steps=150, batch=512)


@pytest.fixture(scope="session")
def cells(features: np.ndarray, colours: np.ndarray, ground: Ground, grid: PlanetGrid) -> Cells:
    return cells_of(features, colours, ground.land > 0, grid)


@pytest.fixture(scope="session")
def model(cells: Cells, settings: BaseTraining) -> BaseModel:
    return fit(cells, settings, 3, {"LICENCE": "CC0-1.0"})

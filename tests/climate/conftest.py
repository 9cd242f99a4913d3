"""Small planets whose continents and mountains are functions of their coordinates."""

import numpy as np
import pytest

from terraform.config.climate import ClimateModel
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid


@pytest.fixture(scope="session")
def grid():
    return PlanetGrid(EARTH, 0.2)


@pytest.fixture(scope="session")
def settings():
    return ClimateModel(cells_per_degree=0.2)


@pytest.fixture(scope="session")
def continents(grid):
    """Two continents in the north, one across the equator: heights and sea."""
    latitude, longitude = np.meshgrid(grid.latitude_deg, grid.longitude_deg, indexing="ij")
    north = (np.abs(latitude - 45) < 28) & ((np.abs(longitude + 90) < 35) | (np.abs(longitude - 80) < 60))
    south = (np.abs(latitude + 8) < 30) & (np.abs(longitude - 20) < 22)
    land = north | south
    height = np.where(land, 300 + 2500 * np.exp(-(((longitude - 85) / 12) ** 2) - ((latitude - 35) / 8) ** 2), 0)
    return height.astype(np.float32), ~land

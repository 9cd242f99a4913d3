"""What the base model says of land of a climate at other heights."""

import numpy as np

from terraform.basemap import tints
from terraform.basemap.model import BaseModel
from terraform.basemap.render import Ground, draw
from terraform.climate.monthly import MonthlyClimate
from terraform.config.basemap import BaseMap
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid

SETTINGS = BaseMap(roughness_m=150_000.0, surroundings_m=400_000.0, month=7)


def made(model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground):
    return tints.tints_of(model, climate, grid, ground, SETTINGS, 12.0)


def test_at_its_own_height_a_cell_has_its_base_colours(
    model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground
):
    found = made(model, climate, grid, ground)
    base = draw(model, climate, grid, ground, SETTINGS).land.astype(float)
    height = np.maximum(ground.height_m, 0) * ground.land
    table = found.colours.reshape(*grid.shape, -1, 3).astype(float)
    at = np.clip(np.interp(height, found.levels_m, np.arange(len(found.levels_m))), 0, len(found.levels_m) - 1.001)
    below = at.astype(int)[..., None, None]
    low, high = (np.take_along_axis(table, below + more, 2)[:, :, 0] for more in (0, 1))
    share = (at - at.astype(int))[..., None]
    difference = np.abs(low * (1 - share) + high * share - base)
    assert difference.mean() < 0.6 and np.quantile(difference, 0.99) < 8
    assert found.shoreline_m == 12.0


def test_summits_are_white_in_a_world_whose_cold_land_is(
    model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground
):
    table = made(model, climate, grid, ground).colours.reshape(*grid.shape, -1, 3)
    tropics = np.abs(grid.latitude_deg) < 20
    land = ground.land[tropics] > 0
    shore, summit = (table[tropics][land][:, at].mean() for at in (0, 12))  # 5,000 m
    assert summit > shore + 40


def test_where_gravity_is_weak_heights_lie_farther_apart(
    model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground
):
    light = ground._replace(gravity_m_s2=3.721, lapse_rate_k_per_km=2.47)
    assert made(model, climate, grid, light).levels_m[-1] == np.float32(8500 * np.float32(9.807 / 3.721))


def test_a_fine_climate_gives_cells_of_a_degree(model: BaseModel):
    fine = PlanetGrid(EARTH, 2)
    level = np.full((12, *fine.shape), 10, np.float32)
    ground = Ground(fine, np.zeros(fine.shape, np.float32), np.ones(fine.shape, np.float32), 6.5, 9.807)
    assert made(model, MonthlyClimate(level, level), fine, ground).colours.shape == (180, 360, 51)

"""Colours that land of a body's climates would have at other heights: what the base model says of each."""

import numpy as np

from terraform.basemap.features import EARTH_GRAVITY_M_S2, Relief, features_of, relief_of
from terraform.basemap.model import BaseModel
from terraform.basemap.render import Ground
from terraform.climate.monthly import MonthlyClimate
from terraform.config.basemap import BaseMap
from terraform.geo.planet_grid import PlanetGrid
from terraform.pairs.tints import TintMap

CELLS_PER_DEGREE = 1.0
"""At most: climates are smooth, heights are the pixels' own."""
_LEVELS_M = (0, 250, 500, 750, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500, 5000, 5500, 6000, 7000, 8500)
"""Heights above the shoreline on Earth, metres; where gravity is weaker they lie farther apart, as temperatures do."""


def tints_of(
    model: BaseModel, climate: MonthlyClimate, climate_grid: PlanetGrid, ground: Ground, settings: BaseMap,
    shoreline_m: float,
) -> TintMap:  # fmt: skip
    """Draw land of each cell's climate at every height, were the cell's roughness what it is.

    Parameters
    ----------
    model : BaseModel
    climate : MonthlyClimate
        On `climate_grid`, temperatures of that grid's mean heights.
    climate_grid : PlanetGrid
    ground : Ground
        Relief and land, on cells of which the climate's are whole blocks.
    settings : BaseMap
        Month, roughness and surroundings.
    shoreline_m : float
        Above the body's datum, metres.

    Returns
    -------
    TintMap
        On the climate's grid, or on a coarser one of `CELLS_PER_DEGREE`.
    """
    height = np.maximum(ground.height_m, 0) * (ground.land > 0)
    grid = climate_grid.coarser(CELLS_PER_DEGREE)
    fine = relief_of(height, ground.grid, settings.roughness_m, settings.surroundings_m)
    relief = Relief(*(ground.grid.coarsened(values, grid) for values in fine))
    near = climate.at_sea_level(ground.grid.coarsened(height, climate_grid), ground.lapse_rate_k_per_km)
    level = MonthlyClimate(*(climate_grid.coarsened(months, grid) for months in (near.temperature, near.precipitation)))
    levels_m = np.asarray(_LEVELS_M, np.float32) * np.float32(EARTH_GRAVITY_M_S2 / ground.gravity_m_s2)
    colours = np.empty((*grid.shape, 3 * len(levels_m)), np.uint8)
    for number, metres in enumerate(levels_m):
        there = np.full(grid.shape, metres, np.float32)
        moved = Relief(there, relief.position_m + there - relief.height_m, relief.roughness_m)
        here = level.at_heights(there, ground.lapse_rate_k_per_km)
        drawn = model.colours(features_of(here, moved, ground.gravity_m_s2, settings.month))
        colours[..., 3 * number : 3 * number + 3] = np.rint(np.clip(drawn, 0, 1) * 255)
    return TintMap(colours, levels_m, shoreline_m)

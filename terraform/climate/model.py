"""The climate of a body from its relief and its sea: one model for Earth and Mars."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.climate.balance import Zonal, zonal_temperatures
from terraform.climate.gyres import sea_anomaly
from terraform.climate.ground import Ground, ground_of
from terraform.climate.monthly import MonthlyClimate
from terraform.climate.rain import dryness, monthly_rain
from terraform.climate.warmth import carried_temperature, surface_temperature
from terraform.climate.winds import monthly_winds
from terraform.config.climate import ClimateModel
from terraform.geo.planet_grid import PlanetGrid

_DAYS_PER_MONTH = 365.25 / 12
_VAPOUR_PER_K = 0.067
_ROUNDS = 3


def simulate(
    elevation_m: NDArray[Any], sea: NDArray[np.bool_], grid: PlanetGrid, settings: ClimateModel
) -> MonthlyClimate:
    """Simulate twelve months of climate.

    Parameters
    ----------
    elevation_m : (H, W)
        Heights above the body's datum, metres; those of the sea floor do not matter.
    sea : (H, W) bool
        Where water is open or may freeze.
    grid : PlanetGrid
        Where both lie.
    settings : ClimateModel
        The body's constants and the knobs.

    Returns
    -------
    MonthlyClimate
        (12, H, W) on the same grid; temperatures belong to the cells' own heights.

    Raises
    ------
    InputError
        An array is not on the grid.
    """
    grid.check(elevation_m)
    grid.check(sea)
    ground = ground_of(elevation_m, sea, settings.shoreline_m)
    wide = grid.coarser(settings.cells_per_degree)
    level = _circulation(ground.coarsened(grid, wide), wide, settings)
    fine = MonthlyClimate(wide.refined(level.temperature, grid), wide.refined(level.precipitation, grid))
    return fine.at_heights(ground.height_m, settings.lapse_rate_k_per_km)


def _circulation(ground: Ground, grid: PlanetGrid, settings: ClimateModel) -> MonthlyClimate:
    """Temperature at the shoreline, and rain, on the grid of the winds."""
    zonal = zonal_temperatures(grid, settings)
    lapse = np.float32(settings.lapse_rate_k_per_km / 1000)
    below = lapse * ground.height_m
    scale_m = 1 / (lapse * _VAPOUR_PER_K)
    anomaly, dry = np.zeros(grid.shape, np.float32), np.full((12, *grid.shape), 0.5, np.float32)
    air = surface_temperature(zonal, anomaly, _first_guess(zonal, grid), dry, ground, settings.energy)[0]
    for _ in range(_ROUNDS):
        winds = monthly_winds(air, ground, grid, settings)
        anomaly = sea_anomaly(zonal.sea.mean(axis=0), winds, ground, grid, settings)
        surface, rate = surface_temperature(zonal, anomaly, air - below, dry, ground, settings.energy)
        air = carried_temperature(surface, rate, winds, grid, settings.energy, air)
        rain = monthly_rain(air, air - below, winds, ground, grid, settings.moisture, scale_m, settings.wetness)
        dry = dryness(rain, air - below, settings.moisture)
    return MonthlyClimate(air, rain * np.float32(_DAYS_PER_MONTH))


def _first_guess(zonal: Zonal, grid: PlanetGrid) -> NDArray[np.float32]:
    return np.broadcast_to(zonal.land[..., None], (12, *grid.shape)).astype(np.float32)

"""The climate of a body from its relief and its sea: one model for Earth and Mars."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.balance import Zonal, zonal_temperatures
from terraform.climate.ground import Ground, ground_of
from terraform.climate.gyres import sea_anomaly
from terraform.climate.monthly import MONTHS, MonthlyClimate
from terraform.climate.rain import Air, Rain, dryness, monthly_rain, slope_rate, vapour
from terraform.climate.sphere import Field
from terraform.climate.sphere_noise import sphere_noise
from terraform.climate.warmth import carried_temperature, ice_sheet, surface_temperature
from terraform.climate.winds import Winds, monthly_winds
from terraform.config.climate import ClimateModel
from terraform.geo.planet_grid import PlanetGrid

_DAYS_PER_MONTH = 365.25 / 12
_VAPOUR_PER_K = 0.067
_ROUNDS = 3
_MOST_BY_SLOPE = 1.5
_FIRST_WATER_MM = 10.0
_RAIN = 1
"""The field of noise that scatters rain; the sea's ice has its own."""


class Circulation(NamedTuple):
    """The state of air and sea on the coarse grid of the winds.

    Attributes
    ----------
    air : Air
        Temperatures and winds.
    rain : Rain
        What falls and what stays in the air.
    sea_anomaly : (H, W) float32
        Departure of the sea from its latitude, K.
    """

    air: Air
    rain: Rain
    sea_anomaly: Field


def simulate(
    elevation_m: NDArray[Any], sea: NDArray[np.bool_], grid: PlanetGrid, settings: ClimateModel
) -> MonthlyClimate:
    """Simulate twelve months of climate.

    Winds, currents and transport are solved on a coarse grid (`cells_per_degree` of the settings); temperature follows
    the heights, and rain the slopes, of the grid that is asked for.

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
    coarse = ground.coarsened(grid, wide)
    state = circulate(coarse, wide, settings)
    below = np.float32(settings.lapse_rate_k_per_km / 1000) * ground.height_m
    warmth, rain = np.empty((2, MONTHS, *grid.shape), np.float32)
    for month in range(MONTHS):  # one after the other: a fine grid then needs little more memory than its climate
        warmth[month] = wide.refined(state.air.level[month], grid) - below
        rain[month] = _by_slopes(_of_month(state, month), coarse, wide, ground, grid, settings)
    rain *= np.float32(_DAYS_PER_MONTH)
    if settings.rain_scatter:
        rain *= _scatter(grid, settings.rain_scatter)
    return MonthlyClimate(warmth, rain)


def circulate(ground: Ground, grid: PlanetGrid, settings: ClimateModel) -> Circulation:
    """Solve for temperature, winds, currents and rain, each from the others, a few times over."""
    zonal = zonal_temperatures(grid, settings)
    below = np.float32(settings.lapse_rate_k_per_km / 1000) * ground.height_m
    sheet = ice_sheet(zonal, ground, settings.lapse_rate_k_per_km, settings.ice_sheet_c)
    moist_m = 1000 / (settings.lapse_rate_k_per_km * _VAPOUR_PER_K)
    anomaly, dry = np.zeros(grid.shape, np.float32), np.full((MONTHS, *grid.shape), 0.5, np.float32)
    rain = Rain(np.zeros_like(dry), np.full_like(dry, _FIRST_WATER_MM))
    level = surface_temperature(zonal, anomaly, _first_guess(zonal, grid), dry, ground, sheet, settings.energy)[0]
    for _ in range(_ROUNDS):
        winds = monthly_winds(level, ground, grid, settings)
        anomaly = sea_anomaly(zonal.sea.mean(axis=0), winds, ground, grid, settings)
        surface, rate = surface_temperature(zonal, anomaly, level - below, dry, ground, sheet, settings.energy)
        level = carried_temperature(surface, rate, winds, grid, settings.energy, level)
        air = Air(level, level - below, winds, moist_m)
        rain = monthly_rain(air, ground, grid, settings.moisture, settings.wetness, rain.water)
        dry = dryness(rain.falling, air.on_ground, settings.moisture)
    return Circulation(air, rain, anomaly)


def _of_month(state: Circulation, month: int) -> Circulation:
    """Keep one month, (H, W) each."""
    air, rain = state.air, state.rain
    winds = Winds(*(a[month] for a in air.winds))
    one = Air(air.level[month], air.on_ground[month], winds, air.moist_m)
    return Circulation(one, Rain(rain.falling[month], rain.water[month]), state.sea_anomaly)


def _by_slopes(
    state: Circulation, coarse: Ground, wide: PlanetGrid, ground: Ground, grid: PlanetGrid, settings: ClimateModel
) -> Field:
    """Rain on the fine grid, mm/day: more where its slopes lift moist air more than the coarse ones do."""
    falling = wide.refined(state.rain.falling, grid)
    if grid == wide:
        return falling
    winds = Winds(*(wide.refined(a, grid) for a in state.air.winds))
    moist_m, moisture = state.air.moist_m, settings.moisture
    known = wide.refined(slope_rate(state.air.winds, coarse.height_m, wide, moisture, moist_m), grid)
    more = slope_rate(winds, ground.height_m, grid, moisture, moist_m) - known
    water = wide.refined(state.rain.water, grid)
    full = moisture.column_mm * vapour(wide.refined(state.air.on_ground, grid))
    # Air that is far from saturated rises over a hill without a cloud.
    share = more * water * np.minimum(water / full, 1) / np.maximum(falling, np.float32(1e-6))
    return np.asarray(falling * np.exp(_MOST_BY_SLOPE * np.tanh(share / _MOST_BY_SLOPE)), np.float32)


def _scatter(grid: PlanetGrid, deviation: float) -> Field:
    """Factor of the rain from place to place, (H, W), of mean 1."""
    latitude, longitude = np.meshgrid(grid.latitude_deg, grid.longitude_deg, indexing="ij")
    noise = sphere_noise(latitude.ravel(), longitude.ravel(), grid.body.radius_m, _RAIN).reshape(grid.shape)
    return np.asarray(np.exp(deviation * noise - deviation**2 / 2), np.float32)


def _first_guess(zonal: Zonal, grid: PlanetGrid) -> Field:
    return np.broadcast_to(zonal.land[..., None], (MONTHS, *grid.shape)).astype(np.float32)

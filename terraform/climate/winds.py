"""Winds: three belts that follow the sun, and the flow towards heated land, from one pressure field."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.ground import Ground
from terraform.climate.insolation import declination_deg
from terraform.climate.sphere import Field, Smoother, gradient
from terraform.config.climate import ClimateModel
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid

_AIR_KG_M3 = 1.2
_EARTH_ROTATION_S = 86_164.0
_DAY_S = 86_400.0
_FURTHEST_DEG = 10.0
_DEPTH_M = 1500.0
"""Height above the ground of the middle of the moist layer: the thermal wind grows up to there."""


class Winds(NamedTuple):
    """Monthly winds, (12, H, W) float32 m/s each.

    Attributes
    ----------
    east, north
        Near the ground, where friction turns them towards low pressure.
    carrying_east, carrying_north
        The wind that carries heat and moisture, with a part of the thermal wind.
    """

    east: Field
    north: Field
    carrying_east: Field
    carrying_north: Field


def cell_width_deg(grid: PlanetGrid, settings: ClimateModel) -> float:
    """Latitude of the subtropical highs: Earth's over the root of rotation times radius (Held 2000), with a cap."""
    turning = settings.orbit.rotation_s / _EARTH_ROTATION_S * EARTH.radius_m / grid.body.radius_m
    return float(min(settings.wind.cell_width_deg * np.sqrt(turning), settings.wind.widest_cell_deg))


def belt_pressure(grid: PlanetGrid, settings: ClimateModel, north_warmer_k: float = 0.0) -> NDArray[np.float64]:
    """Find the pressure of the belts by month and latitude, (12, H) hPa.

    Low at the thermal equator and high in the subtropics. `north_warmer_k` is the mean of the year of the northern
    hemisphere minus that of the southern, K.
    """
    wind = settings.wind
    shift = wind.follow_sun * declination_deg(settings.orbit, wind.follow_lag_months)
    shift = shift + _FURTHEST_DEG * np.tanh(wind.follow_warmth_deg_k * north_warmer_k / _FURTHEST_DEG)
    latitude = grid.latitude_deg - shift[:, None]
    lagged = declination_deg(settings.orbit, wind.follow_lag_months)[:, None] / 23.44
    hemisphere = np.sin(np.radians(grid.latitude_deg))
    strength = 1 + wind.belts_growth * hemisphere**2 - wind.belts_season * lagged * hemisphere
    return np.asarray(
        -wind.belts_hpa * strength * np.cos(np.pi * latitude / cell_width_deg(grid, settings)), np.float64
    )


def monthly_winds(temperature: Field, ground: Ground, grid: PlanetGrid, settings: ClimateModel) -> Winds:
    """Balance pressure, rotation and friction.

    Parameters
    ----------
    temperature : (12, H, W) float32
        At the shoreline, degrees Celsius.
    ground : Ground
        Land and height on the same grid.
    grid, settings
        The body.

    Returns
    -------
    Winds
        Finite at the equator, where friction takes over from rotation.
    """
    wind = settings.wind
    smooth = Smoother(grid, wind.heated_reach_m)(temperature)
    heated = smooth - smooth.mean(axis=-1, keepdims=True)
    halves = temperature.mean(axis=(0, 2)) * grid.area_weight[:, 0] * 2 * grid.width
    north_warmer = float(halves[: grid.height // 2].sum() - halves[grid.height // 2 :].sum())
    pressure = (
        belt_pressure(grid, settings, north_warmer)[..., None].astype(np.float32)
        - np.float32(wind.heated_hpa_k) * heated
    )
    east, north = gradient(pressure * np.float32(100 / _AIR_KG_M3), grid)
    friction = _friction(ground, settings)
    turning = coriolis(grid, settings)
    over = friction**2 + turning**2
    near = (-(friction * east + turning * north) / over, (turning * east - friction * north) / over)
    shear = settings.gravity_m_s2 / 288 * _DEPTH_M * wind.aloft * turning / over
    warm_east, warm_north = gradient(smooth, grid)
    return Winds(*(np.asarray(a, np.float32) for a in (
        *near, near[0] - shear * warm_north, near[1] + shear * warm_east,
    )))  # fmt: skip


def coriolis(grid: PlanetGrid, settings: ClimateModel) -> NDArray[np.float64]:
    """Coriolis parameter by row, (H, 1) 1/s."""
    turn = 4 * np.pi / settings.orbit.rotation_s
    return turn * np.sin(np.radians(grid.latitude_deg))[:, None]


def _friction(ground: Ground, settings: ClimateModel) -> NDArray[np.float64]:
    """1/s, (H, W)."""
    wind = settings.wind
    land = wind.land_friction_per_day - wind.sea_friction_per_day
    relief = 1 + np.maximum(ground.height_m, 0) / wind.relief_friction_m
    return np.asarray((wind.sea_friction_per_day + land * ground.land) * relief / _DAY_S, np.float64)

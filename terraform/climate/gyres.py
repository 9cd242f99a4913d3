"""Currents of the sea that the wind drives, and the warmth they carry: Stommel's gyres and coastal upwelling."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.carrying import Flow
from terraform.climate.ground import Ground
from terraform.climate.sphere import Field, Smoother, divergence, gradient
from terraform.climate.winds import Winds, coriolis
from terraform.config.climate import ClimateModel
from terraform.geo.planet_grid import PlanetGrid, over_the_poles

_WATER_KG_M3 = 1025.0
_AIR_DRAG_KG_M3 = 1.2 * 1.3e-3
_GUSTS_M_S = 5.0
_EARTH_TURN_PER_S = 4 * np.pi / 86_164.0
_SINKS_BELOW_MEAN_K, _SINKS_WIDTH_K = 6.0, 3.0
_MIXED_M = 50.0
_DAY_S = 86_400.0
_STEP_S = 10 * _DAY_S
_STEPS = 40
_OPEN = 0.5


class Stress(NamedTuple):
    """Pull of the year's winds on the water, (H, W) float32 N/m2 towards the east and the north."""

    east: Field
    north: Field


def sea_anomaly(
    zonal_c: NDArray[np.float64], winds: Winds, ground: Ground, grid: PlanetGrid, settings: ClimateModel
) -> Field:
    """Find how much warmer the sea is than its latitude.

    Parameters
    ----------
    zonal_c : (H,) float64
        Mean of the year of open water by latitude, degrees Celsius.
    winds : Winds
        Of the twelve months.
    ground : Ground
        Where there is sea.
    grid, settings
        The body.

    Returns
    -------
    (H, W) float32
        K; it fades out on land.
    """
    water = (ground.land < _OPEN).astype(np.float32)
    if not water.any():
        return np.zeros(grid.shape, np.float32)
    stress = wind_stress(winds)
    current = currents(stream_function(zonal_c, stress, water, grid, settings), grid)
    rising = upwelling(stress, ground, grid, settings)
    flow = Flow(current[0][None], current[1][None], grid, _STEP_S)
    mix = Smoother(grid, settings.sea.spread_m, passes=1)
    latitude = np.broadcast_to(zonal_c[:, None], grid.shape).astype(np.float32)
    kept = np.float32(_STEP_S / (settings.sea.memory_days * _DAY_S))
    cooled = rising * np.float32(_STEP_S / _MIXED_M)
    total, deep = 1 + kept + cooled, latitude - np.float32(settings.sea.deep_colder_k)
    share = np.maximum(flow.carry(water[None])[0], 1e-3)
    warmth = latitude * water
    for _ in range(_STEPS):
        moved = flow.carry(warmth[None])[0] / share
        warmth = water * (moved + kept * latitude + cooled * deep) / total
    spread = mix(water * (warmth - latitude)) / np.maximum(mix(water), 0.05)
    return np.asarray(spread, np.float32)


def wind_stress(winds: Winds) -> Stress:
    """Pull of the wind, with gusts that the mean wind does not show; the mean of the year."""
    speed = np.hypot(winds.east, winds.north) + np.float32(_GUSTS_M_S)
    pull = np.float32(_AIR_DRAG_KG_M3) * speed
    return Stress((pull * winds.east).mean(axis=0), (pull * winds.north).mean(axis=0))


def sinking(zonal_c: NDArray[np.float64], settings: ClimateModel) -> NDArray[np.float64]:
    """Rate at which the surface loses water to the deep, (H, 1) 1/s: where it is colder than the mean of the body."""
    warmer = zonal_c - settings.mean_temperature_c + _SINKS_BELOW_MEAN_K
    return settings.sea.sinking_per_s / (1 + np.exp(np.clip(warmer / _SINKS_WIDTH_K, -30, 30)))[:, None]


def stream_function(
    zonal_c: NDArray[np.float64], stress: Stress, water: Field, grid: PlanetGrid, settings: ClimateModel
) -> Field:
    """Solve for the gyres.

    The stream function psi is 0 on land, and elsewhere

    friction Laplacian(psi) + beta psi_x = curl(stress) / (density depth) + Coriolis parameter times sinking

    (Stommel 1948; Stommel and Arons 1960: where the surface sinks, it is drawn polewards and returns in the west).

    Returns
    -------
    (H, W) float32
        m2/s. Jacobi's iteration; the westward difference is the one that Rossby waves travel by, so it converges.
    """
    step_m = np.radians(grid.cell_deg) * grid.body.radius_m
    cosine = np.cos(np.radians(grid.latitude_deg))[:, None]
    beta = 4 * np.pi / settings.orbit.rotation_s * cosine / grid.body.radius_m
    curl = divergence(stress.north, -stress.east, grid) / (_WATER_KG_M3 * settings.sea.gyre_depth_m)
    curl = curl + coriolis(grid, settings) * sinking(zonal_c, settings)
    across = settings.sea.friction_per_s / step_m**2
    along, rossby = across / np.maximum(cosine, 0.1) ** 2, beta / (step_m * np.maximum(cosine, 0.1))
    diagonal = 2 * across + 2 * along + rossby
    to_east, to_west, beside = (np.asarray(a / diagonal, np.float32) for a in (along + rossby, along, across))
    source = np.asarray(-curl / diagonal, np.float32) * water
    psi = np.zeros(grid.shape, np.float32)
    for _ in range(2 * grid.width):
        tall = over_the_poles(psi, 1)
        around = to_east * np.roll(psi, -1, 1) + to_west * np.roll(psi, 1, 1) + beside * (tall[:-2] + tall[2:])
        psi = water * around + source
    return psi


def currents(stream: Field, grid: PlanetGrid) -> tuple[Field, Field]:
    """Velocities of a stream function (H, W) m2/s, towards the east and the north, m/s; at most 1 m/s."""
    east, north = gradient(stream, grid)
    speed = np.maximum(np.hypot(east, north), 1e-9)
    limit = np.tanh(speed) / speed
    return np.asarray(-north * limit, np.float32), np.asarray(east * limit, np.float32)


def upwelling(stress: Stress, ground: Ground, grid: PlanetGrid, settings: ClimateModel) -> Field:
    """Speed at which deep water rises where the wind drives the surface apart (Ekman), (H, W) float32 m/s, from 0."""
    turning = coriolis(grid, settings)
    weak = _EARTH_TURN_PER_S * np.sin(np.radians(settings.sea.equator_deg))
    turning = turning / (turning**2 + weak**2) / _WATER_KG_M3
    water = 1 - ground.land
    apart = divergence(water * stress.north * turning, -water * stress.east * turning, grid)
    return np.asarray(np.maximum(Smoother(grid, settings.sea.spread_m)(apart), 0), np.float32)

"""Temperature at the shoreline: air takes the ground's temperature while the wind carries it on."""

import numpy as np

from terraform.climate.balance import Zonal
from terraform.climate.carrying import Flow
from terraform.climate.ground import Ground
from terraform.climate.sphere import Field, Smoother
from terraform.climate.winds import Winds
from terraform.config.climate import Energy
from terraform.geo.planet_grid import PlanetGrid

_DAY_S = 86_400.0
_STEP_S = 43_200.0
_STEPS = 40


def surface_temperature(zonal: Zonal, sea_anomaly: Field, ground: Ground, energy: Energy) -> tuple[Field, Field]:
    """Find what air is drawn to.

    Parameters
    ----------
    zonal : Zonal
        Temperatures by latitude.
    sea_anomaly : (H, W) or (12, H, W) float32
        Departure of the sea from its latitude, K.
    ground : Ground
        Share of land.
    energy : Energy
        Times and ice.

    Returns
    -------
    temperature : (12, H, W) float32
        Mean of land, ice and open water, weighted by how strongly each holds the air, degrees Celsius.
    rate : (12, H, W) float32
        How fast air is drawn there, 1/day.
    """
    land = zonal.land[..., None].astype(np.float32)
    water = zonal.sea[..., None].astype(np.float32) + sea_anomaly
    ice = 1 / (1 + np.exp(np.clip((water - energy.ice_c) / (energy.ice_width_k / 4), -30, 30)))
    solid = (ground.land + (1 - ground.land) * ice) / energy.land_days
    liquid = (1 - ground.land) * (1 - ice) / energy.sea_days
    rate = solid + liquid
    return np.asarray((solid * land + liquid * water) / rate, np.float32), np.asarray(rate, np.float32)


def carried_temperature(
    surface: Field, rate: Field, winds: Winds, grid: PlanetGrid, energy: Energy, start: Field
) -> Field:
    """Let wind and weather carry heat until it is steady.

    Parameters
    ----------
    surface, rate : (12, H, W) float32
        See `surface_temperature`.
    winds : Winds
        Of each month.
    grid : PlanetGrid
        Where all lie.
    energy : Energy
        The mixing.
    start : (12, H, W) float32
        A first guess, degrees Celsius.

    Returns
    -------
    (12, H, W) float32
        Air at the shoreline, degrees Celsius.
    """
    flow = Flow(winds.carrying_east, winds.carrying_north, grid, _STEP_S)
    mix = Smoother(grid, float(np.sqrt(2 * energy.mixing_m2_s * _STEP_S)), passes=1)
    gain = rate * np.float32(_STEP_S / _DAY_S)
    keep, drawn = 1 / (1 + gain), surface * gain / (1 + gain)
    air = start
    for _ in range(_STEPS):
        air = mix(flow.carry(air) * keep + drawn)
    return air

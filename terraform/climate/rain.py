"""Rain: the wind carries moisture from the sea, and it falls where air is moist, rises or climbs."""

from typing import NamedTuple

import numpy as np

from terraform.climate.carrying import Flow
from terraform.climate.ground import Ground
from terraform.climate.sphere import Field, Smoother, divergence, gradient
from terraform.climate.winds import Winds
from terraform.config.climate import Moisture
from terraform.geo.planet_grid import PlanetGrid

_DAY_S = 86_400.0
_STEP_S = 43_200.0
_STEPS = 50
_MICRO = 1e6


class Lift(NamedTuple):
    """What makes air rise, (12, H, W) float32 each.

    Attributes
    ----------
    favour
        Logarithm of the rate of rain against the average.
    gathering
        Moisture gained by convergence, 1/day.
    slope
        Share of the moisture lifted out by slopes, 1/day.
    """

    favour: Field
    gathering: Field
    slope: Field


def dryness(rain: Field, air_on_ground: Field, moisture: Moisture) -> Field:
    """How far land lacks water to evaporate: 0 where rain (12, H, W) mm/day exceeds the demand, near 1 in deserts.

    Half of the water is the month's own, half that of the year, which the ground keeps.
    """
    supply = 0.5 * (rain + rain.mean(axis=0))
    demand = moisture.demand_mm_day * vapour(air_on_ground)
    return np.asarray(np.exp(-2 * supply / (demand + np.float32(1e-3))), np.float32)


def vapour(temperature: Field) -> Field:
    """Saturation vapour pressure over its value at 15 degrees Celsius (Magnus formula, WMO 2008)."""
    celsius = np.clip(temperature, -80, 60)
    return np.asarray(np.exp(17.62 * celsius / (243.12 + celsius) - 1.0236), np.float32)


def lift_of(
    temperature: Field, winds: Winds, ground: Ground, grid: PlanetGrid, moisture: Moisture, scale_m: float
) -> Lift:
    """Collect belts, storm tracks, monsoon lows and slopes.

    Parameters
    ----------
    temperature : (12, H, W) float32
        Air at the shoreline, degrees Celsius.
    winds, ground, grid
        Of the same grid.
    moisture : Moisture
        Constants.
    scale_m : float
        Height over which moisture falls by a factor of e, metres.

    Returns
    -------
    Lift
    """
    converging = -divergence(winds.east, winds.north, grid) * np.float32(_MICRO)
    converging = 6 * np.tanh(converging / 6)
    contrast = np.hypot(*gradient(Smoother(grid, 5e5)(temperature), grid)) * np.float32(1e5)
    heat = (temperature - 15) * np.float32(moisture.heat / 10)
    heat += np.float32(moisture.unstable) * (temperature - Smoother(grid, moisture.unstable_reach_m)(temperature))
    favour = moisture.ascent * converging + moisture.storms * contrast + heat
    uphill_east, uphill_north = gradient(ground.height_m, grid)
    climb = winds.carrying_east * uphill_east + winds.carrying_north * uphill_north
    slope = moisture.slope * np.logaddexp(0, climb / 0.005) * 0.005 / scale_m * _DAY_S
    gathering = moisture.convergence * converging * _DAY_S / _MICRO
    return Lift(*(np.asarray(a, np.float32) for a in (np.clip(favour, -4, 4), gathering, slope)))


def monthly_rain(
    temperature: Field,
    air_on_ground: Field,
    winds: Winds,
    ground: Ground,
    grid: PlanetGrid,
    moisture: Moisture,
    scale_m: float,
    wetness: float,
) -> Field:
    """Carry moisture until it is steady.

    Parameters
    ----------
    temperature, air_on_ground : (12, H, W) float32
        Air at the shoreline and at the ground's own height, degrees Celsius.
    winds, ground, grid, moisture
        Of the same grid.
    scale_m : float
        Height over which moisture falls by a factor of e, metres.
    wetness : float
        Factor of evaporation from the sea.

    Returns
    -------
    (12, H, W) float32
        Rain, mm/day.
    """
    lift = lift_of(temperature, winds, ground, grid, moisture, scale_m)
    flow = Flow(winds.carrying_east, winds.carrying_north, grid, _STEP_S)
    mix = Smoother(grid, float(np.sqrt(2 * moisture.mixing_m2_s * _STEP_S)), passes=1)
    day = np.float32(_STEP_S / _DAY_S)
    full = moisture.column_mm * vapour(air_on_ground)
    open_water = (1 - ground.land) * wetness * moisture.evaporation_mm_day * vapour(temperature)
    gather = np.exp(np.clip(lift.gathering, -1, 1) * day)
    readiness = np.exp(lift.favour) / np.float32(moisture.rain_days)
    water, rain = full * np.float32(0.6), np.zeros_like(full)
    for _ in range(_STEPS):
        humidity = np.minimum(water / full, 2)
        recycled = moisture.land_evaporation * ground.land * 0.5 * (rain + rain.mean(axis=0))
        gained = (open_water * np.maximum(1 - humidity, 0) + recycled) * day
        falling = readiness * humidity ** np.float32(moisture.humidity_power) + lift.slope
        moved = mix(flow.carry(water)) * gather + gained
        water = moved / (1 + falling * day)
        rain = water * falling
    return np.asarray(np.maximum(rain, 0), np.float32)

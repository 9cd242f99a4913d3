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
_STEPS = 40
_MICRO = 1e6
_CLIMB_M_S = 0.005
_MOST_CONVERGING, _MOST_FAVOUR, _MOST_HUMID = 6.0, 4.0, 2.0


class Air(NamedTuple):
    """The air that rain falls from; all on one grid.

    Attributes
    ----------
    level : (12, H, W) float32
        Temperature at the shoreline, degrees Celsius.
    on_ground : (12, H, W) float32
        Temperature at the ground's own height, degrees Celsius.
    winds : Winds
        Of each month.
    moist_m : float
        Height over which moisture falls by a factor of e, metres.
    """

    level: Field
    on_ground: Field
    winds: Winds
    moist_m: float


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


class Rain(NamedTuple):
    """Water on the ground and in the air, (12, H, W) float32 each.

    Attributes
    ----------
    falling
        Rain, mm/day, at least 0.
    water
        Moisture of the column of air, mm.
    """

    falling: Field
    water: Field


def vapour(temperature: Field) -> Field:
    """Saturation vapour pressure over its value at 15 degrees Celsius (Magnus formula, WMO 2008)."""
    celsius = np.clip(temperature, -80, 60)
    return np.asarray(np.exp(17.62 * celsius / (243.12 + celsius) - 1.0236), np.float32)


def dryness(rain: Field, on_ground: Field, moisture: Moisture) -> Field:
    """How far land lacks water to evaporate: 0 where rain (12, H, W) mm/day exceeds the demand, near 1 in deserts.

    Half of the water is the month's own, half that of the year, which the ground keeps.
    """
    supply = 0.5 * (rain + rain.mean(axis=0))
    demand = moisture.demand_mm_day * vapour(on_ground)
    return np.asarray(np.exp(-2 * supply / (demand + np.float32(1e-3))), np.float32)


def slope_rate(winds: Winds, height_m: Field, grid: PlanetGrid, moisture: Moisture, moist_m: float) -> Field:
    """Share of moisture that slopes lift out of the wind (after Smith and Barstad 2004), 1/day.

    Their delay between lifting and falling, 10 to 20 km of travel, is less than a cell and left out.

    Parameters
    ----------
    winds : Winds
        On `grid`.
    height_m : (H, W) float32
        Above the shoreline, metres.
    grid : PlanetGrid
        Where both lie.
    moisture : Moisture
        Its `slope`.
    moist_m : float
        Height over which moisture falls by a factor of e, metres.

    Returns
    -------
    (12, H, W) float32
        Positive; near 0 where air descends.
    """
    uphill_east, uphill_north = gradient(height_m, grid)
    climb = winds.carrying_east * uphill_east + winds.carrying_north * uphill_north
    lifted = np.logaddexp(0, climb / np.float32(_CLIMB_M_S)) * _CLIMB_M_S
    return np.asarray(lifted * (moisture.slope / moist_m * _DAY_S), np.float32)


def lift_of(air: Air, ground: Ground, grid: PlanetGrid, moisture: Moisture) -> Lift:
    """Collect what belts, storm tracks, monsoon lows, warmth and slopes do."""
    converging = -divergence(air.winds.east, air.winds.north, grid) * np.float32(_MICRO / _MOST_CONVERGING)
    converging = np.tanh(converging) * np.float32(_MOST_CONVERGING)
    contrast = np.hypot(*gradient(Smoother(grid, 5e5)(air.level), grid)) * np.float32(1e5)
    around = Smoother(grid, moisture.unstable_reach_m)(air.level)
    warmth = (air.level - 15) * np.float32(moisture.heat / 10) + np.float32(moisture.unstable) * (air.level - around)
    favour = moisture.ascent * converging + moisture.storms * contrast + warmth
    gathering = np.clip(moisture.convergence * converging * _DAY_S / _MICRO, -1, 1)
    slope = slope_rate(air.winds, ground.height_m, grid, moisture, air.moist_m)
    return Lift(*(np.asarray(a, np.float32) for a in (_MOST_FAVOUR * np.tanh(favour / _MOST_FAVOUR), gathering, slope)))


def monthly_rain(air: Air, ground: Ground, grid: PlanetGrid, moisture: Moisture, wetness: float, start: Field) -> Rain:
    """Carry moisture until it is steady.

    Parameters
    ----------
    air : Air
        Temperatures and winds.
    ground : Ground
        Land and height.
    grid : PlanetGrid
        Where all lie.
    moisture : Moisture
        Constants.
    wetness : float
        Factor of evaporation from the sea.
    start : (12, H, W) float32
        A first guess of the moisture in the air, mm.

    Returns
    -------
    Rain
    """
    lift = lift_of(air, ground, grid, moisture)
    flow = Flow(air.winds.carrying_east, air.winds.carrying_north, grid, _STEP_S)
    mix = Smoother(grid, float(np.sqrt(2 * moisture.mixing_m2_s * _STEP_S)), passes=1)
    day = np.float32(_STEP_S / _DAY_S)
    full = moisture.column_mm * vapour(air.on_ground)
    open_water = (1 - ground.land) * np.float32(wetness * moisture.evaporation_mm_day) * vapour(air.level)
    gather = np.exp(lift.gathering * day)
    readiness = np.exp(lift.favour) / np.float32(moisture.rain_days)
    recycled = np.float32(0.5 * moisture.land_evaporation) * ground.land
    water, rain = start, np.zeros_like(start)
    for _ in range(_STEPS):
        humidity = np.minimum(water / full, np.float32(_MOST_HUMID))
        gained = open_water * np.maximum(1 - humidity, 0) + recycled * (rain + rain.mean(axis=0))
        rate = readiness * humidity ** np.float32(moisture.humidity_power) + lift.slope
        water = np.maximum(mix(flow.carry(water)) * gather + gained * day, 0) / (1 + rate * day)
        rain = water * rate
    return Rain(rain, water)

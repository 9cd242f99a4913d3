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
_SHEET_WIDTH_K = 2.0


def surface_temperature(
    zonal: Zonal, sea_anomaly: Field, on_ground: Field, dryness: Field, ground: Ground, sheet: Field, energy: Energy
) -> tuple[Field, Field]:
    """Find what air is drawn to.

    Parameters
    ----------
    zonal : Zonal
        Temperatures by latitude.
    sea_anomaly : (H, W) or (12, H, W) float32
        Departure of the sea from its latitude, K.
    on_ground : (12, H, W) float32
        Air at the ground's own height as known so far, degrees Celsius: it says where snow lies.
    dryness : (12, H, W) float32
        How far land lacks water to evaporate, 0 to 1.
    ground : Ground
        Share of land.
    sheet : (H, W) float32
        Share of land under ice that outlasts the summer (`ice_sheet`).
    energy : Energy
        Times and ice.

    Returns
    -------
    temperature : (12, H, W) float32
        Mean of land, ice and open water, weighted by how strongly each holds the air, degrees Celsius.
    rate : (12, H, W) float32
        How fast air is drawn there, 1/day.
    """
    snow = np.maximum(_below(energy.snow_c, on_ground, energy.snow_width_k), sheet)
    sunlight = zonal.sunlight[..., None].astype(np.float32)
    dark = energy.inversion_k * np.exp(-sunlight / np.float32(energy.inversion_w_m2))
    land = zonal.land[..., None].astype(np.float32) - snow * (np.float32(energy.snow_k_per_w_m2) * sunlight + dark)
    land = land + np.float32(energy.dry_k_per_w_m2) * sunlight * dryness * (1 - snow)
    water = zonal.sea[..., None].astype(np.float32) + sea_anomaly
    ice = _below(energy.ice_c, water, energy.ice_width_k)
    solid = (ground.land + (1 - ground.land) * ice) / energy.land_days
    liquid = (1 - ground.land) * (1 - ice) / energy.sea_days
    rate = solid + liquid
    return np.asarray((solid * land + liquid * water) / rate, np.float32), np.asarray(rate, np.float32)


def ice_sheet(zonal: Zonal, ground: Ground, lapse_rate_k_per_km: float, ice_sheet_c: float) -> Field:
    """Find where land keeps the ice that it began with, for that reflects the summer's sun.

    Both a summer with ice and one without can last at such places (North, Cahalan and Coakley 1981, section 5); which
    does is a matter of history. Ice stays where bare ground would have a mean of the year below a limit.

    Parameters
    ----------
    zonal : Zonal
        Temperatures by latitude.
    ground : Ground
        Heights.
    lapse_rate_k_per_km : float
        Fall of temperature with height.
    ice_sheet_c : float
        That limit, degrees Celsius.

    Returns
    -------
    (H, W) float32
        Share under ice, 0 to 1.
    """
    bare = zonal.land.mean(axis=0)[:, None] - lapse_rate_k_per_km / 1000 * ground.height_m
    return _below(ice_sheet_c, bare.astype(np.float32), _SHEET_WIDTH_K)


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


def _below(limit_c: float, celsius: Field, width_k: float) -> Field:
    """Share that is below a temperature, with a transition of some width."""
    return np.asarray(1 / (1 + np.exp(np.clip((celsius - limit_c) * (4 / width_k), -30, 30))), np.float32)

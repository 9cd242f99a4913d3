"""What the base model sees of a cell: climate, height above the shoreline, roughness; each near unit range."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.monthly import MonthlyClimate
from terraform.climate.sphere import Smoother
from terraform.geo.planet_grid import PlanetGrid

Field = NDArray[np.float32]

EARTH_LAPSE_K_PER_KM = 6.5
"""Mean fall of temperature with height on Earth (ICAO standard atmosphere)."""

_POTENTIAL_MM_PER_K = np.float32(58.93 / 12)
"""Potential evaporation per month and degree of warmth above 0 (Holdridge 1967: 58.93 mm a year)."""
_FROST_WIDTH_K = np.float32(2.0)


class Feature(NamedTuple):
    """A number of each cell; the model sees (value - centre) / scale."""

    name: str
    centre: float
    scale: float


FEATURES = (
    Feature("temperature_year_c", 10, 20),
    Feature("temperature_warmest_c", 20, 12),
    Feature("temperature_coldest_c", 0, 25),
    Feature("temperature_january_minus_july_k", 0, 25),
    Feature("rain_year_log", 2.8, 0.6),
    Feature("rain_driest_log", 1.2, 0.7),
    Feature("rain_wettest_log", 2.1, 0.6),
    Feature("rain_january_minus_july_log", 0, 1),
    Feature("moisture_log", 0, 0.7),
    Feature("growing_log", 2.3, 0.7),
    Feature("deficit_log", 2.3, 0.8),
    Feature("warm_rain_log", 2.3, 0.7),
    Feature("snow_log", 1.2, 1.0),
    Feature("height_log", 2.5, 0.7),
    Feature("roughness_log", 2.0, 0.6),
)
"""All features, in the model's order; logarithms to base 10 of millimetres, metres or a ratio."""


def feature_names() -> tuple[str, ...]:
    """Names of the features in the model's order."""
    return tuple(feature.name for feature in FEATURES)


def features_of(climate: MonthlyClimate, height_m: Field, roughness_m: Field, lapse_rate_k_per_km: float) -> Field:
    """Compute the features of each cell.

    Heights and roughness count in temperature: metres times the lapse rate over Earth's, because on a body of little
    gravity air thins as slowly as it cools.

    Parameters
    ----------
    climate : MonthlyClimate
        (12, H, W), temperatures of the cells' own heights.
    height_m : (H, W) float32
        Height above the shoreline, metres; the sea is 0.
    roughness_m : (H, W) float32
        Spread of heights in the neighbourhood, metres.
    lapse_rate_k_per_km : float
        Fall of temperature with height on this body.

    Returns
    -------
    (H, W, F) float32
        In the order of `FEATURES`, finite where the inputs are.
    """
    thin = np.float32(lapse_rate_k_per_km / EARTH_LAPSE_K_PER_KM)
    columns = [*_warmth(climate), *_rain(climate), *_balance(climate)]
    columns += [_log(np.maximum(height_m, 0) * thin, 30), _log(roughness_m * thin, 3)]
    scaled = [
        (column - np.float32(feature.centre)) / np.float32(feature.scale)
        for feature, column in zip(FEATURES, columns, strict=True)
    ]
    return np.stack(scaled, axis=-1).astype(np.float32, copy=False)


def roughness_of(height_m: NDArray[np.float32], grid: PlanetGrid, size_m: float) -> Field:
    """Measure the roughness of a body's relief.

    Parameters
    ----------
    height_m : (H, W) float32
        Heights above the shoreline, metres; the sea is 0.
    grid : PlanetGrid
        Where they lie.
    size_m : float
        Standard deviation of the neighbourhood's weight, metres.

    Returns
    -------
    (H, W) float32
        Standard deviation of heights around each cell, metres.
    """
    smoother = Smoother(grid, size_m)
    rest = height_m - smoother(height_m)
    return np.sqrt(np.maximum(smoother(rest**2), 0))


def _warmth(climate: MonthlyClimate) -> list[Field]:
    january, july = _seasons(climate.temperature)
    return [climate.annual_temperature, climate.warmest, climate.coldest, january - july]


def _rain(climate: MonthlyClimate) -> list[Field]:
    """The year's, the driest and the wettest quarter's, and which season is wet."""
    rain = climate.precipitation
    quarter = rain.copy()
    for shift in (1, -1):
        quarter += np.roll(rain, shift, axis=0)
    january, july = _seasons(rain)
    signed = _log(january, 3) - _log(july, 3)
    return [_log(rain.sum(axis=0), 10), _log(quarter.min(axis=0), 3), _log(quarter.max(axis=0), 3), signed]


def _balance(climate: MonthlyClimate) -> list[Field]:
    """Water balance of the year: moisture index, water used by plants, water they lack, rain in warmth, snow."""
    warmth = _softplus(climate.temperature)
    potential = _POTENTIAL_MM_PER_K * warmth
    rain = climate.precipitation
    used = rain * potential / (rain + potential + 1)
    share = warmth / (warmth + 10)
    frozen = 1 / (1 + np.exp(np.clip(climate.temperature / _FROST_WIDTH_K, -30, 30)))
    year = rain.sum(axis=0)
    needed = potential.sum(axis=0)
    return [
        _log(year, 20) - _log(needed, 20),
        _log(used.sum(axis=0), 3),
        _log((potential - used).sum(axis=0), 10),
        _log((rain * share).sum(axis=0), 3),
        _log((rain * frozen).sum(axis=0), 3),
    ]


def _seasons(values: Field) -> tuple[Field, Field]:
    """Means of December to February and of June to August."""
    return values[[11, 0, 1]].mean(axis=0), values[5:8].mean(axis=0)


def _softplus(kelvin: Field) -> Field:
    width = _FROST_WIDTH_K
    return np.asarray(width * np.logaddexp(np.float32(0), kelvin / width), np.float32)


def _log(values: Field, smallest: float) -> Field:
    """Logarithm to base 10 that levels off below `smallest`."""
    return np.log10(np.maximum(values, 0) + np.float32(smallest))

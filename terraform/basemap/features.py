"""What the base model sees of a cell: climate, height above the shoreline, roughness; each near unit range."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.monthly import MonthlyClimate
from terraform.climate.sphere import Smoother
from terraform.geo.planet_grid import PlanetGrid

Field = NDArray[np.float32]

_BAND = 90
EARTH_GRAVITY_M_S2 = 9.807

_POTENTIAL_MM_PER_K = np.float32(58.93 / 12)
"""Potential evaporation per month and degree of warmth above 0 (Holdridge 1967: 58.93 mm a year)."""
COMPOSITE = 0
"""In place of a month: the composite of the year, channel by channel the darkest of several months."""

_FROST_WIDTH_K = np.float32(2.0)
_LEAST_POSITION_M = np.float32(50.0)


class Feature(NamedTuple):
    """A number of each cell; the model sees (value - centre) / scale."""

    name: str
    centre: float
    scale: float


FEATURES = (
    Feature("temperature_year_c", 10, 20),
    Feature("temperature_warmest_c", 20, 12),
    Feature("temperature_coldest_c", 0, 25),
    Feature("rain_year_log", 2.8, 0.6),
    Feature("rain_driest_log", 1.2, 0.7),
    Feature("rain_wettest_log", 2.1, 0.6),
    Feature("moisture_log", 0, 0.7),
    Feature("growing_log", 2.3, 0.7),
    Feature("deficit_log", 2.3, 0.8),
    Feature("warm_rain_log", 2.3, 0.7),
    Feature("snow_log", 1.2, 1.0),
    Feature("height_log", 2.5, 0.7),
    Feature("position_log", 0, 1.0),
    Feature("roughness_log", 2.0, 0.6),
    Feature("month_temperature_c", 10, 20),
    Feature("month_warming_k", 0, 12),
    Feature("month_rain_log", 1.8, 0.7),
    Feature("month_moisture_log", 0, 0.7),
    Feature("month_snow_log", 0.8, 0.8),
    Feature("composite", 0.5, 0.5),
)
"""All features, in the model's order; logarithms to base 10 of millimetres, metres or a ratio."""


class Relief(NamedTuple):
    """A body's coarse relief, each (H, W) float32 metres.

    Attributes
    ----------
    height_m : height above the shoreline; the sea is 0
    position_m : height above the mean of the surroundings: valleys are negative
    roughness_m : standard deviation of heights nearby
    """

    height_m: Field
    position_m: Field
    roughness_m: Field

    def part(self, rows: slice) -> "Relief":
        """Take some rows."""
        return Relief(*(values[rows] for values in self))


def feature_names() -> tuple[str, ...]:
    """Names of the features in the model's order."""
    return tuple(feature.name for feature in FEATURES)


def features_of(climate: MonthlyClimate, relief: Relief, gravity_m_s2: float, month: int) -> Field:
    """Compute the features of each cell.

    No feature knows the name of a month or of a hemisphere: an autumn is an autumn in the south too, and on Mars.

    Heights and roughness count as metres times gravity over Earth's: where gravity is weak, air thins and cools that
    much more slowly with height (scale height and adiabatic lapse rate: Wallace and Hobbs 2006, chapter 3).

    Parameters
    ----------
    climate : MonthlyClimate
        (12, H, W), temperatures of the cells' own heights.
    relief : Relief
        (H, W), of the same cells.
    gravity_m_s2 : float
        Gravity at the surface of this body.
    month : int
        1 is January; `COMPOSITE` for the year's composite.

    Returns
    -------
    (H, W, F) float32
        In the order of `FEATURES`, finite where the inputs are.
    """
    thin = np.float32(gravity_m_s2 / EARTH_GRAVITY_M_S2)
    columns = [*_warmth(climate), *_rain(climate), *_balance(climate)]
    columns.append(_log(relief.height_m * thin, 30))
    columns.append(np.arcsinh(relief.position_m * thin / _LEAST_POSITION_M) / np.float32(2))
    columns.append(_log(relief.roughness_m * thin, 3))
    columns += _composite(climate) if month == COMPOSITE else _month(climate, month - 1)
    scaled = [
        (column - np.float32(feature.centre)) / np.float32(feature.scale)
        for feature, column in zip(FEATURES, columns, strict=True)
    ]
    return np.stack(scaled, axis=-1).astype(np.float32, copy=False)


def relief_of(height_m: NDArray[np.float32], grid: PlanetGrid, near_m: float, wide_m: float) -> Relief:
    """Measure a body's coarse relief.

    Parameters
    ----------
    height_m : (H, W) float32
        Heights above the shoreline, metres; the sea is 0, and what lies below it counts as 0.
    grid : PlanetGrid
        Where they lie.
    near_m, wide_m : float
        Size of the neighbourhood of the roughness, and of the surroundings of the position, metres (standard deviation
        of their weights).

    Returns
    -------
    Relief
        (H, W).
    """
    height = np.maximum(height_m, 0)
    near = Smoother(grid, near_m)
    spread = near((height - near(height)) ** 2)
    return Relief(height, height - Smoother(grid, wide_m)(height), np.sqrt(np.maximum(spread, 0)))


def climate_bands(
    climate: MonthlyClimate, grid: PlanetGrid, height_m: NDArray[np.float32], target: PlanetGrid,
    lapse_rate_k_per_km: float,
) -> Iterator[tuple[slice, MonthlyClimate]]:  # fmt: skip
    """Refine a climate band by band, so that no more than a tenth of its months are in memory at once.

    Parameters
    ----------
    climate : MonthlyClimate
        On `grid`, temperatures of that grid's mean heights.
    grid : PlanetGrid
        Cells that are whole blocks of the target's, or the target itself.
    height_m : (H, W) float32
        Of the target's cells above the shoreline, metres; the sea is 0.
    target : PlanetGrid
        Where it is refined to.
    lapse_rate_k_per_km : float
        Fall of temperature with height.

    Yields
    ------
    slice
        Rows of the target.
    MonthlyClimate
        (12, h, W), temperatures at the shoreline.
    """
    level = climate.at_sea_level(target.coarsened(height_m, grid), lapse_rate_k_per_km)
    for top in range(0, target.height, _BAND):
        rows = slice(top, min(top + _BAND, target.height))
        warmth, rain = (grid.refined(values, target, rows) for values in (level.temperature, level.precipitation))
        yield rows, MonthlyClimate(warmth, rain)


def _warmth(climate: MonthlyClimate) -> list[Field]:
    return [climate.annual_temperature, climate.warmest, climate.coldest]


def _rain(climate: MonthlyClimate) -> list[Field]:
    """Sum the rain of the year, of the driest and of the wettest quarter."""
    rain = climate.precipitation
    quarter = rain.copy()
    for shift in (1, -1):
        quarter += np.roll(rain, shift, axis=0)
    return [_log(rain.sum(axis=0), 10), _log(quarter.min(axis=0), 3), _log(quarter.max(axis=0), 3)]


def _month(climate: MonthlyClimate, index: int) -> list[Field]:
    """Compute a month's temperature, its change, and rain, moisture and snow of the three months up to it."""
    quarter = [index, index - 1, index - 2]
    warmth = climate.temperature[index]
    rain: Field = climate.precipitation[quarter].sum(axis=0)
    needed = _POTENTIAL_MM_PER_K * _softplus(climate.temperature[quarter]).sum(axis=0)
    snow = (climate.precipitation[quarter] * _frozen(climate.temperature[quarter])).sum(axis=0)
    change = climate.temperature[(index + 1) % 12] - climate.temperature[index - 1]
    moisture = _log(rain, 5) - _log(needed, 5)
    return [warmth, change, _log(rain, 3), moisture, _log(snow, 3), np.zeros_like(warmth)]


def _composite(climate: MonthlyClimate) -> list[Field]:
    """Compute what stands in place of a month's features: means of the year."""
    year = climate.annual_temperature
    rain = _log(climate.annual_precipitation / np.float32(4), 3)
    return [year, np.zeros_like(year), rain, np.zeros_like(year), np.zeros_like(year), np.ones_like(year)]


def _balance(climate: MonthlyClimate) -> list[Field]:
    """Water balance of the year: moisture index, water used by plants, water they lack, rain in warmth, snow."""
    warmth = _softplus(climate.temperature)
    potential = _POTENTIAL_MM_PER_K * warmth
    rain = climate.precipitation
    used = rain * potential / (rain + potential + 1)
    share = warmth / (warmth + 10)
    year = rain.sum(axis=0)
    needed = potential.sum(axis=0)
    return [
        _log(year, 20) - _log(needed, 20),
        _log(used.sum(axis=0), 3),
        _log((potential - used).sum(axis=0), 10),
        _log((rain * share).sum(axis=0), 3),
        _log((rain * _frozen(climate.temperature)).sum(axis=0), 3),
    ]


def _frozen(celsius: Field) -> Field:
    """Share of precipitation that falls as snow."""
    return np.asarray(1 / (1 + np.exp(np.clip(celsius / _FROST_WIDTH_K, -30, 30))), np.float32)


def _softplus(kelvin: Field) -> Field:
    width = _FROST_WIDTH_K
    return np.asarray(width * np.logaddexp(np.float32(0), kelvin / width), np.float32)


def _log(values: Field, smallest: float) -> Field:
    """Logarithm to base 10 that levels off below `smallest`."""
    return np.log10(np.maximum(values, 0) + np.float32(smallest))

"""Skill of a simulated climate against an observed one, over land."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.koeppen import koeppen, main_group
from terraform.climate.monthly import MonthlyClimate
from terraform.geo.planet_grid import PlanetGrid

_SUMMER, _WINTER = slice(5, 8), [11, 0, 1]
_LEAST_MM = 1.0


class Skill(NamedTuple):
    """How near a simulated climate is to the observed one; every number is weighted by area.

    Attributes
    ----------
    temperature_k, june_k, december_k : float
        Root mean square error of the year, June to August, and December to February, K.
    rain, june_rain, december_rain : float
        Correlation of the decimal logarithm of precipitation of the same times (at least 1 mm a month).
    rain_bias : float
        Mean of log10(simulated / observed) of the year.
    koeppen : float
        Share of land whose Koeppen main group is right.
    """

    temperature_k: float
    june_k: float
    december_k: float
    rain: float
    june_rain: float
    december_rain: float
    rain_bias: float
    koeppen: float


def skill(
    simulated: MonthlyClimate,
    observed: MonthlyClimate,
    where: NDArray[np.bool_],
    grid: PlanetGrid,
    observed_classes: NDArray[np.uint8] | None = None,
) -> Skill:
    """Compare two climates.

    Parameters
    ----------
    simulated, observed : MonthlyClimate
        (12, H, W) on the same grid.
    where : (H, W) bool
        The land that counts.
    grid : PlanetGrid
        Gives the areas.
    observed_classes : (H, W) uint8, optional
        Koeppen classes (numbers of `CLASSES`, 0 is left out); by default those of the observed climate.

    Returns
    -------
    Skill
    """
    weights = np.broadcast_to(grid.area_weight, grid.shape)[where]
    classes = koeppen(observed) if observed_classes is None else observed_classes
    wanted, made = main_group(classes)[where], main_group(koeppen(simulated))[where]
    known = wanted > 0
    hits = np.average(wanted[known] == made[known], weights=weights[known])
    pairs = [(_months(simulated, m, where), _months(observed, m, where)) for m in (slice(None), _SUMMER, _WINTER)]
    year, june, december = (_root_mean_square(a[0] - b[0], weights) for a, b in pairs)
    rains = (_correlation(a[1], b[1], weights) for a, b in pairs)
    rain, june_rain, december_rain = rains
    bias = np.average(pairs[0][0][1] - pairs[0][1][1], weights=weights)
    return Skill(year, june, december, rain, june_rain, december_rain, float(bias), float(hits))


def _months(climate: MonthlyClimate, months: Any, where: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean temperature and logarithm of the mean monthly rain of some months, on the land that counts."""
    rain = climate.precipitation[months].mean(axis=0, dtype=np.float64)[where]
    return climate.temperature[months].mean(axis=0, dtype=np.float64)[where], np.log10(np.maximum(rain, _LEAST_MM))


def _root_mean_square(error: NDArray[Any], weights: NDArray[Any]) -> float:
    return float(np.sqrt(np.average(error**2, weights=weights)))


def _correlation(a: NDArray[Any], b: NDArray[Any], weights: NDArray[Any]) -> float:
    a, b = a - np.average(a, weights=weights), b - np.average(b, weights=weights)
    spread = np.sqrt(np.average(a**2, weights=weights) * np.average(b**2, weights=weights))
    return float(np.average(a * b, weights=weights) / spread)

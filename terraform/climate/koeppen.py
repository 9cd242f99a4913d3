"""Koeppen-Geiger classes of a climate (Kottek et al. 2006, doi 10.1127/0941-2948/2006/0130)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.monthly import MonthlyClimate

Mask = NDArray[np.bool_]

CLASSES = (
    "Ocean", "Af", "Am", "As", "Aw", "BSh", "BSk", "BWh", "BWk", "Cfa", "Cfb", "Cfc", "Csa", "Csb", "Csc", "Cwa",
    "Cwb", "Cwc", "Dfa", "Dfb", "Dfc", "Dfd", "Dsa", "Dsb", "Dsc", "Dsd", "Dwa", "Dwb", "Dwc", "Dwd", "EF", "ET",
)  # fmt: skip
"""Names by number, in the alphabetical order of Rubel et al. 2017; 0 is the sea."""

GROUPS = "OABCDE"
"""Main groups by number: sea, tropical, dry, temperate, cold, polar."""

_PALETTE = (
    "dfe9f2 960000 ff0000 ff9999 ffcccc cc8d14 ccaa54 ffcc00 ffff64 007800 005000 003200 96ff00 00d700 00aa00 be6400 "
    "8c4614 5a280a 550055 820082 c800c8 ff6eff 646464 8c8c8c bebebe e6e6e6 6e28b4 b464fa c89bfa c8c8ff 6496ff 64ffff"
)
COLOURS = np.array([[int(c[k : k + 2], 16) for k in (0, 2, 4)] for c in _PALETTE.split()], np.uint8)
"""Colours of the classes, (32, 3) uint8 RGB (after Kottek et al. 2006)."""


class _Year(NamedTuple):
    """What the rules ask of a place: degrees Celsius and millimetres, (H, W) each."""

    mean: NDArray[np.float32]
    coldest: NDArray[np.float32]
    warmest: NDArray[np.float32]
    months_above_10: NDArray[np.int64]
    rain: NDArray[np.float32]
    driest: NDArray[np.float32]
    summer_driest: NDArray[np.float32]
    summer_wettest: NDArray[np.float32]
    winter_driest: NDArray[np.float32]
    winter_wettest: NDArray[np.float32]
    dry_below: NDArray[np.float32]


def koeppen(climate: MonthlyClimate, sea: Mask | None = None) -> NDArray[np.uint8]:
    """Classify every place.

    Parameters
    ----------
    climate : MonthlyClimate
        (12, H, W).
    sea : (H, W) bool, optional
        Where the answer is 0, Ocean.

    Returns
    -------
    (H, W) uint8
        Numbers of `CLASSES`.
    """
    year = _year(climate)
    names = _main(year)
    number = np.zeros(names.shape, np.uint8)
    second, third = _rain_letter(year, names), _heat_letter(year, names)
    for code, name in enumerate(CLASSES[1:], 1):
        fits = names == name[0]
        fits &= second == name[1]
        if len(name) == 3:
            fits &= third == name[2]
        number[fits] = code
    if sea is not None:
        number[sea] = 0
    return number


def main_group(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Take classes (numbers of `CLASSES`) to main groups (numbers of `GROUPS`)."""
    table = np.array([GROUPS.index(name[0]) for name in CLASSES], np.uint8)
    return np.asarray(table[classes])


def _year(climate: MonthlyClimate) -> _Year:
    summer = climate.warm_half()
    rain = climate.precipitation
    in_summer = (rain * summer).sum(axis=0)
    total = climate.annual_precipitation
    most = np.where(in_summer >= total * 2 / 3, 28, np.where(total - in_summer >= total * 2 / 3, 0, 14))
    inf = np.float32(np.inf)
    return _Year(
        climate.annual_temperature, climate.coldest, climate.warmest, (climate.temperature >= 10).sum(axis=0), total,
        climate.driest, np.where(summer, rain, inf).min(axis=0), np.where(summer, rain, -inf).max(axis=0),
        np.where(summer, inf, rain).min(axis=0), np.where(summer, -inf, rain).max(axis=0),
        np.asarray(np.maximum(2 * climate.annual_temperature + most, 0) * 10, np.float32),
    )  # fmt: skip


def _main(year: _Year) -> NDArray[np.str_]:
    """Polar first, then dry, then by the coldest month."""
    rules = [year.warmest < 10, year.rain < year.dry_below, year.coldest >= 18, year.coldest > -3]
    return np.select(rules, ["E", "B", "A", "C"], "D")


def _rain_letter(year: _Year, main: NDArray[np.str_]) -> NDArray[np.str_]:
    rainforest = year.driest >= 60
    monsoon = year.rain >= 25 * (100 - year.driest)
    dry_summer = year.summer_driest < np.minimum(40, year.winter_wettest / 3)
    dry_summer &= year.summer_driest < year.winter_driest
    dry_winter = (year.winter_driest < year.summer_wettest / 10) & (year.winter_driest < year.summer_driest)
    tropical = np.select([rainforest, monsoon, year.summer_driest < year.winter_driest], ["f", "m", "s"], "w")
    others = np.select([dry_summer, dry_winter], ["s", "w"], "f")
    dry = np.where(year.rain < year.dry_below / 2, "W", "S")
    polar = np.where(year.warmest < 0, "F", "T")
    return np.select([main == "A", main == "B", main == "E"], [tropical, dry, polar], others)


def _heat_letter(year: _Year, main: NDArray[np.str_]) -> NDArray[np.str_]:
    dry = np.where(year.mean >= 18, "h", "k")
    severe = (year.coldest <= -38) & (main == "D")
    others = np.select([year.warmest >= 22, year.months_above_10 >= 4, severe], ["a", "b", "d"], "c")
    return np.where(main == "B", dry, others)

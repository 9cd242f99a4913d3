"""Koeppen classes of cities whose climate is in every textbook, and the groups and colours of the classes."""

import numpy as np
import pytest

from terraform.climate.koeppen import CLASSES, COLOURS, GROUPS, koeppen, main_group
from terraform.climate.monthly import MonthlyClimate

CITIES = {
    "Singapore": ("Af", [26.8, 27.3, 27.8, 28.2, 28.6, 28.5, 28.2, 28.1, 28.0, 27.9, 27.2, 26.8],
                  [222, 105, 151, 164, 164, 136, 145, 143, 157, 155, 254, 333]),
    "Miami": ("Am", [20.1, 21.1, 22.6, 24.6, 26.6, 28.1, 28.8, 28.8, 28.1, 26.4, 23.6, 21.4],
              [46, 55, 62, 85, 161, 267, 187, 226, 250, 194, 90, 62]),
    "Darwin": ("Aw", [28.3, 28.2, 28.3, 28.3, 27.0, 25.1, 24.8, 25.8, 27.8, 29.1, 29.3, 29.0],
               [424, 374, 319, 102, 21, 2, 1, 5, 15, 70, 142, 248]),
    "Cairo": ("BWh", [14.0, 15.1, 17.6, 21.5, 24.9, 27.3, 28.0, 28.2, 26.6, 24.0, 19.2, 15.1],
              [5, 4, 4, 1, 0, 0, 0, 0, 0, 1, 4, 6]),
    "Ulan-Ude": ("BSk", [-22.5, -18.0, -8.0, 2.4, 10.0, 17.0, 20.0, 17.2, 9.8, 1.4, -10.0, -18.9],
                 [4, 2, 2, 6, 14, 36, 66, 62, 28, 7, 7, 7]),
    "Rome": ("Csa", [7.5, 8.2, 10.2, 12.6, 17.2, 21.1, 24.1, 24.5, 20.8, 16.4, 11.4, 8.4],
             [67, 73, 58, 81, 53, 34, 19, 37, 73, 113, 115, 81]),
    "San Francisco": ("Csb", [10.7, 12.1, 12.8, 13.6, 14.4, 15.6, 15.9, 16.5, 17.1, 16.4, 13.4, 10.7],
                      [110, 112, 79, 40, 18, 5, 0, 1, 3, 26, 63, 116]),
    "London": ("Cfb", [5.2, 5.3, 7.6, 9.9, 13.3, 16.5, 18.7, 18.5, 15.7, 12.0, 8.0, 5.5],
               [55, 41, 42, 44, 49, 45, 45, 50, 49, 69, 59, 55]),
    "Berlin": ("Cfb", [0.6, 1.4, 4.8, 9.5, 14.2, 17.6, 19.6, 19.1, 14.8, 9.9, 5.0, 1.8],
               [42, 33, 41, 37, 54, 69, 56, 58, 45, 37, 44, 55]),
    "Buenos Aires": ("Cfa", [24.9, 23.6, 21.9, 17.9, 14.5, 11.7, 11.0, 12.8, 14.6, 17.8, 20.7, 23.3],
                     [139, 127, 140, 119, 92, 59, 60, 76, 72, 127, 118, 108]),
    "Hong Kong": ("Cwa", [16.5, 17.1, 19.5, 23.0, 26.3, 28.3, 28.9, 28.7, 27.9, 25.7, 22.2, 18.2],
                  [33, 39, 75, 153, 291, 491, 386, 453, 321, 120, 39, 29]),
    "Moscow": ("Dfb", [-6.2, -5.9, -0.7, 6.9, 13.6, 17.3, 19.7, 17.6, 11.9, 5.8, -0.5, -4.4],
               [53, 44, 39, 37, 61, 78, 84, 78, 66, 70, 52, 51]),
    "Yakutsk": ("Dfd", [-38.6, -33.8, -20.1, -4.8, 7.5, 16.4, 19.5, 15.2, 6.1, -7.8, -27.0, -37.6],
                [9, 8, 6, 10, 20, 36, 38, 37, 31, 18, 16, 11]),
    "Beijing": ("Dwa", [-3.1, 0.2, 6.7, 14.8, 20.8, 24.9, 26.7, 25.5, 20.8, 13.7, 5.0, -0.9],
                [3, 5, 8, 21, 35, 78, 185, 160, 46, 22, 7, 3]),
    "Barrow": ("ET", [-25, -26, -25, -17, -6.0, 2.2, 5.0, 4.0, 0.0, -8.0, -16, -22],
               [4, 4, 3, 5, 5, 8, 25, 27, 18, 10, 6, 4]),
    "Vostok": ("EF", [-32, -44, -58, -65, -66, -65, -67, -68, -66, -57, -43, -32], [1] * 12),
}  # fmt: skip


@pytest.mark.parametrize("city", CITIES)
def test_a_city_has_the_class_of_the_textbooks(city):
    expected, warmth, rain = CITIES[city]
    climate = MonthlyClimate(*(np.array(a, np.float32)[:, None, None] for a in (warmth, rain)))
    assert CLASSES[koeppen(climate)[0, 0]] == expected


def test_every_climate_has_a_class():
    draw = np.random.default_rng(0)
    warmth = draw.normal(8, 15, (1, 90, 90)) + draw.normal(0, 10, (12, 90, 90))
    rain = draw.gamma(0.5, 80, (12, 90, 90))
    assert koeppen(MonthlyClimate(warmth.astype(np.float32), rain.astype(np.float32))).min() > 0


def test_sea_has_no_class():
    climate = MonthlyClimate(*(np.full((12, 1, 2), v, np.float32) for v in (10, 50)))
    assert koeppen(climate, np.array([[True, False]]))[0].tolist() == [0, CLASSES.index("Cfb")]


def test_groups_are_the_first_letters():
    groups = main_group(np.arange(len(CLASSES), dtype=np.uint8))
    assert [GROUPS[k] for k in groups] == [name[0] for name in CLASSES]


def test_every_class_has_its_own_colour():
    assert len(np.unique(COLOURS, axis=0)) == len(CLASSES) == len(COLOURS)

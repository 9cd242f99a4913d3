"""The climate law of the synthetic planets: temperature and precipitation of the months.

Temperature, degrees Celsius, of month m (0 January ... 11 December) at latitude p and height h above the sea::

    T = snow_line(p) * 6.5 K/km - 2 - lapse * h - 24 sin(p) |sin(p)| (0.3 + 0.7 c) cos(2 pi m / 12)

so that on Earth, where the lapse is 6.5 K/km, the mean of the year at the snow line of the colour law is -2 degrees
everywhere. c = 1 - exp(-d / 500 km) at a distance d from the sea: land swings, the sea does not.

Precipitation, millimetres per month, from the moisture w (0..1) of the colour law, so that what is green is wet::

    P = 2600 / 12 * w^2 * (1 - 0.8 exp(-((|p| - 15) / 10)^2) sign(p) cos(2 pi m / 12))

in the tropics it follows the sun. The year's total is 2600 w^2.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.geo.planet_grid import PlanetGrid
from terraform.sample_world.colour import snow_line_m
from terraform.sample_world.noise import Float

LAPSE_K_PER_M = {"earth": 0.0065, "mars": 0.0025}
"""The same dry physics; proportional to gravity."""

SNOW_LINE_C = -2.0
SWING_K = 24.0
REACH_KM = 500.0
WETTEST_MM = 2600.0
_COARSE_PER_DEGREE = 0.5


class SampleClimate(NamedTuple):
    """Twelve months of a planet.

    Attributes
    ----------
    temperature : (12, H, W) float32
        Degrees Celsius.
    precipitation : (12, H, W) float32
        Millimetres per month.
    """

    temperature: NDArray[np.float32]
    precipitation: NDArray[np.float32]


def climate(grid: PlanetGrid, height_m: Float, sea: NDArray[np.bool_], moisture: Float) -> SampleClimate:
    """Compute the climate of a planet by the law of this module.

    Parameters
    ----------
    height_m : (H, W) float32
        Metres above the sea, 0 at sea.
    sea : (H, W) bool
    moisture : (H, W) float32
        Share, 0..1.
    """
    lat = grid.latitude_deg
    inland = 1 - np.exp(-sea_distance_km(grid, sea) / REACH_KM)
    year = np.cos(2 * np.pi * np.arange(12, dtype=np.float32) / 12).astype(np.float32)[:, None, None]
    sine = np.sin(np.radians(lat))[:, None]
    swing = SWING_K * sine * np.abs(sine) * (0.3 + 0.7 * inland)
    mean = snow_line_m(lat)[:, None] * LAPSE_K_PER_M["earth"] + SNOW_LINE_C - LAPSE_K_PER_M[grid.body.name] * height_m
    follows = 0.8 * np.exp(-(((np.abs(lat) - 15) / 10) ** 2)) * np.sign(lat)
    rain = WETTEST_MM / 12 * np.clip(moisture, 0, 1) ** 2
    level, wide, tropics = (np.asarray(part, np.float32) for part in (mean, swing, follows[:, None]))
    return SampleClimate(level - year * wide, np.asarray(rain, np.float32) * (1 - year * tropics))


def sea_distance_km(grid: PlanetGrid, sea: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Measure the distance to the nearest sea along great circles, on cells of 2 degrees, interpolated.

    Parameters
    ----------
    sea : (H, W) bool

    Returns
    -------
    (H, W) float32
        Kilometres; 0 on the sea, half the circumference where there is none.
    """
    coarse = grid.coarser(_COARSE_PER_DEGREE)
    wet = coarse.coarsened(sea, coarse) if coarse.shape == grid.shape else grid.coarsened(sea, coarse)
    lat, lon = np.radians(coarse.latitude_deg)[:, None], np.radians(coarse.longitude_deg)
    parts = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.broadcast_to(np.sin(lat), coarse.shape)
    points = np.stack(parts, axis=-1).reshape(-1, 3).astype(np.float32)
    targets = points[wet.ravel() >= 0.5]
    cosine = np.full(len(points), -1, np.float32)
    for first in range(0, len(targets), 1024):
        np.maximum(cosine, (points @ targets[first : first + 1024].T).max(axis=1), out=cosine)
    angle = np.arccos(np.clip(cosine, -1, 1)).reshape(coarse.shape)
    metres = coarse.refined(angle, grid) * grid.body.radius_m
    return np.where(sea, 0, np.minimum(metres, math.pi * grid.body.radius_m) / 1000).astype(np.float32)

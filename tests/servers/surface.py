"""What every stand-in shows: heights and colours that are functions of longitude and latitude, in degrees.

All have a period that divides 360, so that they are continuous across the antimeridian, and vary so fast that a shift
by one pixel of 200 m shows.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

HEIGHT_PERIOD_DEG = 0.5
COLOUR_PERIOD_DEG = 0.25


def height_m(lon_deg: ArrayLike, lat_deg: ArrayLike) -> NDArray[np.float64]:
    """Smooth heights of 300 to 1700 m, different in x and in y."""
    x = 2 * np.pi * np.asarray(lon_deg, np.float64) / HEIGHT_PERIOD_DEG
    y = 2 * np.pi * np.asarray(lat_deg, np.float64) / (0.8 * HEIGHT_PERIOD_DEG)
    return 1000 + 400 * np.sin(x) + 300 * np.cos(y)


def colour(lon_deg: ArrayLike, lat_deg: ArrayLike, year: int) -> NDArray[np.uint8]:
    """Red tells the longitude, green the latitude, blue the year; (..., 3), never black or white."""
    x = 2 * np.pi * np.asarray(lon_deg, np.float64) / COLOUR_PERIOD_DEG
    y = 2 * np.pi * np.asarray(lat_deg, np.float64) / COLOUR_PERIOD_DEG
    red, green = np.broadcast_arrays(128 + 90 * np.sin(x), 128 + 90 * np.sin(y))
    blue = np.full(red.shape, 60 + 12 * (year - 2016), np.float64)
    return np.rint(np.stack([red, green, blue], axis=-1)).astype(np.uint8)

"""Earth's colours and what the base model sees of it, on the planet grid, from a folder of rasters."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.basemap.features import Relief, features_of, relief_of
from terraform.climate.monthly import MonthlyClimate
from terraform.config.basemap import BaseMap
from terraform.config.climate import EARTH_CLIMATE
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.raster import grid_of, opened, read
from terraform.planet.region_colours import RegionColours, smooth_colours

FINE = PlanetGrid(EARTH, 12)
EARTH_LAPSE_K_PER_KM = 6.5
"""Mean fall of temperature with height (ICAO standard atmosphere), from 1/4 to 1/12 degree of the observed climate."""
QUARTER = PlanetGrid(EARTH, 4)
REGIONS = ("cali", "nepal", "andes", "tanzania", "italy", "nw")
_SEA, _REGION_SEA = -32767, -32768
_MONTH_LENGTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.float32) / np.float32(365.25 / 12)


class EarthRelief(NamedTuple):
    """Earth at 1/12 degree: its relief, and land (H, W) bool."""

    relief: Relief
    land: NDArray[np.bool_]


def read_relief(folder: Path) -> EarthRelief:
    """Read heights at 1/12 degree; the sea is 0."""
    heights = _bands(folder / "planet/earth_elevation.tif")[0]
    land = heights != _SEA
    height = np.where(land, heights, 0).astype(np.float32)
    settings = BaseMap()
    return EarthRelief(relief_of(height, FINE, settings.roughness_m, settings.surroundings_m), land)


def read_climate(folder: Path) -> MonthlyClimate:
    """Read the observed climate at 1/4 degree."""
    warmth = _bands(folder / "planet/earth_temperature.tif")[1:].astype(np.float32) / 10
    rain = _bands(folder / "planet/earth_precipitation.tif")[1:] / _MONTH_LENGTH[:, None, None]
    return MonthlyClimate(np.asarray(warmth, np.float32), np.asarray(rain, np.float32))


def fine_climate(climate: MonthlyClimate, relief: Relief) -> MonthlyClimate:
    """Take a climate at 1/4 degree to the relief at 1/12 degree."""
    coarse = FINE.coarsened(relief.height_m, QUARTER)
    return climate.downscaled(QUARTER, coarse, FINE, relief.height_m, EARTH_LAPSE_K_PER_KM)


def earth_features(climate: MonthlyClimate, relief: Relief, month: int) -> NDArray[np.float32]:
    """Features at 1/12 degree of a climate at 1/12 degree, (H, W, F)."""
    return features_of(climate, relief, EARTH_CLIMATE.gravity_m_s2, month)


def read_blue_marble(folder: Path, month: int) -> NDArray[np.uint8]:
    """Read Blue Marble of one month, (H, W, 3) uint8."""
    return np.moveaxis(_bands(folder / f"planet/earth_imagery_bmng{month:02d}.tif"), 0, -1)


def read_smooth(folder: Path, name: str) -> RegionColours:
    """Read a region's imagery and smooth its land by a Gaussian, at the cells of the planet grid."""
    with opened(folder / f"earth/{name}/imagery.tif") as dataset:
        imagery, lies = read(dataset), grid_of(dataset)
    land = _bands(folder / f"earth/{name}/elevation.tif")[0] != _REGION_SEA
    return smooth_colours(imagery, land, lies, FINE)


def _bands(path: Path) -> NDArray[Any]:
    with opened(path) as dataset:
        return np.asarray(dataset.read())

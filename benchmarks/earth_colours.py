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
from terraform.geo.resample import Axis, Taps, gather

FINE = PlanetGrid(EARTH, 12)
EARTH_LAPSE_K_PER_KM = 6.5
"""Mean fall of temperature with height (ICAO standard atmosphere), from 1/4 to 1/12 degree of the observed climate."""
QUARTER = PlanetGrid(EARTH, 4)
REGIONS = ("cali", "nepal", "andes", "tanzania", "italy", "nw")
_SEA, _REGION_SEA = -32767, -32768
_MONTH_LENGTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.float32) / np.float32(365.25 / 12)
_SMOOTH_M = 16_000 / 2.3548


class EarthRelief(NamedTuple):
    """Earth at 1/12 degree: its relief, and land (H, W) bool."""

    relief: Relief
    land: NDArray[np.bool_]


class Smooth(NamedTuple):
    """A region's smooth colours.

    Attributes
    ----------
    rows, columns : slice
        Cells of the planet grid.
    colours : (h, w, 3) float32
        Of land, 0 to 1.
    good : (h, w) bool
        Cells of land well inside the raster.
    box : tuple of float
        West, south, east, north, degrees.
    """

    rows: slice
    columns: slice
    colours: NDArray[np.float32]
    good: NDArray[np.bool_]
    box: tuple[float, float, float, float]


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


def read_blue_marble(folder: Path, month: int) -> NDArray[np.float32]:
    """Read Blue Marble of one month, (H, W, 3) float32, 0 to 1."""
    values = _bands(folder / f"planet/earth_imagery_bmng{month:02d}.tif")
    return np.asarray(np.moveaxis(values, 0, -1) / np.float32(255), np.float32)


def read_smooth(folder: Path, name: str, size_m: float = _SMOOTH_M) -> Smooth:
    """Read a region's imagery and smooth its land by a Gaussian, at the cells of the planet grid."""
    with opened(folder / f"earth/{name}/imagery.tif") as dataset:
        imagery, grid = read(dataset).astype(np.float32) / 255, grid_of(dataset)
    with opened(folder / f"earth/{name}/elevation.tif") as dataset:
        land = (read(dataset) != _REGION_SEA).astype(np.float32)
    latitudes, longitudes = grid.latitudes, grid.longitudes
    rows = _inside(FINE.latitude_deg, latitudes)
    columns = _inside(FINE.longitude_deg, longitudes)
    width_deg = size_m / EARTH.metres_per_degree
    middle = float(np.cos(np.radians(latitudes.centres().mean())))
    down = _gaussian(latitudes, FINE.latitude_deg[rows], width_deg)
    along = _gaussian(longitudes, FINE.longitude_deg[columns], width_deg / middle)
    share = gather(land, down, along)
    colours = gather(imagery * land[..., None], down, along) / np.maximum(share, 1e-6)[..., None]
    box = (longitudes.origin, latitudes.end, longitudes.end, latitudes.origin)
    return Smooth(rows, columns, np.asarray(colours, np.float32), share > 0.5, box)


def _inside(centres: NDArray[np.float64], axis: Axis) -> slice:
    low, high = sorted((axis.origin, axis.end))
    within = np.flatnonzero((centres > low + 0.1) & (centres < high - 0.1))
    return slice(int(within[0]), int(within[-1]) + 1)


def _gaussian(axis: Axis, centres: NDArray[np.float64], width: float) -> Taps:
    at = (centres - axis.origin) / axis.step - 0.5
    sigma = abs(width / axis.step)
    offsets = np.arange(-int(3 * sigma), int(3 * sigma) + 1, 2)
    index = np.round(at).astype(np.int64)[:, None] + offsets
    weight = np.exp(-(((index - at[:, None]) / sigma) ** 2) / 2)
    weight /= weight.sum(axis=1, keepdims=True)
    weight = np.where((index >= 0) & (index < axis.count), weight, 0)
    return Taps(np.clip(index, 0, axis.count - 1), weight.astype(np.float32))


def _bands(path: Path) -> NDArray[Any]:
    with opened(path) as dataset:
        return np.asarray(dataset.read())

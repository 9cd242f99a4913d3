"""Earth's relief and observed climate on a planet grid, from a folder of rasters."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.monthly import MonthlyClimate
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.raster import opened

_SEA = -32767
_MONTH_LENGTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.float32) / np.float32(365.25 / 12)


class Observed(NamedTuple):
    """Earth: heights (H, W) float32 m, sea (H, W) bool, its climate, Koeppen classes (H, W) uint8."""

    grid: PlanetGrid
    elevation_m: NDArray[np.float32]
    sea: NDArray[np.bool_]
    climate: MonthlyClimate
    classes: NDArray[np.uint8]


def read_earth(folder: Path, cells_per_degree: float = 2.0) -> Observed:
    """Read `earth_{elevation,temperature,precipitation,koeppen}.tif` and average them to a grid."""
    grid = PlanetGrid(EARTH, cells_per_degree)
    finest, fine = PlanetGrid(EARTH, 12), PlanetGrid(EARTH, 4)
    heights = _bands(folder / "earth_elevation.tif")[0]
    missing = heights == _SEA
    share = finest.coarsened(missing, grid)
    sea = share > 0.5
    elevation = finest.coarsened(np.where(missing, 0, heights), grid) / np.maximum(1 - share, 0.5)
    warmth = fine.coarsened(_bands(folder / "earth_temperature.tif")[1:].astype(np.float32) / 10, grid)
    rain = fine.coarsened(_bands(folder / "earth_precipitation.tif")[1:], grid) / _MONTH_LENGTH[:, None, None]
    classes = _commonest(_bands(folder / "earth_koeppen.tif")[0], grid)
    return Observed(grid, np.where(sea, 0, elevation).astype(np.float32), sea, MonthlyClimate(warmth, rain), classes)


def held_out(grid: PlanetGrid) -> NDArray[np.bool_]:
    """Longitudes that no constant was fitted on, (1, W): every third sector of 40 degrees."""
    return np.asarray(np.floor((grid.longitude_deg + 180) / 40) % 3 == 1)[None]


def _bands(path: Path) -> NDArray[Any]:
    with opened(path) as dataset:
        return np.asarray(dataset.read())


def _commonest(classes: NDArray[np.uint8], grid: PlanetGrid) -> NDArray[np.uint8]:
    factor = classes.shape[0] // grid.height
    blocks = classes.reshape(grid.height, factor, grid.width, factor)
    counts = np.stack([(blocks == k).sum(axis=(1, 3), dtype=np.int16) for k in range(32)])
    counts[0] = 0
    return np.where(counts.max(axis=0) > 0, counts.argmax(axis=0), 0).astype(np.uint8)

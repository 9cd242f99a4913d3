"""Data sets in tiles of one degree, named after their south-western corner: which ones a window touches."""

from math import ceil, floor
from typing import NamedTuple

import numpy as np
from rasterio.transform import Affine

from terraform.geo.grid import RasterGrid
from terraform.sources.raster.formats import Pixels, Raster, Span


class Cell(NamedTuple):
    """A tile of one degree by its south-western corner, whole degrees."""

    south: int
    west: int

    @property
    def latitude(self) -> str:
        """As in a name: N46."""
        return f"{'N' if self.south >= 0 else 'S'}{abs(self.south):02}"

    @property
    def longitude(self) -> str:
        """As in a name: E008."""
        return f"{'E' if self.west >= 0 else 'W'}{abs(self.west):03}"


def cells(grid: RasterGrid) -> list[Cell]:
    """List the tiles that a window touches, from the north-west; longitudes are -180 to 179 across the antimeridian."""
    # A small tolerance, so that an edge on a whole degree does not open another tile.
    rows = range(floor(grid.latitudes.end + 1e-9), ceil(grid.latitudes.origin - 1e-9))
    columns = range(floor(grid.longitudes.origin + 1e-9), ceil(grid.longitudes.end - 1e-9))
    wests = dict.fromkeys((column + 180) % 360 - 180 for column in columns)
    return [Cell(south, west) for south in reversed(rows) if -90 <= south < 90 for west in wests]


def share(cell: Cell, grid: RasterGrid) -> float:
    """How much of a tile a window covers, 0 to 1; for estimates."""
    tall = _overlap(cell.south, grid.latitudes.end, grid.latitudes.origin)
    wide = sum(
        _overlap(cell.west + turn, grid.longitudes.origin, grid.longitudes.end) for turn in (-360, 0, 360)
    )  # fmt: skip
    return min(1.0, tall * wide)


def sea(cell: Cell, like: tuple[Raster, Cell] | None, crs: object, pixels: int) -> Raster:
    """Make a tile that does not exist because it is all sea: 0 everywhere.

    Parameters
    ----------
    like : Raster and Cell, optional
        A tile whose lattice it continues, so that it does not make the result finer.
    crs : rasterio CRS
    pixels : int
        Rows and columns where there is no tile to continue.
    """
    if like is None:
        height = width = pixels
        transform = Affine(1 / pixels, 0, cell.west, 0, -1 / pixels, cell.south + 1)
    else:
        raster, other = like
        height, width, t = raster.height, raster.width, raster.transform
        transform = Affine(t.a, 0, t.c + cell.west - other.west, 0, t.e, t.f + cell.south - other.south)

    def read(rows: Span, columns: Span) -> Pixels:
        return Pixels(np.zeros((rows[1] - rows[0], columns[1] - columns[0]), np.int16), None)

    return Raster(f"sea at {cell}", crs, transform, height, width, 1, "int16", None, read)


def _overlap(start: float, low: float, high: float) -> float:
    return max(0.0, min(start + 1, high) - max(start, low))

"""What tiles are cut from: an array in memory, or windows of a raster that is larger than memory."""

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from terraform.geo import raster
from terraform.geo.degree_windows import DegreeWindows
from terraform.mosaic.output.overviews import downsample_2x
from terraform.viewer.grid import TileGrid, planet_grid, regional_grid

Planes = NDArray[np.uint8]
Box = tuple[int, int]


class Picture(Protocol):
    """Colours on a grid of tiles.

    Attributes
    ----------
    grid : TileGrid
    version : list of str
        What tells it from another picture of the same grid.
    """

    grid: TileGrid
    version: list[str]

    def reader(self) -> Any:
        """Open it for one thread: a context manager of a function (rows, columns, factor) -> (4, h, w) uint8.

        Rows and columns count pixels of `factor` of the finest level's; the planes are red, green, blue and 255 where
        there is anything.
        """
        ...


class ArrayPicture:
    """A picture that fits into memory.

    Parameters
    ----------
    colours : (H, W, 3) uint8
        A whole body in plate carree, row 0 north, column 0 from 180 W, W = 2 H.
    """

    def __init__(self, colours: Planes) -> None:
        self.grid = planet_grid(colours.shape[1])
        self.version = [hashlib.sha256(np.ascontiguousarray(colours).data).hexdigest()]
        rows, columns = (
            (np.arange(count) * size) // count
            for count, size in zip((self.grid.height, self.grid.width), colours.shape[:2], strict=True)
        )
        exact = colours if colours.shape[:2] == (self.grid.height, self.grid.width) else colours[rows][:, columns]
        planes = np.concatenate([np.moveaxis(exact, -1, 0), np.full((1, *exact.shape[:2]), 255, np.uint8)])
        self._levels = [planes]
        for _ in range(1, self.grid.levels):
            self._levels.append(downsample_2x(self._levels[-1]))

    @contextmanager
    def reader(self) -> Iterator[Callable[[Box, Box, int], Planes]]:
        """Give slices of the level that is asked for."""

        def read(rows: Box, columns: Box, factor: int) -> Planes:
            return self._levels[factor.bit_length() - 1][:, slice(*rows), slice(*columns)]

        yield read


class RasterPicture:
    """A picture that is read in windows from a raster.

    Parameters
    ----------
    path : Path
        A raster whose rows are parallels: degrees, or equirectangular metres.
    grid : TileGrid
        Where it is wanted; the raster's own pixels serve where both agree.
    draw : callable, optional
        From the values of a box with one more pixel on every side to colours; see `terraform.viewer.relief`. Without it
        the raster holds red, green and blue.
    """

    def __init__(self, path: Path, grid: TileGrid, draw: Callable[..., Planes] | None = None) -> None:
        self.path, self.grid, self._draw = path, grid, draw
        size = path.stat()
        self.version = [str(path.resolve()), str(size.st_size), str(size.st_mtime_ns)]

    @contextmanager
    def reader(self) -> Iterator[Callable[[Box, Box, int], Planes]]:
        """Open the raster and read boxes of it."""
        with raster.opened(self.path) as dataset:
            yield partial(self._read, DegreeWindows(dataset))

    def _read(self, source: DegreeWindows, rows: Box, columns: Box, factor: int) -> Planes:
        if self._draw is None:
            bounds = self.grid.bounds_deg(rows, columns, factor)
            values, known = source.read(bounds, (rows[1] - rows[0], columns[1] - columns[0]), smooth=factor > 1)
            return np.concatenate([values[:3], known[None]]).astype(np.uint8, copy=False)
        around = (rows[0] - 1, rows[1] + 1), (columns[0] - 1, columns[1] + 1)
        bounds = self.grid.bounds_deg(*around, factor)
        shape = rows[1] - rows[0] + 2, columns[1] - columns[0] + 2
        values, known = source.read(bounds, shape, smooth=True)
        return self._draw(values[0].astype(np.float32), known > 0, bounds)


def mosaic_picture(path: Path) -> RasterPicture:
    """Take a mosaic with its own pixels, of a region or of a whole body."""
    with raster.opened(path) as dataset:
        axes = DegreeWindows(dataset)
    if abs(axes.pixel_deg[0] * axes.width - 360) < axes.pixel_deg[0]:
        return RasterPicture(path, planet_grid(axes.width))
    return RasterPicture(path, regional_grid(axes.west_deg, axes.north_deg, axes.pixel_deg, axes.width, axes.height))


def lay_over(colours: Planes, path: Path) -> None:
    """Lay a mosaic over a picture of its whole body, averaged to its cells; cells that it covers by half are its own.

    Parameters
    ----------
    colours : (H, 2 H, 3) uint8
        Plate carree, row 0 north, column 0 from 180 W; changed in place.
    path : Path
        The mosaic.
    """
    height, width = colours.shape[:2]
    cell = 180 / height
    with raster.opened(path) as dataset:
        source = DegreeWindows(dataset)
        first = math.floor((source.west_deg + 180) / cell)
        last = math.ceil((source.west_deg + 180 + source.width * source.pixel_deg[0]) / cell)
        top = max(0, math.floor((90 - source.north_deg) / cell))
        bottom = min(height, math.ceil((90 - source.north_deg + source.height * source.pixel_deg[1]) / cell))
        bounds = first * cell - 180, 90 - bottom * cell, last * cell - 180, 90 - top * cell
        values, known = source.read(bounds, (bottom - top, last - first), smooth=True)
    for column in range(last - first):
        rows = np.flatnonzero(known[:, column])
        colours[top + rows, (first + column) % width] = values[:3, rows, column].T

"""A synthetic Earth: relief and satellite imagery as functions of seed, longitude and latitude.

Nothing here is real geography. What is real is the manner: continents and chains, valleys that branch, a snow line
that falls with latitude, wet and dry belts. The imagery follows a known law of the relief (`sample_colour`), so that
what a network learns from it can be checked.

A pixel depends on the seed, its longitude and its latitude alone (imagery also on the pixel's size, over which slopes
are taken), never on the window that it is asked in.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terraform.errors import InputError
from terraform.sample_world import noise
from terraform.sample_world.colour import colours
from terraform.sample_world.noise import Double, Float
from terraform.sample_world.relief import M_PER_DEGREE, Terrain, eroded, ground
from terraform.sample_world.tiling import axis, blocks, shifted

WORLD = 945  # chosen so that with seed 0 every region of the default set has land, relief and most a coast
TILE = 128  # pixels: the arrays of one tile stay in the processor's cache
NODE_TILE = 4 * TILE  # pixels whose nodes are evaluated together


class Relief(NamedTuple):
    """Relief of a grid.

    Attributes
    ----------
    elevation_m : (H, W) float32
        Metres above the sea, 0..8,800; exactly 0 at sea.
    sea : (H, W) bool
    """

    elevation_m: Float
    sea: NDArray[np.bool_]


class Scene(NamedTuple):
    """Relief and the imagery of the same pixels, (H, W, 3) uint8 red, green, blue."""

    relief: Relief
    imagery: NDArray[np.uint8]


def elevation(lon_deg: ArrayLike, lat_deg: ArrayLike, seed: int) -> Relief:
    """Relief of the grid with these axes.

    Parameters
    ----------
    lon_deg, lat_deg : (W,), (H,) in degrees east and north
        Centres of the columns and rows, in any order and spacing; longitudes in any turn.
    seed : int

    Raises
    ------
    InputError
        An axis is not 1-D, or a latitude is beyond a pole.
    """
    lon, lat = axis("lon_deg", lon_deg), axis("lat_deg", lat_deg)
    height = np.empty((lat.size, lon.size), np.float32)
    for rows, columns, land in _tiles(lon, lat, seed, margin=0):
        height[rows, columns] = land.height
    return _relief(height)


def imagery(
    lon_deg: ArrayLike, lat_deg: ArrayLike, seed: int, pixel_deg: tuple[float, float] | None = None
) -> NDArray[np.uint8]:
    """Draw the imagery of `scene`: (H, W, 3) uint8 red, green, blue."""
    return scene(lon_deg, lat_deg, seed, pixel_deg).imagery


def scene(lon_deg: ArrayLike, lat_deg: ArrayLike, seed: int, pixel_deg: tuple[float, float] | None = None) -> Scene:
    """Relief and imagery of a regular grid.

    Parameters
    ----------
    lon_deg, lat_deg : (W,), (H,) in degrees east and north
        Centres of columns and rows, evenly spaced.
    seed : int
    pixel_deg : (float, float), optional
        Spacing of columns and rows in degrees, taken from the axes if not given; needed where an axis has one value.

    Raises
    ------
    InputError
        An axis is not 1-D, a latitude is beyond a pole, or the spacing is needed and not given.
    """
    lon, lat = axis("lon_deg", lon_deg), axis("lat_deg", lat_deg)
    steps = _spacing(lon, lat, pixel_deg)
    height = np.empty((lat.size, lon.size), np.float32)
    image = np.empty((lat.size, lon.size, 3), np.uint8)
    for rows, columns, wide in _tiles(_widened(lon, steps[0]), _widened(lat, steps[1]), seed, margin=1):
        east, north = _slopes(wide.height, lat[rows], steps)
        land = Terrain(*(field[1:-1, 1:-1] for field in wide))
        height[rows, columns] = land.height
        image[rows, columns] = colours(land, lat[rows], east, north)
    return Scene(_relief(height), image)


def _spacing(lon: Double, lat: Double, pixel_deg: tuple[float, float] | None) -> tuple[float, float]:
    """Signed steps of the axes; rounded, for every window of a grid must find the same."""
    sizes = pixel_deg or (0.0, 0.0)
    steps = []
    for values, size in zip((lon, lat), sizes, strict=True):
        step = float(noise.rounded((values[-1] - values[0]) / (values.size - 1))[0]) if values.size > 1 else 0.0
        steps.append(float(np.copysign(size, step)) if size else step)
    if not all(steps):
        raise InputError(f"axes of {lon.size} x {lat.size} values have no spacing of their own: pass pixel_deg")
    return steps[0], steps[1]


def _widened(values: Double, step: float) -> Double:
    return np.concatenate([[values[0] - step], values, [values[-1] + step]])


def _slopes(height: Float, lat_deg: Double, steps: tuple[float, float]) -> tuple[Float, Float]:
    """Slopes to the east and north in metres per metre, by central differences; the sea is level."""
    surface = np.maximum(height, 0)
    metres = 2 * M_PER_DEGREE * steps[0] * np.maximum(np.cos(np.radians(lat_deg)), 1e-3)
    east = (surface[1:-1, 2:] - surface[1:-1, :-2]) * (1 / metres).astype(np.float32)[:, None]
    north = (surface[2:, 1:-1] - surface[:-2, 1:-1]) * np.float32(1 / (2 * M_PER_DEGREE * steps[1]))
    return east, north


def _tiles(lon: Double, lat: Double, seed: int, margin: int) -> Iterator[tuple[slice, slice, Terrain]]:
    """Rows and columns without the margin, and the terrain with it, tile by tile."""
    table = noise.tables(seed, WORLD)
    lon, lat = noise.rounded(lon, 360.0), noise.rounded(lat)
    shape = lat.size - 2 * margin, lon.size - 2 * margin
    for big_rows, big_columns in product(*(blocks(size, NODE_TILE) for size in shape)):
        big_lat = lat[big_rows.start : big_rows.stop + 2 * margin]
        big_lon = lon[big_columns.start : big_columns.stop + 2 * margin]
        x, y = noise.taps(big_lon), noise.taps(big_lat)
        smooth = ground(table, noise.axes(x.nodes, y.nodes))
        for rows, columns in product(*(blocks(s.stop - s.start, TILE) for s in (big_rows, big_columns))):
            r, c = (slice(s.start, s.stop + 2 * margin) for s in (rows, columns))
            land = eroded(table, noise.axes(big_lon[c], big_lat[r]), x.part(c), y.part(r), smooth)
            yield shifted(rows, big_rows.start), shifted(columns, big_columns.start), land


def _relief(height: Float) -> Relief:
    return Relief(np.maximum(height, 0), height < 0)

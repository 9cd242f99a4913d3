"""Pictures of relief: Turbo colours and the light on slopes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terraform.geo import raster
from terraform.geo.bodies import Body
from terraform.geo.degree_windows import DegreeWindows
from terraform.geo.heights import SEA, VOID
from terraform.pairs.colormap import turbo
from terraform.viewer.grid import TileGrid
from terraform.viewer.pictures import Planes

_SUN = np.array([-0.5, 0.5, np.sqrt(0.5)], np.float32)
"""Towards the sun, east, north and up: north-west, 45 degrees high, as maps are lit (Imhof 1982)."""
_EXAGGERATION = 3.0
_GREY = 178.0
"""Level ground in the hillshade."""


def hillshade(metres: NDArray[np.float32], bounds: tuple[float, ...], body: Body) -> NDArray[np.float32]:
    """Light of a box of heights that has one more cell on every side.

    Parameters
    ----------
    metres : (h + 2, w + 2) float32
    bounds : (west, south, east, north)
        Of the whole box, degrees.
    body : Body

    Returns
    -------
    (h, w) float32
        Factor of brightness, 1 on level ground.
    """
    west, south, east, north = bounds
    rows, columns = metres.shape
    latitude = north - (np.arange(1, rows - 1) + 0.5) * (north - south) / rows
    down_m = (north - south) / rows * body.metres_per_degree
    across_m = (east - west) / columns * body.metres_per_degree * np.maximum(np.cos(np.radians(latitude)), 0.02)
    to_east = (metres[1:-1, 2:] - metres[1:-1, :-2]) / (2 * across_m[:, None])
    to_north = (metres[:-2, 1:-1] - metres[2:, 1:-1]) / (2 * down_m)
    slope = np.hypot(to_east, to_north)
    # Slopes are compressed, so that a cliff is no black line.
    compressed = np.tanh(slope * _EXAGGERATION) / np.maximum(slope, 1e-9)
    right, up = to_east * compressed, to_north * compressed
    facing = (_SUN[2] - right * _SUN[0] - up * _SUN[1]) / np.sqrt(1 + right**2 + up**2)
    return np.asarray(np.maximum(facing, 0) / _SUN[2], np.float32)


def shaded_turbo(
    metres: NDArray[np.float32], light: NDArray[np.float32], low_m: float, high_m: float
) -> NDArray[np.uint8]:
    """Colour heights by Turbo and light them, (h, w, 3) uint8."""
    clipped = np.clip(metres, low_m, high_m)
    colours = turbo(clipped, np.zeros(clipped.shape, np.bool_), low_m, high_m)
    return np.asarray(np.clip(colours * (0.35 + 0.65 * light[..., None]), 0, 255), np.uint8)


def grey(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Show the light alone, (h, w, 3) uint8."""
    return np.repeat(np.clip(light * _GREY, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


class ReliefDrawing:
    """Draws windows of a raster of heights, as `RasterPicture` asks for.

    Parameters
    ----------
    body : Body
    range_m : (float, float), optional
        Heights of the first and last colour of Turbo; without it the light alone is drawn.
    """

    def __init__(self, body: Body, range_m: tuple[float, float] | None) -> None:
        self._body, self._range_m = body, range_m

    def __call__(self, metres: NDArray[np.float32], known: NDArray[np.bool_], bounds: tuple[float, ...]) -> Planes:
        """Draw (h + 2, w + 2) heights as (4, h, w): red, green, blue and 255 where all around is known."""
        inside, all_known = np.s_[1:-1, 1:-1], known.copy()
        for axis in (0, 1):
            all_known &= np.roll(known, 1, axis) & np.roll(known, -1, axis)
        light = hillshade(np.where(known, metres, 0), bounds, self._body)
        colours = grey(light) if self._range_m is None else shaded_turbo(metres[inside], light, *self._range_m)
        return np.concatenate([np.moveaxis(colours, -1, 0), all_known[inside][None] * np.uint8(255)])


def region_heights(elevation: Path, grid: TileGrid, factor: int) -> NDArray[np.float32]:
    """Read the heights of a region on cells of `factor` x `factor` pixels of its mosaic.

    Parameters
    ----------
    elevation : Path
        Its download.
    grid : TileGrid
        Of the mosaic.
    factor : int

    Returns
    -------
    (h, w) float32
        Metres above the datum; -32768 where there are none.

    Raises
    ------
    InputError
        The raster cannot be read.
    """
    height, width = grid.height // factor, grid.width // factor
    with raster.opened(elevation) as dataset:
        bounds = grid.bounds_deg((0, height), (0, width), factor)
        values, known = DegreeWindows(dataset).read(bounds, (height, width), smooth=True)
    metres = values[0].astype(np.float32)
    return np.where((known > 0) & (metres > SEA), metres, np.float32(VOID))

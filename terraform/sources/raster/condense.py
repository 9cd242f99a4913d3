"""Averaging rasters whose pixels are so fine that even a few pixels of the result need too many of them at once."""

from collections.abc import Callable
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]
"""Values (h, w, C), 0 where there is none; where there is one, and where there is sea: (h, w)."""

LARGEST_WINDOW_PX = 8_000_000
"""Most pixels of a raster that are held at once."""


class Shares(NamedTuple):
    """A window of a raster in squares of its pixels.

    Attributes
    ----------
    values : (h, w, C) float32
        Sum of the values in a square, over all its pixels.
    valid, sea : (h, w) float32
        Shares of the square with values and with sea; the rest is void or lies outside the window.
    factor : int
        Pixels along a side of a square.
    """

    values: NDArray[np.float32]
    valid: NDArray[np.float32]
    sea: NDArray[np.float32]
    factor: int


def factor_for(pixels: int) -> int:
    """Give the side of the squares that leave at most `LARGEST_WINDOW_PX` of so many pixels; 1 where they are fewer."""
    return max(1, ceil(sqrt(pixels / LARGEST_WINDOW_PX)))


def condense(
    read: Callable[[int, int], Pixels], shape: tuple[int, int], factor: int, bands: int
) -> Shares:  # fmt: skip
    """Average a window in squares, some rows at a time.

    Parameters
    ----------
    read : callable
        Gives the rows of the window from the first to the one after the last.
    shape : (int, int)
        Its rows and columns.
    factor : int
        Pixels along a side of a square. Squares that reach beyond the window hold less.
    bands : int
    """
    height, width = (-(-size // factor) for size in shape)
    made = np.zeros((height, width, bands + 2), np.float32)
    step = max(1, LARGEST_WINDOW_PX // shape[1] // factor) * factor
    for top in range(0, shape[0], step):
        known = read(top, min(top + step, shape[0]))
        squares = _summed(known, factor) / factor**2
        made[top // factor : top // factor + len(squares)] = squares
    return Shares(made[..., :bands], made[..., bands], made[..., bands + 1], factor)


def _summed(known: Pixels, factor: int) -> NDArray[np.float64]:
    values, valid, sea = known
    stack = np.concatenate([values, valid[..., None], sea[..., None]], axis=2, dtype=np.float32)
    down, right = (np.arange(0, size, factor) for size in stack.shape[:2])
    # Thousands of pixels are added up: in 32 bits the last would hardly count.
    return np.add.reduceat(np.add.reduceat(stack, down, axis=0, dtype=np.float64), right, axis=1)

"""Averaging rasters whose pixels are so fine that even a few pixels of the result need too many of them at once."""

from collections.abc import Callable
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.sources.raster.classify import MaskedPixels

LARGEST_WINDOW_PX = 8_000_000
"""Most pixels of a raster that are held at once."""


class Planes(NamedTuple):
    """Pixels of a block as weighted sums.

    Attributes
    ----------
    total : (h, w, C) float32
        Sum of weighted values.
    valid, sea : (h, w) float32
        Shares of the kernel on values and on sea; the rest is void.
    """

    total: NDArray[np.float32]
    valid: NDArray[np.float32]
    sea: NDArray[np.float32]

    @property
    def void(self) -> NDArray[np.bool_]:
        """Where less than half of the kernel fell on anything known, (h, w) bool."""
        return np.asarray(self.valid + self.sea < 0.5 - 1e-6)

    def plus(self, other: "Planes") -> "Planes":
        """Add up both, as if they were one raster."""
        return Planes(self.total + other.total, self.valid + other.valid, self.sea + other.sea)


def factor_for(pixels: int) -> int:
    """Give the side of the squares that leave at most `LARGEST_WINDOW_PX` of so many pixels; 1 where they are fewer."""
    return max(1, ceil(sqrt(pixels / LARGEST_WINDOW_PX)))


def condense(read: Callable[[int, int], MaskedPixels], shape: tuple[int, int], factor: int, bands: int) -> Planes:
    """Average a window in squares of its pixels, some rows at a time.

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
    return Planes(made[..., :bands], made[..., bands], made[..., bands + 1])


def _summed(known: MaskedPixels, factor: int) -> NDArray[np.float64]:
    values, valid, sea = known
    stack = np.concatenate([values, valid[..., None], sea[..., None]], axis=2, dtype=np.float32)
    down, right = (np.arange(0, size, factor) for size in stack.shape[:2])
    # Thousands of pixels are added up: in 32 bits the last would hardly count.
    return np.add.reduceat(np.add.reduceat(stack, down, axis=0, dtype=np.float64), right, axis=1)

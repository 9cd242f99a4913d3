"""What the generator is given, and what it gives back: patches of terrain and blocks of colour."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]


class Patch(NamedTuple):
    """A rectangle of terrain, as the generator is to see it; row 0 is its top.

    Attributes
    ----------
    metres : (H, W) float32
        Heights after the elevation policy; anything where sea or void.
    sea, void : (H, W) bool
    latitude_deg : (H, 1) or (H, W) float32
    east : pair of float32 arrays that broadcast to (H, W)
        Local east along the patch's right and its up: (1, 0) in a band.
    rows, columns : (H,) and (W,) int64
        Where on the plane of noise its pixels lie.
    """

    metres: NDArray[np.float32]
    sea: NDArray[np.bool_]
    void: NDArray[np.bool_]
    latitude_deg: NDArray[np.float32]
    east: tuple[NDArray[np.float32], NDArray[np.float32]]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


class Terrain(Protocol):
    """A strip's terrain on its own pixel grid, which has no ends: what is outside the data is void."""

    @property
    def pixel_m(self) -> float:
        """Side of a pixel, metres."""
        ...

    @property
    def top(self) -> int:
        """Where the rows of blended windows are counted from: the strip's first row."""
        ...

    def patch(self, rows: Span, columns: Span) -> Patch:
        """The terrain of rows and columns first to last-plus-one; both may be negative."""
        ...

    def wanted(self, rows: Span, columns: Span) -> bool:
        """Some of it will be shown."""
        ...


class Block(NamedTuple):
    """A drawn rectangle.

    Attributes
    ----------
    top, left : int
        Its first row and column in the strip's pixels.
    rgba : (H, W, 4) uint8
        The picture and 255; all 0 where there was no elevation.
    """

    top: int
    left: int
    rgba: NDArray[np.uint8]

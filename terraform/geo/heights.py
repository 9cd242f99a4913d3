"""How heights are stored everywhere: int16 metres, with one number for sea and one for void."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.errors import InputError

SEA = -32767
VOID = -32768

_HALF = 0.5 - 1e-6


class Heights(NamedTuple):
    """Heights taken apart.

    Attributes
    ----------
    metres : (...) float32
        Metres above the body's datum; 0 where sea or void.
    sea, void : (...) bool
    """

    metres: NDArray[np.float32]
    sea: NDArray[np.bool_]
    void: NDArray[np.bool_]


def unpack(stored: NDArray[np.int16]) -> Heights:
    """Take stored heights apart."""
    sea, void = stored == SEA, stored == VOID
    return Heights(np.where(sea | void, 0, stored).astype(np.float32), sea, void)


def pack(metres: NDArray[np.floating], sea: NDArray[np.bool_], void: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Store heights: rounded to whole metres, void before sea before height."""
    rounded = np.clip(np.rint(np.where(sea | void, 0, metres)), SEA + 1, 32767).astype(np.int16)
    rounded[sea] = SEA
    rounded[void] = VOID
    return rounded


def from_shares(total: NDArray[np.float32], land: NDArray[np.floating], sea: NDArray[np.floating]) -> Heights:
    """Make heights of what a kernel found: void where less than half of it is known, sea where there is more of it.

    Parameters
    ----------
    total : (...) float32
        Sum of weighted heights on land, metres.
    land, sea : (...) float32
        Shares of the kernel on land and on sea; the rest is void.
    """
    void = land + sea < _HALF
    is_sea = ~void & (sea > land)
    metres = np.where(void | is_sea, np.float32(0), total / np.maximum(land, np.float32(1e-6)))
    return Heights(metres.astype(np.float32), is_sea, void)


def plane_of(values: NDArray[Any], name: str, nodata: float | None, metres_: float) -> Heights:
    """Take an array, (H, W), for heights of which nothing is sea.

    Parameters
    ----------
    values : (H, W) int or float
        Non-finite values, those beyond 1e30 and -32768 are missing.
    name : str
        What it is called in messages.
    nodata : float or None
        Another value that stands for missing.
    metres_ : float
        Metres of a unit of the values.

    Raises
    ------
    InputError
        It is no plane of numbers, or void everywhere.
    """
    if values.ndim != 2 or values.dtype.kind not in "iuf" or not values.size:
        raise InputError(f"{name} holds {values.dtype} of shape {values.shape}: expected one plane of heights, metres")
    raw = values.astype(np.float32)
    void = ~(np.abs(raw) < 1e30) | (raw == VOID)
    if nodata is not None:
        void |= raw == np.float32(nodata)
    metres = raw * np.float32(metres_)
    if void.all():
        raise InputError(f"{name} has no heights at all: every pixel is missing")
    return Heights(np.where(void, np.float32(0), metres), np.zeros_like(void), void)

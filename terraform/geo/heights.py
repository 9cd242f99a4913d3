"""How heights are stored everywhere: int16 metres, with one number for sea and one for void."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SEA = -32767
VOID = -32768


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

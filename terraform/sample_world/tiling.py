"""Axes of a synthetic world's grid, checked, and the tiles in which it is computed."""

import numpy as np
from numpy.typing import ArrayLike

from terraform.errors import InputError
from terraform.sample_world.noise import Double


def axis(name: str, degrees: ArrayLike) -> Double:
    """Check a 1-D axis in degrees, and return it as float64.

    Raises
    ------
    InputError
        It is not 1-D or not finite, or it is called `lat_deg` and reaches beyond a pole.
    """
    values = np.asarray(degrees, np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise InputError(f"{name} has shape {values.shape}, expected a 1-D axis of finite degrees: pass one per axis")
    if name == "lat_deg" and (np.abs(values) > 90).any():
        raise InputError(f"lat_deg reaches {values[np.abs(values).argmax()]}, expected -90..90: swap the axes or crop")
    return values


def blocks(size: int, block: int) -> list[slice]:
    """Cut 0..size into slices of at most `block`."""
    return [slice(start, min(start + block, size)) for start in range(0, size, block)]


def shifted(part: slice, start: int) -> slice:
    """Count a slice from an earlier origin."""
    return slice(part.start + start, part.stop + start)

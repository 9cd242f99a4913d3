"""Noise on a sphere: what weather, currents and soils do beside the laws that a climate is made of.

It is of place alone, so it is the same at every resolution and for any part of a body.
"""

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

_LARGEST_M = 1_500_000.0
"""Size of the largest structures: gyres, and storms of a season."""
_OCTAVES = 8
_FALL = 0.7
"""Amplitude of an octave over that of the next larger one: about a fractal dimension of 1.5."""


def sphere_noise(
    latitude_deg: NDArray[np.floating], longitude_deg: NDArray[np.floating], radius_m: float, field: int = 0
) -> Field:
    """Noise of mean 0 and standard deviation 1 on a sphere: eight octaves of value noise (Perlin 1985) in space.

    Parameters
    ----------
    latitude_deg, longitude_deg : (N,) float
        Places.
    radius_m : float
        Of the body.
    field : int
        Number of the noise: others know nothing of one another.

    Returns
    -------
    (N,) float32
    """
    phi, lam = np.radians(latitude_deg), np.radians(longitude_deg)
    place = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)]).astype(np.float32)
    total, power = np.zeros(phi.shape, np.float32), 0.0
    for octave in range(_OCTAVES):
        amplitude = _FALL**octave
        total += np.float32(amplitude) * _value_noise(
            place * np.float32(radius_m / _LARGEST_M * 2**octave), octave + _OCTAVES * field
        )
        power += amplitude**2
    return np.asarray(total / np.sqrt(power), np.float32)


def _value_noise(place: Field, layer: int) -> Field:
    """Values of variance about 1 at the points of a lattice, joined smoothly: (3, N) -> (N,)."""
    corner = np.floor(place).astype(np.int32)
    share = place - corner
    share = share * share * share * (share * (share * 6 - 15) + 10)  # Perlin 2002: smooth to the second derivative
    total = np.zeros(place.shape[1], np.float32)
    for step in np.ndindex(2, 2, 2):
        weight = np.prod([part if one else 1 - part for one, part in zip(step, share, strict=True)], axis=0)
        total += weight * _white(corner + np.array(step, np.int32)[:, None], layer)
    return np.asarray(total * 1.6, np.float32)  # what joining takes of the variance, given back


def _white(corner: NDArray[np.int32], layer: int) -> Field:
    """Uniform noise of variance 1 from an integer hash (lowbias32 by C. Wellons) of a lattice point."""
    x, y, z = corner.astype(np.uint32)
    word = x * np.uint32(0x9E3779B1) + y * np.uint32(0x85EBCA77) + z * np.uint32(0xC2B2AE3D) + np.uint32(layer)
    word = (word ^ (word >> np.uint32(16))) * np.uint32(0x7FEB352D)
    word = (word ^ (word >> np.uint32(15))) * np.uint32(0x846CA68B)
    word ^= word >> np.uint32(16)
    return np.asarray((word.astype(np.float32) / 2**31 - 1) * np.sqrt(3), np.float32)

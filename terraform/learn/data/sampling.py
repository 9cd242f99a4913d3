"""Everything random about a sample as a pure function of (seed, image number): nothing to save, nothing to restore.

Images are numbered from 0 through all epochs. Counter-based generators (Philox, Salmon et al. 2011) give the same draw
for the same number, however many workers prepare it and wherever a run was resumed.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.geo.tile_spec import DEFAULT_TILE, TileSpec

_ORDER, _JITTER = 1, 2


class AugmentParams(NamedTuple):
    """The jitter of a batch.

    Attributes
    ----------
    top, left : (N,) int
        Corner of the crop in the enlarged tile, 0 to 30 pixels of 256.
    mirror : (N,) bool
        West and east exchanged.
    place : (N, 2) int
        Where on the plane of noise the window's corner lies.
    stretch : (N,) float
        -1 to 1: of the heights, as a share of the largest stretching.
    recolour : (N, 3) float
        Standard normal: shift of each colour, as a share of its standard deviation.
    """

    top: NDArray[np.int64]
    left: NDArray[np.int64]
    mirror: NDArray[np.bool_]
    place: NDArray[np.int64]
    stretch: NDArray[np.float64]
    recolour: NDArray[np.float64]


def sample_indices(seed: int, first: int, count: int, size: int) -> NDArray[np.int64]:
    """Which of `size` pairs the images `first` to `first + count` show: each epoch is a permutation of its own."""
    chosen = [_epoch(seed, image // size, size)[image % size] for image in range(first, first + count)]
    return np.array(chosen, np.int64)


def augmentation_params(seed: int, first: int, count: int, spec: TileSpec = DEFAULT_TILE) -> AugmentParams:
    """Draw the jitter and the noise of the images `first` to `first + count`."""
    drawn = [_draw(seed, image, spec.jitter_px) for image in range(first, first + count)]
    rows = np.array([whole for whole, *_ in drawn], np.int64)
    stretch, recolour = np.array([share for _, share, _ in drawn]), np.array([shift for *_, shift in drawn])
    return AugmentParams(rows[:, 0], rows[:, 1], rows[:, 2] == 1, rows[:, 3:], stretch, recolour)


def _draw(seed: int, image: int, slack_px: int) -> tuple[list[int], float, NDArray[np.float64]]:
    generator = _generator(seed, _JITTER, image)
    corner = generator.integers(0, slack_px + 1, 2)
    whole = [*corner, generator.integers(0, 2), *generator.integers(0, 2**30, 2)]
    return whole, generator.uniform(-1, 1), generator.standard_normal(3)


@lru_cache(maxsize=2)
def _epoch(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    return _generator(seed, _ORDER, epoch).permutation(size)


def _generator(seed: int, purpose: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array([seed, purpose], np.uint64), counter=number << 64))

"""Filling what is unknown of a map smoothly from its surroundings."""

from math import ceil

import numpy as np
from numpy.typing import NDArray


def push_pull(total: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what is unknown from ever larger surroundings (push-pull, Gortler et al. 1996, section 3.4).

    Each level halves the resolution; a cell takes what the next coarser level has for as much of it as is unknown.

    Parameters
    ----------
    total : (H, W, C) float32
        Values times `share`; the columns go round the body.
    share : (H, W, 1) float32
        How much of each cell is known, 0 to 1.

    Returns
    -------
    (H, W, C) float32
    """
    if (share > 1 - 1e-6).all() or min(share.shape[:2]) == 1:
        weight = share.sum(axis=(0, 1))
        everywhere = total.sum(axis=(0, 1)) / np.maximum(weight, 1e-6)
        return np.asarray(total + (1 - share) * everywhere, np.float32)
    coarse_total, coarse_share = (_halved(part) for part in (total, share))
    gain = np.where(coarse_share > 0, np.minimum(1, 4 * coarse_share) / np.maximum(coarse_share, 1e-6), 0)
    below = push_pull(coarse_total * gain, coarse_share * gain)
    around = _doubled(below)[: total.shape[0], : total.shape[1]]
    return np.asarray(total + (1 - share) * around, np.float32)


def _halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = (2 * ceil(size / 2) for size in values.shape[:2])
    padded = np.pad(values, ((0, height - values.shape[0]), (0, width - values.shape[1]), (0, 0)), mode="edge")
    return np.asarray(padded.reshape(height // 2, 2, width // 2, 2, -1).mean(axis=(1, 3)), np.float32)


def _doubled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Twice as many rows and columns, bilinear; the columns go round."""
    rows = np.pad(values, ((1, 1), (0, 0), (0, 0)), mode="edge")
    tall = np.empty((2 * values.shape[0], *values.shape[1:]), np.float32)
    tall[::2], tall[1::2] = 0.75 * rows[1:-1] + 0.25 * rows[:-2], 0.75 * rows[1:-1] + 0.25 * rows[2:]
    wide = np.empty((tall.shape[0], 2 * tall.shape[1], tall.shape[2]), np.float32)
    wide[:, ::2] = 0.75 * tall + 0.25 * np.roll(tall, 1, axis=1)
    wide[:, 1::2] = 0.75 * tall + 0.25 * np.roll(tall, -1, axis=1)
    return wide

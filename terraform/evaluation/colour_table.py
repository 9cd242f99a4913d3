"""A straw man: mean colours by height and latitude."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform.geo.heights import unpack
from terraform.learn.data.dataset import Collection, StoredPairs

HEIGHTS = 48
_LATITUDES = 36
SEA_BIN = HEIGHTS - 1
_STEP_DEG = 5.0


@dataclass(frozen=True)
class LookupBaseline:
    """Mean colours.

    Attributes
    ----------
    colours : (36, 48, 3) float32, 0 to 255
        By latitude in steps of 5 degrees from -90 and by the signed root of height; the last column is sea. Where
        training had nothing, the nearest latitude's colour stands.
    """

    colours: NDArray[np.float32]

    def draw(self, stored: StoredPairs) -> Tensor:
        """Colours of the pairs' relief, (N, 3, 256, 256) float32 in [-1, 1]."""
        latitude, height = bins_of(stored)
        return torch.from_numpy(self.colours[latitude, height]).permute(0, 3, 1, 2) / 127.5 - 1


def fit(collection: Collection, at_most: int = 400) -> LookupBaseline:
    """Mean colours of at most that many pairs, spread evenly."""
    total = np.zeros((_LATITUDES, HEIGHTS, 3))
    count = np.zeros((_LATITUDES, HEIGHTS))
    for pair in collection.spread(at_most):
        stored = collection.read([pair])
        latitude, height = bins_of(stored)
        cell = (latitude * HEIGHTS + height).ravel()
        colours = stored.imagery.numpy().reshape(-1, 3)
        seen = colours.any(axis=1)
        count += np.bincount(cell[seen], minlength=count.size).reshape(count.shape)
        for band in range(3):
            weighed = np.bincount(cell[seen], colours[seen, band], minlength=count.size)
            total[..., band] += weighed.reshape(count.shape)
    return LookupBaseline(_nearest(total, count))


def bins_of(stored: StoredPairs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the bins of latitude (of 36) and of height (of 48, the last is sea) of each pixel, (N, 256, 256)."""
    inner = stored.inner
    heights = unpack(stored.elevation[:, inner, inner].numpy())
    root = np.sqrt(np.clip(heights.metres, 0, 9000) / 9000)
    height = np.where(heights.sea, SEA_BIN, (root * (SEA_BIN - 1)).astype(np.int64))
    latitude = ((stored.latitude_deg[:, inner, None].numpy() + 90) / _STEP_DEG).astype(np.int64)
    return np.broadcast_to(np.clip(latitude, 0, _LATITUDES - 1), height.shape), height


def _nearest(total: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float32]:
    known = count > 0
    mean = total / np.maximum(count, 1)[..., None]
    filled = mean.copy()
    cells = np.argwhere(known)
    for row, column in np.argwhere(~known):
        # The nearest known cell; a step of 5 degrees counts like one of height, sea stays apart.
        cost = np.abs(cells[:, 0] - row) + 4 * np.abs(cells[:, 1] - column)
        filled[row, column] = mean[tuple(cells[cost.argmin()])]
    return filled.astype(np.float32)

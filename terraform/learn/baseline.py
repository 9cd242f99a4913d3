"""What every network must beat: mean colours by height and latitude, and base colours under the sun."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform.geo.heights import unpack
from terraform.learn.data.dataset import Collection, StoredPairs
from terraform.pairs.relief import HILLSHADE_CONTRAST

_HEIGHTS = 48
_LATITUDES = 36
_SEA = _HEIGHTS - 1
_STEP_DEG = 5.0
_SLOPES = (0.05, 0.15, 0.3)
"""Borders between plain, gentle, steep and steepest: rise over run, between neighbouring pixels."""


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
        latitude, height = _bins(stored)
        return torch.from_numpy(self.colours[latitude, height]).permute(0, 3, 1, 2) / 127.5 - 1


def fit(collection: Collection, at_most: int = 400) -> LookupBaseline:
    """Mean colours of at most that many pairs, spread evenly."""
    total = np.zeros((_LATITUDES, _HEIGHTS, 3))
    count = np.zeros((_LATITUDES, _HEIGHTS))
    for pair in collection.spread(at_most):
        stored = collection.read([pair])
        latitude, height = _bins(stored)
        cell = (latitude * _HEIGHTS + height).ravel()
        colours = stored.imagery.numpy().reshape(-1, 3)
        seen = colours.any(axis=1)
        count += np.bincount(cell[seen], minlength=count.size).reshape(count.shape)
        for band in range(3):
            weighed = np.bincount(cell[seen], colours[seen, band], minlength=count.size)
            total[..., band] += weighed.reshape(count.shape)
    return LookupBaseline(_nearest(total, count))


def terrain_classes(stored: StoredPairs, pixel_m: float) -> Tensor:
    """Classify the terrain of each pixel by height, steepness and latitude.

    Parameters
    ----------
    stored : StoredPairs
    pixel_m : float
        Side of a pixel, metres.

    Returns
    -------
    (N, 256, 256) int64
        A number for each kind; -1 where it is unknown.
    """
    latitude, height = _bins(stored)
    inner = stored.inner
    wider = slice(inner.start - 1, inner.stop + 1)
    around = unpack(stored.elevation[:, wider, wider].numpy())
    down, right = np.gradient(around.metres, pixel_m, axis=(1, 2))
    slope = np.hypot(down, right)[:, 1:-1, 1:-1]
    steepness = np.digitize(slope, _SLOPES)
    kind = (latitude * _HEIGHTS + height // 4 * 4 + (height == _SEA)) * (len(_SLOPES) + 1) + steepness
    void = unpack(stored.elevation[:, inner, inner].numpy()).void
    return torch.from_numpy(np.where(void | ~stored.imagery.numpy().any(axis=3), -1, kind))


def shade(base: Tensor, hillshade: Tensor) -> Tensor:
    """Shade base colours by relief, as the light of the imagery's sun does on flat and on sloping ground.

    Parameters
    ----------
    base : (N, 3, H, W) float32, [-1, 1]
    hillshade : (N, 1, H, W) float32
        The channel of that name.

    Returns
    -------
    (N, 3, H, W) float32, [-1, 1]
    """
    facing = torch.atanh(hillshade.clamp(-0.999, 0.999)) / HILLSHADE_CONTRAST
    return ((base + 1) * (1 + facing) - 1).clamp(-1, 1)


def _bins(stored: StoredPairs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    inner = stored.inner
    heights = unpack(stored.elevation[:, inner, inner].numpy())
    root = np.sqrt(np.clip(heights.metres, 0, 9000) / 9000)
    height = np.where(heights.sea, _SEA, (root * (_SEA - 1)).astype(np.int64))
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

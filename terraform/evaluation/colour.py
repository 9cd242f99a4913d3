"""Colour: the colours of like terrain, and smooth colours beside base colours."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from terraform.evaluation.colour_table import HEIGHTS, SEA_BIN, bins_of
from terraform.evaluation.resampling import Doubles, Statistic, of_sums, ratio
from terraform.geo.heights import unpack
from terraform.learn.data.dataset import StoredPairs
from terraform.pairs.base_colours import FULL_WIDTH_M
from terraform.pairs.smoothing import smooth

_SLOPES = (0.05, 0.15, 0.3)
"""Borders between plain, gentle, steep and steepest: rise over run, between neighbouring pixels."""
_LEAST_OF_A_KIND = 2000
_LEVELS = 256
_COARSER = 4
"""Pixels across that are averaged before colours are smoothed over 16 km."""


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
    latitude, height = bins_of(stored)
    inner = stored.inner
    wider = slice(inner.start - 1, inner.stop + 1)
    around = unpack(stored.elevation[:, wider, wider].numpy())
    down, right = np.gradient(around.metres, pixel_m, axis=(1, 2))
    slope = np.hypot(down, right)[:, 1:-1, 1:-1]
    steepness = np.digitize(slope, _SLOPES)
    kind = (latitude * HEIGHTS + height // 4 * 4 + (height == SEA_BIN)) * (len(_SLOPES) + 1) + steepness
    void = unpack(stored.elevation[:, inner, inner].numpy()).void
    return torch.from_numpy(np.where(void | ~stored.imagery.numpy().any(axis=3), -1, kind))


def colour_given_relief(drawn: Tensor, real: Tensor, kinds: Tensor) -> Statistic:
    """Measure how far the colours of one kind of terrain are from its real ones, levels of 255.

    The Wasserstein distance of each band within each kind, of 8-bit pictures; its mean over bands, and over kinds by
    their share of the ground. Unlike L1 it asks not for the right pixel but for the right colours of such places.

    Parameters
    ----------
    drawn, real : (N, 3, H, W) float, [-1, 1]
    kinds : (N, H, W) int64
        Kind of terrain of each pixel; below 0 it is left out. So is a kind of fewer than 2,000 pixels.
    """
    found, compact, counts = torch.unique(kinds, return_inverse=True, return_counts=True)
    common = (found >= 0) & (counts >= _LEAST_OF_A_KIND)
    if not common.any():
        return Statistic(0.0)
    number = torch.where(common, common.cumsum(0) - 1, int(common.sum()))[compact]  # (N, H, W); the last is left out
    count = int(common.sum())
    cumulated = _histograms(drawn, number, count).sub_(_histograms(real, number, count)).cumsum(3)
    share = torch.stack([torch.bincount(one.flatten(), minlength=count + 1)[:count] for one in number]).float()

    def distance(weights: Doubles) -> Doubles:
        times = torch.from_numpy(weights).float()
        total = (times @ cumulated.flatten(1)).view(len(times), count, 3, _LEVELS)
        ground = (times @ share).sum(1)
        return np.asarray((total.abs_().sum((1, 2, 3)) / (3 * ground.clamp_min(1))).double())

    return Statistic(float(distance(np.ones((1, len(drawn))))[0]), distance)


def _histograms(pictures: Tensor, number: Tensor, count: int) -> Tensor:
    """Count the levels of each band in each kind: (N, kinds, 3, 256) float32."""
    levels = ((pictures + 1) * 127.5).round().clamp(0, 255).long()
    band = torch.arange(3)[:, None, None]
    tables = [
        torch.bincount(((kind * 3 + band) * _LEVELS + level).flatten(), minlength=(count + 1) * 3 * _LEVELS)
        for level, kind in zip(levels, number, strict=True)
    ]
    return torch.stack(tables).view(len(pictures), count + 1, 3, _LEVELS)[:, :count].float()


def base_drift(pictures: Tensor, base: Tensor, sea: Tensor, valid: Tensor, pixel_m: float) -> Statistic:
    """Measure how far the smooth colours of pictures are from their base colours, levels of 255.

    The difference is averaged by a Gaussian as wide as that of base colours, 16 km, over land and over sea apart, and
    its absolute value over the middle of each picture, where the Gaussian has most of its weight inside.

    Parameters
    ----------
    pictures, base : (N, 3, H, W) float, [-1, 1]
    sea : (N, 1, H, W) bool
    valid : (N, 1, H, W) float, 1 where there is data
    pixel_m : float
        Side of a pixel, metres.
    """
    total, weight = torch.zeros(len(pictures)), torch.zeros(len(pictures))
    quarter = pictures.shape[-1] // _COARSER // 4
    middle = slice(quarter, -quarter)
    for kind in (sea, ~sea):
        apart = F.avg_pool2d(torch.cat([(pictures - base) * kind * valid, kind * valid], 1), _COARSER)
        known = apart[:, 3:]
        smoothed = smooth(apart, FULL_WIDTH_M / pixel_m / _COARSER)
        drift = (smoothed[:, :3] / smoothed[:, 3:].clamp_min(1e-3)).abs() * known
        total += drift[..., middle, middle].sum((1, 2, 3)) / 3
        weight += known[..., middle, middle].sum((1, 2, 3))
    return ratio(127.5 * total, weight)


def deviation(pictures: Tensor) -> Statistic:
    """Measure the standard deviation of all colours of a set, levels of 255."""
    wide = pictures.flatten(1).double()
    count = torch.full((len(wide),), wide.shape[1], dtype=torch.float64)
    sums = np.asarray(torch.stack([wide.sum(1), (wide**2).sum(1), count], 1))
    return of_sums(sums, lambda s: 127.5 * np.sqrt(np.maximum(s[:, 1] / s[:, 2] - (s[:, 0] / s[:, 2]) ** 2, 0)))

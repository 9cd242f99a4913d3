"""Texture: the sliced Wasserstein distance of patches, level by level."""

import numpy as np
import torch
from torch import Tensor

from terraform.evaluation.resampling import Doubles, Statistic
from terraform.learn.metrics import PATCHES, projections, wasserstein

_BINS = 128


def texture(drawn: Tensor, real: Tensor) -> dict[str, Statistic]:
    """Measure the sliced Wasserstein distance of each level of the pyramids, the finest first, and their mean.

    Parameters
    ----------
    drawn, real : (N, 3, H, W) float, [-1, 1]

    Returns
    -------
    dict of "swd", "swd_1" to "swd_4" to Statistic
        x 1000 (`terraform.learn.metrics.projections`).
    """
    levels = [Statistic(wasserstein(*sides), _Histograms(*sides)) for sides in projections(drawn, real)]
    whole = Statistic(
        float(np.mean([level.value for level in levels])),
        lambda weights: np.mean([level.replicate(weights) for level in levels if level.replicate], axis=0),
    )
    return {"swd": whole, **{f"swd_{number}": level for number, level in enumerate(levels, 1)}}


class _Histograms:
    """Differences of two sets' histograms by tile, of which the distance of resampled sets follows by sums."""

    def __init__(self, drawn: Tensor, real: Tensor) -> None:
        low = torch.minimum(drawn.amin(1), real.amin(1))[:, None]
        width = ((torch.maximum(drawn.amax(1), real.amax(1))[:, None] - low) / _BINS).clamp_min(1e-9)
        directions, tiles = drawn.shape[0], drawn.shape[1] // PATCHES
        place = torch.arange(tiles).repeat_interleave(PATCHES) * directions + torch.arange(directions)[:, None]
        counts = []
        for values in (drawn, real):
            bins = ((values - low) / width).long().clamp_(0, _BINS - 1)
            counts.append(torch.bincount((place * _BINS + bins).flatten(), minlength=tiles * directions * _BINS))
        self._cumulated = (counts[0] - counts[1]).view(tiles, directions, _BINS).cumsum(2).to(torch.int16)
        self._width = width[:, 0]

    def __call__(self, weights: Doubles) -> Doubles:
        """Compute the distance of each of R resampled sets."""
        tiles, directions, bins = self._cumulated.shape
        times = torch.from_numpy(weights).float()
        total = (times @ self._cumulated.view(tiles, -1).float()).view(len(times), directions, bins)
        areas = total.abs_().sum(2) * self._width / (PATCHES * times.sum(1, keepdim=True))
        return np.asarray(1000 * areas.mean(1).double())

"""Diversity: how much pictures differ among themselves, and how far they are from those that were trained on."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from terraform.evaluation.resampling import Doubles, Statistic, mean

_SIDE_PX = 32


def thumbnails(pictures: Tensor) -> Tensor:
    """Average pictures to 32 x 32 pixels: (N, 3, H, W) in [-1, 1] -> (N, 3072), levels of 255."""
    return F.adaptive_avg_pool2d(pictures, _SIDE_PX).flatten(1) * 127.5


def diversity(drawn: Tensor, real: Tensor) -> Statistic:
    """Measure the mean distance of two pictures of a set over that of two real ones.

    Parameters
    ----------
    drawn, real : (N, D) float
        What tells pictures apart, a row a picture.
    """
    apart = [np.asarray(torch.cdist(part.double(), part.double())) for part in (drawn, real)]

    def compared(weights: Doubles) -> Doubles:
        # A picture is no distance from itself, also where a resampled set holds it twice.
        ours, theirs = (((weights @ distances) * weights).sum(1) for distances in apart)
        return np.asarray(ours / np.maximum(theirs, 1e-12))

    return Statistic(float(compared(np.ones((1, len(drawn))))[0]), compared)


def nearest_tile(drawn: Tensor, training: Tensor) -> Statistic:
    """Measure the distance to the nearest training tile: 0 of a generator that shows tiles it has learnt by heart.

    Parameters
    ----------
    drawn, training : (N, 3072) and (M, 3072) float
        `thumbnails`.

    Returns
    -------
    Statistic
        Root of the mean square, levels of 255, mean over pictures.
    """
    nearest = torch.cdist(drawn, training, compute_mode="donot_use_mm_for_euclid_dist").amin(1)
    return mean(nearest.double() / drawn.shape[1] ** 0.5)

"""Kernel distance: whether two sets of pictures could be of one kind, as an encoder of our own sees them.

The unbiased estimate of the squared maximum mean discrepancy with the polynomial kernel of KID (Binkowski et al. 2018),
on our own encoder: its numbers are no KID and no FID, and only those of one encoder compare.
"""

import numpy as np
from torch import Tensor

from terraform.evaluation.resampling import Doubles, Statistic

_SCALE = 1000


def kernel_distance(drawn: Tensor, real: Tensor) -> Statistic:
    """Compare the features of two sets of as many tiles.

    Parameters
    ----------
    drawn, real : (N, W, D) float
        Features of W windows of each tile (`terraform.evaluation.judges.encoder.Encoder.features`). Tile k of both sets
        may be of one place: tiles are compared with other tiles only.

    Returns
    -------
    Statistic
        x 1000; about 0, or below, where the sets are alike.
    """
    ours, theirs, across = (_kernel(a, b) for a, b in ((drawn, drawn), (real, real), (drawn, real)))
    apart = np.asarray((ours + theirs - across - across.T).fill_diagonal_(0))
    strangers = 1 - np.eye(len(apart))

    def distance(weights: Doubles) -> Doubles:
        total, pairs = (((weights @ table) * weights).sum(1) for table in (apart, strangers))
        return np.asarray(_SCALE * total / np.maximum(pairs, 1e-12))

    return Statistic(float(distance(np.ones((1, len(drawn))))[0]), distance)


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    """Evaluate (x y / D + 1)^3 of all windows; its mean of each two tiles, (N, M) float64."""
    one, other = a.flatten(0, 1).double(), b.flatten(0, 1).double()
    values = (one @ other.T / a.shape[2] + 1) ** 3
    return values.view(len(a), a.shape[1], len(b), b.shape[1]).mean((1, 3))

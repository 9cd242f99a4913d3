"""Numbers with intervals: a metric is a function of how often each tile counts, and blocks of tiles are drawn anew.

Neighbouring tiles look alike, so that tiles drawn one by one would promise too much: what is drawn, with replacement,
is whole blocks of 3 x 3 tiles of a region (a block bootstrap, Kuensch 1989).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.evaluation.schema import Score
from terraform.learn.data.dataset import Collection

Doubles = NDArray[np.float64]

_BLOCK_TILES = 3
_REPLICATES = 200
_LEAST_BLOCKS = 4


class Statistic(NamedTuple):
    """A number of a set of tiles, and the same number of resampled sets.

    Attributes
    ----------
    value : float
    replicate : callable, optional
        Of weights, (R, N): how often each of R sets holds each tile; returns (R,). Only its spread is used, so that it
        may be coarser than `value`.
    """

    value: float
    replicate: Callable[[Doubles], Doubles] | None = None


def of_sums(sums: Doubles, function: Callable[[Doubles], Doubles]) -> Statistic:
    """Make a statistic of sums over tiles.

    Parameters
    ----------
    sums : (N, K) float64
        What each tile adds.
    function : callable
        (R, K) sums over tiles -> (R,).
    """
    return Statistic(float(function(sums.sum(0, keepdims=True))[0]), lambda weights: function(weights @ sums))


def ratio(numerator: Any, denominator: Any) -> Statistic:
    """Make a statistic of the sum of one number over that of another.

    Parameters
    ----------
    numerator, denominator : (N,)
        Of each tile.
    """
    sums = np.stack([np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)], 1)
    return of_sums(sums, lambda total: total[:, 0] / np.maximum(total[:, 1], 1e-12))


def mean(values: Any) -> Statistic:
    """Make a statistic of the mean of a number of each tile, (N,)."""
    return ratio(values, np.ones(len(values)))


def mean_of(statistics: Sequence[Statistic]) -> Statistic:
    """Make a statistic of the mean of the same number of several sets of pictures of the same tiles."""
    replicates = [one.replicate for one in statistics if one.replicate is not None]
    whole = len(replicates) == len(statistics)
    return Statistic(
        float(np.mean([one.value for one in statistics])),
        (lambda weights: np.mean([replicate(weights) for replicate in replicates], axis=0)) if whole else None,
    )


def blocks_of(collection: Collection, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the block of each chosen pair, (N,): 3 x 3 tiles of a region's grid."""
    tiles = collection.tiles(chosen)
    keys = np.stack([collection.places[chosen, 0], tiles["row"] // _BLOCK_TILES, tiles["column"] // _BLOCK_TILES], 1)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)


def multiplicities(blocks: NDArray[np.int64], seed: int) -> Doubles:
    """Draw blocks with replacement, 200 times: how often each tile counts, (200, N); none of fewer than 4 blocks."""
    count = int(blocks.max()) + 1
    if count < _LEAST_BLOCKS:
        return np.zeros((0, len(blocks)))
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), _REPLICATES)
    return drawn[:, blocks].astype(np.float64)


def score(statistic: Statistic, weights: Doubles) -> Score:
    """Give a statistic its 95 % interval: the spread of replicates around their mean, laid around the value.

    Distances of resampled sets are larger than those of sets on average; their spread is not. There is none where most
    of the resampled sets hold none of the tiles that count.

    Parameters
    ----------
    statistic : Statistic
    weights : (R, N) float64
        `multiplicities`.
    """
    if statistic.replicate is None or not len(weights):
        return Score(value=statistic.value)
    with np.errstate(divide="ignore", invalid="ignore"):
        replicates = statistic.replicate(weights)
    # Of few blocks a draw may hold none of the tiles that a metric looks at.
    replicates = replicates[np.isfinite(replicates)]
    if len(replicates) < len(weights) / 2:
        return Score(value=statistic.value)
    spread = np.quantile(replicates - replicates.mean(), [0.025, 0.975])
    low, high = (float(edge) for edge in statistic.value + spread)
    return Score(value=statistic.value, low=low, high=high)

"""What a validation measures: colours (L1) and texture (sliced Wasserstein distance)."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

PATCHES = 128
"""Patches of a picture on each level of its pyramid."""
_PATCH_PX = 7
_DIRECTIONS = 128
_LEVELS = 4


def l1(generated: Tensor, real: Tensor, valid: Tensor) -> float:
    """Mean absolute difference over valid pixels, levels of 255.

    Parameters
    ----------
    generated, real : (N, 3, H, W) float, [-1, 1]
    valid : (N, 1, H, W) float, 1 where there is data
    """
    return float(((generated - real).abs() * valid).sum() / (3 * valid.sum()).clamp_min(1)) * 127.5


def sliced_wasserstein(generated: Tensor, real: Tensor, seed: int = 0) -> float:
    """Sliced Wasserstein distance of patches of Laplacian pyramids, x 1000, mean over four levels.

    Parameters
    ----------
    generated, real : (N, 3, H, W) float, [-1, 1]
        As many of one as of the other.
    """
    return float(np.mean([wasserstein(*sides) for sides in projections(generated, real, seed)]))


def wasserstein(generated: Tensor, real: Tensor) -> float:
    """Wasserstein distance of two sets of numbers, x 1000, mean over directions.

    Parameters
    ----------
    generated, real : (D, P) float
        P numbers in each of D directions.
    """
    return 1000 * float((generated.sort(1).values - real.sort(1).values).abs().mean())


def projections(generated: Tensor, real: Tensor, seed: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
    """Project patches of Laplacian pyramids on random directions, level by level, the finest first.

    After Karras et al. (2018, appendix B): 7 x 7 patches, 128 per picture and level, 128 directions. Unlike there both
    sets are normalised by the real set's statistics, so that a wrong contrast counts.

    Parameters
    ----------
    generated, real : (N, 3, H, W) float, [-1, 1]
        As many of one as of the other.

    Yields
    ------
    pair of (128, 128 N) float
        Of each direction the projections of both sets' patches, 128 of each picture in turn.
    """
    draw = torch.Generator().manual_seed(seed)
    for fake_level, real_level in zip(_pyramid(generated), _pyramid(real), strict=True):
        a, b = _patches(fake_level, seed), _patches(real_level, seed)
        mean, deviation = b.mean((0, 2), keepdim=True), b.std((0, 2), keepdim=True).clamp_min(1e-6)
        directions = F.normalize(torch.randn(_DIRECTIONS, a.shape[1] * a.shape[2], generator=draw), dim=1)
        fake, true = (directions @ ((x - mean) / deviation).flatten(1).T for x in (a, b))
        yield fake, true


def _pyramid(pictures: Tensor) -> list[Tensor]:
    levels = []
    for _ in range(_LEVELS - 1):
        small = F.avg_pool2d(pictures, 2)
        levels.append(pictures - F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False))
        pictures = small
    return [*levels, pictures]


def _patches(level: Tensor, seed: int) -> Tensor:
    """Patches at random places, (N * 128, 3, 49); the same places for both sets."""
    draw = torch.Generator().manual_seed(seed + level.shape[-1])
    n, _, height, width = level.shape
    y = torch.randint(0, height - _PATCH_PX + 1, (n, PATCHES, 1, 1), generator=draw)
    x = torch.randint(0, width - _PATCH_PX + 1, (n, PATCHES, 1, 1), generator=draw)
    along = torch.arange(_PATCH_PX)
    rows, columns = y + along[:, None], x + along  # (N, P, 7, 1), (N, P, 1, 7)
    picture = torch.arange(n).view(n, 1, 1, 1)
    return level[picture, :, rows, columns].permute(0, 1, 4, 2, 3).reshape(n * PATCHES, 3, _PATCH_PX**2)

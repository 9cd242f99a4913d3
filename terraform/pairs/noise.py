"""A plane of noise, the same from wherever one looks: it gives the texture that relief does not decide.

Training looks at it through a window at random, drawing through a window at the place on the map, so that the same
place has the same noise in whatever window it is drawn.
"""

import math

import torch
from torch import Tensor

from terraform.pairs.relief import inside
from terraform.pairs.smoothing import smooth

_WIDTHS_PX = (0.0, 2.0, 8.0)
_WORD = 0xFFFFFFFF


def noise(rows: Tensor, columns: Tensor, channels: int, margin_px: int) -> Tensor:
    """Noise of mean 0 and variance 1 for windows of the plane.

    Parameters
    ----------
    rows, columns : (N, H) and (N, W) int64
        Places on the plane of the windows' pixels.
    channels : int
        0 to 3: white, then smoothed to 2 and to 8 pixels.
    margin_px : int
        Pixels that are used up on every side.

    Returns
    -------
    (N, channels, H - 2 margin_px, W - 2 margin_px) float32
    """
    white = _white(rows, columns)
    return torch.cat([inside(_smoothed(white, width), margin_px) for width in _WIDTHS_PX[:channels]], 1)


def _smoothed(white: Tensor, width_px: float) -> Tensor:
    if not width_px:
        return white
    sigma = width_px / 2.3548
    # White noise of variance 1 keeps 1 / (4 pi sigma^2) of it under a Gaussian.
    return smooth(white, width_px) * (2 * sigma * math.sqrt(math.pi))


def _white(rows: Tensor, columns: Tensor) -> Tensor:
    """Uniform noise from an integer hash (lowbias32 by C. Wellons) of the place."""
    word = (rows[:, None, :, None] * 0x9E3779B1 + columns[:, None, None, :] * 0x85EBCA77) & _WORD
    word = ((word ^ (word >> 16)) * 0x7FEB352D) & _WORD
    word = ((word ^ (word >> 15)) * 0x846CA68B) & _WORD
    word = word ^ (word >> 16)
    return (word.to(torch.float32) / 2**31 - 1) * math.sqrt(3)

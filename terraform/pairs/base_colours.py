"""Base colours of a row of tiles: its own imagery, smoothed over land and over sea apart.

They are kept at one sixteenth of the pixels, with a margin that bicubic enlargement to the tile's pixels needs.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from terraform.geo.tile_spec import TileSpec
from terraform.pairs.smoothing import FWHM_PER_SIGMA, smooth

FULL_WIDTH_M = 16_000.0
"""Full width at half maximum of the Gaussian, metres."""
SAMPLE_PX = 4
"""Side of a sample that `smooth_by_kind` takes, pixels of a tile."""
_PER_CELL = TileSpec.BASE_CELL_PX // SAMPLE_PX
_LITTLE, _VERY_LITTLE = 1e-3, 1e-4
"""Weights of what fills where a kind is absent: the average four times as wide, then that of all."""


def reach_cells(pixel_m: float) -> int:
    """Count the cells beyond a tile that base colours look at: their margin and three standard deviations.

    Parameters
    ----------
    pixel_m : float
        Side of a tile's pixel, metres.
    """
    return TileSpec.BASE_MARGIN_CELLS + math.ceil(3 * FULL_WIDTH_M / FWHM_PER_SIGMA / (pixel_m * TileSpec.BASE_CELL_PX))


def smooth_by_kind(colours: NDArray[np.float32], kinds: NDArray[np.bool_], pixel_m: float) -> NDArray[np.uint8]:
    """Smooth the colours of land and of sea, each over its own kind only.

    Where a kind is absent, an average four times as wide stands, and where that is too, the mean of all there is.

    Parameters
    ----------
    colours : (h, w, 3) float32, 0 to 255
        Samples of 4 x 4 pixels, with a margin of `reach_cells` on every side.
    kinds : (2, h, w) bool
        Samples of land alone, samples of sea alone, with known colours.
    pixel_m : float
        Side of a tile's pixel, metres.

    Returns
    -------
    (2, h / 4 - 14, w / 4 - 14, 3) uint8, at 200 m
        Cells of land and of sea, with a margin of `TileSpec.BASE_MARGIN_CELLS`.
    """
    weight = torch.from_numpy(kinds[:, None].astype(np.float32))  # (2, 1, h, w)
    values = torch.cat([torch.from_numpy(colours).permute(2, 0, 1) * weight, weight], 1)  # (2, 4, h, w)
    near = F.avg_pool2d(smooth(values, FULL_WIDTH_M / (pixel_m * SAMPLE_PX))[..., 1:-1, 1:-1], 2, _PER_CELL)
    reach = reach_cells(pixel_m)
    wide = _wide(F.avg_pool2d(values, _PER_CELL), reach, pixel_m)
    spare = reach - TileSpec.BASE_MARGIN_CELLS
    near, wide = (part[..., spare:-spare, spare:-spare] for part in (near, wide))
    everywhere = _mean_of_all(values)
    around = (wide[:, :3] + _VERY_LITTLE * everywhere) / (wide[:, 3:] + _VERY_LITTLE)
    base = (near[:, :3] + _LITTLE * around) / (near[:, 3:] + _LITTLE)
    levels: NDArray[np.uint8] = base.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    return levels


def _wide(cells: Tensor, reach_cells: int, pixel_m: float) -> Tensor:
    """Smooth cells over four times the width; what lies beyond the strip weighs nothing."""
    reach = 4 * reach_cells
    padded = F.pad(cells, (reach, reach, reach, reach))
    return smooth(padded, 4 * FULL_WIDTH_M / (pixel_m * TileSpec.BASE_CELL_PX))[..., reach:-reach, reach:-reach]


def _mean_of_all(values: Tensor) -> Tensor:
    """Mean colour of each kind, of the other where it is absent, grey where both are: (2, 3, 1, 1)."""
    total = values.sum((2, 3), keepdim=True)
    share = total[:, 3:] / total[:, 3:].sum().clamp_min(1)
    either = total[:, :3].sum(0) / total[:, 3:].sum().clamp_min(1) if float(total[:, 3:].sum()) else 127.5
    return torch.where(share > 0, total[:, :3] / total[:, 3:].clamp_min(1), either)

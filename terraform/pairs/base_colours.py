"""Base colours of a row of tiles: its own imagery, smoothed over land and over sea apart.

They are kept at one sixteenth of the pixels, with a margin that bicubic enlargement to the tile's pixels needs.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from terraform.geo.resample import Taps
from terraform.geo.resample_torch import resample_last_axis
from terraform.geo.tile_spec import TileSpec
from terraform.pairs.smoothing import FWHM_PER_SIGMA

FULL_WIDTH_M = 16_000.0
"""Full width at half maximum of the Gaussian, metres."""
SAMPLE_PX = 4
"""Side of a sample that `smooth_by_kind` takes, pixels of a tile."""
_PER_CELL = TileSpec.BASE_CELL_PX // SAMPLE_PX
_AT_ONCE = 16
"""Cells that one product makes: few share their samples."""
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
    near = _smoothed(values, FULL_WIDTH_M / (pixel_m * SAMPLE_PX), _PER_CELL, pixel_m)
    cells = F.avg_pool2d(values, _PER_CELL)
    wide = _smoothed(cells, 4 * FULL_WIDTH_M / (pixel_m * TileSpec.BASE_CELL_PX), 1, pixel_m)
    everywhere = _mean_of_all(values)
    around = (wide[:, :3] + _VERY_LITTLE * everywhere) / (wide[:, 3:] + _VERY_LITTLE)
    base = (near[:, :3] + _LITTLE * around) / (near[:, 3:] + _LITTLE)
    levels: NDArray[np.uint8] = base.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    return levels


def _smoothed(values: Tensor, fwhm: float, per_cell: int, pixel_m: float) -> Tensor:
    """Smooth samples, `per_cell` along a side of a cell, and take the middles of the cells that are wanted.

    What lies beyond the strip weighs nothing.
    """
    rows, columns = (_gaussian(size, fwhm, per_cell, pixel_m) for size in values.shape[2:])
    along = resample_last_axis(values, columns, _AT_ONCE)
    return resample_last_axis(along.transpose(2, 3), rows, _AT_ONCE).transpose(2, 3)


def _gaussian(size: int, fwhm: float, per_cell: int, pixel_m: float) -> Taps:
    """Weigh the samples around the middle of each cell, which lies on one sample or between two."""
    spare = reach_cells(pixel_m) - TileSpec.BASE_MARGIN_CELLS
    sigma = fwhm / FWHM_PER_SIGMA
    radius = max(1, math.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    if per_cell % 2 == 0:
        kernel = np.convolve(kernel, [0.5, 0.5])
    first = np.arange(spare, size // per_cell - spare) * per_cell + (per_cell - 1) // 2 - radius
    index = first[:, None] + np.arange(len(kernel))
    weight = np.where((index >= 0) & (index < size), kernel, 0).astype(np.float32)
    return Taps(np.clip(index, 0, size - 1), weight)


def _mean_of_all(values: Tensor) -> Tensor:
    """Mean colour of each kind, of the other where it is absent, grey where both are: (2, 3, 1, 1)."""
    total = values.sum((2, 3), keepdim=True)
    share = total[:, 3:] / total[:, 3:].sum().clamp_min(1)
    either = total[:, :3].sum(0) / total[:, 3:].sum().clamp_min(1) if float(total[:, 3:].sum()) else 127.5
    return torch.where(share > 0, total[:, :3] / total[:, 3:].clamp_min(1), either)

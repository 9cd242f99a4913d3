"""Geometric DiffAugment (Zhao et al. 2020): what the discriminator sees is shifted and partly covered.

Of the published policies only translation and cutout: colour is what is to be learnt. Real and generated pairs get the
same draw, gradients pass through, and the generator's own output stays as it is.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from terraform.learn.runtime.device import to_device

_SHIFT_SHARE = 1 / 8
_COVER_SHARE = 1 / 4


class Geometry:
    """One draw for a batch, from the run's own generator of random numbers.

    Parameters
    ----------
    like : (N, C, H, W) Tensor
        A batch of the size that will be augmented.
    """

    def __init__(self, like: Tensor) -> None:
        count, _, height, width = like.shape
        self._reach = int(height * _SHIFT_SHARE), int(width * _SHIFT_SHARE)
        shift = torch.stack([torch.randint(0, 2 * reach + 1, (count,)) for reach in self._reach])
        self._shift = to_device(shift, like.device)
        covered = int(height * _COVER_SHARE), int(width * _COVER_SHARE)
        corners = [
            torch.randint(0, size - cover + 1, (count, 1)) for size, cover in zip((height, width), covered, strict=True)
        ]
        rows, columns = (
            (torch.arange(size) >= corner) & (torch.arange(size) < corner + cover)
            for size, corner, cover in zip((height, width), corners, covered, strict=True)
        )
        covered_px = rows[:, :, None] & columns[:, None, :]
        self._open = to_device(~covered_px, like.device).unsqueeze(1)  # (N, 1, H, W)

    def __call__(self, pairs: Tensor) -> Tensor:
        """Shift, filled with 0, and cover with 0: (N, C, H, W) -> (N, C, H, W)."""
        count, _, height, width = pairs.shape
        down, right = self._reach
        padded = F.pad(pairs, (right, right, down, down)).permute(0, 2, 3, 1)
        rows = self._shift[0][:, None] + torch.arange(height, device=pairs.device)
        columns = self._shift[1][:, None] + torch.arange(width, device=pairs.device)
        picture = torch.arange(count, device=pairs.device)[:, None, None]
        shifted = padded[picture, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        return shifted * self._open

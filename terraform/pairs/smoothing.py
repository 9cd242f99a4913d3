"""Gaussians and distances on batches of windows, apart from the channels that are made with them."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
"""Full width at half maximum of a Gaussian over its standard deviation."""


def smooth(values: Tensor, fwhm_px: float) -> Tensor:
    """Gaussian of a full width at half maximum in pixels, cut at three standard deviations; edges are repeated."""
    sigma = fwhm_px / FWHM_PER_SIGMA
    if sigma < 0.1:
        return values
    radius = max(1, math.ceil(3 * sigma))
    offsets = torch.arange(-radius, radius + 1, dtype=values.dtype, device=values.device)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(values, (radius, radius, radius, radius), mode="replicate")
    return _correlated(_correlated(padded, kernel).transpose(2, 3), kernel).transpose(2, 3)


def _correlated(values: Tensor, kernel: Tensor) -> Tensor:
    """Correlate along the last dimension, block by block, as products with a banded matrix.

    A convolution of one channel uses a small part of a processor, and by default not all digits of a GPU.
    """
    taps = len(kernel)
    block = max(32, -(-taps // 32) * 16)
    width = values.shape[-1] - taps + 1
    blocks = F.pad(values, (0, -width % block)).unfold(-1, block + taps - 1, block)  # (..., B, block + taps - 1)
    places = torch.arange(block + taps - 1, device=values.device)[:, None]
    tap = places - torch.arange(block, device=values.device)
    band = torch.where((tap >= 0) & (tap < taps), kernel[tap.clamp(0, taps - 1)], 0)
    product = blocks.reshape(-1, block + taps - 1) @ band
    return product.view(*values.shape[:-1], -1)[..., :width]


def distance_px(mask: Tensor, cap_px: int) -> Tensor:
    """Euclidean distance to the nearest true pixel, capped.

    Exact and separable (Saito and Toriwaki 1994): nearest along the columns, then the best of all nearby columns.

    Parameters
    ----------
    mask : (N, 1, H, W) bool
    cap_px : int

    Returns
    -------
    (N, 1, H, W) float32, 0 to cap_px
    """
    far = float(cap_px)
    along = torch.where(mask, 0.0, far)
    if known_empty(mask):
        return along
    for _ in range(cap_px):
        down = F.pad(along[:, :, :-1], (0, 0, 1, 0), value=far)
        up = F.pad(along[:, :, 1:], (0, 0, 0, 1), value=far)
        along = torch.minimum(along, torch.minimum(down, up) + 1)
    squared = F.pad(along**2, (cap_px, cap_px), value=far**2)
    width = mask.shape[3]
    best = torch.full_like(along, far**2)
    for shift in range(-cap_px, cap_px + 1):
        best = torch.minimum(best, squared[..., cap_px + shift : cap_px + shift + width] + shift**2)
    return best.sqrt()


def known_empty(mask: Tensor) -> bool:
    """Nothing is set, as far as can be told at once: of a mask on a GPU one would have to wait for the answer."""
    return mask.device.type == "cpu" and not bool(mask.any())

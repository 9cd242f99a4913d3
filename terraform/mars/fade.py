"""Cross-fades that keep their texture.

Where two pictures of the same place are averaged, what they share stays and what each has of its own gets half its
power: a soft stripe along every border. So what is finer than `COARSE_PX` is given back the power that the two have
between them; what is broader is averaged as it is.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from terraform.mars.layers import Layer

COARSE_PX = 13
"""Side of the box that is applied twice to tell broad from fine, pixels."""
POWER_PX = 33
"""Side of the box in which the power of what is fine is measured, pixels."""
REACH_PX = COARSE_PX + POWER_PX // 2
"""How far a pixel of the cross-fade looks."""
_STRONGEST = 2.0
_NOISE = 1.0


def mixed(layers: Sequence[Layer], shares: Sequence[Tensor]) -> Layer:
    """Layers, each with its share of every pixel.

    Parameters
    ----------
    shares : tensors that broadcast to (h, w), float32
        They sum to 1.
    """
    if len(layers) == 1:
        return layers[0]
    parts = list(zip(layers, shares, strict=True))
    total = torch.stack([layer.colours * share for layer, share in parts]).sum(0)
    known = None
    if any(layer.known is not None for layer in layers):
        known = torch.stack([share * (1 if layer.known is None else layer.known) for layer, share in parts]).sum(0)
    power = torch.stack([_power(_fine(layer.colours)) * share for layer, share in parts]).sum(0)
    fine = _fine(total)
    gain = torch.sqrt((power + _NOISE) / (_power(fine) + _NOISE)).clamp(1, _STRONGEST)
    if known is not None:
        # Beside a void what is fine is the void's own edge.
        gain = torch.where(known > 0.999, gain, 1.0)
    return Layer(total + fine * (gain - 1), known)


def _fine(colours: Tensor) -> Tensor:
    return colours - _boxed(_boxed(colours, COARSE_PX), COARSE_PX)


def _power(fine: Tensor) -> Tensor:
    """Mean square over the channels and a box, (h, w)."""
    return _boxed((fine**2).mean(0, keepdim=True), POWER_PX)[0]


def _boxed(values: Tensor, side: int) -> Tensor:
    """Average over a box; edges are repeated."""
    half = side // 2
    padded = F.pad(values[None], (half, half, half, half), mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(padded, (1, side), 1), (side, 1), 1)[0]

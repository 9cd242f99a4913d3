"""Cross-fades that keep their texture.

Where two pictures of the same place are averaged, what they share stays and what each has of its own gets half its
power: a soft stripe along every border. So what is finer than `COARSE_PX` is given back the power that the two have
between them; what is broader is averaged as it is.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from terraform.mars.layers import Layer
from terraform.pairs.relief import smooth

COARSE_PX = 12.0
"""Full width at half maximum of the Gaussian that tells broad from fine, pixels."""
POWER_PX = 24.0
"""That of the Gaussian under which the power of what is fine is measured, pixels."""
REACH_PX = 48
"""How far a pixel of the cross-fade looks: three standard deviations of both."""
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
    return colours - smooth(colours[:, None], COARSE_PX)[:, 0]


def _power(fine: Tensor) -> Tensor:
    """Mean square over the channels and the surroundings, (h, w)."""
    return smooth((fine**2).mean(0)[None, None], POWER_PX)[0, 0].clamp_min(0)

"""Cross-fades that keep their texture.

Where two pictures of the same place are averaged, what they share stays and what each has of its own gets half its
power: a soft stripe along every border. So what is fine is given back the power that the two have between them;
what is broad is averaged as it is.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from terraform.mars.layers import Layer
from terraform.pairs.relief import smooth

COARSE_PX = (3.0, 12.0)
"""Full widths at half maximum of the Gaussians between two bands of what is fine and what is broad, pixels: two
pictures agree less the finer one looks."""
POWER_PX = 24.0
"""That of the Gaussian under which the power of a band is measured, pixels."""
REACH_PX = 48
"""How far a pixel of the cross-fade looks: three standard deviations of both."""
_STRONGEST = 2.0
_NOISE = 0.1


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
        known = torch.stack([_known(layer) * share for layer, share in parts]).sum(0)
    *fine, broad = _bands(total)
    own = [_bands(layer.colours) for layer in layers]
    for number, band in enumerate(fine):
        power = torch.stack([_power(bands[number]) * share for bands, share in zip(own, shares, strict=True)]).sum(0)
        gain = torch.sqrt((power + _NOISE) / (_power(band) + _NOISE)).clamp(1, _STRONGEST)
        broad = broad + band * (gain if known is None else torch.where(_inner(known), gain, 1.0))
    return Layer(broad, known)


def _inner(known: Tensor) -> Tensor:
    """Away from voids: beside one, what is fine is its edge."""
    return smooth(known[None, None], REACH_PX * 0.75)[0, 0] > 0.9999


def _bands(colours: Tensor) -> list[Tensor]:
    """The finest first, what is broad last; together the colours."""
    softer = [colours, *(smooth(colours[:, None], width_px)[:, 0] for width_px in COARSE_PX)]
    return [*(a - b for a, b in pairwise(softer)), softer[-1]]


def _known(layer: Layer) -> Tensor:
    return torch.ones_like(layer.colours[0]) if layer.known is None else layer.known


def _power(fine: Tensor) -> Tensor:
    """Mean square over the channels and the surroundings, (h, w)."""
    return smooth((fine**2).mean(0)[None, None], POWER_PX)[0, 0].clamp_min(0)

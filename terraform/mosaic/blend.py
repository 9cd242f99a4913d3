"""Cross-fades that keep their texture.

Where two pictures of the same place are averaged, what they share stays and what each has of its own gets half its
power: a soft stripe along every border. So what is fine is given back the power that the two have between them;
what is broad is averaged as it is.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from terraform.pairs.smoothing import smooth

COARSE_PX = (3.0, 12.0)
"""Full widths at half maximum of the Gaussians between two bands of what is fine and what is broad, pixels: two
pictures agree less the finer one looks."""
POWER_PX = 16.0
"""That of the Gaussian under which the power of a band is measured, pixels."""
REACH_PX = 60
"""How far a pixel of the cross-fade looks: three standard deviations of the broad Gaussian and twice of the power's."""
_STRONGEST = 2.0
_NOISE = 0.1


class Layer(NamedTuple):
    """A strip's part in some pixels.

    Attributes
    ----------
    colours : (3, h, w) float32
        0 to 255; 0 where nothing was drawn.
    coverage : (h, w) float32 or None
        How much of each pixel was drawn, 0 to 1; None where all of it was.
    """

    colours: Tensor
    coverage: Tensor | None


def blend(layers: Sequence[Layer], shares: Sequence[Tensor]) -> Layer:
    """Layers, each with its share of every pixel.

    Parameters
    ----------
    shares : tensors that broadcast to (h, w), float32
        They sum to 1.
    """
    if len(layers) == 1:
        return layers[0]
    known = None
    if any(layer.coverage is not None for layer in layers):
        known = _sum([_known(layer) for layer in layers], shares)
    *fine, broad = zip(*(_bands(layer.colours) for layer in layers), strict=True)
    colours = _sum(broad, shares)
    for bands in fine:
        gain = _gain(bands, shares)
        colours += _sum(bands, shares) * (gain if known is None else torch.where(_inner(known), gain, 1.0))
    return Layer(colours, known)


def _gain(bands: Sequence[Tensor], shares: Sequence[Tensor]) -> Tensor:
    """Compute the gain that gives the average of some pictures the average of their powers, (h, w).

    The power of the average follows from those of the pictures and of their products: measured on the average itself,
    the dip in the middle of the cross-fade would be smoothed away. The gain is large where the average is weak, so that
    both together have less power than was meant: what they have is measured, and the gain is corrected by that.
    """
    wanted = _sum([_power(band, band) for band in bands], shares) + _NOISE
    products = [_sum([_power(band, other) for other in bands], shares) for band in bands]
    gain = torch.sqrt(wanted / (_sum(products, shares).clamp_min(0) + _NOISE)).clamp(1, _STRONGEST)
    made = _sum(bands, shares) * gain
    return (gain * torch.sqrt(wanted / (_power(made, made) + _NOISE))).clamp(1, _STRONGEST)


def _sum(parts: Sequence[Tensor], shares: Sequence[Tensor]) -> Tensor:
    return torch.stack([part * share for part, share in zip(parts, shares, strict=True)]).sum(0)


def _inner(known: Tensor) -> Tensor:
    """Away from voids: beside one, what is fine is its edge."""
    return smooth(known[None, None], REACH_PX * 0.75)[0, 0] > 0.9999


def _bands(colours: Tensor) -> list[Tensor]:
    """Split colours into bands, the finest first, what is broad last; their sum is the colours."""
    softer = [colours, *(smooth(colours[:, None], width_px)[:, 0] for width_px in COARSE_PX)]
    return [*(a - b for a, b in pairwise(softer)), softer[-1]]


def _known(layer: Layer) -> Tensor:
    return torch.ones_like(layer.colours[0]) if layer.coverage is None else layer.coverage


def _power(one: Tensor, other: Tensor) -> Tensor:
    """Mean product over the channels and the surroundings, (h, w)."""
    return smooth((one * other).mean(0)[None, None], POWER_PX)[0, 0]

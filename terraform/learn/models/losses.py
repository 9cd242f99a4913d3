"""What generator and discriminator minimise."""

import torch
import torch.nn.functional as F
from torch import Tensor

from terraform.learn.models.discriminators import Features

_LEAST_POWER = 1e-5
"""Of a band on the scale of [-1, 1]: below the rounding of 8 bits nothing is compared."""


def discriminator_loss(real: Features, fake: Features, kind: str) -> tuple[Tensor, Tensor]:
    """Loss on real and on generated colours, each averaged over scales."""
    return _mean([_real(maps[-1], kind) for maps in real]), _mean([_fake(maps[-1], kind) for maps in fake])


def adversarial_loss(fake: Features, kind: str) -> Tensor:
    """Measure what the generator loses when its colours are taken for generated ones."""
    return _mean([-maps[-1].mean() if kind == "hinge" else _real(maps[-1], kind) for maps in fake])


def feature_loss(real: Features, fake: Features) -> Tensor:
    """Mean absolute difference of the discriminator's inner maps (pix2pixHD, eq. 4)."""
    return _mean(
        [F.l1_loss(b, a.detach()) for m, n in zip(real, fake, strict=True) for a, b in zip(m[:-1], n[:-1], strict=True)]
    )


def masked_l1(generated: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Mean absolute difference over valid pixels.

    Parameters
    ----------
    generated, target : (N, 3, H, W)
    valid : (N, 1, H, W) float, 1 where there is data
    """
    return ((generated - target).abs() * valid).sum() / (valid.sum() * 3).clamp_min(1)


def masked_mse(generated: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Mean square difference over valid pixels."""
    return ((generated - target).square() * valid).sum() / (valid.sum() * 3).clamp_min(1)


def mean_colour_loss(generated: Tensor, target: Tensor, valid: Tensor, side_px: int = 64) -> Tensor:
    """Mean absolute difference of mean colours over squares.

    Parameters
    ----------
    generated, target : (N, 3, H, W)
    valid : (N, 1, H, W) float, 1 where there is data
    side_px : int
        Side of a square, pixels; by default about the width of base colours.

    Returns
    -------
    () Tensor
        Squares count by their valid pixels.
    """
    apart = F.avg_pool2d((generated - target) * valid, side_px)
    return apart.abs().sum() / (F.avg_pool2d(valid, side_px).sum() * 3).clamp_min(1e-6)


def texture_loss(generated: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """How far local power in bands of frequency is from that of real imagery, in nepers.

    The pictures' Laplacian pyramids, squared and averaged over 32 x 32 pixels (at least 4 x 4 of a level), on a log
    scale; the two finest levels in two halves each, or else grain of one pixel would pass for fields of four.
    Brightness and two opponent colours apart, for the texture of land is brightness mostly. What relief does not decide
    cannot be right pixel by pixel, so L1 alone smooths it away; its strength can.

    Parameters
    ----------
    generated, target : (N, 3, H, W)
    valid : (N, 1, H, W) float
    """
    terms = []
    fake, real = _opponent(generated * valid), _opponent(target * valid)
    for level in range(4):
        fake_band, fake = _band(fake)
        real_band, real = _band(real)
        cell = max(4, 32 >> level)
        halves = zip(_halves(fake_band), _halves(real_band), strict=True) if level < 2 else [(fake_band, real_band)]
        terms += [F.l1_loss(_log_power(one, cell), _log_power(other, cell)) for one, other in halves]
    return torch.stack(terms).mean()


def _log_power(band: Tensor, cell: int) -> Tensor:
    return (F.avg_pool2d(band.square(), cell) + _LEAST_POWER).log()


def _opponent(colours: Tensor) -> Tensor:
    """Brightness, red against blue, and green against both: orthonormal."""
    red, green, blue = colours.unbind(1)
    parts = [(red + green + blue) / 3**0.5, (red - blue) / 2**0.5, (red - 2 * green + blue) / 6**0.5]
    return torch.stack(parts, 1)


def _band(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Split into what half the resolution cannot show, and half the resolution."""
    half = F.avg_pool2d(picture, 2)
    return picture - F.interpolate(half, scale_factor=2, mode="nearest"), half


def _halves(band: Tensor) -> tuple[Tensor, Tensor]:
    """Split into the finer and the coarser half of an octave, by a binomial kernel of 3 x 3."""
    line = torch.tensor([1.0, 2.0, 1.0], dtype=band.dtype, device=band.device) / 4
    kernel = (line[:, None] * line).expand(band.shape[1], 1, 3, 3)
    soft = F.conv2d(F.pad(band, (1, 1, 1, 1), mode="replicate"), kernel, groups=band.shape[1])
    return band - soft, soft


def _real(logits: Tensor, kind: str) -> Tensor:
    if kind == "hinge":
        return F.relu(1 - logits).mean()
    if kind == "least_squares":
        return (logits - 1).square().mean()
    return F.softplus(-logits).mean()


def _fake(logits: Tensor, kind: str) -> Tensor:
    if kind == "hinge":
        return F.relu(1 + logits).mean()
    if kind == "least_squares":
        return logits.square().mean()
    return F.softplus(logits).mean()


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()

"""What generator and discriminator minimise."""

import torch
import torch.nn.functional as F
from torch import Tensor

from terraform.learn.discriminators import Features


def discriminator_loss(real: Features, fake: Features, kind: str) -> tuple[Tensor, Tensor]:
    """Loss on real and on generated colours, each averaged over scales."""
    return _mean([_real(maps[-1], kind) for maps in real]), _mean([_fake(maps[-1], kind) for maps in fake])


def adversarial_loss(fake: Features, kind: str) -> Tensor:
    """What the generator loses when its colours are taken for generated ones."""
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


def _real(verdicts: Tensor, kind: str) -> Tensor:
    if kind == "hinge":
        return F.relu(1 - verdicts).mean()
    if kind == "least_squares":
        return (verdicts - 1).square().mean()
    return F.softplus(-verdicts).mean()


def _fake(verdicts: Tensor, kind: str) -> Tensor:
    if kind == "hinge":
        return F.relu(1 + verdicts).mean()
    if kind == "least_squares":
        return verdicts.square().mean()
    return F.softplus(verdicts).mean()


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()

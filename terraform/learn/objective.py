"""What each network of a step minimises, in the two orders in which they can take turns."""

import torch
from torch import Tensor

from terraform.config import Train
from terraform.learn.data.augment import Batch
from terraform.learn.models.discriminators import Features
from terraform.learn.models.losses import (
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    masked_l1,
    masked_mse,
    mean_colour_loss,
    texture_loss,
)
from terraform.pairs.context import BASE_CHANNELS

_ENLARGED = 4.0
"""Detail beside base colours has a standard deviation of about 20 levels; so much of the range is the condition's."""


def pairs_of(batch: Batch, generated: Tensor, settings: Train) -> tuple[Tensor, Tensor]:
    """Make what the discriminator is shown: condition with real, and with generated colours.

    What nobody knows is shown equal on both sides. With `discriminator_sees: detail` the colours are what the picture
    adds to its base, enlarged.
    """
    condition = batch.tile_condition
    colours = [batch.imagery, generated]
    if settings.discriminator_sees == "detail":
        base = condition[:, -BASE_CHANNELS:]
        colours = [(picture - base) * _ENLARGED for picture in colours]
    real, fake = (torch.cat([condition, picture * batch.valid], 1) for picture in colours)
    last = torch.channels_last
    return real.contiguous(memory_format=last), fake.contiguous(memory_format=last)


def of_discriminator(on_real: Features, on_fake: Features, settings: Train) -> tuple[Tensor, Tensor]:
    """Compute the two halves of the discriminator's loss; their mean is minimised (pix2pix, 3.3)."""
    return discriminator_loss(on_real, on_fake, settings.adversarial)


def of_generator(
    generated: Tensor, batch: Batch, on_fake: Features, on_real: Features | None, share: Tensor | float, settings: Train
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the generator's loss and, of it, the adversarial and the L1 part.

    Parameters
    ----------
    on_real : Features, optional
        For feature matching, by the same discriminator as `on_fake`.
    share : Tensor or float
        This process's valid pixels over the mean of all processes.
    """
    g_adv = adversarial_loss(on_fake, settings.adversarial)
    g_l1 = masked_l1(generated, batch.imagery, batch.valid) * share
    loss = g_adv + settings.lambda_l1 * g_l1
    if on_real is not None:
        loss = loss + settings.lambda_feature_matching * feature_loss(on_real, on_fake)
    if settings.lambda_colour:
        loss = loss + settings.lambda_colour * share * mean_colour_loss(generated, batch.imagery, batch.valid)
    if settings.lambda_texture:
        loss = loss + settings.lambda_texture * texture_loss(generated, batch.imagery, batch.valid)
    return loss, g_adv, g_l1


def without_discriminator(
    generated: Tensor, batch: Batch, share: Tensor | float, settings: Train
) -> tuple[Tensor, Tensor]:
    """Compute the loss of a generator that learns alone, mean square for `cnn` and else L1, and the L1."""
    g_l1 = masked_l1(generated, batch.imagery, batch.valid) * share
    if settings.network != "cnn":
        return g_l1, g_l1
    return masked_mse(generated, batch.imagery, batch.valid) * share, g_l1

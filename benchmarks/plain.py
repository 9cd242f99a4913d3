"""pix2pix as the public implementation trains it, written plainly: fp32, batch 1, PIL jitter, Adam in a loop.

The networks are those of the paper, so both sides of a comparison compute the same; what differs is how.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

Picture = NDArray[np.uint8]


class JitteredPairs(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of pictures, each enlarged to 286, cropped to 256 and mirrored by PIL when it is asked for.

    Parameters
    ----------
    conditions, targets : (N, 256, 256, 3) uint8
    """

    def __init__(self, conditions: Sequence[Picture], targets: Sequence[Picture]) -> None:
        self._pairs = list(zip(conditions, targets, strict=True))

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Jitter a pair: condition and target, (3, 256, 256) float32 each."""
        left, top, mirror = (int(torch.randint(0, high, ())) for high in (31, 31, 2))
        condition, target = (_jittered(picture, left, top, bool(mirror)) for picture in self._pairs[index])
        return condition, target


def loader(pairs: JitteredPairs) -> DataLoader[tuple[Tensor, Tensor]]:
    """One pair at a time, in random order."""
    return DataLoader(pairs, batch_size=1, shuffle=True)


class Pix2Pix:
    """Both networks, both optimisers and the step of the public implementation.

    Parameters
    ----------
    generator, discriminator : nn.Module
        The discriminator returns a list of scales, each a list of maps with the logits last.
    """

    def __init__(self, generator: nn.Module, discriminator: nn.Module, rate: float = 2e-4) -> None:
        self.generator, self.discriminator = generator.train(), discriminator.train()
        self._adams = [
            torch.optim.Adam(network.parameters(), rate, betas=(0.5, 0.999), foreach=False, fused=False)
            for network in (generator, discriminator)
        ]
        self._bce = nn.BCEWithLogitsLoss()
        self._l1 = nn.L1Loss()

    def step(self, condition: Tensor, target: Tensor) -> list[float]:
        """Learn from one pair; adversarial, L1, real and fake loss."""
        fake = self.generator(condition)
        self._learns(self.discriminator, True)
        self._adams[1].zero_grad()
        d_fake = self._judged(condition, fake.detach(), 0.0)
        d_real = self._judged(condition, target, 1.0)
        ((d_fake + d_real) * 0.5).backward()  # type: ignore[no-untyped-call]
        self._adams[1].step()
        self._learns(self.discriminator, False)
        self._adams[0].zero_grad()
        g_adv = self._judged(condition, fake, 1.0)
        g_l1 = self._l1(fake, target)
        (g_adv + g_l1 * 100.0).backward()
        self._adams[0].step()
        return [float(loss.detach()) for loss in (g_adv, g_l1, d_real, d_fake)]

    def _judged(self, condition: Tensor, colours: Tensor, truth: float) -> Tensor:
        logits = self.discriminator(torch.cat([condition, colours], 1))[0][-1]
        loss: Tensor = self._bce(logits, torch.full_like(logits, truth))
        return loss

    @staticmethod
    def _learns(network: nn.Module, learns: bool) -> None:
        for parameter in network.parameters():
            parameter.requires_grad = learns


def _jittered(picture: Picture, left: int, top: int, mirror: bool) -> Tensor:
    image = transforms.resize(Image.fromarray(picture), [286, 286], InterpolationMode.BICUBIC)
    image = transforms.crop(image, top, left, 256, 256)
    if mirror:
        image = transforms.hflip(image)
    pixels: Tensor = transforms.pil_to_tensor(image)
    return pixels.float() / 127.5 - 1

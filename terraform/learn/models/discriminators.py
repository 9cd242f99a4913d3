"""Discriminators: judge patches of (condition, colours); each returns its feature maps, the last one the logits."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from terraform.config import Train
from terraform.learn.models.generators import initialise

Features = list[list[Tensor]]
"""For each scale, the maps of every layer; the last is (N, 1, h, w) logits."""


class Patch70(nn.Module):
    """The 70 x 70 PatchGAN of pix2pix (6.1.2): three strided layers; 30 x 30 logits on 256 x 256 pixels."""

    def __init__(self, channels: int, width: int, spectral: bool) -> None:
        super().__init__()
        sizes = [channels, width, 2 * width, 4 * width, 8 * width]
        strides = [2, 2, 2, 1]
        self.layers = nn.ModuleList()
        for i, (a, b, stride) in enumerate(zip(sizes, sizes[1:], strides, strict=False)):
            convolution: nn.Module = nn.Conv2d(a, b, 4, stride, 1)
            norm: nn.Module = nn.Identity() if spectral or i == 0 else nn.BatchNorm2d(b)
            self.layers.append(nn.Sequential(convolution, norm, nn.LeakyReLU(0.2)))
        self.layers.append(nn.Conv2d(8 * width, 1, 4, 1, 1))
        initialise(self)
        if spectral:
            _normalise_spectra(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, C, H, W) -> maps of every layer."""
        maps = []
        for layer in self.layers:
            x = layer(x)
            maps.append(x)
        return maps


class Scales(nn.Module):
    """One PatchGAN per scale, each on half the size of the one before (pix2pixHD, 3.2)."""

    def __init__(self, channels: int, width: int, count: int, spectral: bool) -> None:
        super().__init__()
        self.scales = nn.ModuleList(Patch70(channels, width, spectral) for _ in range(count))

    def forward(self, x: Tensor) -> Features:
        """(N, C, H, W) -> maps per scale."""
        features = []
        for number, scale in enumerate(self.scales):
            features.append(scale(F.avg_pool2d(x, 2**number) if number else x))
        return features


def build_discriminator(settings: Train, channels: int) -> nn.Module | None:
    """Build the discriminator that config names for `channels` of condition and 3 of colour; None for "none"."""
    if settings.discriminator == "none":
        return None
    multiscale = settings.discriminator == "multiscale"
    return Scales(channels + 3, settings.discriminator_width, 2 if multiscale else 1, spectral=multiscale)


def _normalise_spectra(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            spectral_norm(module)

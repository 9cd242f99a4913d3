"""Generators: from a condition (N, C, H, W) in [-1, 1] to colours (N, 3, H, W) in [-1, 1]."""

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from terraform.config import Train
from terraform.errors import ConfigError
from terraform.learn.models.layers import BatchRenorm2d, PixelNorm, ResizeConv2d
from terraform.pairs.context import BASE_CHANNELS

_BASE_RANGE = 0.9
"""Base colours of -1 and 1 as arguments of the inverse hyperbolic tangent: 1 would leave the residual no way back."""
_SPREAD = 3.0
"""Channels of the condition span [-1, 1] and mostly stay within a third of it; noise has a variance of 1."""


class Cnn(nn.Module):
    """The first baseline: four convolutions down, four transposed ones up, no skips; trained on the mean square."""

    stride = 16
    halo_px = 96
    tile_safe = True

    def __init__(self, channels: int, width: int, norm: str) -> None:
        super().__init__()
        self.reads_condition = {"layers.0.0.weight": 0}
        sizes = [channels, width, width * 2, width * 4, width * 8]
        down = [_down(a, b, norm if i else "none") for i, (a, b) in enumerate(pairwise(sizes))]
        up = [_up(a, b, norm) for a, b in zip(sizes[:1:-1], sizes[-2:0:-1], strict=True)]
        self.layers = nn.Sequential(*down, *up, nn.ReLU(True), nn.ConvTranspose2d(width, 3, 4, 2, 1), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 3, H, W), H and W multiples of 16."""
        out: Tensor = self.layers(x)
        return out


class UNet256(nn.Module):
    """The generator of pix2pix (Isola et al. 2017, 6.1.1): eight down, eight up, skips, dropout in three of them.

    Made for windows of exactly 256 x 256: the innermost layer sees one pixel.
    """

    stride = 256
    halo_px = 0
    tile_safe = False

    def __init__(self, channels: int, width: int, norm: str) -> None:
        super().__init__()
        self.reads_condition = {"down.0.0.weight": 0}
        sizes = [width, width * 2, width * 4, *[width * 8] * 5]
        self.down = nn.ModuleList()
        for i, (a, b) in enumerate(pairwise([channels, *sizes])):
            # The outermost layer has no norm as published; the innermost has one value, which no norm survives.
            self.down.append(_down(a, b, "none" if i in (0, 7) else norm))
        self.up = nn.ModuleList()
        for i, (a, b) in enumerate(zip([sizes[7], *(2 * s for s in sizes[6:0:-1])], sizes[6::-1], strict=True)):
            self.up.append(_up(a, b, norm, dropout=i in (1, 2, 3)))
        self.last = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * width, 3, 4, 2, 1), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, 256, 256) -> (N, 3, 256, 256)."""
        skips = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        x = self.up[0](skips.pop())
        for layer in list(self.up)[1:]:
            x = layer(torch.cat([x, skips.pop()], 1))  # twice the channels
        out: Tensor = self.last(torch.cat([x, skips.pop()], 1))
        return out


class UNetFc(nn.Module):
    """Fully convolutional, total stride 16: with a halo a pixel is the same in whatever window.

    Resize-convolutions (Odena et al. 2016) instead of transposed ones, zero padding, and by default a norm over the
    channels of each pixel, which looks at no other pixel and no other picture. Two things that make it learn within
    hundreds of pictures: a pointwise path from the condition to the colours, for much of what a place looks like
    follows from its own height, slope and climate; and noise that joins the last layers only, where it can become
    texture but cannot drown the condition.

    With `base: added` what it draws is a residual to the base colours, the last three channels of the condition. With
    `noise_at: scales` white noise joins every scale of the decoder (as in StyleGAN, Karras et al. 2019, 3.2), there
    pooled from the plane of noise, so that windows still agree.
    """

    stride = 16
    halo_px = 112
    tile_safe = True

    def __init__(self, channels: int, settings: Train) -> None:
        super().__init__()
        w, norm = settings.width, settings.norm
        # Kernels that see the condition, and how many channels of theirs come before it.
        self.reads_condition = {"down.0.0.weight": 0, "pointwise.0.weight": 0, "detail.0.weight": w // 2}
        self.condition, self.adds_base = channels - settings.noise, settings.base == "added"
        self.scales = settings.noise_at == "scales" and settings.noise > 0
        sizes = [self.condition, w, 2 * w, 4 * w, 8 * w]
        self.down = nn.ModuleList(_down(a, b, norm if i else "none") for i, (a, b) in enumerate(pairwise(sizes)))
        self.middle = nn.Sequential(_Residual(8 * w, norm))
        self.up = nn.ModuleList(
            _resize(a + self.scales, b, norm) for a, b in ((8 * w, 4 * w), (8 * w, 2 * w), (4 * w, w))
        )
        self.fine = _resize(2 * w + self.scales, w // 2, norm)
        self.detail = nn.Sequential(nn.Conv2d(w // 2 + channels, w // 2, 3, 1, 1), nn.LeakyReLU(0.2, True))
        self.last = nn.Conv2d(w // 2, 3, 3, 1, 1)
        self.pointwise = nn.Sequential(
            nn.Conv2d(self.condition, 32, 1), nn.LeakyReLU(0.2, True), nn.Conv2d(32, 32, 1), nn.LeakyReLU(0.2, True)
        )
        self.colours = nn.Conv2d(32, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), condition and noise -> (N, 3, H, W), H and W multiples of 16."""
        base = x[:, self.condition - BASE_CHANNELS : self.condition]
        condition, noise = x[:, : self.condition] * _SPREAD, x[:, self.condition :] / _SPREAD
        x, skips = condition.contiguous(memory_format=torch.channels_last), []
        for layer in self.down:
            x = layer(x)  # half the side
            skips.append(x)
        x = self.middle(skips.pop())
        for level, layer in zip((4, 3, 2), self.up, strict=True):
            x = torch.cat([layer(self._with_noise(x, noise, level)), skips.pop()], 1)  # twice the side and channels
        detail = self.detail(torch.cat([self.fine(self._with_noise(x, noise, 1)), condition, noise], 1))
        drawn: Tensor = self.last(detail) + self.colours(self.pointwise(condition))
        if not self.adds_base:
            return torch.tanh(drawn)
        colours = add_residual(base, drawn)
        # A loss pulls back what lies beyond the range; people are shown none of it.
        return colours if self.training else colours.clamp(-1, 1)

    def _with_noise(self, x: Tensor, noise: Tensor, level: int) -> Tensor:
        """Join white noise of the same variance at one of 2^level of the pixels."""
        if not self.scales:
            return x
        return torch.cat([x, F.avg_pool2d(noise[:, :1], 2**level) * 2**level], 1)

    def initialise(self) -> None:
        """Draw He's normal weights (2015), the last layers small: colours begin near grey, or near the base."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=0.2)
                nn.init.zeros_(_bias(module))
        for last in (self.last.weight, self.colours.weight):
            last.data *= 0.1 if self.adds_base else 0.3


@torch.no_grad()
def strengthen(network: nn.Module, gain: float) -> None:
    """Multiply the detail that a network adds to base colours; what it makes of each pixel alone stays as it is."""
    if isinstance(network, UNetFc) and network.adds_base:
        for values in network.last.parameters():
            values.mul_(gain)


def add_residual(base: Tensor, residual: Tensor) -> Tensor:
    """Add where the scale of colours is a hyperbolic tangent's argument: tanh(artanh(0.9 b) + r) / 0.9.

    A residual of 0 gives the base; towards black and white the same residual changes less.

    Parameters
    ----------
    base : (N, 3, H, W) Tensor, [-1, 1]
    residual : (N, 3, H, W) Tensor

    Returns
    -------
    (N, 3, H, W) Tensor, within 1.12 of 0
    """
    return torch.tanh(torch.atanh(_BASE_RANGE * base.clamp(-1, 1)) + residual) / _BASE_RANGE


class _Residual(nn.Module):
    def __init__(self, width: int, norm: str) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1), _norm(width, norm), nn.LeakyReLU(0.2, True),
            nn.Conv2d(width, width, 3, 1, 1), _norm(width, norm),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x + self.layers(x), 0.2)


_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "none": lambda width: nn.Identity(),
    "batch": nn.BatchNorm2d,
    "renorm": BatchRenorm2d,
    "instance": nn.InstanceNorm2d,
    "pixel": PixelNorm,
}


def _norm(width: int, norm: str) -> nn.Module:
    return _NORMS[norm](width)


def _down(a: int, b: int, norm: str) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(a, b, 4, 2, 1), _norm(b, norm), nn.LeakyReLU(0.2))


def _up(a: int, b: int, norm: str, dropout: bool = False) -> nn.Sequential:
    layers = [nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1), _norm(b, norm)]
    return nn.Sequential(*layers, nn.Dropout(0.5)) if dropout else nn.Sequential(*layers)


def _resize(a: int, b: int, norm: str) -> nn.Sequential:
    return nn.Sequential(ResizeConv2d(a, b, 3), _norm(b, norm), nn.LeakyReLU(0.2, True))


def base_channels(settings: Train) -> int:
    """Count the channels of the condition that hold base colours."""
    return 0 if settings.base == "none" else BASE_CHANNELS


def build_generator(settings: Train, channels: int) -> nn.Module:
    """Build the generator that config names, for `channels` of condition and noise, with its initial weights.

    Raises
    ------
    ConfigError
        There is none of that name, or it has no place for base colours.
    """
    width, norm = settings.width, settings.norm
    if settings.network == "unet_fc":
        network = UNetFc(channels, settings)
        network.initialise()
        return network
    kinds: dict[str, Callable[[int, int, str], nn.Module]] = {"cnn": Cnn, "unet256": UNet256}
    if settings.network not in kinds:
        raise ConfigError(f"network {settings.network!r} is unknown: use one of unet_fc, {', '.join(kinds)}")
    if settings.base != "none":
        raise ConfigError(
            f"train.base is {settings.base} and the network {settings.network}: use unet_fc, or base none"
        )
    baseline = kinds[settings.network](channels, width, norm)
    initialise(baseline)
    return baseline


def initialise(network: nn.Module) -> None:
    """Draw normal weights, N(0, 0.02); norm scales N(1, 0.02); biases 0 (pix2pix, 6.2)."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


def _bias(module: nn.Conv2d) -> Tensor:
    assert module.bias is not None
    return module.bias

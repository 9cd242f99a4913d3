"""Generators: from a condition (N, C, H, W) in [-1, 1] to colours (N, 3, H, W) in [-1, 1]."""

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from terraform.config import Train
from terraform.errors import ConfigError
from terraform.learn.renorm import BatchRenorm2d


class Cnn(nn.Module):
    """The first baseline: four convolutions down, four transposed ones up, no skips; trained on the mean square."""

    stride = 16
    halo_px = 96
    tile_safe = True

    def __init__(self, channels: int, width: int, norm: str) -> None:
        super().__init__()
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

    Resize-convolutions (Odena et al. 2016) instead of transposed ones, zero padding, statistics that do not depend on
    the window in eval mode. The condition itself joins the last layers: fine relief need not pass the bottleneck.
    """

    stride = 16
    halo_px = 112
    tile_safe = True

    def __init__(self, channels: int, width: int, norm: str) -> None:
        super().__init__()
        w = width
        self.down = nn.ModuleList(
            [_down(channels, w, "none"), _down(w, 2 * w, norm), _down(2 * w, 4 * w, norm), _down(4 * w, 8 * w, norm)]
        )
        self.middle = nn.Sequential(_Residual(8 * w, norm))
        self.up = nn.ModuleList([_resize(8 * w, 4 * w, norm), _resize(8 * w, 2 * w, norm), _resize(4 * w, w, norm)])
        self.fine = _resize(2 * w, w // 2, norm)
        self.detail = nn.Sequential(nn.Conv2d(w // 2 + channels, w // 2, 3, 1, 1), nn.LeakyReLU(0.2, True))
        self.last = nn.Sequential(nn.Conv2d(w // 2, 3, 3, 1, 1), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 3, H, W), H and W multiples of 16."""
        condition, skips = x, []
        for layer in self.down:
            x = layer(x)  # half the side
            skips.append(x)
        x = self.middle(skips.pop())
        for layer in self.up:
            x = torch.cat([layer(x), skips.pop()], 1)  # twice the side, twice the channels
        out: Tensor = self.last(self.detail(torch.cat([self.fine(x), condition], 1)))
        return out


class _Residual(nn.Module):
    def __init__(self, width: int, norm: str) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1), _norm(width, norm), nn.LeakyReLU(0.2, True),
            nn.Conv2d(width, width, 3, 1, 1), _norm(width, norm),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x + self.layers(x), 0.2)


def _norm(width: int, norm: str) -> nn.Module:
    if norm == "none":
        return nn.Identity()
    kinds: dict[str, Callable[[int], nn.Module]] = {
        "batch": nn.BatchNorm2d, "renorm": BatchRenorm2d, "instance": nn.InstanceNorm2d,
    }  # fmt: skip
    return kinds[norm](width)


def _down(a: int, b: int, norm: str) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(a, b, 4, 2, 1), _norm(b, norm), nn.LeakyReLU(0.2))


def _up(a: int, b: int, norm: str, dropout: bool = False) -> nn.Sequential:
    layers = [nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1), _norm(b, norm)]
    return nn.Sequential(*layers, nn.Dropout(0.5)) if dropout else nn.Sequential(*layers)


def _resize(a: int, b: int, norm: str) -> nn.Sequential:
    return nn.Sequential(ResizeConv2d(a, b, 3), _norm(b, norm), nn.LeakyReLU(0.2, True))


class ResizeConv2d(nn.Conv2d):
    """Nearest enlargement by two, then a 3 x 3 convolution (Odena et al. 2016), in one pass over the small map.

    Enlarging first makes the kernel meet each small pixel several times. Those meetings summed are a 4 x 4 kernel of a
    transposed convolution of stride 2: 16 products a small pixel instead of 36, and the large map is never stored. The
    result is the same up to rounding; the kernel keeps its nine free values, so no lattice can form.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, A, H, W) -> (N, B, 2 H, 2 W)."""
        # Correlation to convolution, then the sum over the 2 x 2 copies of a pixel.
        padded = F.pad(self.weight.flip(2, 3), (1, 1, 1, 1))  # (B, A, 5, 5)
        columns = padded[..., :-1] + padded[..., 1:]
        kernel = (columns[..., :-1, :] + columns[..., 1:, :]).transpose(0, 1)  # (A, B, 4, 4)
        return F.conv_transpose2d(x, kernel, self.bias, stride=2, padding=1)


def build_generator(settings: Train, channels: int) -> nn.Module:
    """The generator that config names, with N(0, 0.02) initial weights as in the paper.

    Raises
    ------
    ConfigError
        There is none of that name.
    """
    kinds: dict[str, Callable[[int, int, str], nn.Module]] = {"cnn": Cnn, "unet256": UNet256, "unet_fc": UNetFc}
    if settings.network not in kinds:
        raise ConfigError(f"network {settings.network!r} is unknown: use one of {', '.join(kinds)}")
    network = kinds[settings.network](channels, settings.width, settings.norm)
    initialise(network)
    return network


def initialise(network: nn.Module) -> None:
    """Normal weights, N(0, 0.02); norm scales N(1, 0.02); biases 0 (pix2pix, 6.2)."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)

"""Pictures like land: correlated noise, of which every metric knows what a blur, a lattice or a shift does to it."""

import torch
import torch.nn.functional as F


def land(count: int, seed: int, side: int = 256) -> torch.Tensor:
    """Pictures (N, 3, H, W) in [-1, 1] with power on every scale."""
    draw = torch.Generator().manual_seed(seed)
    total = torch.zeros(count, 3, side, side)
    for size in (4, 16, 64, 256):
        cells = torch.randn(count, 3, size, size, generator=draw)
        total += F.interpolate(cells, (side, side), mode="bilinear") * (0.1 if size > 16 else 0.2)
    return total.clamp(-1, 1)


def blurred(pictures: torch.Tensor, strength: int) -> torch.Tensor:
    """Averages over 1, 3, 5 ... pixels."""
    size = 2 * strength + 1
    return F.avg_pool2d(F.pad(pictures, (strength,) * 4, mode="reflect"), size, 1)


def recoloured(pictures: torch.Tensor, strength: int) -> torch.Tensor:
    """Redder and less blue by 4 levels a step."""
    return pictures + 4 * strength / 127.5 * torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1)


def latticed(pictures: torch.Tensor, strength: int) -> torch.Tensor:
    """A checkerboard of single pixels."""
    along = torch.arange(pictures.shape[-1])
    return pictures + 0.02 * strength * (1 - 2 * ((along[:, None] + along) % 2)).float()


def striped(pictures: torch.Tensor, strength: int) -> torch.Tensor:
    """Stripes of a period of 2 pixels."""
    return pictures + 0.02 * strength * (1 - 2 * (torch.arange(pictures.shape[-1]) % 2)).float()


def flattened(pictures: torch.Tensor, strength: int) -> torch.Tensor:
    """Less and less contrast, up to one colour."""
    mean = pictures.mean((2, 3), keepdim=True)
    return mean + (pictures - mean) * (1 - strength / 4)


def shifted(pictures: torch.Tensor, strength: int) -> torch.Tensor:
    """Moved by some pixels."""
    return pictures.roll(2 * strength, 3)


DAMAGES = {
    "blur": blurred, "recolour": recoloured, "lattice": latticed, "stripes": striped, "constant": flattened,
    "shift": shifted,
}  # fmt: skip

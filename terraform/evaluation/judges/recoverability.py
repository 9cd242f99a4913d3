"""Relief recoverability: how much of the relief can be read from a picture, by a network that learnt it on real Earth.

Of real imagery it is the ceiling; of imagery of another place it is the floor. It asks for no colour, and needs no
imagery of the place: it works on Mars.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from terraform.evaluation.judges.learning import Lesson, descend, pictures, remembered
from terraform.evaluation.resampling import Doubles, Statistic, of_sums
from terraform.learn.data.dataset import Collection
from terraform.pairs.smoothing import smooth

_CELL_PX = 4
_WIDTH = 24
_BROAD_M = 8000.0
_SOFT_M = 50.0
_LOCAL_PX = 31
_CROP_PX = 128
_AT_ONCE = 8


class ReliefReader(nn.Module):
    """From imagery to high-pass relief, a value for 4 x 4 pixels; broad colours are taken away first."""

    def __init__(self) -> None:
        super().__init__()
        w = _WIDTH
        self.layers = nn.Sequential(
            nn.Conv2d(3, w, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv2d(w, w, 3, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(w, w, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(w, w, 3, 1, 2, 2), nn.LeakyReLU(0.2),
            nn.Conv2d(w, w, 3, 1, 4, 4), nn.LeakyReLU(0.2), nn.Conv2d(w, 1, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1] -> (N, 1, H / 4, W / 4)."""
        local = x
        for size in ((1, _LOCAL_PX), (_LOCAL_PX, 1)):
            around = size[0] // 2, size[1] // 2
            local = F.avg_pool2d(local, size, 1, around, count_include_pad=False)
        out: Tensor = self.layers((x - local) * 4)
        return out

    @torch.no_grad()
    def read(self, x: Tensor) -> Tensor:
        """Read the relief of pictures, some at a time: as `forward`."""
        return torch.cat([self(part) for part in torch.split(x, _AT_ONCE)])


def high_pass(metres: Tensor, land: Tensor, pixel_m: float) -> tuple[Tensor, Tensor]:
    """Take the broad relief, of 8 km, away.

    Parameters
    ----------
    metres : (N, H, W) int16 or float
    land : (N, H, W) bool
        Where heights count.
    pixel_m : float
        Side of a pixel, metres.

    Returns
    -------
    relief : (N, 1, H / 4, W / 4) float32
        Inverse hyperbolic sine of 50 metres' multiples, so that plains count beside mountains.
    known : (N, 1, H / 4, W / 4) float32
        1 where all 16 pixels are land.
    """
    cells = F.avg_pool2d(metres[:, None].float(), _CELL_PX)
    known = (F.avg_pool2d(land[:, None].float(), _CELL_PX) > 0.999).float()
    width = _BROAD_M / (pixel_m * _CELL_PX)
    broad = smooth(cells * known, width) / smooth(known, width).clamp_min(1e-3)
    return torch.asinh((cells - broad) / _SOFT_M) * known, known


def reader_of(path: Path, training: Collection, lesson: Lesson, steps: int, seed: int) -> ReliefReader:
    """Load the reader of some training pairs, or train it; deterministic.

    Parameters
    ----------
    path : Path
        Where its weights are kept.
    training : Collection
    lesson : Lesson
    steps, seed : int
    """

    def learn(network: ReliefReader) -> None:
        _learn(network, lesson, training.spec.pixel_m, steps, seed)

    return remembered(path, ReliefReader, training, steps, seed, learn)


def _learn(network: ReliefReader, lesson: Lesson, pixel_m: float, steps: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    relief, known = high_pass(lesson.metres, lesson.land, pixel_m)
    size = min(_CROP_PX, lesson.imagery.shape[1]) // _CELL_PX

    def loss_of() -> Tensor:
        tiles = torch.randint(0, len(relief), (_AT_ONCE,), generator=draw)
        y, x = torch.randint(0, relief.shape[-1] - size + 1, (2,), generator=draw).tolist()
        rows, columns = slice(y, y + size), slice(x, x + size)
        fine = [slice(part.start * _CELL_PX, part.stop * _CELL_PX) for part in (rows, columns)]
        found = network(pictures(lesson.imagery[tiles][:, fine[0], fine[1]]))
        wanted, weight = relief[tiles][..., rows, columns], known[tiles][..., rows, columns]
        loss: Tensor = ((found - wanted) ** 2 * weight).sum() / weight.sum().clamp_min(1)
        return loss

    descend(network, steps, loss_of)


def recoverability(found: Tensor, relief: Tensor, known: Tensor) -> Statistic:
    """Correlate the relief that was read from pictures with that of the place.

    Parameters
    ----------
    found, relief, known : (N, 1, h, w) float32
        `ReliefReader.read`, and both of `high_pass`.

    Returns
    -------
    Statistic
        Correlation over all land, -1 to 1.
    """
    p, t = (found * known).double(), (relief * known).double()
    parts = [known.double(), p, t, p * p, t * t, p * t]
    return of_sums(np.asarray(torch.stack([part.sum((1, 2, 3)) for part in parts], 1)), _correlation)


def _correlation(sums: Doubles) -> Doubles:
    n, p, t, pp, tt, pt = np.moveaxis(sums / np.maximum(sums[:, :1], 1), 1, 0)
    spread = np.sqrt(np.maximum(pp - p * p, 0) * np.maximum(tt - t * t, 0))
    return np.asarray((pt - p * t) / np.maximum(spread, 1e-9) * (n > 0))

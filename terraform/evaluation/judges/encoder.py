"""An encoder of our own: it learns from real tiles what tells one place from another, and a sharp picture from a soft.

Contrastive (Chen et al. 2020, SimCLR): two crops of one tile are to be alike, crops of other tiles are not, nor is a
blurred copy of the same crop. Colour is signal and is left alone.
"""

from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from terraform.evaluation.judges.learning import Lesson, descend, pictures, remembered
from terraform.learn.data.dataset import Collection

_WIDTHS = (16, 32, 64, 96)
_CROP_PX = 96
_TILES_AT_ONCE = 24
_TEMPERATURE = 0.2
_WINDOWS = 2
_AT_ONCE = 16


class Encoder(nn.Module):
    """Four strided convolutions; what they see of a picture, as means and deviations."""

    def __init__(self) -> None:
        super().__init__()
        sizes = (3, *_WIDTHS)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairwise(sizes))
        self.head = nn.Linear(2 * _WIDTHS[-1], 48)
        self.register_buffer("mean", torch.zeros(2 * sum(_WIDTHS)))
        self.register_buffer("scale", torch.ones(2 * sum(_WIDTHS)))

    def levels(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) -> the output of each layer, half as wide as that before."""
        found = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            found.append(x)
        return found

    def embedding(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 48) of length 1: what is compared while it learns."""
        last = self.levels(x)[-1]
        return F.normalize(self.head(torch.cat([last.mean((2, 3)), last.std((2, 3), correction=0)], 1)), dim=1)

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """Describe the quarters of pictures, each value of mean 0 and deviation 1 over training tiles.

        Parameters
        ----------
        x : (N, 3, H, W) float, [-1, 1]

        Returns
        -------
        (N, 4, 416) float32
        """
        return torch.cat([(self._raw(part) - self.mean) / self.scale for part in torch.split(x, _AT_ONCE)])

    def _raw(self, x: Tensor) -> Tensor:
        parts = []
        for level in self.levels(x):
            quarters = level.unfold(2, level.shape[2] // _WINDOWS, level.shape[2] // _WINDOWS)
            quarters = quarters.unfold(3, level.shape[3] // _WINDOWS, level.shape[3] // _WINDOWS).flatten(2, 3)
            parts += [quarters.mean((3, 4)), quarters.std((3, 4), correction=0)]  # (N, C, 4) each
        return torch.cat(parts, 1).transpose(1, 2)

    @torch.no_grad()
    def standardise(self, real: Tensor) -> None:
        """Take mean and deviation of the features from real tiles, (N, 3, H, W) in [-1, 1]."""
        raw = torch.cat([self._raw(part) for part in torch.split(real, _AT_ONCE)]).flatten(0, 1)
        self.mean, self.scale = raw.mean(0), raw.std(0).clamp_min(1e-4)


def encoder_of(path: Path, training: Collection, lesson: Lesson, steps: int, seed: int) -> Encoder:
    """Load the encoder of some training pairs, or train it; deterministic.

    Parameters
    ----------
    path : Path
        Where its weights are kept.
    training : Collection
    lesson : Lesson
    steps, seed : int
    """

    def learn(network: Encoder) -> None:
        _learn(network, lesson, steps, seed)
        network.standardise(pictures(lesson.imagery))

    return remembered(path, Encoder, training, steps, seed, learn)


def _learn(network: Encoder, lesson: Lesson, steps: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    count = min(_TILES_AT_ONCE, len(lesson.imagery))

    def loss_of() -> Tensor:
        chosen = torch.randperm(len(lesson.imagery), generator=draw)[:count]
        one, other = (_crops(lesson.imagery[chosen], draw) for _ in range(2))
        soft = F.interpolate(F.avg_pool2d(one, 2), scale_factor=2, mode="bilinear")
        return _contrast(network, one, other, soft)

    descend(network, steps, loss_of)


def _contrast(network: Encoder, one: Tensor, other: Tensor, soft: Tensor) -> Tensor:
    """Ask of each crop which of all others is of its own tile."""
    a, b, c = network.embedding(torch.cat([one, other, soft])).chunk(3)
    answers = torch.arange(len(a))
    return F.cross_entropy(a @ torch.cat([b, c]).T / _TEMPERATURE, answers)


def _crops(imagery: Tensor, draw: torch.Generator) -> Tensor:
    """Cut a crop of each tile at random, mirrored at random."""
    size = min(_CROP_PX, imagery.shape[1])
    places = torch.randint(0, imagery.shape[1] - size + 1, (len(imagery), 2), generator=draw).tolist()
    mirror = torch.rand(len(imagery), generator=draw) < 0.5
    crops = torch.stack([tile[y : y + size, x : x + size] for tile, (y, x) in zip(imagery, places, strict=True)])
    crops = torch.where(mirror[:, None, None, None], crops.flip(2), crops)
    return pictures(crops)

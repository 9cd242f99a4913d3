"""The whole planet at 200 m, once, for its memory and throughput: 106,694 x 53,347 pixels.

The generator is one convolution, which proves nothing about pictures; the relief is a coarse one, enlarged on the fly.
"""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor, nn

from benchmarks.measure import cpu_seconds
from terraform.config import Condition, Elevation, Mosaics, Sheet, Train
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic import any_raster
from terraform.provenance import Credit, Provenance

SEEN = Condition(channels=["elevation", "hillshade"])


class OneLayer(nn.Module):
    """A 3 x 3 convolution from relief to colours: heights from green to ochre, shaded."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 3, 3, 1, 1)
        weight = torch.zeros(3, 2, 3, 3)
        weight[:, 0] = torch.tensor([0.06, 0.03, 0.04])[:, None, None]
        weight[:, 1, 1, 1] = 0.7
        self.layer.load_state_dict({"weight": weight, "bias": torch.tensor([-0.1, 0.0, -0.45])})

    def forward(self, x: Tensor) -> Tensor:
        """(N, 2, H, W) -> (N, 3, H, W)."""
        return torch.tanh(self.layer(x))


def one_layer() -> TrainedGenerator:
    """Make a generator of one layer, as if it had been trained."""
    made = Provenance((Credit("benchmark", "CC0-1.0", "a convolution, not trained"),))
    return TrainedGenerator(OneLayer().eval(), SEEN, Sheet(), Train(noise=0), made, 1, 1, True)


@dataclass(frozen=True)
class Spent:
    """What a drawing took."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    file_bytes: int


def draw(elevation: Path, output: Path, compression: str = "deflate") -> Spent:
    """Draw a raster of heights with one layer."""
    settings = Mosaics.model_validate(
        {"compression": compression, "elevation": Elevation(policy="clip"), "device": "cpu"}
    )
    start, used = perf_counter(), cpu_seconds()
    any_raster.render_georeferenced(Path(__file__), one_layer(), elevation, output, settings, None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Spent(perf_counter() - start, cpu_seconds() - used, peak, output.stat().st_size)


def main(elevation: Path, output: Path) -> None:
    """Print what the planet took."""
    spent = draw(elevation, output)
    print(
        f"{output.name}: {spent.seconds:.0f} s, {spent.cpu_seconds:.0f} CPU seconds, peak "
        f"{spent.peak_bytes / 1e9:.2f} GB, file {spent.file_bytes / 1e9:.2f} GB"
    )

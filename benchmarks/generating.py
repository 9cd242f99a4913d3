"""Drawing against pix2pix's test mode, and how much of the machine's convolutions a mosaic's windows reach.

`python -m benchmarks.generating [--json]`
"""

from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Apart, Side, cpu_seconds, interleaved, report  # before torch

# isort: split
import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.ceiling import convolution_ceiling
from terraform.config import Condition, Mosaics, Sheet, Train
from terraform.learn.models.generators import build_generator
from terraform.learn.runtime.malloc import keep_freed
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.inference import Predictor, draw
from terraform.mosaic.terrain import TerrainWindow
from terraform.pairs.relief import channels_of
from terraform.provenance import Credit, Provenance

_TILES = 8
_ROWS, _COLUMNS = 800, 1600


@dataclass(frozen=True)
class Hills:
    """Terrain of no meaning."""

    pixel_m: float = 200.0
    top: int = 0

    def is_visible(self, rows: tuple[int, int], columns: tuple[int, int]) -> bool:
        """All of it."""
        return True

    def patch(self, rows: tuple[int, int], columns: tuple[int, int]) -> TerrainWindow:
        """Waves above the sea."""
        y, x = np.arange(*rows), np.arange(*columns)
        metres = (1500 + 900 * np.sin(x[None] / 9) * np.cos(y[:, None] / 7)).astype(np.float32)
        nothing = np.zeros(metres.shape, np.bool_)
        east = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
        return TerrainWindow(metres, nothing, nothing, np.full((1, 1), 30, np.float32), east, y, x)


def trained(network: nn.Module, train: Train, condition: Condition) -> TrainedGenerator:
    """Wrap a network as if it had been trained."""
    made = Provenance((Credit("benchmark", "CC0-1.0", "random weights"),))
    kind: Any = type(network)
    return TrainedGenerator(network.eval(), condition, Sheet(), train, made, kind.stride, kind.halo_px, True)


def tiles(precision: str) -> float:
    """Time drawing against the plain test mode of the same network: a tile at a time, statistics of the batch, fp32."""
    seconds = interleaved({"plain": Apart(_one_by_one), "ours": Apart(_together, precision)})
    return seconds["plain"] / seconds["ours"]


def _tiles() -> tuple[nn.Module, Train, torch.Tensor]:
    torch.manual_seed(0)
    train = Train(network="unet256", norm="batch", noise=0)
    return build_generator(train, 3), train, torch.rand(_TILES, 3, 256, 256) * 2 - 1


def _one_by_one() -> Side:
    network, _, pictures = _tiles()
    network.train()

    def side() -> None:
        with torch.no_grad():
            for picture in pictures:
                network(picture[None])

    return side


def _together(precision: str) -> Side:
    keep_freed()
    network, train, pictures = _tiles()
    predictor = Predictor(trained(network, train, Condition()), Mosaics.model_validate({"precision": precision}))

    def side() -> None:
        predictor.forward(pictures)

    return side


def share_of_ceiling() -> tuple[float, float]:
    """Share of the convolution ceiling while a mosaic is drawn, all its other work included; operations a pixel."""
    train, condition = Train(), Condition()
    channels = channels_of(condition) + train.noise
    network = build_generator(train, channels)
    predictor = Predictor(trained(network, train, condition), Mosaics())
    seen: list[int] = []

    def counted(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        seen.append(inputs[0].shape[2] * inputs[0].shape[3])

    handle = predictor.network.register_forward_pre_hook(counted)
    operations = _operations(network, channels)

    def once() -> None:
        seen.clear()
        for _ in draw(predictor, Hills(), (0, _ROWS), (0, _COLUMNS)):
            pass

    seconds = interleaved({"draw": once}, rounds=3)["draw"]
    handle.remove()
    return operations * sum(seen) / seconds / convolution_ceiling("fp32", cpu_seconds), operations


def _operations(network: nn.Module, channels: int) -> float:
    """Floating-point operations a pixel that the network sees."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode(False), torch.no_grad():
        network(torch.zeros(1, channels, 256, 256))
    return float(counter.get_total_flops()) / 256**2


def main() -> None:
    """Both, each with its line of JSON."""
    keep_freed()
    share, operations = share_of_ceiling()
    report("generating, share of the convolution ceiling while drawing, fp32", share, 0.6, operations_per_px=operations)
    quick = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    precision = "bf16" if quick else "fp32"
    exact = tiles("fp32")
    report(f"generating, {precision}, {_TILES} tiles at a time", tiles(precision), 3.0, fp32=exact)


if __name__ == "__main__":
    main()

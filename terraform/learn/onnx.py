"""A trained generator as ONNX, so that it draws where there is no torch."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from terraform.errors import ConfigError, InputError, IntegrityError
from terraform.learn.weights import TrainedGenerator, load, metadata
from terraform.storage.atomic_write import atomic_write

_MOST_LEVELS = 0.1
"""Levels of 255 by which the export may differ from the generator: rounding stays a thousand times below."""


def export(weights: Path, output: Path) -> float:
    """Write a generator as ONNX, compare both on random input, and publish the file when they agree.

    Its input `seen` is (N, channels of condition and noise, H, W) float32, its output `colours` (N, 3, H, W) in
    [-1, 1]. A fully convolutional network takes any H and W that are multiples of its stride. Encoding, licence and
    attribution are in the file's metadata, under the names that the weights have.

    Parameters
    ----------
    weights : Path
        As `train` writes them.
    output : Path
        Ends in .onnx.

    Returns
    -------
    float
        Largest difference from the generator, levels of 255.

    Raises
    ------
    ConfigError
        The packages are missing, or `output` is named otherwise.
    InputError
        The weights cannot be read, or their network draws at random.
    IntegrityError
        The export draws something else.
    """
    _require_packages()
    if output.suffix != ".onnx":
        raise ConfigError(f"--output {output}: name it with the ending .onnx")
    trained = load(weights)
    if trained.network.training:
        raise InputError(
            f"{weights}: {trained.settings.network} with norm batch draws with dropout and with the statistics of its "
            "batch, as published, so no file can draw the same: use norm instance or another network"
        )
    differences: list[float] = []

    def verify(written: Path) -> None:
        differences.extend(_difference(written, trained, seen) for seen in _inputs(trained))
        if max(differences) > _MOST_LEVELS:
            raise IntegrityError(
                f"{output} would draw up to {max(differences):g} levels of 255 off {weights}: use other versions of "
                "torch and onnxscript"
            )

    with atomic_write(output, verify) as temporary:
        program = _program(trained)
        program.model.metadata_props.update(_metadata(trained))
        program.save(temporary)
    return max(differences)


def _program(trained: TrainedGenerator) -> Any:
    sizes = {0: "batch", 2: "height", 3: "width"} if trained.tile_safe else None
    return torch.onnx.export(
        trained.network, (_inputs(trained)[0],), dynamo=True, verbose=False, input_names=["seen"],
        output_names=["colours"], dynamic_shapes=(sizes,) if sizes else None,
    )  # fmt: skip


def _inputs(trained: TrainedGenerator) -> list[Tensor]:
    """Random input: the size of a tile and, where any size will do, another."""
    draw = torch.Generator().manual_seed(0)
    stride = trained.stride
    side = trained.spec.tile_px
    shapes = [(2, side, side), (1, 3 * stride, 5 * stride)] if trained.tile_safe else [(1, side, side)]
    return [torch.randn(count, trained.channels, height, width, generator=draw) for count, height, width in shapes]


@torch.no_grad()
def _difference(path: Path, trained: TrainedGenerator, seen: Tensor) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (drawn,) = session.run(None, {"seen": seen.numpy()})
    return float((torch.from_numpy(drawn) - trained.network(seen)).abs().max()) * 127.5


def _metadata(trained: TrainedGenerator) -> dict[str, str]:
    says = metadata(trained.condition, trained.sheet, trained.settings, trained.provenance, trained.spec)
    return {**says, "stride": str(trained.stride), "halo_px": str(trained.halo_px)}


def _require_packages() -> None:
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise ConfigError(f"{', '.join(missing)} not installed: pip install 'terraform-planets[onnx]'")

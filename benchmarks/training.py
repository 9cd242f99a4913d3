"""Training: images per CPU second of our trainer against the plain recipe, on the networks of the paper."""

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import Apart, Side, cpu_seconds, interleaved, report

# isort: split
import torch

from benchmarks.ceiling import convolution_ceiling
from benchmarks.plain import JitteredPairs, Pix2Pix, loader
from benchmarks.world import make_pairs
from terraform.config import Config, Train, parse
from terraform.learn.data.dataset import collect
from terraform.learn.data.loader import BatchLoader
from terraform.learn.models.discriminators import build_discriminator
from terraform.learn.models.generators import build_generator
from terraform.learn.runtime.malloc import keep_freed
from terraform.learn.trainer import Trainer
from terraform.pairs.colormap import turbo

STEP_OPERATIONS = 86.94e9
"""Per image: generator once, discriminator three times, both backwards (shared with docs/performance.md)."""

RECIPE = {
    "network": "unet256", "norm": "batch", "discriminator": "patch70", "adversarial": "bce",
    "lambda_feature_matching": 0, "lambda_texture": 0, "noise": 0, "ema_decay": 0, "width": 64,
    "discriminator_width": 64, "total_images": 10**9, "workers": 1,
}  # fmt: skip
"""pix2pix as published."""

_PAIRS = 16
_PLAIN_IMAGES = 3


def settings(batch: int, precision: str, **more: object) -> Config:
    """Make the published recipe at a batch size and precision."""
    return parse(
        {"train": {**RECIPE, "batch": batch, "precision": precision, **more}, "condition": {"encoding": "turbo"}}
    )


class Ours:
    """Our trainer, data included."""

    def __init__(self, folder: Path, config: Config) -> None:
        self._learner = Trainer(config.train, 3, 0, torch.device("cpu"))
        self._feed = BatchLoader(collect([folder]), config, torch.device("cpu"))
        self._batches = self._feed.batches(0)

    def step(self) -> None:
        """One batch."""
        self._learner.step(next(self._batches).batch, 0.0)

    @property
    def waited(self) -> float:
        """Seconds waited for pairs."""
        return self._feed.waited


class Plain:
    """The plain recipe, data included."""

    def __init__(self, folder: Path, width: Train) -> None:
        torch.manual_seed(0)
        discriminator = build_discriminator(width, 3)
        assert discriminator is not None
        self._model = Pix2Pix(build_generator(width, 3), discriminator)
        stored = collect([folder]).read(np.arange(_PAIRS))
        inner = stored.elevation[:, 64:-64, 64:-64].numpy().astype(np.float32)
        conditions = [turbo(metres, metres < -30000, 0, 9000) for metres in inner]
        self._loader = loader(JitteredPairs(conditions, list(stored.imagery.numpy())))
        self._pairs = iter(self._loader)

    def step(self) -> None:
        """Learn from a few images, one by one."""
        for _ in range(_PLAIN_IMAGES):
            pair = next(self._pairs, None)
            if pair is None:
                self._pairs = iter(self._loader)
                pair = next(self._pairs)
            self._model.step(*pair)


def _ours(folder: Path, batch: int, precision: str) -> Side:
    keep_freed()
    return Ours(folder, settings(batch, precision)).step


def _plain(folder: Path, keeps: bool) -> Side:
    if keeps:
        keep_freed()
    return Plain(folder, settings(1, "fp32").train).step


def main() -> None:
    """Both comparisons, each ending with its line of JSON; the batch of 8 last."""
    quick = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    precision, goal = ("bf16", 2.4) if quick else ("fp32", 1.3)
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_pairs(Path(scratch) / "pairs", _PAIRS)
        sides = {
            "plain": Apart(_plain, folder, False),
            "kept": Apart(_plain, folder, True),
            "one": Apart(_ours, folder, 1, "fp32"),
            "eight": Apart(_ours, folder, 8, precision),
        }
        seconds = interleaved(sides)
    each = {name: seconds[name] / _PLAIN_IMAGES for name in ("plain", "kept")}
    each |= {"one": seconds["one"], "eight": seconds["eight"] / 8}
    ceilings = {kind: convolution_ceiling(kind, cpu_seconds) for kind in ("fp32", "bf16" if quick else "fp32")}
    shares = {name: STEP_OPERATIONS / each[name] / ceilings["fp32"] for name in ("plain", "one")}
    shares["eight"] = STEP_OPERATIONS / each["eight"] / ceilings[precision]
    common = {
        "plain_share_of_ceiling": shares["plain"],
        "plain_cpu_s_per_image": each["plain"],
        "plain_keeping_memory_cpu_s_per_image": each["kept"],
    }
    report(
        "training, batch 1, fp32, the same mathematics", each["plain"] / each["one"], 1.15,
        share_of_ceiling=shares["one"], **common,
    )  # fmt: skip
    report(
        f"training, batch 8, {precision}, channels last", each["plain"] / each["eight"], goal,
        share_of_ceiling=shares["eight"], goal_share_of_ceiling=0.55, cpu_s_per_image=each["eight"],
        ceiling_gflop_per_cpu_s=ceilings[precision] / 1e9, **common,
    )  # fmt: skip


if __name__ == "__main__":
    main()

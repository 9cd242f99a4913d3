"""Everything about training on a GPU in one go: images per second by batch, compiled or not, and the ceiling beside."""

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.ceiling import convolution_ceiling
from benchmarks.measure import report
from benchmarks.training import STEP_OPERATIONS, settings
from benchmarks.world import make_pairs
from terraform.learn.data.dataset import collect
from terraform.learn.data.loader import BatchLoader
from terraform.learn.trainer import Trainer

_GOAL_IMAGES_PER_S = 2_700
_BATCHES = (1, 16, 32)
_WARM, _STEPS = 20, 100


def rate(folder: Path, batch: int, compiled: bool, device: torch.device) -> tuple[float, float, int]:
    """Images per second, share of the time that went into waiting for pairs, waits for the GPU in a step."""
    config = settings(batch, "bf16", compile=compiled)
    trainer = Trainer(config.train, 3, 0, device)
    loader = BatchLoader(collect([folder]), config, device)
    batches = loader.batches(0)
    for _ in range(_WARM):
        trainer.step(next(batches).batch, 0.0)
    torch.cuda.synchronize()
    loader.waited, started = 0.0, time.perf_counter()
    for _ in range(_STEPS):
        trainer.step(next(batches).batch, 0.0)
    torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    return batch * _STEPS / seconds, loader.waited / seconds, _waits(lambda: trainer.step(next(batches).batch, 0.0))


def _waits(step: Callable[[], None]) -> int:
    """How often a step makes the processor wait for the GPU, as torch tells."""
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(each.message) for each in told)


def synchronised() -> float:
    """Seconds, after all that was given to the GPU is done."""
    torch.cuda.synchronize()
    return time.perf_counter()


def main() -> int:
    """One line of JSON; without a GPU a line that says so."""
    if not torch.cuda.is_available():
        print("torch finds no GPU: not measured", file=sys.stderr)
        return 0
    device = torch.device("cuda", 0)
    torch.backends.cudnn.benchmark = True
    ceiling = convolution_ceiling("bf16", synchronised, "cuda")
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_pairs(Path(scratch) / "pairs", 256)
        rates = {
            f"batch {batch}{', compiled' if compiled else ''}": rate(folder, batch, compiled, device)
            for batch in _BATCHES
            for compiled in (False, True)
        }
    best = max(rates, key=lambda name: rates[name][0])
    report(
        f"training on a GPU, images per second over the goal of {_GOAL_IMAGES_PER_S:,}, {best}",
        rates[best][0] / _GOAL_IMAGES_PER_S, 1.0,
        images_per_s={name: images for name, (images, _, _) in rates.items()},
        waiting={name: share for name, (_, share, _) in rates.items()},
        waits_for_gpu_in_a_step={name: waits for name, (_, _, waits) in rates.items()},
        share_of_ceiling=rates[best][0] * STEP_OPERATIONS / ceiling,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

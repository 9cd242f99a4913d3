"""What the machine's convolutions reach at most: what any training is measured against."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from benchmarks.measure import Clock, cpu_seconds


def convolution_ceiling(precision: str, clock: Clock = cpu_seconds, device: str = "cpu", rounds: int = 7) -> float:
    """Floating-point operations per second of the best of some convolutions that networks are made of.

    Parameters
    ----------
    precision : {"fp32", "bf16"}
    clock : callable
        CPU seconds when left out, so the result is per second of one core.
    """
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    return max(_reached(channels, side, kind, clock, device, rounds) for channels, side in ((128, 64), (256, 32)))


def _reached(channels: int, side: int, kind: torch.dtype, clock: Clock, device: str, rounds: int) -> float:
    x = torch.randn(8, channels, side, side, device=device, dtype=kind).to(memory_format=torch.channels_last)
    kernel = torch.randn(channels, channels, 3, 3, device=device, dtype=kind).to(memory_format=torch.channels_last)
    operations = 2 * 9 * channels * channels * side * side * 8

    def once() -> None:
        F.conv2d(x, kernel, padding=1)

    return operations / min(_times(once, clock, rounds))


def _times(once: Callable[[], None], clock: Clock, rounds: int) -> list[float]:
    once()
    times = []
    for _ in range(rounds):
        before = clock()
        once()
        times.append(clock() - before)
    return times

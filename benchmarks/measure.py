"""Two sides timed alternately in one process, and the one line of JSON that a benchmark ends with.

Absolute times differ between machines and between minutes; ratios of interleaved CPU times do not. Import this before
torch.
"""

import json
import os
import platform
import resource
import sys
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

# Idle threads sleep: those that spin are billed for it, the more so the busier the machine is.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

Clock = Callable[[], float]
Side = Callable[[], float | None]
"""Does its work; returns the seconds it took where the caller's clock cannot see them."""


def interleaved(sides: Mapping[str, Side], rounds: int = 5, clock: Clock | None = None) -> dict[str, float]:
    """Run all sides in turn, `rounds` times after one for warming up.

    Parameters
    ----------
    sides : mapping of name to callable
        What is timed; what a side returns counts instead of the clock.
    clock : callable, optional
        Seconds; CPU seconds of this process and of its children that ended, when left out.

    Returns
    -------
    dict
        Median seconds of each side.
    """
    clock = clock or cpu_seconds
    spent: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            before = clock()
            own = side()
            if number:
                spent[name].append(clock() - before if own is None else own)
    return {name: median(times) for name, times in spent.items()}


class Apart:
    """A side in a process of its own: what it sets for its process, or takes of the memory, is not the other's.

    Parameters
    ----------
    build : callable
        Makes the side there, from `given`; both can be pickled.
    """

    def __init__(self, build: Callable[..., Side], *given: Any) -> None:
        context = get_context("spawn")
        self._pipe, there = context.Pipe()
        context.Process(target=_serve, args=(there, build, given), daemon=True).start()
        there.close()

    def __call__(self) -> float:
        """CPU seconds of doing it once."""
        self._pipe.send(None)
        seconds: float = self._pipe.recv()
        return seconds


def _serve(pipe: Connection, build: Callable[..., Side], given: tuple[Any, ...]) -> None:
    side = build(*given)
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        before = cpu_seconds()
        side()
        pipe.send(cpu_seconds() - before)


def cpu_seconds() -> float:
    """User and system time of this process and of its children that ended, all threads."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, whose))


def machine() -> str:
    """Processor, cores and, where there is one, the GPU: one line."""
    name = _processor()
    text = f"{name}, {os.cpu_count()} cores"
    torch = sys.modules.get("torch")
    return f"{text}, {torch.cuda.get_device_name()}" if torch and torch.cuda.is_available() else text


def report(name: str, ratio: float, goal: float, **more: Any) -> None:
    """End a benchmark: a line for people, left out under --json, and last a line of JSON.

    Parameters
    ----------
    name : str
        What was compared, such as "training, batch 8".
    ratio, goal : float
        How many times the reference, and how many are wanted.
    more : JSON values
        Further measurements.
    """
    if "--json" not in sys.argv:
        verdict = "reached" if ratio >= goal else "not reached"
        print(f"{name}: {ratio:.2f} x, goal {goal:g} x: {verdict}", flush=True)
    document = {"name": name, "ratio": round(ratio, 3), "goal": goal, "machine": machine(), **_rounded(more)}
    print(json.dumps(document), flush=True)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value

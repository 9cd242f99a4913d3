"""Children of tests: from a server that has torch loaded and no threads.

Forked from the tests' own process they would inherit locks that no thread ever lets go, those of OpenMP, ONNX Runtime
or GDAL, whichever test had used them before. What they run is a function of a module and its arguments.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_CONTEXT = get_context("forkserver")
# torch._dynamo: the first optimiser of a process imports it, two seconds.
_CONTEXT.set_forkserver_preload(["torch", "torch._dynamo", "terraform.learn.train", "pytest", "benchmarks.world"])


def child_of(work: Callable[..., object], *arguments: Any) -> ForkServerProcess:
    """Start work in a child."""
    child = _CONTEXT.Process(target=work, args=arguments)
    child.start()
    return child


def status_of(child: ForkServerProcess) -> int | None:
    """Wait for a child: 0, 1 after an exception, or the negative number of the signal that ended it."""
    child.join()
    return child.exitcode


def event() -> Any:
    """Make an event that a test and its child share."""
    return _CONTEXT.Event()


def output_of(folder: Path, work: Callable[..., object], *arguments: Any) -> "subprocess.CompletedProcess[str]":
    """Do work in a child whose working folder is this one; what it wrote to its outputs, and its status."""
    with TemporaryDirectory() as told:
        outputs = [Path(told, name) for name in ("out", "err")]
        status = status_of(child_of(_told, str(folder), list(map(str, outputs)), work, arguments))
        out, err = (path.read_text(encoding="utf-8") for path in outputs)
    return subprocess.CompletedProcess(arguments, status or 0, out, err)


def _told(folder: str, outputs: list[str], work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    for number, path in enumerate(outputs, 1):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    work(*arguments)


def call_command(folder: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run a command of `python -m terraform` in a folder."""
    return output_of(folder, _command, *map(str, arguments))


def _command(*words: str) -> None:
    from terraform.__main__ import main

    sys.argv = ["terraform", *words]
    main()

"""Children of tests: from a server that has torch loaded and no threads.

Forked from the tests' own process they would inherit locks that no thread ever lets go, those of OpenMP, ONNX Runtime
or GDAL, whichever test had used them before. What they run is a function of a module and its arguments.
"""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from typing import Any

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["torch", "terraform.learn.train"])


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

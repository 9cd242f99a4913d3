"""SIGTERM and Ctrl-C, noted instead of obeyed at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(Exception):
    """SIGTERM or Ctrl-C came; the state is saved."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by signal {signal_number}; the state is saved: run the same command to go on")
        self.exit_code = 128 + signal_number


@contextmanager
def deferred_signals() -> Iterator[list[int]]:
    """Note SIGTERM and SIGINT instead of dying, so that a step ends and the state is saved; a second Ctrl-C aborts."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and number in received:
            raise KeyboardInterrupt
        received.append(number)

    wanted = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, note) for number in wanted]
    try:
        yield received
    finally:
        for number, handler in zip(wanted, before, strict=True):
            signal.signal(number, handler)

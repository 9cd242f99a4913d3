"""SIGTERM, Ctrl-C and a closed terminal, noted instead of obeyed at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(Exception):
    """SIGTERM, SIGINT or SIGHUP came; the state is saved."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by signal {signal_number}; the state is saved: run the same command to go on")
        self.exit_code = 128 + signal_number


@contextmanager
def deferred_signals() -> Iterator[list[int]]:
    """Note SIGTERM, SIGINT and SIGHUP instead of dying, so that a step ends and the state is saved.

    A second Ctrl-C aborts. Where a signal is ignored (`nohup`), it stays so.
    """
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and number in received:
            raise KeyboardInterrupt
        received.append(number)

    ending = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    wanted = [number for number in ending if signal.getsignal(number) != signal.SIG_IGN]
    before = [signal.signal(number, note) for number in wanted]
    try:
        yield received
    finally:
        for number, handler in zip(wanted, before, strict=True):
            signal.signal(number, handler)

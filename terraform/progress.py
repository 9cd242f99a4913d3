"""A bar of progress at the foot of a terminal; a file, a pipe or a log holds plain lines alone."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TextIO


@contextmanager
def progress(what: str, total: int, done: int = 0, stream: TextIO | None = None) -> Iterator[Callable[[int], None]]:
    """Show how far something is while a block runs; what it prints scrolls by above.

    Parameters
    ----------
    what : str
        What is counted, such as "images".
    total, done : int
        How many there are, and how many of them are done at the start.
    stream : text stream, optional
        Standard output by default.

    Yields
    ------
    callable
        To be told how many are done; it does nothing where no terminal looks, or rich is not installed.
    """
    stream = stream or sys.stdout
    if not stream.isatty() or find_spec("rich") is None:
        yield lambda now: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(file=stream)) as bar:
        task = bar.add_task(what, total=total, completed=done)
        yield lambda now: bar.update(task, completed=now)

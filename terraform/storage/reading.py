"""Read small files of strangers: regular ones, up to a size, and JSON of which nothing exhausts the parser."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any


def read_limited(path: Path, most_bytes: int) -> bytes:
    """Read a regular file; a pipe would be waited for, a device never ends.

    Raises
    ------
    OSError
        It is missing, cannot be read, is no regular file, or is larger.
    """
    # A pipe without a writer would hold the opening up.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("it is no regular file")
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(f"it is larger than {most_bytes:,} bytes")
    return content


def read_text(path: Path, most_bytes: int) -> str:
    """Read a regular file as UTF-8, with or without a byte order mark.

    Raises
    ------
    OSError
        It is missing, cannot be read, is no regular file, or is larger.
    ValueError
        It is not UTF-8.
    """
    return read_limited(path, most_bytes).decode("utf-8-sig")


def parse_json(text: str | bytes, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Read JSON; whatever is wrong with it is one kind of error.

    Parameters
    ----------
    parse_constant : callable, optional
        Called with NaN, Infinity and -Infinity, as by `json.loads`.

    Raises
    ------
    ValueError
        It is not JSON (`json.JSONDecodeError`), is nested too deeply, or holds a number of thousands of digits.
    """
    try:
        return json.loads(text, parse_constant=parse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None

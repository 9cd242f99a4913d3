"""Memory that was freed is kept for the next window or step."""

import ctypes
import os
from pathlib import Path

_MMAP_MAX, _TRIM_THRESHOLD, _ARENA_MAX = -4, -1, -8
"""Parameters of glibc's mallopt(3)."""


def keep_freed() -> None:
    """Have glibc reuse large blocks instead of giving each back and asking for it anew; call it before threads begin.

    A network takes and leaves blocks of a hundred megabytes with every window, and by default the system fills each
    with zeros, page by page, every time: a fifth to a third of the CPU time of drawing (docs/performance.md). One
    arena for all threads, because one of a thread has no room for such blocks. Other C libraries are left as they are.
    """
    set_parameter = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_parameter is None:
        return
    for parameter, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_ARENA_MAX, 1)):
        set_parameter(parameter, value)


def give_back(above: int) -> None:
    """Return to the system what is free between the blocks in use, where the process takes more than so many bytes.

    Blocks of many sizes that are kept leave holes. What is taken next is filled with zeros again: for once in a while.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None and resident() > above:
        trim(0)


def resident() -> int:
    """Bytes of this process that are in memory now; 0 where the system does not tell."""
    return _statm(1)


def reserved() -> int:
    """Bytes of addresses that this process has taken, in memory or not; 0 where the system does not tell."""
    return _statm(0)


def _statm(field: int) -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[field])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")

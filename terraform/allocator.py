"""Memory that was freed is kept for the next window or step."""

import ctypes

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

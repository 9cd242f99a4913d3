"""Locks on files that the kernel releases when their holder ends, however it ends."""

import errno
import fcntl
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from terraform.errors import ResourceError

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def exclusive(path: Path, when_busy: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the lock of a file while the block runs: one process at a time.

    Parameters
    ----------
    path : Path
        The lock's file, made when missing; it stays, and says who held it last.
    when_busy : callable, optional
        Called with who holds the lock, such as "process 7 on host, since ...", when it is not free. If it raises, the
        lock is not waited for; if it returns, or is left out, it is.

    On a file system without locks (Lustre without `flock`, NFS without lockd) nothing is held, and a warning says so.

    Raises
    ------
    ResourceError
        The file cannot be written.
    """
    while True:
        with _opened(path) as file:
            _take(file, path, when_busy)
            if not _is_of(file, path):
                continue  # removed by whoever held it before: the name is another file's
            file.truncate(0)
            file.write(describe_holder(os.getpid()))
            file.flush()
            yield
            return


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ResourceError(f"{path}: cannot be written ({error.strerror}): make its folder writable") from error


def _take(file: IO[str], path: Path, when_busy: Callable[[str], None] | None) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if when_busy is not None:
            file.seek(0)
            when_busy(file.read().strip() or "another process")
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        print(
            f"warning: the file system of {path} has no locks ({error.strerror}): nothing here keeps a second "
            "process from the same work",
            file=sys.stderr,
            flush=True,
        )


def _is_of(file: IO[str], path: Path) -> bool:
    """Whether an open file is still what its name leads to."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def describe_holder(pid: int) -> str:
    """Write who holds a lock from now on."""
    return f"process {pid} on {socket.gethostname()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}\n"


def holder_of(path: Path) -> str | None:
    """Say who holds a lock; None where nobody does, or there is none."""
    holders: list[str] = []
    with unheld([path], lambda _, holder: holders.append(holder)):
        return holders[0] if holders else None


@contextmanager
def unheld(paths: Iterable[Path], when_busy: Callable[[Path, str], None]) -> Iterator[None]:
    """Hold locks that lie about, so that nobody begins to work under them while the block runs.

    Parameters
    ----------
    paths : iterable of Path
        Locks' files; none is made.
    when_busy : callable
        Called with a lock that is not free and who holds it. If it returns, the block runs without that lock.
    """
    with ExitStack() as held:
        for path in paths:
            try:
                file = held.enter_context(path.open("r+", encoding="utf-8"))
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                when_busy(path, path.read_text(encoding="utf-8").strip() or "another process")
            except OSError:
                continue  # gone meanwhile, or only to be read: then no one works there
        yield

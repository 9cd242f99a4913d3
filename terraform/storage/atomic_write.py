"""Write a file under a temporary name beside its final one, flush, verify, rename: the only way results are written."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from terraform.errors import ResourceError, TerraformError

_MARK = ".part-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EROFS, errno.EPERM}


@contextmanager
def atomic_write(
    path: Path | str, verify: Callable[[Path], None] | None = None, durable: bool = True
) -> Iterator[Path]:  # fmt: skip
    """Write a file so that its name holds either the whole new content or the old one.

    Yields a temporary path in the same folder with the same suffix. When the block ends, the file is
    flushed to disk, verified, renamed onto `path`, and the folder is flushed. When the block raises, the temporary file
    is removed and `path` is untouched. Leftovers of killed processes are removed first.

    Parameters
    ----------
    path : Path
        The final name; its folder is made when missing.
    verify : callable, optional
        Called with the temporary path before the rename; it raises when the content is not right.
    durable : bool
        False for one of thousands of small files of which a reader notices when a power cut emptied it: nothing is
        flushed and no leftover is looked for, which would cost more than the writing.

    Raises
    ------
    ResourceError
        The disk is full, or the folder cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}{_MARK}{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if durable:
            remove_stale(path.parent)
        yield temporary
        move_into_place(temporary, path, verify, durable)
    except OSError as error:
        raise explain_os_error(error, path) from error
    finally:
        # Where not even the folder can be entered, nothing was left in it.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def move_into_place(
    temporary: Path, path: Path, verify: Callable[[Path], None] | None = None, durable: bool = True
) -> None:  # fmt: skip
    """Rename a file that is completely written in the same folder: flush, verify, rename, flush the folder.

    Raises
    ------
    ResourceError
        The disk is full, or the folder cannot be written.
    """
    try:
        if durable:
            _flush(temporary)
        if verify is not None:
            verify(temporary)
        temporary.replace(path)
        if durable:
            _flush(path.parent)
    except OSError as error:
        raise explain_os_error(error, path) from error


def write_text(path: Path | str, text: str) -> None:
    """Write a small UTF-8 text file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def remove_stale(folder: Path) -> None:
    """Remove the temporary files that dead processes left in a folder."""
    for leftover in folder.glob(f".*{_MARK}*"):
        owner = leftover.name.rpartition(_MARK)[2].partition(".")[0]
        if owner.isdigit() and int(owner) != os.getpid() and not _alive(int(owner)):
            leftover.unlink(missing_ok=True)


def require_space(folder: Path, needed_bytes: int) -> None:
    """Refuse early what will not fit on the disk.

    Raises
    ------
    ResourceError
        Fewer than `needed_bytes` are free where `folder` lies, or it cannot be entered.
    """
    try:
        place = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise explain_os_error(error, folder) from error
    if free < needed_bytes:
        raise ResourceError(
            f"{folder} has {free / 1e9:.1f} GB free, {needed_bytes / 1e9:.1f} GB are needed: free some space or "
            "choose another folder"
        )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def explain_os_error(error: OSError, path: Path) -> Exception:
    """Say what an error of the disk means for whoever writes `path`; other errors are returned as they are."""
    if isinstance(error, TerraformError):
        return error
    if error.errno in _FULL:
        free = shutil.disk_usage(path.parent).free if path.parent.exists() else 0
        return ResourceError(f"{path}: the disk is full ({free / 1e6:.0f} MB free): free some space and run again")
    if error.errno in _REFUSED:
        return ResourceError(f"{path}: cannot be written ({error.strerror}): make its folder writable")
    return error

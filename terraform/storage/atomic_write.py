"""Write a file under a temporary name beside its final one, flush, verify, rename: the only way results are written."""

import errno
import hashlib
import os
import re
import shutil
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from terraform.errors import ConfigError, ResourceError, TerraformError

_MARK = ".part-"
_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]
_DAY_S = 86_400
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EROFS, errno.EPERM}
_MISNAMED = {errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTEMPTY}
_FAILING = {errno.EIO, errno.EBUSY, errno.ESTALE, errno.ETXTBSY, errno.ENXIO, errno.ENODEV}
_UMASK = os.umask(0)
os.umask(_UMASK)
"""What the user keeps from others; it can only be asked for by setting it."""
_RUST = re.compile(r"\(os error (\d+)\)")
"""How libraries written in Rust (safetensors) quote an error of the system within their own."""


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
    ConfigError
        No file can have that name, or something else has it that is no regular file.
    ResourceError
        The disk is full, or the folder cannot be written.
    """
    path = Path(path)
    require_replaceable(path)
    temporary = path.with_name(f".{path.stem}{_MARK}{os.getpid()}-{_HOST}{path.suffix}")
    try:
        make_folder(path.parent)
        if durable:
            remove_stale(path.parent)
        yield temporary
        move_into_place(temporary, path, verify, durable)
    except Exception as error:
        explained = explain_os_error(error, path)
        if explained is error:
            raise
        raise explained from error
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
    ConfigError
        Something else than a regular file has that name.
    ResourceError
        The disk is full, or the folder cannot be written.
    """
    try:
        # Some libraries (safetensors) make files that their owner alone may read.
        with suppress(PermissionError):
            temporary.chmod(0o666 & ~_UMASK)
        if durable:
            _flush(temporary)
        if verify is not None:
            verify(temporary)
        require_replaceable(path)
        temporary.replace(path)
        if durable:
            _flush(path.parent)
    except OSError as error:
        raise explain_os_error(error, path) from error


def write_text(path: Path | str, text: str) -> None:
    """Write a small UTF-8 text file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def require_replaceable(path: Path) -> None:
    """Refuse a name that no result can take: nothing but a regular file, or a link to one, is ever replaced.

    Raises
    ------
    ConfigError
        It is a folder, a device, a pipe or a socket, lies under a file, or is no file's name.
    ResourceError
        Its folder cannot be entered.
    """
    if not path.name or path.name == "..":
        raise ConfigError(f"{str(path)!r} names no file: give the output a name")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        explained = explain_os_error(error, path)
        if explained is error:
            raise ConfigError(f"{str(path)!r} is no name for a file ({error}): choose another") from None
        raise explained from error
    if not stat.S_ISREG(mode):
        raise ConfigError(f"{path} is {_kind_of(mode)}, and only files are replaced: choose another name")


def _kind_of(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def remove_file(path: Path) -> None:
    """Remove a file if it is there.

    Raises
    ------
    ResourceError
        It is there and cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # A file system that only can be read says so before it looks whether there is anything to remove.
        if path.exists():
            raise explain_os_error(error, path) from error


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, if it is not there.

    Raises
    ------
    ConfigError
        No folder can have that name.
    ResourceError
        The disk is full, or the folder above cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain_os_error(error, path) from error


def remove_stale(folder: Path) -> None:
    """Remove the temporary files that dead processes left in a folder; see `stale_in`."""
    for leftover in stale_in(folder):
        remove_file(leftover)


def stale_in(folder: Path) -> Iterator[Path]:
    """Yield the temporary files that dead processes left in a folder; those of other machines once a day old.

    Whether a process of another machine lives cannot be seen from here, where machines share a file system.
    """
    for leftover in folder.glob(f".*{_MARK}*"):
        pid, _, host = leftover.name.rpartition(_MARK)[2].partition(".")[0].partition("-")
        if pid.isdigit() and (_is_old(leftover) if host not in ("", _HOST) else is_dead(int(pid))):
            yield leftover


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _DAY_S
    except FileNotFoundError:  # finished meanwhile
        return False


def is_dead(pid: int) -> bool:
    """Whether a process of this machine is gone."""
    return pid != os.getpid() and not _alive(pid)


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
            f"{folder} has {_amount(free)} free, {_amount(needed_bytes)} are needed: free some space or choose another "
            "folder"
        )


def _amount(size_bytes: int) -> str:
    """Write a size with a unit in which it is no zero."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= size:
            return f"{size_bytes / size:.1f} {unit}"
    return f"{size_bytes} bytes"


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


def explain_os_error(error: Exception, path: Path) -> Exception:
    """Say what an error of the disk means for whoever writes `path`; other errors are returned as they are.

    The errors of libraries that quote one of the system count as that one.
    """
    number = None if isinstance(error, TerraformError) else _number_of(error)
    if number is None:
        return error
    reason = os.strerror(number)
    if number in _FULL:
        return ResourceError(f"{path}: the disk is full ({_free_at(path)} free): free some space and run again")
    if number in _REFUSED:
        return ResourceError(f"{path}: cannot be written ({reason}): make its folder writable")
    if number in _MISNAMED:
        return ConfigError(f"{path}: no file can be written there ({reason}): choose another name")
    if number in _FAILING:
        return ResourceError(f"{path}: the disk or the file is not usable now ({reason}): run again, or elsewhere")
    return error


def _number_of(error: Exception) -> int | None:
    if isinstance(error, OSError):
        return error.errno
    quoted = _RUST.search(str(error))
    return int(quoted[1]) if quoted else None


def _free_at(path: Path) -> str:
    try:
        return _amount(shutil.disk_usage(path.parent).free)
    except OSError:
        return "0 bytes"

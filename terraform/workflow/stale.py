"""What dead processes and runs that are over have left: temporary files, states, strips, locks."""

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from terraform.errors import ResourceError
from terraform.storage.atomic_write import is_dead, remove_file, stale_in
from terraform.storage.locks import holder_of, unheld
from terraform.workflow import stale_locks

_SEARCHED = ("results", "resources", "logs", ".terraform", ".snakemake", "models")
_LOCKS = re.compile(r"\.?lock|\..*\.lock")
_HELD = re.compile(r"process (\d+) on (\S+), since ")


class Leftover(NamedTuple):
    """Something that nothing will use again.

    Attributes
    ----------
    path : Path
        File or folder, in the working folder.
    why : str
        What it is, for people.
    lock : Path or None
        What must not be held when it is removed.
    """

    path: Path
    why: str
    lock: Path | None = None


def leftovers(run: str) -> list[Leftover]:
    """List what dead processes of this machine and other runs have left in the working folder.

    What a living process holds is not in it, nor what another machine may hold. Weights, pairs, mosaics and downloads
    are results, and never in it.

    Parameters
    ----------
    run : str
        The run that the configuration names: its states and strips are needed to resume.
    """
    found = [*_states(run), *_strips(run)]
    gone = {left.path for left in found}
    others = (*_temporary(), *_locks(), *_locks_of_snakemake())
    found += [left for left in others if not gone.intersection(left.path.parents)]
    return sorted(found)


def remove(left: list[Leftover]) -> None:
    """Remove leftovers.

    Raises
    ------
    ResourceError
        Something works there by now, or one cannot be removed.
    """
    with unheld([one.lock for one in left if one.lock is not None], _refuse):
        for path in (one.path for one in left):
            try:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else remove_file(path)
            except OSError as error:
                raise ResourceError(f"{path} cannot be removed ({error.strerror}): make it writable") from None


def _states(run: str) -> Iterator[Leftover]:
    for folder in Path("results/model").glob("*/state"):
        model = folder.parent
        if model.name != run and holder_of(model / ".lock") is None:
            yield Leftover(folder, f"states of run {model.name}, from which it could resume", model / ".lock")


def _strips(run: str) -> Iterator[Leftover]:
    for folder in Path("results/mars").glob("*/*/.*strips*"):
        other = folder.parents[1].name
        if other != run and folder.is_dir() and holder_of(folder / "lock") is None:
            yield Leftover(folder, f"strips of an unfinished mosaic of run {other}", folder / "lock")


def _temporary() -> Iterator[Leftover]:
    for folder in _folders():
        for path in stale_in(folder):
            yield Leftover(path, "temporary file of a process that is gone")


def _locks() -> Iterator[Leftover]:
    for folder in _folders():
        for path in folder.glob("*lock"):
            if path != stale_locks.LOCK and _LOCKS.fullmatch(path.name) and _is_of_the_dead(path):
                yield Leftover(path, "lock of a process that is gone", path)


def _is_of_the_dead(path: Path) -> bool:
    """Whether a file says who held it, on this machine, that process is gone and nobody else holds it."""
    try:
        said = _HELD.match(path.read_text(encoding="utf-8")) if path.is_file() and not path.is_symlink() else None
    except (OSError, UnicodeDecodeError):
        return False
    return bool(said and said[2] == socket.gethostname() and is_dead(int(said[1])) and holder_of(path) is None)


def _locks_of_snakemake() -> Iterator[Leftover]:
    if holder_of(stale_locks.LOCK) is None:
        for path in stale_locks.left_by_the_dead():
            yield Leftover(path, "lock of a Snakemake that was killed", stale_locks.LOCK)


def _folders() -> Iterator[Path]:
    """Yield the working folder, and all that lie in what a run writes; no link is followed."""
    yield Path()
    for root in map(Path, _SEARCHED):
        if root.is_dir() and not root.is_symlink():
            yield root
            yield from (path for path in root.rglob("*") if path.is_dir() and not path.is_symlink())


def _refuse(lock: Path, holder: str) -> None:
    raise ResourceError(f"{lock.parent} is in use by {holder}: wait for it, or stop it; nothing was removed")

"""Snakemake's own locks outlive a Snakemake that was killed; ours tells whether one still lives.

A run holds a lock that the kernel releases when it ends, however it ends. Whoever gets it knows that Snakemake's locks
in the same folder belong to nobody.
"""

import fcntl
import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from terraform.storage.atomic_write import make_folder, remove_file
from terraform.storage.locks import describe_holder

LOCK = Path(".snakemake/terraform.lock")


def hold_working_folder(arguments: Sequence[str]) -> IO[str] | None:
    """Hold the working folder, and remove the locks that a killed Snakemake left in it.

    Nothing is removed where another run may live: on this machine, or on another one that shares the folder.

    Parameters
    ----------
    arguments : sequence of str
        Snakemake's command line; a dry run holds nothing.

    Returns
    -------
    file or None
        It is held as long as this is open; None where another run has it, or the file system knows no locks.

    Raises
    ------
    ResourceError
        The folder cannot be written.
    """
    if any(is_dry_run(argument) for argument in arguments):
        return None
    make_folder(LOCK.parent)
    file = LOCK.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    for left in left_by_the_dead():
        remove_file(left)
    file.truncate(0)
    file.write(describe_holder(os.getpid()))
    file.flush()
    return file


def left_by_the_dead() -> list[Path]:
    """List Snakemake's locks where nobody holds `LOCK`: none where a run of another machine was the last."""
    before = LOCK.read_text(encoding="utf-8") if LOCK.is_file() else ""
    is_ours = not before or f" on {socket.gethostname()}," in before
    return sorted(Path(".snakemake/locks").glob("*.lock")) if is_ours else []


def is_dry_run(argument: str) -> bool:
    """Whether an argument of Snakemake asks for a dry run, alone or among other letters."""
    return argument in ("--dry-run", "--dryrun") or re.fullmatch(r"-[a-zA-Z]*n[a-zA-Z]*", argument) is not None

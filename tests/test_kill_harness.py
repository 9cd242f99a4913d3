"""The harness of `make kills`: it finds a writer that is not atomic, and nothing wrong with one that is."""

import time
from pathlib import Path

import pytest

from terraform.storage.atomic_write import atomic_write
from tools.killing import Stage, kill_stage

PIECES = [bytes([n]) * 100_000 for n in range(20)]


def in_place(output: Path) -> None:
    """Write under the final name, and trust what lies there, as a careless writer does."""
    if (output / "a.bin").exists():
        return
    with (output / "a.bin").open("wb") as file:
        for piece in PIECES:
            file.write(piece)
            time.sleep(0.005)


def littering(output: Path) -> None:
    """Leave its temporary file wherever it is killed."""
    temporary = output / f".a.{time.monotonic_ns()}.tmp"
    with temporary.open("wb") as file:
        for piece in PIECES:
            file.write(piece)
            time.sleep(0.005)
    temporary.replace(output / "a.bin")


def atomic(output: Path) -> None:
    with atomic_write(output / "a.bin") as temporary, temporary.open("wb") as file:
        for piece in PIECES:
            file.write(piece)
            time.sleep(0.005)


def kills(work, folder: Path) -> tuple[int, set[str]]:
    done, found = kill_stage(Stage(work.__name__, work), folder, folder / "output", range(40), 6)
    return done, {wrong.what for wrong in found}


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (in_place, {"after a kill: a.bin is not whole", "in the end: a.bin"}),
        (littering, {"should not be there", "in the end: .a."}),
    ],
)
def test_a_writer_that_is_not_atomic_is_found(tmp_path, work, told):
    done, found = kills(work, tmp_path)
    assert done >= 6
    assert all(any(words in what for what in found) for words in told), found


def test_nothing_is_wrong_with_an_atomic_writer(tmp_path):
    done, found = kills(atomic, tmp_path)
    assert done >= 6
    assert found == set()

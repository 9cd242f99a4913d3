"""What an unfinished mosaic has drawn so far: one file a strip, kept beside it until it is published.

A strip's file gets its name only when it is complete, so that after a kill at any moment the drawing goes on from the
last complete strip.
"""

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from terraform.errors import ConfigError, InputError, ResourceError
from terraform.mosaic.terrain import ImageWindow
from terraform.storage.atomic_write import atomic_write, make_folder, remove_file, remove_stale, write_text
from terraform.storage.hashing import sha256_of
from terraform.storage.locks import exclusive

Span = tuple[int, int]

PLANES = 4
"""Red, green, blue, and 1 where there was no relief: where there is relief everywhere, the last stays a hole."""


class NothingVisible(InputError):
    """All strips are drawn, and nothing of them is visible: they are of no more use."""


@dataclass(frozen=True)
class Part:
    """One of the parts into which the strips of a mosaic are divided.

    Attributes
    ----------
    number : int
        From 1 to `count`.
    count : int
        Number of parts.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Read a part as it is written on the command line, such as "2/4".

        Raises
        ------
        ConfigError
            It is no such part.
        """
        found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ConfigError(f"--part is {text!r}, expected its number and how many there are, such as 2/4")
        return cls(int(found[1]), int(found[2]))

    def of(self, sizes: Mapping[int, int]) -> list[int]:
        """Choose the strips of this part: neighbours, and in each part about as many bytes.

        Parameters
        ----------
        sizes : mapping of int to int
            Bytes of each strip by its number, north to south.

        Returns
        -------
        list of int
            Numbers of strips; each strip is in exactly one part, and a part may be empty.
        """
        ends = list(accumulate(sizes.values()))
        # The part in which a strip's middle lies, of as many parts as there are; twice, to stay in whole numbers.
        return [
            strip
            for (strip, size), end in zip(sizes.items(), ends, strict=True)
            if (2 * end - size) * self.count // (2 * ends[-1]) + 1 == self.number
        ]


@dataclass(frozen=True)
class StripBuffer:
    """The pixels of a part of a strip.

    Attributes
    ----------
    rows, columns : Span
        The part, in the strip's pixels.
    path : Path
        Its file: (4, H, W) uint8.
    """

    rows: Span
    columns: Span
    path: Path

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes (red, green, blue, mask), rows and columns."""
        return PLANES, self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]

    @property
    def size_bytes(self) -> int:
        """Size of the whole file, bytes."""
        planes, height, width = self.shape
        return planes * height * width

    def create(self) -> None:
        """Make the file, all void of colour."""
        with self.path.open("wb") as file:
            file.truncate(self.size_bytes)

    def write(self, block: ImageWindow) -> None:
        """Put a block where it belongs; what lies outside is cut off."""
        _, height, width = self.shape
        top, left = block.top - self.rows[0], block.left - self.columns[0]
        inside = block.rgba[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
        if not inside.size:
            return
        planes = [*np.moveaxis(inside[..., :3], -1, 0)]
        void = inside[..., 3] == 0
        if void.any():
            planes.append(void.astype(np.uint8))
        # Not through a map: on a full disk that ends the process without a word.
        with self.path.open("r+b", buffering=0) as file:
            for number, plane in enumerate(planes):
                lines = np.ascontiguousarray(plane)
                start = (number * height + max(0, top)) * width + max(0, left)
                for row, line in enumerate(lines):
                    if os.pwrite(file.fileno(), line.data, start + row * width) < len(line):
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def read(self, rows: Span, columns: Span, wraps: bool = False) -> NDArray[np.uint8]:
        """(4, h, w) of rows that lie inside, and of columns that may not: the edge is repeated.

        Parameters
        ----------
        wraps : bool
            The canvas goes round the planet: beyond the last column comes the first.
        """
        planes = np.memmap(self.path, np.uint8, "r", shape=self.shape)
        part = slice(rows[0] - self.rows[0], rows[1] - self.rows[0])
        pieces = _pieces((columns[0] - self.columns[0], columns[1] - self.columns[0]), self.shape[2], wraps)
        return np.concatenate([np.repeat(planes[:, part, a:b], times, axis=2) for a, b, times in pieces], axis=2)


def _pieces(columns: Span, count: int, wraps: bool) -> Iterator[tuple[int, int, int]]:
    """First and last-plus-one column of unbroken pieces, and how often each column is repeated."""
    first, last = columns
    if not wraps:
        if first < 0:
            yield 0, 1, min(last, 0) - first
        if max(0, first) < min(last, count):
            yield max(0, first), min(last, count), 1
        if last > count:
            yield count - 1, count, last - max(first, count)
        return
    while first < last:
        start = first % count
        stop = min(count, start + last - first)
        yield start, stop, 1
        first += stop - start


@dataclass(frozen=True)
class Checkpoint:
    """The folder of an unfinished mosaic."""

    folder: Path

    def canvas(self, number: int, rows: Span, columns: Span) -> StripBuffer:
        """Where a strip's picture lies, drawn or not."""
        return StripBuffer(rows, columns, self.folder / f"strip-{number:03d}.bytes")

    def draw(self, canvas: StripBuffer, fill: Callable[[StripBuffer], None]) -> None:
        """Have a canvas filled, unless it was before."""
        if is_drawn(canvas):
            return
        with atomic_write(canvas.path) as temporary:
            blank = StripBuffer(canvas.rows, canvas.columns, temporary)
            blank.create()
            fill(blank)


def is_drawn(canvas: StripBuffer) -> bool:
    """Whether all pixels of a strip are written."""
    return canvas.path.is_file() and canvas.path.stat().st_size == canvas.size_bytes


@contextmanager
def open_checkpoint(
    output: Path, identity: Mapping[str, Any], resume: bool | None, part: Part | None = None
) -> Iterator[Checkpoint]:
    """Open the strips of an unfinished mosaic; they go when the block ends, and stay when it is left by an error.

    Nothing stays of what was refused before a strip was drawn. The strips of a part lie in a folder of their own and
    stay, until the whole mosaic is opened and takes them over.

    Parameters
    ----------
    output : Path
        The mosaic.
    identity : mapping
        What the strips depend on; those drawn for anything else are dropped.
    resume : bool or None
        None: go on where it is possible. True: refuse where it is not. False: start afresh.
    part : Part, optional
        Only this part of the strips will be drawn.

    Raises
    ------
    InputError, ConfigError
        `resume`, and there is nothing to go on from, or it was drawn for something else.
    ResourceError
        Another process draws the same mosaic.
    """
    folder = output.with_name(f".{output.stem}.strips" + (f"-{part.number}-of-{part.count}" if part else ""))
    text = json.dumps(identity, sort_keys=True)
    record = folder / "identity.json"
    parts = [] if part else sorted(output.parent.glob(f"{escape(folder.name)}-*-of-*"))
    if resume and not (record.is_file() or parts):
        raise InputError(f"{output} has no unfinished drawing to resume: leave out --resume to start")
    make_folder(folder)
    with _locked(folder, output):
        old = record.read_text() if record.is_file() else text
        if old != text and resume:
            raise ConfigError(
                f"{output} was begun with other {', '.join(_changed(json.loads(old), identity))}: set them back, or "
                "leave out --resume to start afresh"
            )
        if old != text or resume is False:
            _clear(folder)
        remove_stale(folder)
        write_text(record, text)
        for other in parts:
            _take_over(other, folder, output, resume is not False and text)
        try:
            yield Checkpoint(folder)
        except InputError as error:
            if any(folder.glob("strip-*.bytes")) and not isinstance(error, NothingVisible):
                raise
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if part is None:
            shutil.rmtree(folder, ignore_errors=True)


def _take_over(part: Path, folder: Path, output: Path, identity: str | Literal[False]) -> None:
    """Move the strips of a part where the whole mosaic looks for its own; drop them where they are of another."""
    with _locked(part, output):
        record = part / "identity.json"
        if record.is_file() and record.read_text() == identity:
            for strip in part.glob("strip-*.bytes"):
                strip.replace(folder / strip.name)
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _locked(folder: Path, output: Path) -> Iterator[None]:
    """Hold a folder; the lock goes with the process that holds it, however that ends."""

    def refuse(holder: str) -> None:
        raise ResourceError(f"{output} is being drawn by {holder}: wait for it, or end it")

    with exclusive(folder / "lock", refuse):
        yield


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != "lock":
            remove_file(path)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]


def file_version(path: Path) -> list[Any]:
    """Identify a file as it is now: its size and the second of its last change; its digest where it is small.

    Machines that share a file system may see different fractions of that second.
    """
    state = path.stat()
    if state.st_size > 100_000_000:
        return [state.st_size, int(state.st_mtime)]
    return [state.st_size, sha256_of(path)]

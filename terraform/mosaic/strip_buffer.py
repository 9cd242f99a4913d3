"""A drawn strip on disk: four planes of bytes, written window by window and read stripe by stripe.

The file is mapped only while a stripe is copied, so that a strip of half a gigabyte costs no memory.
"""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terraform.mosaic.patch import Block

Span = tuple[int, int]

PLANES = 4
"""Red, green, blue, and 1 where there was no relief: where there is relief everywhere, the last stays a hole."""


@dataclass(frozen=True)
class Canvas:
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
        return PLANES, self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]

    @property
    def size_bytes(self) -> int:
        planes, height, width = self.shape
        return planes * height * width

    def blank(self) -> None:
        """Make the file, all void of colour."""
        with self.path.open("wb") as file:
            file.truncate(self.size_bytes)

    def put(self, block: Block) -> None:
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

    def read(self, rows: Span, columns: Span, closes: bool = False) -> NDArray[np.uint8]:
        """(4, h, w) of rows that lie inside, and of columns that may not: the edge is repeated.

        Parameters
        ----------
        closes : bool
            The canvas goes round the planet: beyond the last column comes the first.
        """
        planes = np.memmap(self.path, np.uint8, "r", shape=self.shape)
        part = slice(rows[0] - self.rows[0], rows[1] - self.rows[0])
        pieces = _pieces((columns[0] - self.columns[0], columns[1] - self.columns[0]), self.shape[2], closes)
        return np.concatenate([np.repeat(planes[:, part, a:b], times, axis=2) for a, b, times in pieces], axis=2)


def _pieces(columns: Span, count: int, closes: bool) -> Iterator[tuple[int, int, int]]:
    """First and last-plus-one column of unbroken pieces, and how often each column is repeated."""
    first, last = columns
    if not closes:
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

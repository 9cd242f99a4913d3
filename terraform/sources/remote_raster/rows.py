"""Uncompressed rasters read row by row: of each row only the columns of a window, many requests at a time.

GDAL fetches whole rows of such a file, 109 MB for 512 rows of the HRSC-MOLA blend however narrow the window. S3 serves
one range a request, so that a window is one small request a row; where it is nearly as wide as the raster, its rows are
fetched together.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.sources.remote.ranges import Span
from terraform.sources.remote_raster.file import RemoteFile

Cell = tuple[int, int]

CELL_ROWS, CELL_COLUMNS = 128, 256
"""Pixels of an entry of the cache: a window is rounded up to whole ones."""

_TOGETHER = 0.8
_MOST_PER_REQUEST = 1 << 20


class RowStripedRaster:
    """A raster whose rows are in a remote file as they are, uncompressed.

    Parameters
    ----------
    file : RemoteFile
    height, width : int
    dtype : str
        With the byte order of the file.
    starts : callable
        (first row, last row) to the first byte of each of these rows, (n,) int64.
    """

    def __init__(
        self, file: RemoteFile, height: int, width: int, dtype: str, starts: Callable[[int, int], NDArray[np.int64]]
    ) -> None:
        self.file, self.height, self.width, self.dtype = file, height, width, np.dtype(dtype)
        self._starts = starts
        self._used: set[Cell] = set()

    def cells(self, rows: Span, columns: Span) -> list[Cell]:
        """List the entries that a window touches; its columns may lie beyond the edges."""
        across = -(-self.width // CELL_COLUMNS)
        down = range(max(0, rows[0]) // CELL_ROWS, -(-min(rows[1], self.height) // CELL_ROWS))
        if columns[1] - columns[0] >= self.width:
            return [(y, x) for y in down for x in range(across)]
        wide = dict.fromkeys(
            x
            for left, right in _unrolled(columns, self.width)
            for x in range(left // CELL_COLUMNS, -(-right // CELL_COLUMNS))
        )
        return [(y, x) for y in down for x in sorted(wide)]

    def missing(self, cells: Iterable[Cell]) -> list[Cell]:
        """Those that the cache does not hold."""
        return [cell for cell in cells if not self.file.store.cache.has(self.file.name, _key(cell))]

    def bytes_of(self, cells: Iterable[Cell]) -> int:
        """Their bytes in the file."""
        return sum((b - a) * (d - c) * self.dtype.itemsize for (a, b), (c, d) in map(self._area, cells))

    def requests(self, cells: Sequence[Cell]) -> int:
        """Count the requests that bring them."""
        return sum(len(self._ranges(y, x)) for y, x in self._bands(cells))

    def fetch(self, cells: Sequence[Cell]) -> None:
        """Fetch entries, each kept as soon as its rows are there; until then its rows are."""
        for y, columns in self._bands(cells):
            self._fetch_band(y, columns)

    def read(self, rows: Span, columns: Span) -> NDArray[Any]:
        """Read the pixels of a window inside the raster, (H, W). What the cache lacks is fetched."""
        result = np.empty((rows[1] - rows[0], columns[1] - columns[0]), self.dtype.newbyteorder("="))
        for cell in self.cells(rows, columns):
            (top, bottom), (left, right) = self._area(cell)
            y = slice(max(top, rows[0]), min(bottom, rows[1]))
            x = slice(max(left, columns[0]), min(right, columns[1]))
            part = self._cell(cell)[y.start - top : y.stop - top, x.start - left : x.stop - left]
            result[y.start - rows[0] : y.stop - rows[0], x.start - columns[0] : x.stop - columns[0]] = part
        return result

    def provenance_record(self) -> dict[str, Any]:
        """Write its provenance record: the digest is that of the digests of the entries that were used."""
        used = [(self.file.name, _key(cell)) for cell in sorted(self._used)]
        return self.file.provenance_record() | {"cells": len(used), "sha256": self.file.store.cache.digest(used)}

    def _cell(self, cell: Cell) -> NDArray[Any]:
        cache = self.file.store.cache
        stored = cache.read(self.file.name, _key(cell))
        if stored is None:
            self.fetch([cell])
            stored = cache.require(self.file.name, _key(cell))
        self._used.add(cell)
        (top, bottom), (left, right) = self._area(cell)
        return np.frombuffer(stored, self.dtype).reshape(bottom - top, right - left)

    def _area(self, cell: Cell) -> tuple[Span, Span]:
        top, left = cell[0] * CELL_ROWS, cell[1] * CELL_COLUMNS
        return (top, min(top + CELL_ROWS, self.height)), (left, min(left + CELL_COLUMNS, self.width))

    def _bands(self, cells: Sequence[Cell]) -> list[tuple[int, Span]]:
        """Entries side by side as one: the row of entries, and its first and last-plus-one column of pixels."""
        bands: list[tuple[int, list[int]]] = []
        for y, x in sorted(cells):
            if bands and bands[-1][0] == y and bands[-1][1][-1] + 1 == x:
                bands[-1][1].append(x)
            else:
                bands.append((y, [x]))
        return [(y, (x[0] * CELL_COLUMNS, min((x[-1] + 1) * CELL_COLUMNS, self.width))) for y, x in bands]

    def _ranges(self, y: int, columns: Span) -> list[Span]:
        """Rows of a band by request: one each, or several together where the band is nearly as wide as the raster."""
        top, bottom = y * CELL_ROWS, min((y + 1) * CELL_ROWS, self.height)
        if columns[1] - columns[0] < _TOGETHER * self.width:
            return [(row, row + 1) for row in range(top, bottom)]
        step = max(1, _MOST_PER_REQUEST // (self.width * self.dtype.itemsize))
        return [(row, min(row + step, bottom)) for row in range(top, bottom, step)]

    def _fetch_band(self, y: int, columns: Span) -> None:
        top, bottom = y * CELL_ROWS, min((y + 1) * CELL_ROWS, self.height)
        starts = self._starts(top, bottom)
        size, (left, right) = self.dtype.itemsize, columns

        def rows(span: Span) -> NDArray[Any]:
            # Rows that follow each other in the file come with what lies between their columns.
            first, last = int(starts[span[0] - top]), int(starts[span[1] - 1 - top])
            pitch = (last - first) // max(1, span[1] - 1 - span[0])
            start, length = first + left * size, last - first + (right - left) * size
            content = self.file.get_cached(start, length, _row(span[0], columns))
            lines = [content[i * pitch : i * pitch + (right - left) * size] for i in range(span[1] - span[0])]
            return np.stack([np.frombuffer(line, self.dtype) for line in lines])

        ranges, store = self._ranges(y, columns), self.file.store
        # Joining arrays makes them native; the cache keeps the byte order of the file.
        band = np.concatenate(store.map(rows, ranges)).astype(self.dtype)
        for x in range(left, right, CELL_COLUMNS):
            cell = band[:, x - left : min(x + CELL_COLUMNS, right) - left]
            store.cache.write(cell.tobytes(), self.file.name, _key((y, x // CELL_COLUMNS)))
        for first, _ in ranges:
            store.cache.drop(self.file.name, _row(first, columns))

    @cached_property
    def bytes(self) -> int:
        """Bytes of all pixels."""
        return self.height * self.width * self.dtype.itemsize


def contiguous(start: int, width: int, itemsize: int) -> Callable[[int, int], NDArray[np.int64]]:
    """Where rows begin that follow each other from a byte on."""
    return lambda first, last: start + np.arange(first, last, dtype=np.int64) * width * itemsize


def _unrolled(columns: Span, width: int) -> list[Span]:
    """Map columns that may lie beyond the edges of a raster that wraps around the planet to columns within it."""
    parts, (left, right) = [], columns
    while left < right:
        start = left % width
        count = min(width - start, right - left)
        parts.append((start, start + count))
        left += count
    return parts


def _key(cell: Cell) -> str:
    return f"{cell[0]}-{cell[1]}"


def _row(first: int, columns: Span) -> str:
    return f"row-{first}-{columns[0]}-{columns[1]}"

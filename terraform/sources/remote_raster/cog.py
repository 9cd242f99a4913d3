"""A cloud-optimised TIFF read by our own ranges: only the blocks that a window touches, each checked, each kept.

GDAL's own way (/vsicurl) was left for three reasons: it returns a damaged deflate block as numbers without an error, it
multiplies retries and ignores Retry-After, and its cache lives in one process.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.errors import IntegrityError
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.ranges import Span
from terraform.sources.remote.response import TIFF
from terraform.sources.remote.store import RemoteStore
from terraform.sources.remote_raster.blocks import Damaged, check
from terraform.sources.remote_raster.file import RemoteFile, runs
from terraform.sources.remote_raster.tiff import HEAD_BYTES, RangedTiff, TiffLayout

_MOST_PER_REQUEST = 8 << 20
_GAP = 4096
_ATTEMPTS = 3


class Cog:
    """A single-band TIFF of a store.

    Parameters
    ----------
    store : RemoteStore
    path : str
        Below the base URL.
    name : str
        Its folder in the cache.
    """

    def __init__(self, store: RemoteStore, path: str, name: str) -> None:
        self.file = RemoteFile(store, path, name, TIFF, HEAD_BYTES)
        self._used: set[int] = set()

    @cached_property
    def tiff(self) -> RangedTiff:
        """Its directory and blocks. Fetches its head where the cache has none."""
        return RangedTiff(self.file.bytes_at, self.file.head.version.size, redact_url(self.file.url))

    @property
    def layout(self) -> TiffLayout:
        """How its pixels are kept."""
        return self.tiff.layout

    def blocks(self, rows: Span, columns: Span) -> list[int]:
        """List the blocks that a window touches, row by row."""
        made = self.layout
        down = range(rows[0] // made.block_height, -(-rows[1] // made.block_height))
        across = range(columns[0] // made.block_width, -(-columns[1] // made.block_width))
        return [y * made.across + x for y in down for x in across]

    def missing(self, blocks: Sequence[int]) -> list[int]:
        """Those that the cache does not hold; blocks that the file leaves out need no fetching."""
        cache = self.file.store.cache
        return [
            number
            for number, (_, size) in zip(blocks, self._located(blocks), strict=True)
            if size and not cache.has(self.file.name, str(number))
        ]

    def requests(self, blocks: Sequence[int]) -> list[list[int]]:
        """Blocks grouped into the requests that bring them."""
        spans = self._spans(blocks)
        return runs(blocks, spans.__getitem__, _MOST_PER_REQUEST, _GAP)

    def size_of(self, blocks: Sequence[int]) -> int:
        """Their bytes in the file."""
        return sum(size for _, size in self._located(blocks))

    def fetch(self, run: Sequence[int]) -> None:
        """Fetch blocks that lie side by side with one request; each is checked and kept as soon as it is there.

        Raises
        ------
        IntegrityError
            A block is damaged, several times in a row; or the file has changed.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                spans = self._spans(self.missing(run))
                return self.file.fetch({str(number): span for number, span in spans.items()}, self._check)
            except Damaged:
                if attempt == _ATTEMPTS:
                    raise

    def read(self, rows: Span, columns: Span, block_cache: "BlockCache") -> NDArray[Any]:
        """Read the pixels of a window, (H, W). What the cache lacks is fetched."""
        made = self.layout
        result = np.empty((rows[1] - rows[0], columns[1] - columns[0]), np.dtype(made.dtype).newbyteorder("="))
        for number in self.blocks(rows, columns):
            y, x = divmod(number, made.across)
            _put(
                result,
                block_cache.get(self, number),
                (y * made.block_height - rows[0], x * made.block_width - columns[0]),
            )
        return result

    def block(self, number: int) -> NDArray[Any]:
        """Read the pixels of a block, (h, w)."""
        [(_, size)] = self._located([number])
        return self.tiff.decode(number, self._packed(number) if size else b"")

    def _packed(self, number: int) -> bytes:
        cache = self.file.store.cache
        self._used.add(number)
        found = cache.read(self.file.name, str(number))
        if found is None:
            self.fetch([number])
            found = cache.require(self.file.name, str(number))
        return found

    def provenance_record(self) -> dict[str, Any]:
        """Write its provenance record: the digest is that of the digests of the blocks that were used."""
        used = [(self.file.name, str(number)) for number in sorted(self._used)]
        return self.file.provenance_record() | {"blocks": len(used), "sha256": self.file.store.cache.digest(used)}

    def _check(self, number: str, packed: bytes) -> None:
        check(packed, self.layout, int(number), self._name(int(number)))

    def _name(self, number: int) -> str:
        return f"block {number} of {redact_url(self.file.url)}"

    def _spans(self, numbers: Sequence[int]) -> dict[int, Span]:
        located = zip(numbers, self._located(numbers), strict=True)
        return {number: (start, start + size) for number, (start, size) in located}

    def _located(self, numbers: Sequence[int]) -> list[tuple[int, int]]:
        """First byte and size of blocks, as far as they can be true."""
        most, end = 2 * self.layout.block_bytes + 65_536, self.file.head.version.size
        found = self.tiff.locate(numbers)
        for number, (start, size) in zip(numbers, found, strict=True):
            if size > most or start + size > end > 0:
                raise IntegrityError(
                    f"{self._name(number)} claims bytes {start} to {start + size}: its index is damaged"
                )
        return found


def _put(result: NDArray[Any], block: NDArray[Any], at: tuple[int, int]) -> None:
    """Write the part of a block that lies within a window."""
    (top, left), (height, width) = at, result.shape
    rows = slice(max(0, -top), min(block.shape[0], height - top))
    columns = slice(max(0, -left), min(block.shape[1], width - left))
    result[rows.start + top : rows.stop + top, columns.start + left : columns.stop + left] = block[rows, columns]


class BlockCache:
    """The blocks that were unpacked last: a region is drawn in strips, and a block serves several."""

    def __init__(self, most_bytes: int = 256 << 20) -> None:
        self._most, self._bytes = most_bytes, 0
        self._blocks: OrderedDict[tuple[str, int], NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, cog: Cog, number: int) -> NDArray[Any]:
        """Get a block, unpacked at most once while it is held."""
        key = (cog.file.path, number)
        with self._lock:
            if key in self._blocks:
                self._blocks.move_to_end(key)
                return self._blocks[key]
        block = cog.block(number)
        with self._lock:
            self._blocks[key] = block
            self._bytes += block.nbytes
            while self._bytes > self._most and len(self._blocks) > 1:
                self._bytes -= self._blocks.popitem(last=False)[1].nbytes
        return block


def fetch_all(store: RemoteStore, wanted: Sequence[tuple[Cog, Sequence[int]]]) -> None:
    """Fetch all blocks that the cache lacks, of all files side by side."""
    tasks = [(cog, run) for cog, blocks in wanted for run in cog.requests(cog.missing(blocks))]
    store.map(lambda task: task[0].fetch(task[1]), tasks)

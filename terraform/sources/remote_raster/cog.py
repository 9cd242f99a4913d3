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
from terraform.sources.remote.access import redact_url
from terraform.sources.remote.content import TIFF
from terraform.sources.remote.ranges import Span
from terraform.sources.remote.store import RemoteStore
from terraform.sources.remote_raster.blocks import Damaged, check, unpacked
from terraform.sources.remote_raster.file import RemoteFile, runs
from terraform.sources.remote_raster.tiff import HEAD_BYTES, Layout, layout, values

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
    def layout(self) -> Layout:
        """How its pixels are kept. Fetches its head where the cache has none."""
        return layout(self.file.bytes_at, redact_url(self.file.url))

    def blocks(self, rows: Span, columns: Span) -> list[int]:
        """The blocks that a window touches, row by row."""
        made = self.layout
        down = range(rows[0] // made.block_height, -(-rows[1] // made.block_height))
        across = range(columns[0] // made.block_width, -(-columns[1] // made.block_width))
        return [y * made.across + x for y in down for x in across]

    def missing(self, blocks: Sequence[int]) -> list[int]:
        """Those that the cache does not hold; blocks that the file leaves out need no fetching."""
        cache = self.file.store.cache
        return [n for n in blocks if self._bytes(n)[1] and not cache.has(self.file.name, str(n))]

    def requests(self, blocks: Sequence[int]) -> list[list[int]]:
        """Blocks grouped into the requests that bring them."""
        return runs(blocks, self._span, _MOST_PER_REQUEST, _GAP)

    def size_of(self, blocks: Sequence[int]) -> int:
        """Their bytes in the file."""
        return sum(self._bytes(number)[1] for number in blocks)

    def fetch(self, run: Sequence[int]) -> None:
        """Fetch blocks that lie side by side with one request; each is checked and kept as soon as it is there.

        Raises
        ------
        IntegrityError
            A block is damaged, several times in a row; or the file has changed.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self.file.fetch({str(n): self._span(n) for n in self.missing(run)}, self._check)
            except Damaged:
                if attempt == _ATTEMPTS:
                    raise

    def read(self, rows: Span, columns: Span, block_cache: "BlockCache") -> NDArray[Any]:
        """The pixels of a window, (H, W). What the cache lacks is fetched."""
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
        """The pixels of a block."""
        packed = self._packed(number) if self._bytes(number)[1] else b""
        return unpacked(packed, self.layout, number, self._name(number))

    def _packed(self, number: int) -> bytes:
        cache = self.file.store.cache
        self._used.add(number)
        found = cache.read(self.file.name, str(number))
        if found is None:
            self.fetch([number])
            found = cache.require(self.file.name, str(number))
        return found

    def provenance_record(self) -> dict[str, Any]:
        """What is told of it in the provenance: the digest is that of the digests of the blocks that were used."""
        used = [(self.file.name, str(number)) for number in sorted(self._used)]
        return self.file.provenance_record() | {"blocks": len(used), "sha256": self.file.store.cache.digest(used)}

    def _check(self, number: str, packed: bytes) -> None:
        check(packed, self.layout, int(number), self._name(int(number)))

    def _name(self, number: int) -> str:
        return f"block {number} of {redact_url(self.file.url)}"

    def _span(self, number: int) -> Span:
        start, size = self._bytes(number)
        return start, start + size

    def _bytes(self, number: int) -> tuple[int, int]:
        offsets, counts = self._index
        start, size = int(offsets[number]), int(counts[number])
        if size > 2 * self.layout.block_bytes + 65_536 or start + size > self.file.head.version.size > 0:
            raise IntegrityError(f"{self._name(number)} claims bytes {start} to {start + size}: its index is damaged")
        return start, size

    @cached_property
    def _index(self) -> tuple[NDArray[Any], NDArray[Any]]:
        made = self.layout
        return values(self.file.bytes_at, made.offsets), values(self.file.bytes_at, made.counts)


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
        """A block, unpacked at most once while it is held."""
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

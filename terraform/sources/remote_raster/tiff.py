"""A TIFF read in parts over the network: GDAL parses its directory and decodes its blocks, every byte comes from us.

A dataset is opened again for each question. GDAL then asks for some ten short reads, which the head holds, and nothing
is shared between threads: rasterio's openers cannot be closed in another thread than the one that opened them.
"""

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.transform import Affine
from rasterio.windows import Window

from terraform.errors import InputError
from terraform.geo.raster import opened_by
from terraform.sources.remote_raster.blocks import Damaged

Read = Callable[[int, int], bytes]
"""(start, length) to the bytes there; fewer where the file ends."""

HEAD_BYTES = 16_384
"""What is read first: it holds the directory of nearly every cloud-optimised TIFF."""

_MOST_READ = 4 << 20
_MOST_BLOCKS = 4_000_000
_MOST_PIXELS = 20_000_000_000
_LARGEST_BLOCK = 1 << 28
_BLOCK_OFFSETS = {273, 324}


@dataclass(frozen=True)
class TiffLayout:
    """How a TIFF keeps the pixels of its one band.

    Attributes
    ----------
    width, height : int
        Pixels.
    dtype : str
        With the file's byte order, such as "<i2".
    block_width, block_height : int
        Tiles, or strips as wide as the raster, pixels.
    tiled : bool
        Its blocks are tiles, all of one size; the last strip ends with the raster.
    compression : str
        As GDAL names it: "NONE", "DEFLATE", "LZW", ...
    transform : Affine
        From pixel corners to the CRS.
    crs : rasterio CRS or None
        None where the file names none.
    nodata : float or None
    """

    width: int
    height: int
    dtype: str
    block_width: int
    block_height: int
    tiled: bool
    compression: str
    transform: Affine
    crs: CRS | None
    nodata: float | None

    @property
    def across(self) -> int:
        """Blocks in a row of blocks."""
        return -(-self.width // self.block_width)

    @property
    def down(self) -> int:
        """Rows of blocks."""
        return -(-self.height // self.block_height)

    def shape(self, number: int) -> tuple[int, int]:
        """Rows and columns of a block as it is packed, `number` counted row by row."""
        if self.tiled:
            return self.block_height, self.block_width
        return min(self.block_height, self.height - number * self.block_height), self.block_width

    def window(self, number: int) -> Window:
        """Find the part of the raster that a block covers."""
        y, x = divmod(number, self.across)
        top, left = y * self.block_height, x * self.block_width
        return Window(left, top, min(self.block_width, self.width - left), min(self.block_height, self.height - top))

    @property
    def block_bytes(self) -> int:
        """Bytes of an unpacked block."""
        return self.block_width * self.block_height * np.dtype(self.dtype).itemsize


class RangedTiff:
    """A single-band TIFF whose bytes a function gives.

    Parameters
    ----------
    read : callable
        Gives bytes of the file.
    size : int
        Bytes of the whole file; 0 where it is not known.
    name : str
        For messages.
    """

    def __init__(self, read: Read, size: int, name: str) -> None:
        self._read, self._size, self._name = read, size, name
        self._located: dict[int, tuple[int, int]] = {}

    @cached_property
    def layout(self) -> TiffLayout:
        """Read the directory.

        Raises
        ------
        InputError
            It is no TIFF, is larger than any that is known here, or of a form that is not read.
        """
        try:
            with self._open() as dataset:
                made = self._described(dataset)
                self._check(made, dataset)
        except (RasterioError, struct.error) as error:
            raise self._wrong(str(error)) from None
        return made

    def locate(self, numbers: Sequence[int]) -> list[tuple[int, int]]:
        """Find the first byte and the size of blocks; (0, 0) of those that the file leaves out.

        Only the parts of the directory that tell of them are read.
        """
        missing = [number for number in numbers if number not in self._located]
        if missing:
            across = self.layout.across
            with self._open() as dataset:
                for number in missing:
                    y, x = divmod(number, across)
                    pair = (dataset.get_tag_item(f"BLOCK_{key}_{x}_{y}", "TIFF", bidx=1) for key in ("OFFSET", "SIZE"))
                    start, size = (int(text or 0) for text in pair)
                    self._located[number] = start, size
        return [self._located[number] for number in numbers]

    def decode(self, number: int, packed: bytes) -> NDArray[Any]:
        """Unpack a block.

        Parameters
        ----------
        number : int
            Which block, row by row.
        packed : bytes
            As in the file, `blocks.check`ed; nothing where the file leaves the block out.

        Returns
        -------
        (rows, columns) of the file's dtype, in this machine's byte order
            The part of the block inside the raster.

        Raises
        ------
        Damaged
            GDAL cannot decode it.
        """
        made = self.layout
        window = made.window(number)
        if not packed:
            shape = int(window.height), int(window.width)
            return np.full(shape, made.nodata or 0, np.dtype(made.dtype).newbyteorder("="))
        start, _ = self.locate([number])[0]
        try:
            with self._open((start, packed)) as dataset:
                values: NDArray[Any] = dataset.read(1, window=window)
        except RasterioError as error:
            raise Damaged(f"block {number} of {self._name} is damaged ({error.__cause__ or error})") from None
        return values

    @contextmanager
    def _open(self, block: tuple[int, bytes] = (0, b"")) -> Iterator[Any]:
        # What goes wrong while GDAL reads cannot pass through it.
        errors: list[Exception] = []

        def handle(path: str, mode: str = "rb") -> _Handle:
            return _Handle(self._read, self._size, block, errors)

        try:
            with opened_by(handle) as dataset:
                yield dataset
        except RasterioError:
            if errors:
                raise errors[0] from None
            raise

    def _described(self, dataset: Any) -> TiffLayout:
        if dataset.count != 1:
            raise self._wrong(f"it has {dataset.count} bands, one is expected")
        bits = dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS")
        if bits is not None or np.dtype(dataset.dtypes[0]).kind not in "iuf":
            raise self._wrong(f"its samples have {bits or dataset.dtypes[0]} bits")
        order = "<" if self._read(0, 2) == b"II" else ">"
        dtype = np.dtype(dataset.dtypes[0])
        rows, columns = dataset.block_shapes[0]
        compression = dataset.tags(ns="IMAGE_STRUCTURE").get("COMPRESSION", "NONE")
        return TiffLayout(
            dataset.width, dataset.height, f"{order}{dtype.kind}{dtype.itemsize}", columns, rows,
            columns != dataset.width or bool(dataset.profile["tiled"]), compression, dataset.transform, dataset.crs,
            dataset.nodata,
        )  # fmt: skip

    def _check(self, made: TiffLayout, dataset: Any) -> None:
        if made.width * made.height > _MOST_PIXELS or made.block_bytes > _LARGEST_BLOCK:
            raise self._wrong(
                f"it says to have {made.width} x {made.height} pixels in blocks of {made.block_bytes} bytes"
            )
        if made.transform.is_identity:
            raise self._wrong("it has no georeference")
        blocks, listed = made.across * made.down, self._blocks_listed()
        # GDAL takes blocks beyond the end of the list for left out; of one long strip it makes several.
        last = dataset.get_tag_item(f"BLOCK_OFFSET_{made.across - 1}_{made.down - 1}", "TIFF", bidx=1)
        if blocks > _MOST_BLOCKS or listed > blocks or (listed < blocks and not last):
            raise self._wrong(f"it lists {listed} blocks, its size needs {blocks}")

    def _blocks_listed(self) -> int:
        """How many offsets of blocks the first directory has (TIFF 6.0, section 2; BigTIFF)."""
        head = self._read(0, 16)
        order, big = "<" if head[:2] == b"II" else ">", head[2:4] in (b"+\0", b"\0+")
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
        (entries,) = struct.unpack(order + ("Q" if big else "H"), self._read(at, 8 if big else 2))
        form, start = (order + "HHQQ", at + 8) if big else (order + "HHII", at + 2)
        step = struct.calcsize(form)
        directory = self._read(start, min(entries, 200) * step)
        counts = (count for tag, _, count, _ in struct.iter_unpack(form, directory) if tag in _BLOCK_OFFSETS)
        return int(next(counts, 0))

    def _wrong(self, what: str) -> InputError:
        return InputError(f"{self._name} is not a TIFF that can be read in parts: {what}; look at it with gdalinfo")


class _Handle(io.RawIOBase):
    """A file as GDAL reads it: bytes of a block that is at hand, all others from the function."""

    def __init__(self, read: Read, size: int, block: tuple[int, bytes], errors: list[Exception]) -> None:
        self._bytes, self._size, self._block, self._errors = read, size, block, errors
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        try:
            found = self._found(size)
        except Exception as error:
            self._errors.append(error)
            found = b""
        self._at += len(found)
        return found

    def _found(self, size: int) -> bytes:
        start, content = self._block
        if 0 <= self._at - start < len(content):
            return content[self._at - start :][:size]
        if not 0 <= size <= _MOST_READ:
            raise InputError(f"a TIFF's directory claims {size} bytes from byte {self._at}: it is damaged")
        return self._bytes(self._at, size)

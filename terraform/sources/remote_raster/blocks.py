"""Unpacking one block of a TIFF, and believing it only when it is whole.

GDAL returns whatever it made of a damaged deflate stream, without an error. A zlib stream ends with a checksum of its
content (RFC 1950, Adler-32), so each is unpacked here first; GDAL then does what it does well: codecs and predictors.
"""

import struct
import zlib
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

from terraform.errors import IntegrityError
from terraform.geo.raster import quiet_gdal
from terraform.sources.remote_raster.tiff import Layout

_NONE, _DEFLATE = 1, (8, 32946)
_KNOWN = {1: "none", 5: "LZW", 8: "deflate", 32946: "deflate", 50000: "ZSTD"}


class Damaged(IntegrityError):
    """Another attempt may bring it whole."""


def unpacked(packed: bytes, of: Layout, index: int, name: str) -> NDArray[Any]:
    """The pixels of a block, (rows, columns) in this machine's byte order.

    Parameters
    ----------
    packed : bytes
        As in the file; nothing where the file leaves the block out.
    of : Layout
        Of the file.
    index : int
        Which block, row by row.
    name : str
        For messages.

    Raises
    ------
    Damaged
        It is.
    """
    shape, native = of.shape(index), np.dtype(of.dtype).newbyteorder("=")
    if not packed:
        return np.full(shape, of.nodata or 0, native)
    check(packed, of, index, name)
    if of.compression == _NONE:
        return np.frombuffer(packed, of.dtype).astype(native).reshape(shape)
    return _decoded(packed, of, shape, name)


def check(packed: bytes, of: Layout, index: int, name: str) -> None:
    """Refuse a block that is damaged, as far as its codec tells.

    Raises
    ------
    Damaged
        It is.
    IntegrityError
        It is packed in a way that is not read.
    """
    if of.compression not in _KNOWN:
        raise IntegrityError(f"{name} is packed by method {of.compression}, known are {', '.join(_KNOWN.values())}")
    rows, columns = of.shape(index)
    whole = rows * columns * np.dtype(of.dtype).itemsize
    if not packed:
        return
    if of.compression == _NONE:
        _require(len(packed) == whole, name, f"it has {len(packed)} bytes of {whole}")
    elif of.compression in _DEFLATE:
        unpacker = zlib.decompressobj()
        try:
            size = len(unpacker.decompress(packed, whole + 1))
        except zlib.error as error:
            raise Damaged(f"{name} is damaged ({error})") from None
        _require(unpacker.eof and size == whole, name, f"it unpacks to {size} bytes of {whole}")


def _decoded(packed: bytes, of: Layout, shape: tuple[int, int], name: str) -> NDArray[Any]:
    try:
        with (
            rasterio.Env(**quiet_gdal()),
            MemoryFile(_small_tiff(packed, of, shape), ext=".tif") as memory,
            memory.open(driver="GTiff") as dataset,
        ):
            made: NDArray[Any] = dataset.read(1)
            return made
    except RasterioError as error:
        raise Damaged(f"{name} is damaged ({error.__cause__ or error})") from None


def _small_tiff(packed: bytes, of: Layout, shape: tuple[int, int]) -> bytes:
    """A TIFF of one strip that is this block (TIFF 6.0, section 2), for GDAL to unpack."""
    order, dtype = of.dtype[0], np.dtype(of.dtype)
    rows, columns = shape
    kind = {"u": 1, "i": 2, "f": 3}[dtype.kind]
    tags = {
        256: columns, 257: rows, 258: 8 * dtype.itemsize, 259: of.compression, 262: 1, 273: 0, 277: 1, 278: rows,
        279: len(packed), 317: of.predictor, 339: kind,
    }  # fmt: skip
    # A georeference of any kind, without which rasterio warns.
    scale, tie = struct.pack(order + "3d", 1, 2, 0), struct.pack(order + "6d", *[0] * 6)
    after = 8 + 2 + 12 * (len(tags) + 2) + 4
    tags[273] = after + len(scale) + len(tie)
    head = struct.pack(order + "2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(tags) + 2)
    entries = [struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags.items()]
    entries.append(struct.pack(order + "HHII", 33550, 12, 3, after))
    entries.append(struct.pack(order + "HHII", 33922, 12, 6, after + len(scale)))
    return head + b"".join(entries) + bytes(4) + scale + tie + packed


def _require(right: bool, name: str, kind: str) -> None:
    if not right:
        raise Damaged(f"{name} is damaged ({kind})")

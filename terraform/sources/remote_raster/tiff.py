"""The first directory of a TIFF, read through ranges (TIFF 6.0, section 2; BigTIFF; GeoTIFF 1.1 for the georeference).

tifffile would do, but it loads the arrays of strip offsets whole: 854 kB for the 53,347 strips of the HRSC-MOLA blend,
where a window needs a few of their entries. Decoding is left to GDAL.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine

from terraform.errors import InputError, IntegrityError
from terraform.geo.bodies import EARTH, Body

Read = Callable[[int, int], bytes]
"""(start, length) to the bytes there."""

HEAD_BYTES = 16_384
"""What is read first: it holds the directory of nearly every cloud-optimised TIFF."""

_TYPES = {1: "u1", 2: "S1", 3: "u2", 4: "u4", 11: "f4", 12: "f8", 13: "u4", 16: "u8"}
_KINDS = {1: "u", 2: "i", 3: "f"}
_MOST_ENTRIES = 200
_MOST_BLOCKS = 4_000_000
_MOST_PIXELS = 20_000_000_000
_LARGEST_BLOCK = 1 << 28


@dataclass(frozen=True)
class Entry:
    """Where the values of a tag stand."""

    dtype: str
    count: int
    position: int


@dataclass(frozen=True)
class Layout:
    """How a TIFF keeps its pixels.

    Attributes
    ----------
    width, height : int
    dtype : str
        With the file's byte order, such as "<i2".
    block_width, block_height : int
        Tiles, or strips as wide as the raster.
    tiled : bool
        Its blocks are tiles: all of one size. The last strip ends with the raster.
    compression, predictor : int
        As the TIFF specification counts them; 1 is none.
    transform : Affine
        From pixel corners to the CRS.
    epsg : int or None
        The CRS, where the file names it by a code.
    radius_m : float or None
        Equatorial radius of its body, where the file tells it.
    nodata : float or None
    offsets, counts : Entry
        Where each block begins, and how many bytes it has.
    """

    width: int
    height: int
    dtype: str
    block_width: int
    block_height: int
    tiled: bool
    compression: int
    predictor: int
    transform: Affine
    epsg: int | None
    radius_m: float | None
    nodata: float | None
    offsets: Entry
    counts: Entry

    @property
    def across(self) -> int:
        """Blocks in a row of blocks."""
        return -(-self.width // self.block_width)

    @property
    def down(self) -> int:
        """Rows of blocks."""
        return -(-self.height // self.block_height)

    def shape(self, index: int) -> tuple[int, int]:
        """Rows and columns of a block."""
        if self.tiled:
            return self.block_height, self.block_width
        return min(self.block_height, self.height - index * self.block_height), self.block_width

    @property
    def block_bytes(self) -> int:
        """Bytes of an unpacked block."""
        return self.block_width * self.block_height * np.dtype(self.dtype).itemsize


def layout(read: Read, name: str) -> Layout:
    """Read the first directory of a TIFF.

    Parameters
    ----------
    read : callable
        Gives bytes of the file.
    name : str
        For messages.

    Raises
    ------
    InputError
        It is no TIFF, is larger than any that is known here, or of a form that is not read.
    """
    return _Directory(read, name).layout()


def values(read: Read, entry: Entry, first: int = 0, last: int | None = None) -> NDArray[Any]:
    """The values of a tag from `first` to `last`, without reading the others."""
    last = entry.count if last is None else last
    size = np.dtype(entry.dtype).itemsize
    return np.frombuffer(read(entry.position + first * size, (last - first) * size), entry.dtype)


def check_body(made: Layout, body: Body, name: str) -> None:
    """Refuse a file that says to be of another body; one that says nothing is believed.

    Raises
    ------
    IntegrityError
    """
    # The register of EPSG holds no other body than Earth.
    radius_m = made.radius_m or (EARTH.radius_m if made.epsg else body.radius_m)
    if abs(radius_m / body.radius_m - 1) > 0.01:
        raise IntegrityError(
            f"{name} is of a body with a radius of {radius_m / 1000:.1f} km, not of {body.name} "
            f"({body.radius_m / 1000:.1f} km): base_url leads to another file"
        )


class _Directory:
    def __init__(self, read: Read, name: str) -> None:
        self._read, self._name = read, name
        head = read(0, 16)
        if head[:2] not in (b"II", b"MM") or len(head) < 16:
            raise self._wrong(f"it begins with {head[:4]!r}")
        self._order = "<" if head[:2] == b"II" else ">"
        self._big = self._number(2, "u2") == 43
        self._entries = self._all()

    def _wrong(self, kind: str) -> InputError:
        return InputError(f"{self._name} is not a TIFF that can be read in parts: {kind}; look at it with gdalinfo")

    def _number(self, position: int, kind: str) -> int:
        dtype = np.dtype(self._order + kind)
        return int(np.frombuffer(self._read(position, dtype.itemsize), dtype)[0])

    def _all(self) -> dict[int, Entry]:
        at = self._number(8, "u8") if self._big else self._number(4, "u4")
        count = self._number(at, "u8" if self._big else "u2")
        if not 0 < count <= _MOST_ENTRIES:
            raise self._wrong(f"its directory has {count} entries")
        step, start = (20, at + 8) if self._big else (12, at + 2)
        return dict(self._entry(start + i * step) for i in range(count))

    def _entry(self, at: int) -> tuple[int, Entry]:
        tag, kind = self._number(at, "u2"), self._number(at + 2, "u2")
        count = self._number(at + 4, "u8" if self._big else "u4")
        dtype = self._order + _TYPES.get(kind, "u1") if kind != 2 else "S1"
        inline, place = (8, at + 12) if self._big else (4, at + 8)
        if np.dtype(dtype).itemsize * count > inline:
            place = self._number(place, "u8" if self._big else "u4")
        return tag, Entry(dtype, count, place)

    def _values(self, tag: int) -> NDArray[Any]:
        if self._entries[tag].count > 4096:
            raise self._wrong(f"tag {tag} has {self._entries[tag].count} values")
        return values(self._read, self._entries[tag])

    def _one(self, tag: int, default: int | None = None) -> int:
        if tag not in self._entries:
            if default is None:
                raise self._wrong(f"tag {tag} is missing")
            return default
        given = self._values(tag)
        if not (given == given[0]).all():
            raise self._wrong(f"tag {tag} differs from band to band: {given}")
        return int(given[0])

    def layout(self) -> Layout:
        width, height = self._one(256), self._one(257)
        if self._one(277, 1) != 1:
            raise self._wrong(f"it has {self._one(277, 1)} bands, one is expected")
        tiled = 322 in self._entries
        block = (self._one(322), self._one(323)) if tiled else (width, min(height, self._one(278, height)))
        made = Layout(
            width, height, self._dtype(), *block, tiled, self._one(259, 1), self._one(317, 1), self._transform(),
            self._epsg(), self._radius_m(), self._nodata(), self._entries[324 if tiled else 273],
            self._entries[325 if tiled else 279],
        )  # fmt: skip
        self._check(made)
        return made

    def _check(self, made: Layout) -> None:
        if min(made.width, made.height, made.block_width, made.block_height) < 1:
            raise self._wrong("it has no pixels")
        if made.width * made.height > _MOST_PIXELS or made.block_bytes > _LARGEST_BLOCK:
            raise self._wrong(
                f"it says to have {made.width} x {made.height} pixels in blocks of {made.block_bytes} bytes"
            )
        blocks = made.across * made.down
        if not blocks == made.offsets.count == made.counts.count <= _MOST_BLOCKS:
            raise self._wrong(f"it has {made.offsets.count} blocks, its size needs {blocks}")

    def _dtype(self) -> str:
        bits, kind = self._one(258, 1), _KINDS.get(self._one(339, 1))
        if kind is None or bits not in (8, 16, 32, 64):
            raise self._wrong(f"its samples have {bits} bits")
        return f"{self._order}{kind}{bits // 8}"

    def _transform(self) -> Affine:
        if not {33550, 33922} <= set(self._entries):
            raise self._wrong("it has no georeference")
        (dx, dy, _), tie = self._values(33550), self._values(33922)
        # A tie point is a pixel's corner, or its centre where the raster is of points (GeoTIFF 1.1, B.6).
        half = 0.5 if self._geo_keys().get(1025) == 2 else 0.0
        return Affine(
            float(dx), 0, float(tie[3] - (tie[0] + half) * dx), 0, -float(dy), float(tie[4] + (tie[1] + half) * dy)
        )

    def _geo_keys(self) -> dict[int, int]:
        if 34735 not in self._entries:
            return {}
        found = self._values(34735).reshape(-1, 4)[1:]
        return {int(key): int(value) for key, where, _, value in found if where == 0}

    def _epsg(self) -> int | None:
        keys = self._geo_keys()
        code = keys.get(3072) if keys.get(1024) == 1 else keys.get(2048)
        return code if code and code != 32767 else None

    def _radius_m(self) -> float | None:
        """GeoKey 2057, GeogSemiMajorAxis, a number among those of tag 34736."""
        for key, where, count, at in self._values(34735).reshape(-1, 4)[1:] if 34735 in self._entries else ():
            if key == 2057 and where == 34736 in self._entries and count == 1 and at < self._entries[34736].count:
                return float(self._values(34736)[at])
        return None

    def _nodata(self) -> float | None:
        if 42113 not in self._entries:
            return None
        text = b"".join(self._values(42113).tolist()).decode("ascii", "replace").strip()
        try:
            return float(text)
        except ValueError:
            raise self._wrong(f"its missing value is {text!r}") from None

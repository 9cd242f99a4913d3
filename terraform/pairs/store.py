"""The files of a region's pairs, read and written with numpy alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform import provenance
from terraform.errors import InputError
from terraform.geo.tile import MARGIN_PX, TILE_PX
from terraform.provenance import Provenance
from terraform.publish import publish

TILE = np.dtype(
    [
        ("row", "<i4"), ("column", "<i4"), ("void", "<f4"), ("sea", "<f4"), ("latitude", "<f8"),
        ("west", "<f8"), ("south", "<f8"), ("east", "<f8"), ("north", "<f8"),
    ]
)  # fmt: skip
"""One tile: its place in the region's grid, shares of void and sea, middle latitude and ground (degrees)."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of one region.

    Attributes
    ----------
    region : str
    elevation : (N, 384, 384) int16
        Heights (`terraform.geo.heights`) with a margin of 64 pixels on every side; row 0 is north.
    imagery : (N, 256, 256, 3) uint8
        Colours; pure black is void.
    tiles : (N,) structured
        See `TILE`.
    provenance : Provenance
    """

    region: str
    elevation: NDArray[np.int16]
    imagery: NDArray[np.uint8]
    tiles: NDArray[Any]
    provenance: Provenance

    def __len__(self) -> int:
        return len(self.tiles)


def open_pairs(folder: Path) -> Pairs:
    """Open a region's pairs as memory maps.

    Raises
    ------
    InputError
        A file is missing, truncated, or not of the shape and type that it must have.
    """
    elevation = _open(folder / "elevation.npy", (TILE_PX + 2 * MARGIN_PX,) * 2, np.dtype(np.int16))
    imagery = _open(folder / "imagery.npy", (TILE_PX, TILE_PX, 3), np.dtype(np.uint8))
    tiles = _open(folder / "tiles.npy", (), TILE)
    if not len(elevation) == len(imagery) == len(tiles):
        raise InputError(
            f"{folder}: {len(elevation)} elevations, {len(imagery)} images, {len(tiles)} tiles: cut it again"
        )
    return Pairs(folder.name, elevation, imagery, tiles, provenance.read(folder / "provenance.json"))


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Publish one array as .npy."""
    with publish(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


class ArrayWriter:
    """Append equally shaped arrays to an .npy file without knowing their number beforehand."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._file = path.open("wb")
        self._shape, self._dtype, self._count = shape, dtype, 0
        self._write_header()

    def append(self, array: NDArray[Any]) -> None:
        """Add one array."""
        self._file.write(np.ascontiguousarray(array, self._dtype).tobytes())
        self._count += 1

    def close(self) -> None:
        """Write the final count into the header; numpy leaves room for it."""
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def _write_header(self) -> None:
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": (self._count, *self._shape)}
        np.lib.format.write_array_header_1_0(self._file, header)


def _open(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: cut the region first") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}): cut the region again") from None
    if array.shape[1:] != shape or array.dtype != dtype:
        raise InputError(
            f"{path} holds {array.dtype} {array.shape}, expected {dtype} (N, {shape}): cut the region again"
        )
    return array

"""The files of a region's pairs, read and written with numpy alone."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform import provenance
from terraform.errors import InputError
from terraform.geo.tile_spec import TileSpec
from terraform.provenance import Provenance
from terraform.storage.atomic_write import atomic_write

TILE = np.dtype(
    [
        ("row", "<i4"), ("column", "<i4"), ("void", "<f4"), ("sea", "<f4"), ("latitude", "<f8"),
        ("west", "<f8"), ("south", "<f8"), ("east", "<f8"), ("north", "<f8"),
    ]
)  # fmt: skip
"""One tile: its place in the region's grid, shares of void and sea, middle latitude and ground (degrees)."""


HEADER_ERRORS = (ValueError, TypeError, KeyError, OverflowError, SyntaxError, RecursionError, MemoryError, TokenError)
"""What reading a damaged .npy raises: numpy has Python's own parser read the header."""
TEMPERATURE, LAPSE_RATE = "temperature.npy", "lapse_rate_k_per_km"
"""The file, and what its provenance calls the rate by which it was reduced to height 0."""


class Stack:
    """Equal arrays in one .npy file, each read from its place when it is asked for.

    Through a map of the file every few pages would be a fault, and a pair cost up to twenty times as much.

    Raises
    ------
    InputError
        The file is missing, truncated, or not of the shape and type that it must have.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        array = _mapped(path, shape, dtype)
        # Whatever takes its name later, this file is read on.
        self._file, self._start = path.open("rb", buffering=0), int(array.offset)
        self._shape, self._dtype, self._count = shape, dtype, len(array)

    def __len__(self) -> int:
        """Count them."""
        return self._count

    def __getitem__(self, index: int) -> NDArray[Any]:
        """Read a copy of one array."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        array = np.empty(self._shape, self._dtype)
        if os.preadv(self._file.fileno(), [array.data], self._start + int(index) * array.nbytes) < array.nbytes:
            raise InputError(f"{self._file.name} has become shorter: cut the region again")
        return array


@dataclass(frozen=True)
class Pairs:
    """The pairs of one region; sizes are those of the default tile.

    Attributes
    ----------
    region : str
    spec : TileSpec
        The size of its tiles.
    elevation : Stack of (384, 384) int16
        Heights (`terraform.geo.heights`) with a margin of 64 pixels on every side; row 0 is north.
    imagery : Stack of (256, 256, 3) uint8
        Colours; pure black is void.
    base : Stack of (2, 20, 20, 3) uint8
        Base colours of land and of sea, a cell for 16 x 16 pixels, with a margin of 2 cells.
    temperature : Stack of (20, 20) float32, or None
        The year's mean temperature at the same cells, reduced to height 0, degrees Celsius, where it was asked for.
    lapse_rate_k_per_km : float
        By which it falls with height; 0 without it.
    climate_created : tuple of str
        When the temperature was made; empty without it.
    tiles : (N,) structured
        See `TILE`.
    provenance : Provenance
    """

    region: str
    spec: TileSpec
    elevation: Stack
    imagery: Stack
    base: Stack
    temperature: Stack | None
    lapse_rate_k_per_km: float
    climate_created: tuple[str, ...]
    tiles: NDArray[Any]
    provenance: Provenance

    def __len__(self) -> int:
        """Count them."""
        return len(self.tiles)


def open_pairs(folder: Path, climate: bool = False) -> Pairs:
    """Open a region's pairs.

    Parameters
    ----------
    folder : Path
    climate : bool
        Whether the temperature of their places is needed (`terraform.planet.temperature`).

    Raises
    ------
    InputError
        A file is missing, truncated, or not of the shape and type that it must have.
    """
    made = provenance.read(folder / "provenance.json")
    spec = _spec_of(made, folder)
    elevation = Stack(folder / "elevation.npy", (spec.side_px, spec.side_px), np.dtype(np.int16))
    imagery = Stack(folder / "imagery.npy", (spec.tile_px, spec.tile_px, 3), np.dtype(np.uint8))
    tiles = _mapped(folder / "tiles.npy", (), TILE)
    base = Stack(folder / "base.npy", spec.base_shape, np.dtype(np.uint8))
    if not len(elevation) == len(imagery) == len(base) == len(tiles):
        raise InputError(
            f"{folder}: {len(elevation)} elevations, {len(imagery)} images, {len(base)} base colours, {len(tiles)} "
            "tiles: cut it again"
        )
    if not climate:
        return Pairs(folder.name, spec, elevation, imagery, base, None, 0.0, (), tiles, made)
    temperature, of_climate = _temperature(folder, spec, len(tiles))
    made = replace(made, credits=tuple(dict.fromkeys([*made.credits, *of_climate.credits])))
    rate = float(of_climate.details[LAPSE_RATE])
    return Pairs(folder.name, spec, elevation, imagery, base, temperature, rate, (of_climate.created,), tiles, made)


def _temperature(folder: Path, spec: TileSpec, tiles: int) -> tuple[Stack, Provenance]:
    path = folder / TEMPERATURE
    again = f"python -m terraform add-temperature {folder} --elevation E --temperature T"
    if not path.is_file():
        raise InputError(f"{folder} has no temperature of its places, and the generator is to see it: run `{again}`")
    temperature = Stack(path, spec.base_shape[1:3], np.dtype(np.float32))
    if len(temperature) != tiles:
        raise InputError(f"{path} is of {len(temperature)} tiles, {folder} has {tiles}: run `{again}` again")
    return temperature, provenance.read(provenance.beside(path))


def _spec_of(made: Provenance, folder: Path) -> TileSpec:
    """Read the size of the tiles of pairs; those cut before it was a setting have the default."""
    try:
        return TileSpec(**made.details.get("tile", {}))
    except TypeError:
        raise InputError(f"{folder} does not say how large its tiles are: cut the region again") from None


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Publish one array as .npy."""
    values = np.ascontiguousarray(array)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        # Not by numpy, which forgets why a disk took less than it was given.
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(values))
        file.write(values.tobytes())


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


def _mapped(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.memmap[Any, Any]:
    try:
        array: np.memmap[Any, Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: cut the region first, or again if an older version cut it") from None
    except (OSError, *HEADER_ERRORS) as error:
        raise InputError(f"{path} is damaged ({error}): cut the region again") from None
    if array.shape[1:] != shape or array.dtype != dtype:
        raise InputError(
            f"{path} holds {array.dtype} {array.shape}, expected {dtype} (N, {shape}): cut the region again"
        )
    return array

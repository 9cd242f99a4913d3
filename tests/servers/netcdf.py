"""Classic NetCDF files, written byte by byte (NetCDF Classic Format Specification), as climate models write theirs."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_DIMENSION, _VARIABLE, _ATTRIBUTE, _CHAR, _FLOAT, _DOUBLE = 10, 11, 12, 2, 5, 6


def _name(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">i", len(raw)) + raw + bytes(-len(raw) % 4)


def _attributes(of: Mapping[str, str]) -> bytes:
    if not of:
        return bytes(8)
    entries = b"".join(_name(key) + struct.pack(">i", _CHAR) + _name(value) for key, value in of.items())
    return struct.pack(">ii", _ATTRIBUTE, len(of)) + entries


def write_netcdf(
    path: Path, latitude: NDArray[np.float64], longitude: NDArray[np.float64],
    variables: Mapping[str, tuple[NDArray[np.float32], str]], **attributes: str,
) -> Path:  # fmt: skip
    """Write variables of (12, lat, lon) or (lat, lon) float32, each with its unit, and the coordinates.

    All variables have the `attributes` too, as text.
    """
    sizes = {"time": 12, "lat": len(latitude), "lon": len(longitude)}
    order = list(sizes)
    table: list[tuple[str, Sequence[str], NDArray[np.generic], dict[str, str]]] = [
        ("time", ["time"], np.arange(12.0), {"units": "months since 0001-01-01"}),
        ("lat", ["lat"], latitude, {"units": "degrees_north", "standard_name": "latitude"}),
        ("lon", ["lon"], longitude, {"units": "degrees_east", "standard_name": "longitude"}),
        *((name, order[-values.ndim :], values, {"units": unit, **attributes})
          for name, (values, unit) in variables.items()),
    ]  # fmt: skip
    dimensions = struct.pack(">ii", _DIMENSION, len(sizes))
    dimensions += b"".join(_name(name) + struct.pack(">i", size) for name, size in sizes.items())
    bodies = [values.astype(">f8" if values.dtype == np.float64 else ">f4").tobytes() for _, _, values, _ in table]

    def header(begins: Sequence[int]) -> bytes:
        made = b"CDF\x01" + bytes(4) + dimensions + bytes(8) + struct.pack(">ii", _VARIABLE, len(table))
        for (name, dims, values, attributes), body, begin in zip(table, bodies, begins, strict=True):
            kind = _DOUBLE if values.dtype == np.float64 else _FLOAT
            made += (
                _name(name) + struct.pack(">i", len(dims)) + b"".join(struct.pack(">i", order.index(d)) for d in dims)
            )
            made += _attributes(attributes) + struct.pack(">iii", kind, len(body), begin)
        return made

    start = len(header([0] * len(table)))
    begins = [start + sum(map(len, bodies[:number])) for number in range(len(bodies))]
    path.write_bytes(header(begins) + b"".join(bodies))
    return path

"""Rasters with a detached PDS3 label, placed by the formulae of the Planetary Data System.

Of a map in simple cylindrical projection, DSMAP.CAT of the MOLA archive says, with samples and lines counted from 1
and whole numbers at pixel centres::

    SAMPLE = SAMPLE_PROJECTION_OFFSET + MAP_RESOLUTION * (LON - CENTER_LONGITUDE)
    LINE   = LINE_PROJECTION_OFFSET   - MAP_RESOLUTION * (LAT - CENTER_LATITUDE)

GDAL reads the offsets otherwise and places MEGDR one pixel west and north, which is 14.8 km in the smallest one.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine

from terraform.errors import InputError
from terraform.geo.bodies import BODIES

_LARGEST_LABEL = 1 << 20
# Nothing that may cross lines is tried from every line anew: a label of a megabyte would take hours.
_STATEMENT = re.compile(r'^[ \t]*(\^?[A-Z][\w:]*)[ \t]*=\s*("[^"]*"|\([^)]{0,1000}\)|[^\r\n]*)', re.MULTILINE)
_MOST_SAMPLES = 1 << 31
"""Along a line, and lines of an image."""
_KINDS = {
    ("MSB_INTEGER", 16): ">i2", ("LSB_INTEGER", 16): "<i2", ("MSB_UNSIGNED_INTEGER", 16): ">u2",
    ("LSB_UNSIGNED_INTEGER", 16): "<u2", ("MSB_INTEGER", 32): ">i4", ("LSB_INTEGER", 32): "<i4",
    ("IEEE_REAL", 32): ">f4", ("PC_REAL", 32): "<f4", ("INTEGER", 16): ">i2", ("SUN_INTEGER", 16): ">i2",
    ("PC_INTEGER", 16): "<i2", ("SUN_REAL", 32): ">f4",
}  # fmt: skip


@dataclass(frozen=True)
class Image:
    """A labelled image: `values` (lines, samples) on disk, their scale in metres, and their georeference (degrees)."""

    values: NDArray[Any]
    transform: Affine
    crs_wkt: str
    scale: float
    offset: float
    missing: float | None

    @property
    def dtype(self) -> str:
        """Type of the scaled values: as on disk when there is no scale."""
        plain = (self.scale, self.offset) == (1.0, 0.0)
        return str(self.values.dtype.newbyteorder("=")) if plain else "float32"

    def scaled(self, rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
        """Read a window in metres, (h, w) in this machine's byte order; missing values stay as they are."""
        window = self.values[slice(*rows), slice(*columns)]
        native = window.astype(window.dtype.newbyteorder("="))
        if (self.scale, self.offset) == (1.0, 0.0):
            return native
        metres = native.astype(np.float32) * self.scale + self.offset
        return metres if self.missing is None else np.where(native == self.missing, np.float32(self.missing), metres)


def read(label_path: Path) -> Image:
    """Open the image of a label.

    Raises
    ------
    InputError
        The label lacks something, contradicts itself, or is of a projection that is not read; the image is missing
        or too short.
    """
    if not label_path.is_file():
        raise InputError(f"{label_path} is no regular file: name the label of a map")
    with label_path.open("rb") as file:
        text = file.read(_LARGEST_LABEL).decode("latin-1")
    label = _Label(label_path, text)
    transform = _placed(label)
    unit = label.get("UNIT", "METER")
    metres = {"METER": 1.0, "METERS": 1.0, "M": 1.0, "KILOMETER": 1000.0, "KILOMETERS": 1000.0, "KM": 1000.0}.get(
        unit or ""
    )
    if metres is None:
        raise label.wrong(f"UNIT is {unit}, expected METER or KILOMETER")
    missing = label.get("MISSING_CONSTANT")
    return Image(
        values=_values(label), transform=transform, crs_wkt=_crs_wkt(label),
        scale=metres * label.number("SCALING_FACTOR", 1.0), offset=metres * label.number("OFFSET", 0.0),
        missing=None if missing is None else label.number("MISSING_CONSTANT"),
    )  # fmt: skip


class _Label:
    """The statements of a label. Keywords are taken wherever they stand: images have one of each that matters."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._statements: dict[str, str] = {}
        for key, value in _STATEMENT.findall(text):
            self._statements.setdefault(key, value.strip())
        if not self._statements.get("PDS_VERSION_ID", "").startswith("PDS3"):
            raise self.wrong("it does not begin with PDS_VERSION_ID = PDS3")

    def wrong(self, kind: str) -> InputError:
        return InputError(f"{self.path} is not a PDS3 label that can be read: {kind}; export the map as a GeoTIFF")

    def get(self, key: str, default: str | None = None) -> str | None:
        value = self._statements.get(key)
        return default if value is None else value.strip('"').strip().upper()

    def raw(self, key: str) -> str:
        if key not in self._statements:
            raise self.wrong(f"{key} is missing")
        return self._statements[key]

    def number(self, key: str, default: float | None = None) -> float:
        if default is not None and key not in self._statements:
            return default
        try:
            value = float(self.raw(key).strip('"').split("<")[0])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.wrong(f"{key} is {self.raw(key)[:80]}, expected a number")
        return value

    def within(self, key: str, least: float, most: float) -> float:
        """Read a number that must lie within bounds."""
        value = self.number(key)
        if not least <= value <= most:
            raise self.wrong(f"{key} is {value:g}, expected {least:g} to {most:g}")
        return value


def _placed(label: _Label) -> Affine:
    projection = (label.get("MAP_PROJECTION_TYPE") or "").replace("_", " ")
    if projection not in ("SIMPLE CYLINDRICAL", "EQUIRECTANGULAR") or label.number("CENTER_LATITUDE") != 0:
        raise label.wrong(f"the projection is {projection or 'not named'}, expected SIMPLE CYLINDRICAL on the equator")
    if label.get("POSITIVE_LONGITUDE_DIRECTION", "EAST") != "EAST":
        raise label.wrong("its longitudes count westwards")
    step = 1 / label.within("MAP_RESOLUTION", 1e-3, 1e7)
    west = label.number("CENTER_LONGITUDE") + (0.5 - label.number("SAMPLE_PROJECTION_OFFSET")) * step
    north = (label.number("LINE_PROJECTION_OFFSET") - 0.5) * step
    _check_edge(label, "WESTERNMOST_LONGITUDE", west, step, 360)
    _check_edge(label, "MAXIMUM_LATITUDE", north, step, 0)
    return Affine(step, 0, west, 0, -step, north)


def _check_edge(label: _Label, key: str, placed: float, step: float, period: float) -> None:
    # Some producers count the offsets otherwise; the declared edge tells.
    declared = label.number(key, placed)
    apart = abs(placed - declared)
    apart = min(apart % period, -apart % period) if period else apart
    if apart > 0.51 * step:
        raise label.wrong(f"its offsets put the edge at {placed:g}, but {key} is {declared:g}")


def _crs_wkt(label: _Label) -> str:
    from pyproj import CRS

    radius_m = 1000 * label.within("A_AXIS_RADIUS", 1e-3, 1e6)
    for body in BODIES.values():
        if abs(radius_m / body.radius_m - 1) < 0.01:
            return str(CRS.from_user_input(body.geographic_crs).to_wkt())
    return str(CRS.from_dict({"proj": "longlat", "R": radius_m}).to_wkt())


def _values(label: _Label) -> NDArray[Any]:
    kind = _KINDS.get((label.get("SAMPLE_TYPE") or "", int(label.within("SAMPLE_BITS", 1, 64))))
    if kind is None:
        raise label.wrong(f"samples are {label.get('SAMPLE_TYPE')} of {label.get('SAMPLE_BITS')} bits")
    shape = int(label.within("LINES", 1, _MOST_SAMPLES)), int(label.within("LINE_SAMPLES", 1, _MOST_SAMPLES))
    image, start = _pointed(label)
    needed = start + shape[0] * shape[1] * np.dtype(kind).itemsize
    if image.stat().st_size < needed:
        raise InputError(f"{image} has {image.stat().st_size:,} bytes, its label says {needed:,}: get it again")
    return np.memmap(image, dtype=kind, mode="r", offset=start, shape=shape)


def _pointed(label: _Label) -> tuple[Path, int]:
    """Find the image's path and its first byte: `"NAME"`, `("NAME", record)` or `("NAME", byte <BYTES>)`."""
    found = re.match(r'\(?\s*"([^"]+)"\s*(?:,\s*(\d{1,15})\s*(<BYTES>)?)?', label.raw("^IMAGE"))
    if found is None:
        raise label.wrong(f"^IMAGE is {label.raw('^IMAGE')[:80]}, expected the name of a file beside it")
    wanted = Path(found[1]).name.lower()
    image = next((path for path in sorted(label.path.parent.iterdir()) if path.name.lower() == wanted), None)
    if image is None or not image.is_file():
        raise InputError(f"{label.path} needs the image {found[1]} beside it: get it from the same place")
    unit = 1 if found[3] or not found[2] else int(label.within("RECORD_BYTES", 1, _MOST_SAMPLES))
    place = int(found[2] or 1)
    if place < 1:
        raise label.wrong(f"^IMAGE points at {place}, and bytes and records are counted from 1")
    return image, (place - 1) * unit

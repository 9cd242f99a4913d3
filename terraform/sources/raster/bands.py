"""What the bands of a raster are: heights in metres, or red, green and blue, by what the file says of them."""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS as ProjCRS
from rasterio.crs import CRS

from terraform.errors import InputError
from terraform.geo.bodies import EARTH, Body
from terraform.sources.raster.classify import DEEPEST_M, classify_heights
from terraform.sources.raster.formats import SENTINELS, Pixels, Raster, Span
from terraform.sources.raster.metadata.declared import METRES

_UNITS: dict[str, float] = {
    "m": 1.0, "metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0, "ft": METRES["ft"], "foot": METRES["ft"],
    "feet": METRES["ft"], "international foot": METRES["ft"], "us survey foot": METRES["us-ft"],
    "us survey feet": METRES["us-ft"], "foot us": METRES["us-ft"], "us foot": METRES["us-ft"],
    "us feet": METRES["us-ft"], "ftus": METRES["us-ft"], "us ft": METRES["us-ft"], "ft us": METRES["us-ft"],
    "survey foot": METRES["us-ft"], "survey feet": METRES["us-ft"], "sft": METRES["us-ft"],
    "intl foot": METRES["ft"], "intl feet": METRES["ft"], "international feet": METRES["ft"], "foot intl": METRES["ft"],
    "yd": 0.9144, "yard": 0.9144, "yards": 0.9144, "fathom": 1.8288, "fathoms": 1.8288,
    "km": 1000.0, "kilometre": 1000.0, "kilometres": 1000.0, "kilometer": 1000.0, "kilometers": 1000.0,
    "dm": 0.1, "decimetre": 0.1, "decimeter": 0.1, "cm": 0.01, "centimetre": 0.01, "centimeter": 0.01,
    "centimetres": 0.01, "centimeters": 0.01, "mm": 0.001, "millimetre": 0.001, "millimeter": 0.001,
}  # fmt: skip
"""Metres of a unit as files spell it."""
_ANYWHERE = Body("any body", 1e12, "", "", -np.inf, np.inf)
_UNSAID = ("", "unknown", "none", "n/a")
"""Units that say nothing."""

_APART_M = 200.0
"""A value that lies so far below all others, and is one of those that stand for missing, is missing."""
_SUSPECTS = (-9999.0, -10000.0, -3000.0, -1000.0)
_NEAR, _SMALL = 0.015, 30.0
"""How near to a radius, as a share of it, and how near to 0 numbers lie that may be kilometres."""
_SCANNED_PX = 4_000_000
_SCANNED_ROWS = 96


def heights_of(raster: Raster, body: Body) -> Raster:
    """Take a raster as heights in metres above a body's datum.

    The unit is what the user says where that wins, else the band's, else that of the CRS's vertical axis, else metres.
    A band of transparency hides pixels. Where an elevation model of Earth holds the floor of the sea, what lies below
    0 m is sea (`Raster.sea_below`).

    Raises
    ------
    InputError
        It has several bands, complex numbers, or a unit that is none of length.
    """
    band = check_heights(raster)
    factor, unit = _metres(raster)
    if unit not in (None, "m"):
        _say(f"{_file(raster)}: heights are in {unit}, converted to metres (x {factor:.7g})")
    if raster.dtype == "uint8":
        _say(
            f"warning: {_file(raster)} holds 8-bit integers, 0 to 255: a picture of a relief (hillshade, grey levels) "
            "has no heights; if these are metres, all is well"
        )
    made = raster if raster.bands == 1 and factor == 1.0 else _converted(raster, band, factor)
    found = _extremes(made)
    _check_extremes(found, made, body, unit is None)
    if body.name == EARTH.name and body.lowest_m > DEEPEST_M:
        lowest = _sea_floor_m(found, body)
        if lowest is not None:
            _say(f"{_file(raster)} holds the floor of the sea ({lowest:,.0f} m): what lies below 0 m in it is sea")
            made = replace(made, sea_below=0.0)
    return made


def check_heights(raster: Raster) -> int:
    """Find the band of heights, counted from 0.

    Raises
    ------
    InputError
        It has several bands, or complex numbers.
    """
    found = [band for band in range(raster.bands) if raster.colours[band : band + 1] != ("alpha",)]
    if len(found) != 1:
        raise InputError(
            f"{raster.name} has {len(found)} bands, an elevation raster has one with metres: name the raster of "
            "heights (colours that encode heights must be decoded first), or take its band out with gdal_translate -b 1"
        )
    if np.dtype(raster.dtype).kind not in "iuf":
        raise InputError(f"{raster.name} holds {raster.dtype}, expected integers or floats: export it as float32")
    return found[0]


def _metres(raster: Raster) -> tuple[float, str | None]:
    """Metres of a unit of a raster, negative where it counts downwards, and its name; None where nothing says it."""
    factor, unit = _unit(raster)
    # GDAL gives the unit of a vertical axis as the band's, without its direction.
    if raster.downwards or _counts_downwards(raster.crs):
        return -factor, f"{unit or 'm'} downwards"
    return factor, unit


def _unit(raster: Raster) -> tuple[float, str | None]:
    said, own = raster.declared.unit, raster.unit
    own = None if own is not None and own.strip().lower() in _UNSAID else own
    if said is not None and (raster.declared.wins or own is None):
        return METRES[said], said
    if own is not None:
        factor = _length(own)
        if factor is None:
            raise InputError(
                f"{raster.name}: the unit of its band is {own!r}, expected a length: if it holds heights, say their "
                f"unit with {raster.declared.name('unit')} (one of {', '.join(METRES)})"
            )
        return factor, "m" if factor == 1 else own
    axes = _vertical(raster.crs)
    if axes:
        factor = axes[0].unit_conversion_factor
        return factor, "m" if factor == 1 else axes[0].unit_name
    across = ProjCRS.from_wkt(raster.crs.to_wkt()).axis_info[:1]
    if raster.crs.is_projected and across and 0.3 < across[0].unit_conversion_factor < 0.31:
        _say(
            f"warning: {_file(raster)}: its map is in {across[0].unit_name}, and nothing says the unit of its heights: "
            f"they are taken for metres; say another with {raster.declared.name('unit')}"
        )
    return 1.0, None


def _length(spelled: str) -> float | None:
    """Metres of a unit as a file spells it, such as "US_survey_foot", "Meters (m)" or "m a.s.l."; None if unknown."""
    plain = re.sub(r"[\s._()\[\]-]+", " ", spelled.lower()).strip()
    plain = re.sub(r" (a ?s ?l|a?msl|above .*)$", "", plain)
    if plain in _UNITS:
        return _UNITS[plain]
    found = {_UNITS.get(word) for word in plain.split()}
    return found.pop() if len(found) == 1 else None


def _vertical(crs: CRS) -> list[Any]:
    """Find the axes of heights or depths of a CRS."""
    whole = ProjCRS.from_wkt(crs.to_wkt())
    parts = whole.sub_crs_list if whole.is_compound else [whole]
    return [axis for part in parts for axis in part.axis_info if axis.direction.lower() in ("up", "down")]


def _counts_downwards(crs: CRS) -> bool:
    return any(axis.direction.lower() == "down" for axis in _vertical(crs))


def _converted(raster: Raster, band: int, factor: float) -> Raster:
    """One band of a raster, in metres: missing values become NaN, others that stand for nothing infinite."""

    def read(rows: Span, columns: Span) -> Pixels:
        found = raster.read(rows, columns)
        values = found.values if found.values.ndim == 2 else found.values[..., band]
        hidden = _with_clear(found, raster)
        if factor == 1.0:
            return Pixels(values, hidden)
        own = classify_heights(Pixels(values, hidden), raster, _ANYWHERE, missing_is_sea=True)
        metres = np.where(own.valid, values.astype(np.float64) * factor, np.where(own.sea, np.nan, np.inf))
        return Pixels(metres.astype(np.float32), hidden)

    if factor == 1.0:
        return replace(raster, bands=1, colours=(), read=read)
    return replace(raster, bands=1, colours=(), read=read, dtype="float32", nodata=float("nan"))


def _extremes(raster: Raster) -> NDArray[np.float32]:
    """Scan some rows of a raster: the two lowest and the two highest values of each piece, sorted, each once."""
    ends = []
    every = 1 if raster.height * raster.width <= _SCANNED_PX else max(1, raster.height // _SCANNED_ROWS)
    rows = max(1, _SCANNED_PX // raster.width) if every == 1 else 1
    for top in range(0, raster.height, max(every, rows)):
        pixels = raster.read((top, min(top + rows, raster.height)), (0, raster.width))
        found = classify_heights(pixels, raster, _ANYWHERE, missing_is_sea=False)
        values = np.unique(found.values[..., 0][found.valid])
        ends += [values[:2], values[-2:]]
    return np.unique(np.concatenate(ends))


def _check_extremes(known: NDArray[np.float32], raster: Raster, body: Body, unsaid: bool) -> None:
    """Ask what extremes stand for that may be missing, or, where nothing says a unit, kilometres.

    Raises
    ------
    InputError
        The lowest value is -9999 and lies far below all others.
    """
    if known.size < 2:
        return
    low, high = float(known[0]), float(known[-1])
    if low == _SUSPECTS[0] and known[1] - low > _APART_M:
        raise InputError(
            f"{raster.name} holds {low:g}, far below all else: if that is the missing value, say so with "
            f"{raster.declared.name('nodata')} {low:g}"
        )
    more = f"if these are kilometres, say so with {raster.declared.name('unit')} km; if they are metres, all is well"
    radius_km = body.radius_m / 1000
    if unsaid and max(abs(low - radius_km), abs(high - radius_km)) < _NEAR * radius_km:
        _say(
            f"warning: {_file(raster)} holds {low:g} to {high:g}, and the radius of {body.name} is {radius_km:.7g} km: "
            + more
        )
    elif unsaid and np.dtype(raster.dtype).kind == "f" and max(abs(low), abs(high)) < _SMALL:
        _say(f"warning: {_file(raster)} holds {low:g} to {high:g}, and nothing says their unit: {more}")


def _sea_floor_m(known: NDArray[np.float32], body: Body) -> float | None:
    """Find the lowest height of a raster that holds the floor of the sea, by its extremes."""
    deep = known[known < body.lowest_m].tolist()
    if deep and deep[0] in (*_SUSPECTS, *SENTINELS) and (len(deep) == 1 or deep[1] - deep[0] > _APART_M):
        return None
    return deep[0] if deep and deep[0] >= DEEPEST_M else None


def colours_of(raster: Raster) -> Raster:
    """Take a raster as 8-bit red, green and blue, in this order, by its bands' colour interpretation.

    Only a band that is alpha hides pixels; bands that are neither are left out, with a line that says so.

    Raises
    ------
    InputError
        It has no three colours, or another type.
    """
    check_colours(raster)
    chosen = _red_green_blue(raster)
    alpha = raster.colours.index("alpha") if "alpha" in raster.colours else None
    left = [band + 1 for band in range(raster.bands) if band not in (*chosen, alpha)]
    if left or chosen != (0, 1, 2):
        red, green, blue = (band + 1 for band in chosen)
        more = f"; left out: {', '.join(map(str, left))}" if left else ""
        _say(f"{_file(raster)}: red, green and blue are its bands {red}, {green} and {blue}{more}")
    return replace(raster, bands=3, colours=("red", "green", "blue"), read=_colours(raster, chosen))


def check_colours(raster: Raster) -> None:
    """Refuse what is not 8-bit red, green and blue.

    Raises
    ------
    InputError
        It has no three colours, or another type.
    """
    if raster.bands < 3 or "cyan" in raster.colours:
        raise InputError(
            f"{raster.name} has {raster.bands} band(s), imagery has red, green and blue: choose them, for instance "
            "gdal_translate -b 1 -b 2 -b 3 IN.tif OUT.tif (or -expand rgb for a palette)"
        )
    if raster.dtype != "uint8":
        white = "1" if np.dtype(raster.dtype).kind == "f" else "3000"
        raise InputError(
            f"{raster.name} is {raster.dtype}, imagery is 8-bit (uint8): scale black and white to 1..255, "
            f"for instance gdal_translate -ot Byte -scale 0 {white} 1 255 IN.tif OUT.tif"
        )


def _red_green_blue(raster: Raster) -> tuple[int, int, int]:
    names = raster.colours
    if all(names.count(name) == 1 for name in ("red", "green", "blue")):
        return names.index("red"), names.index("green"), names.index("blue")
    seen = [band for band in range(raster.bands) if names[band : band + 1] != ("alpha",)]
    if len(seen) < 3:
        raise InputError(f"{raster.name} has {len(seen)} band(s) beside transparency: imagery has red, green and blue")
    return seen[0], seen[1], seen[2]


def _colours(raster: Raster, chosen: tuple[int, int, int]) -> Callable[[Span, Span], Pixels]:
    def window(rows: Span, columns: Span) -> Pixels:
        found = raster.read(rows, columns)
        return Pixels(found.values[..., list(chosen)], _with_clear(found, raster))

    return window


def _with_clear(found: Pixels, raster: Raster) -> NDArray[np.bool_] | None:
    """Where pixels are hidden, by a mask or by a band of transparency."""
    if "alpha" not in raster.colours or found.values.ndim == 2:
        return found.hidden
    clear = np.asarray(found.values[..., raster.colours.index("alpha")] == 0)
    return clear if found.hidden is None else found.hidden | clear


def _file(raster: Raster) -> str:
    return Path(raster.name).name


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

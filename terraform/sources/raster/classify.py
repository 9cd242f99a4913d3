"""What is land, sea, colour or nothing in the pixels of a file: decided before anything is resampled."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.errors import InputError
from terraform.geo.bodies import EARTH, Body
from terraform.sources.raster.formats import SENTINELS, Pixels, Raster
from terraform.sources.raster.metadata.declared import Declared

DEEPEST_M = -12_000.0
"""Below every floor of Earth's seas, metres."""

ANY_BODY = Body("any body", 1e12, "", "", DEEPEST_M, 30_000.0)
"""What is known of heights of which no body is: they lie within these, whatever the body."""

_MARKS = (
    -9999,
    -99999,
    -999999,
    -3000,
    -1000,
    -32768,
    -32767,
    32767,
    65535,
    9999,
    99999,
    -(2**31),
    2**31 - 1,
    2**32 - 1,
)
"""Usual values for missing."""
_NO_RADIUS = 1e15
"""No body is so large."""
_RADIUS = 0.8
"""Heights beyond this share of a body's radius are none, but distances from its centre."""


class MaskedPixels(NamedTuple):
    """The pixels of a window, classified.

    Attributes
    ----------
    values : (H, W, C) float32
        Metres (C = 1) or colours 0..255 (C = 3); 0 where not valid.
    valid : (H, W) bool
        There is a value.
    sea : (H, W) bool
        There is none because it is sea.
    """

    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    sea: NDArray[np.bool_]


def classify_heights(pixels: Pixels, raster: Raster, body: Body, missing_is_sea: bool) -> MaskedPixels:
    """Classify the pixels of an elevation raster.

    Missing is the declared value; without one, NaN, what is too large for a height in any unit, and in int16 the
    usual -32768, -32767 and 32767. What a mask of the file hides is missing too. Where a value is declared, any
    other -32768 or NaN is a void, also where missing means sea.

    Raises
    ------
    InputError
        A height is outside the physical range of the body.
    """
    values = pixels.values
    declared = _equal(values, raster.nodata)
    unsaid = _unsaid(values)
    missing = unsaid if raster.nodata is None else declared
    if pixels.hidden is not None:
        missing = missing | pixels.hidden
    valid = ~(missing | unsaid)
    sea = missing if missing_is_sea else np.zeros_like(valid)
    if raster.sea_below is not None:
        flooded = valid & (values < raster.sea_below) & (values >= DEEPEST_M)
        valid, sea = valid & ~flooded, sea | flooded
    _check_range(values, valid, raster, body)
    return MaskedPixels(np.where(valid, values, 0).astype(np.float32)[..., None], valid, sea)


def classify_colours(pixels: Pixels, raster: Raster) -> MaskedPixels:
    """Classify the pixels of an 8-bit RGB raster: what is hidden, or missing in all three bands, is void.

    Where the file declares no missing value and has no mask, black (0, 0, 0) is missing.
    """
    rgb = pixels.values[..., :3]
    if pixels.hidden is not None:
        void = pixels.hidden
    else:
        void = (rgb == (0 if raster.nodata is None else raster.nodata)).all(axis=-1)
    return MaskedPixels(np.where(void[..., None], 0, rgb).astype(np.float32), ~void, np.zeros_like(void))


def _equal(values: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    if nodata is None:
        return np.zeros(values.shape, np.bool_)
    if values.dtype.kind == "f":
        # The declared text has often fewer digits than the float32 in the file.
        return np.asarray(np.isclose(values, nodata, rtol=1e-6, atol=0, equal_nan=True), np.bool_)
    return np.asarray(values == nodata, np.bool_)


def _unsaid(values: NDArray[Any]) -> NDArray[np.bool_]:
    if values.dtype.kind == "f":
        return np.asarray(~(np.abs(values) < 1e30), np.bool_)
    if values.dtype == np.int16:
        return np.asarray(np.isin(values, SENTINELS), np.bool_)
    return np.zeros(values.shape, np.bool_)


def _check_range(values: NDArray[Any], valid: NDArray[np.bool_], raster: Raster, body: Body) -> None:
    known = values if valid.all() else values[valid]
    if not known.size:
        return
    require_heights(float(known.min()), float(known.max()), raster.name, body, raster.declared)


def require_heights(lowest: float, highest: float, name: str, body: Body, declared: Declared) -> None:
    """Refuse a lowest and a highest value of a file that no heights of a body have, and ask what they are.

    Raises
    ------
    InputError
        One of them is outside the physical range of the body.
    """
    refuse_radius(lowest, highest, name, body)
    if lowest < body.lowest_m or highest > body.highest_m:
        raise InputError(
            f"{name} holds {lowest:g} to {highest:g}, heights on {body.name} are {body.lowest_m:g} to "
            f"{body.highest_m:g} m: {_suspicion(lowest, highest, body, declared)}"
        )


def refuse_radius(lowest: float, highest: float, name: str, body: Body) -> None:
    """Refuse values that are distances from a body's centre.

    Raises
    ------
    InputError
        The highest value is of the order of the body's radius.
    """
    if highest > _RADIUS * body.radius_m and not _stands_for_missing(lowest, highest):
        raise InputError(
            f"{name} holds {lowest:g} to {highest:g}, and the radius of {body.name} is {body.radius_m:.7g} m: "
            "these look like a radius, not heights above the datum; get the topography (MOLA: MEGT, not MEGR), or take "
            "the radius away, for instance gdal_calc.py --calc 'A.astype(float)-RADIUS' -A IN.tif --outfile OUT.tif"
        )


def _suspicion(lowest: float, highest: float, body: Body, declared: Declared) -> str:
    missing, unit = declared.name("nodata"), declared.name("unit")
    if highest < body.lowest_m:
        return (
            "all of them lie below every place: are they in another unit, or less another radius? Convert them to "
            "metres above the datum"
        )
    if _stands_for_missing(lowest, highest):
        return f"if that is the missing value, say so with {missing}"
    if highest > 1e6:
        return f"these look like a radius, not heights above the datum; {_other(body, declared)}"
    if highest <= 3.2808399 * body.highest_m and lowest >= 3.2808399 * body.lowest_m:
        return (
            f"if they are in feet, say so with {unit} ft; if a value stands for missing, say so with {missing}; "
            f"{_other(body, declared)}"
        )
    if body == EARTH and lowest >= DEEPEST_M and highest <= body.highest_m:
        return (
            "what lies so low is the floor of the sea (bathymetry), which is not drawn: set it to 0, or to a missing "
            f"value that means sea ({missing}, {declared.name('nodata_means')} sea); {_other(body, declared)}"
        )
    return f"convert them to metres, and say with {missing} which value stands for missing; {_other(body, declared)}"


def _stands_for_missing(lowest: float, highest: float) -> bool:
    """Whether the extremes are numbers by which programs mark what is missing."""
    return lowest in _MARKS or highest in _MARKS or max(abs(lowest), abs(highest)) >= _NO_RADIUS


def _other(body: Body, declared: Declared) -> str:
    """Ask whether heights are another body's."""
    if body == ANY_BODY:
        return "with --body or --crs instead of --pixel-size it is drawn on the map of a body"
    how = declared.name("body" if declared.options else "crs")
    return f"are they another body's than {body.name}'s? Say which with {how}"

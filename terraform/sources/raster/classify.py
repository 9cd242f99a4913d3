"""What is land, sea, colour or nothing in the pixels of a file: decided before anything is resampled."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.errors import InputError
from terraform.geo.bodies import Body
from terraform.sources.raster.formats import Pixels, Raster

_SENTINELS = (-32768, -32767, 32767)
"""What int16 heights use for missing where the file does not say it: SRTM, DTED, and the largest value."""


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
    _check_range(values, valid, raster, body)
    sea = missing if missing_is_sea else np.zeros_like(valid)
    return MaskedPixels(np.where(valid, values, 0).astype(np.float32)[..., None], valid, sea)


def classify_colours(pixels: Pixels, raster: Raster) -> MaskedPixels:
    """Classify the pixels of an 8-bit RGB or RGBA raster: hidden, transparent, or missing in all three bands is void.

    Where the file declares no missing value and has no mask, black (0, 0, 0) is missing.
    """
    rgb = pixels.values[..., :3]
    if raster.bands == 4:
        void = pixels.values[..., 3] == 0
    elif pixels.hidden is not None:
        void = pixels.hidden
    else:
        void = (rgb == (0 if raster.nodata is None else raster.nodata)).all(axis=-1)
    return MaskedPixels(np.where(void[..., None], 0, rgb).astype(np.float32), ~void, np.zeros_like(void))


def check_heights(raster: Raster) -> None:
    """Refuse what cannot be a raster of heights.

    Raises
    ------
    InputError
        It has several bands, or complex numbers.
    """
    if raster.bands != 1:
        raise InputError(
            f"{raster.name} has {raster.bands} bands, an elevation raster has one with metres: name the raster of "
            "heights (colours that encode heights must be decoded first)"
        )
    if np.dtype(raster.dtype).kind not in "iuf":
        raise InputError(f"{raster.name} holds {raster.dtype}, expected integers or floats: export it as float32")


def check_colours(raster: Raster) -> None:
    """Refuse what is not 8-bit RGB.

    Raises
    ------
    InputError
        It has other bands, or another type.
    """
    if raster.bands not in (3, 4):
        raise InputError(
            f"{raster.name} has {raster.bands} band(s), imagery has red, green and blue: choose them, for instance "
            "gdal_translate -b 1 -b 2 -b 3 IN.tif OUT.tif (or -expand rgb for a palette)"
        )
    if raster.dtype != "uint8":
        raise InputError(
            f"{raster.name} is {raster.dtype}, imagery is 8-bit: scale it to 0..255, for instance "
            "gdal_translate -ot Byte -scale 0 3000 1 255 IN.tif OUT.tif"
        )


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
        return np.asarray(np.isin(values, _SENTINELS), np.bool_)
    return np.zeros(values.shape, np.bool_)


def _check_range(values: NDArray[Any], valid: NDArray[np.bool_], raster: Raster, body: Body) -> None:
    known = values if valid.all() else values[valid]
    if not known.size:
        return
    lowest, highest = float(known.min()), float(known.max())
    if lowest < body.lowest_m or highest > body.highest_m:
        raise InputError(
            f"{raster.name} holds {lowest:g} to {highest:g}, heights on {body.name} are {body.lowest_m:g} to "
            f"{body.highest_m:g} m: {_suspicion(lowest, highest, body)}"
        )


def _suspicion(lowest: float, highest: float, body: Body) -> str:
    if highest < body.lowest_m:
        return (
            "all of them lie below every place: are they in another unit, or less another radius? Convert them to "
            "metres above the datum"
        )
    if highest > 1e6:
        return "these look like a radius, not heights above the datum; get the topography (MOLA: MEGT, not MEGR)"
    if lowest in (-9999, -99999, -3000, -1000, 65535) or highest in (65535, 9999, 99999):
        return "if that is the missing value, say so with `nodata:`"
    if highest <= 3.2808399 * body.highest_m and lowest >= 3.2808399 * body.lowest_m:
        return "if they are in feet, convert them to metres; if a value stands for missing, say so with `nodata:`"
    return "convert them to metres, and say with `nodata:` which value stands for missing"

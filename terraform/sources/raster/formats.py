"""One's own rasters of every format, opened as one `Raster` by their suffix, without guessing."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import MaskFlags
from rasterio.transform import Affine
from rasterio.windows import Window

from terraform.errors import InputError
from terraform.geo import raster as raster
from terraform.sources.raster.metadata.declared import NOTHING, NOWHERE, Declared, crs_of
from terraform.sources.raster.metadata.place import in_degrees, located
from terraform.sources.raster.metadata.sidecar import mask_beside, read_sidecar, unit_beside

Span = tuple[int, int]

SENTINELS = (-32768, -32767, 32767)
"""What int16 heights use for missing where the file does not say it: SRTM, DTED, and the largest value."""


class Pixels(NamedTuple):
    """A window as it stands in the file: values (H, W) or (H, W, C), and where a mask of the file hides them."""

    values: NDArray[Any]
    hidden: NDArray[np.bool_] | None


@dataclass(frozen=True)
class Raster:
    """A raster with a georeference, of any format.

    Attributes
    ----------
    name : str
        Its path, for messages.
    crs : rasterio CRS
    transform : Affine
        From pixel (column, row) to the CRS.
    height, width, bands : int
    dtype : str
    nodata : float or None
        The declared missing value.
    read : callable
        (rows, columns) to `Pixels`; the spans lie inside the raster.
    declared : Declared
        What the user said of it.
    unit : str or None
        Of the first band, as the file spells it.
    colours : tuple of str
        Colour interpretation of the bands, lower-case, such as "red", "alpha", "undefined"; empty where unknown.
    sea_below : float or None
        Heights below it are sea, metres.
    downwards : bool
        They are depths, by the file's own word.
    """

    name: str
    crs: CRS
    transform: Affine
    height: int
    width: int
    bands: int
    dtype: str
    nodata: float | None
    read: Callable[[Span, Span], Pixels]
    declared: Declared = NOTHING
    unit: str | None = None
    colours: tuple[str, ...] = ()
    sea_below: float | None = None
    downwards: bool = False


def describe_dataset(path: Path, dataset: Any, declared: Declared, own_crs: bool = True) -> Raster:
    """Describe an open rasterio dataset as a raster, with what the files beside it say (`sidecar`).

    Values are multiplied by their scale and their offset is added; a missing value is then NaN.

    Parameters
    ----------
    declared : Declared
        CRS and missing value where the file has none.
    own_crs : bool
        Use the CRS that the dataset states.

    Raises
    ------
    InputError, ConfigError
        It has no georeference or no CRS; the declared CRS is unknown; a file beside it is damaged.
    """
    beside = read_sidecar(path)
    if declared.nowhere:
        crs, transform = beside.crs or dataset.crs or NOWHERE, dataset.transform
    else:
        transform, given = located(path, dataset, beside, own_crs)
        crs, transform = in_degrees(path, crs_of(path, given, declared), transform, declared)
    shape = (dataset.height, dataset.width)
    # A band of transparency is dealt with by its colour interpretation, which may be other than GDAL's.
    flags = dataset.mask_flag_enums[0]
    own_mask = MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags
    other_mask = mask_beside(path, shape)
    scale = dataset.scales[0] if beside.scale is None else beside.scale
    offset = dataset.offsets[0] if beside.offset is None else beside.offset
    own = _first(beside.nodata, None if dataset.nodata is None else float(dataset.nodata))
    if not scale or not np.isfinite([scale, offset]).all():
        raise InputError(
            f"{path}: its values have the scale {scale:g} and the offset {offset:g}, which no heights have: correct "
            f"them, for instance gdal_edit.py -scale 1 -offset 0 {path.name}"
        )
    nodata = _first(declared.nodata, own) if declared.wins else _first(own, declared.nodata)
    scaled = (scale, offset) != (1.0, 0.0)

    def window(rows: Span, columns: Span) -> Pixels:
        values = raster.read(dataset, rows, columns)
        if scaled:
            values = _scaled(values, nodata, scale, offset)
        area = Window(columns[0], rows[0], columns[1] - columns[0], rows[1] - rows[0])
        hidden = dataset.dataset_mask(window=area) == 0 if own_mask else None
        if other_mask is not None:
            covered = other_mask(rows, columns)
            hidden = covered if hidden is None else hidden | covered
        return Pixels(values, hidden)

    described = [beside.names.get(band, text or "") for band, text in enumerate(dataset.descriptions)]
    colours = colours_named(
        [beside.colours.get(band, of.name) for band, of in enumerate(dataset.colorinterp)], described
    )
    return Raster(
        str(path), crs, transform, *shape, dataset.count,
        "float32" if scaled else dataset.dtypes[0], float("nan") if scaled else nodata, window, declared,
        beside.unit or dataset.units[0] or unit_beside(path), colours,
    )  # fmt: skip


_NAMED = {
    "red": r"red|b04", "green": r"green|b03", "blue": r"blue|b02",
    "nir": r"n\.?i\.?r\.?|near[ _-]?infra[ _-]?red|b08|b8a",
}  # fmt: skip
"""How bands are called, Sentinel-2's by their numbers."""


def colours_named(interpretation: Sequence[str], described: Sequence[str]) -> tuple[str, ...]:
    """Choose the colours of bands: what they are called, where each of red, green and blue is called so once.

    A band that is called near infrared is no transparency, though four bands of a byte are often written so.
    """
    called = [_colour_of(text) for text in described]
    if all(called.count(name) == 1 for name in ("red", "green", "blue")):
        rest = [("alpha" if name == "alpha" and said is None else "undefined")
                for name, said in zip(interpretation, called, strict=True)]  # fmt: skip
        return tuple(said if said in ("red", "green", "blue") else other
                     for said, other in zip(called, rest, strict=True))  # fmt: skip
    return tuple("undefined" if said == "nir" and name == "alpha" else name
                 for name, said in zip(interpretation, called, strict=True))  # fmt: skip


def _colour_of(text: str) -> str | None:
    found = [
        name for name, pattern in _NAMED.items() if re.search(rf"(?<![a-z0-9])({pattern})(?![a-z0-9])", text.lower())
    ]
    return "nir" if "nir" in found else found[0] if len(found) == 1 else None


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _scaled(values: NDArray[Any], nodata: float | None, scale: float, offset: float) -> NDArray[np.float32]:
    """Values in the unit of the file: NaN where missing is declared, infinite where it is usual for the type."""
    made = values.astype(np.float64) * scale + offset
    if values.dtype == np.int16:
        made[np.isin(values, SENTINELS)] = np.inf if nodata is not None else np.nan
    if nodata is not None:
        made[np.isclose(values.astype(np.float64), nodata, rtol=1e-6, atol=0, equal_nan=True)] = np.nan
    return made.astype(np.float32)

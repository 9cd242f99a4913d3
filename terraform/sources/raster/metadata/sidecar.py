"""Files beside a raster: `.aux.xml` as GDAL, QGIS and ArcGIS write it, `.msk`, `.prj`.

GDAL would open whatever such a file is, a virtual raster too, which can read any file. So they are read here: a text
by its few known elements, a mask by the GeoTIFF driver alone.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.transform import Affine

from terraform.errors import InputError
from terraform.geo import raster as door

_LARGEST = 20_000_000
_LARGEST_PROJECTION = 100_000
"""Of an `.aux.xml` and of a `.prj`, bytes."""
Span = tuple[int, int]


class Sidecar(NamedTuple):
    """What an `.aux.xml` says; None where it says nothing.

    Attributes
    ----------
    crs : rasterio CRS or None
    transform : Affine or None
        From pixel (column, row) to the CRS.
    nodata, scale, offset : float or None
    unit : str or None
        All of the first band.
    colours : dict of int to str
        Colour interpretation of bands, counted from 0, lower-case.
    names : dict of int to str
        Descriptions of bands, counted from 0.
    points : tuple of GroundControlPoint
        Ground control points.
    points_crs : rasterio CRS or None
    """

    crs: CRS | None = None
    transform: Affine | None = None
    nodata: float | None = None
    scale: float | None = None
    offset: float | None = None
    unit: str | None = None
    colours: dict[int, str] = {}  # noqa: RUF012  (a named tuple's default, never changed)
    names: dict[int, str] = {}  # noqa: RUF012
    points: tuple[GroundControlPoint, ...] = ()
    points_crs: CRS | None = None


def read_sidecar(path: Path) -> Sidecar:
    """Read the `.aux.xml` of a raster, where there is one.

    Raises
    ------
    InputError
        It is damaged, or no such file.
    """
    beside = path.with_name(path.name + ".aux.xml")
    _warn_of_erdas(path)
    if not beside.is_file():
        return Sidecar()
    root = _parsed(beside)
    bands = root.findall("PAMRasterBand")
    first = next((band for band in bands if band.get("band") in (None, "1")), None)
    try:
        nodata, scale, offset = (_number(first, name) for name in ("NoDataValue", "Scale", "Offset"))
        numbers = [float(text) for text in (root.findtext("GeoTransform") or "").split(",") if text.strip()]
        points = tuple(_point(point) for point in root.findall("GCPList/GCP"))
    except (TypeError, ValueError) as error:
        raise InputError(f"{beside} is damaged ({error}): correct it, or remove it") from None
    listed = root.find("GCPList")
    return Sidecar(
        _crs(root.findtext("SRS"), beside), Affine.from_gdal(*numbers) if len(numbers) == 6 else None,
        nodata, scale, offset, None if first is None else first.findtext("UnitType"),
        {band: name.lower() for band, name in _of_bands(bands, "ColorInterp").items()},
        _of_bands(bands, "Description"), points,
        None if listed is None else _crs(listed.get("Projection"), beside),
    )  # fmt: skip


def _of_bands(bands: list[ElementTree.Element], name: str) -> dict[int, str]:
    """Read a text of each band that has it, by the band's number, counted from 0."""
    found = {int(band.get("band", "1")) - 1: (band.findtext(name) or "").strip() for band in bands}
    return {band: text for band, text in found.items() if text}


def _point(point: ElementTree.Element) -> GroundControlPoint:
    line, pixel, x, y = (float(point.get(name, "")) for name in ("Line", "Pixel", "X", "Y"))
    return GroundControlPoint(line, pixel, x, y)


def _warn_of_erdas(path: Path) -> None:
    """Say that an `.aux` is not read: ERDAS keeps CRS, missing value and statistics there, in a format of its own."""
    for beside in (path.with_suffix(".aux"), path.with_name(path.name + ".aux")):
        if beside.is_file():
            print(
                f"warning: {beside.name} beside {path.name} is not read (ERDAS): if it holds its CRS or missing value, "
                f"write both into a GeoTIFF, gdal_translate {path.name} OUT.tif",
                file=sys.stderr,
                flush=True,
            )


def _parsed(beside: Path) -> ElementTree.Element:
    if beside.stat().st_size > _LARGEST:
        raise InputError(f"{beside} is larger than {_LARGEST:,} bytes: remove it, or export the raster again")
    text = beside.read_bytes()
    try:
        # Entities could blow up, or name other files; no such file has any.
        if b"<!" in text.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
            raise InputError(f"{beside} declares a document type: remove it, or export the raster again")
        return ElementTree.fromstring(text)  # noqa: S314  (see above)
    except ElementTree.ParseError as error:
        raise InputError(f"{beside} is damaged ({error}): correct it, or remove it") from None


def _number(band: ElementTree.Element | None, name: str) -> float | None:
    text = None if band is None else band.findtext(name)
    return None if text is None or not text.strip() else float(text)


def _crs(text: str | None, beside: Path) -> CRS | None:
    if text is None or not text.strip():
        return None
    try:
        return CRS.from_user_input(text.strip())
    except (CRSError, ValueError) as error:
        raise InputError(f"{beside} holds a CRS that is not known ({error}): correct it, or remove it") from None


def projection_beside(path: Path) -> CRS | None:
    """Read the `.prj` beside a raster, as Esri writes it, where there is one.

    Raises
    ------
    InputError
        It is no CRS.
    """
    text = _projection_text(path)
    try:
        return CRS.from_wkt(text, morph_from_esri_dialect=True) if text else None
    except (CRSError, ValueError) as error:
        raise InputError(
            f"{path.with_suffix('.prj')} holds a CRS that is not known ({error}): correct it, or remove it"
        ) from None


def unit_beside(path: Path) -> str | None:
    """Read the unit of heights in an old `.prj` of ARC/INFO (`Zunits FEET`), where one says it."""
    said = re.search(r"^\s*zunits\s+(\S+)", _projection_text(path), re.IGNORECASE | re.MULTILINE)
    return None if said is None or said[1].lower() in ("no", "none") else said[1]


def _projection_text(path: Path) -> str:
    found = (path.with_suffix(end) for end in (".prj", ".PRJ"))
    beside = next((candidate for candidate in found if candidate.is_file()), None)
    if beside is None or beside.stat().st_size > _LARGEST_PROJECTION:
        return ""
    return beside.read_text(encoding="utf-8", errors="replace").strip()


def mask_beside(path: Path, shape: tuple[int, int]) -> Callable[[Span, Span], NDArray[np.bool_]] | None:
    """Open the `.msk` of a raster, where there is one.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the raster.

    Returns
    -------
    callable or None
        (rows, columns) to (h, w) bool, True where the raster is hidden.

    Raises
    ------
    InputError
        It is no GeoTIFF, or of another size.
    """
    beside = path.with_name(path.name + ".msk")
    if not beside.is_file():
        return None
    with door.opened(beside) as dataset:
        if dataset.shape != shape:
            raise InputError(
                f"{beside} is a mask of {dataset.width} x {dataset.height} pixels, the raster has {shape[1]} x "
                f"{shape[0]}: it belongs to another; remove it, or export the raster again"
            )

    def hidden(rows: Span, columns: Span) -> NDArray[np.bool_]:
        with door.opened(beside) as opened:
            values: NDArray[Any] = door.read(opened, rows, columns)
        return np.asarray((values if values.ndim == 2 else values[..., 0]) == 0)

    return hidden

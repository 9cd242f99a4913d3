"""Files beside a raster: `.aux.xml` as GDAL, QGIS and ArcGIS write it, `.msk`, `.prj`.

GDAL would open whatever such a file is, a virtual raster too, which can read any file. So they are read here: a text
by its few known elements, a mask by the GeoTIFF driver alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.transform import Affine

from terraform.errors import InputError
from terraform.geo import raster as door

_LARGEST = 20_000_000
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
    """

    crs: CRS | None = None
    transform: Affine | None = None
    nodata: float | None = None
    scale: float | None = None
    offset: float | None = None
    unit: str | None = None
    colours: dict[int, str] = {}  # noqa: RUF012  (a named tuple's default, never changed)


def read_sidecar(path: Path) -> Sidecar:
    """Read the `.aux.xml` of a raster, where there is one.

    Raises
    ------
    InputError
        It is damaged, or no such file.
    """
    beside = path.with_name(path.name + ".aux.xml")
    if not beside.is_file():
        return Sidecar()
    root = _parsed(beside)
    bands = root.findall("PAMRasterBand")
    first = next((band for band in bands if band.get("band") in (None, "1")), None)
    try:
        nodata, scale, offset = (_number(first, name) for name in ("NoDataValue", "Scale", "Offset"))
        numbers = [float(text) for text in (root.findtext("GeoTransform") or "").split(",") if text.strip()]
    except ValueError as error:
        raise InputError(f"{beside} is damaged ({error}): correct it, or remove it") from None
    colours = {int(band.get("band", "1")) - 1: (band.findtext("ColorInterp") or "").lower() for band in bands}
    return Sidecar(
        _crs(root.findtext("SRS"), beside), Affine.from_gdal(*numbers) if len(numbers) == 6 else None,
        nodata, scale, offset, None if first is None else first.findtext("UnitType"),
        {band: name for band, name in colours.items() if name},
    )  # fmt: skip


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
    found = (path.with_suffix(end) for end in (".prj", ".PRJ"))
    beside = next((candidate for candidate in found if candidate.is_file()), None)
    if beside is None or beside.stat().st_size > 100_000:
        return None
    text = beside.read_text(encoding="utf-8", errors="replace").strip()
    try:
        return CRS.from_wkt(text, morph_from_esri_dialect=True) if text else None
    except (CRSError, ValueError) as error:
        raise InputError(f"{beside} holds a CRS that is not known ({error}): correct it, or remove it") from None


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

"""One's own rasters of every format, opened as one `Raster` by their suffix, without guessing."""

import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from terraform.sources.raster import pds3
from terraform.sources.raster.declared import NOTHING, Declared, crs_of
from terraform.sources.raster.place import located, world_file
from terraform.sources.raster.sidecar import mask_beside, read_sidecar

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


_GDAL = {
    ".tif": "GTiff", ".tiff": "GTiff", ".bil": "EHdr", ".flt": "EHdr", ".asc": "AAIGrid",
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG",
}  # fmt: skip
_PICTURES = (".png", ".jpg", ".jpeg")
_SRTM = (".hgt", ".hgt.zip", ".hgt.gz")
_SRTM_BYTES = {2 * 1201 * 1201, 2 * 3601 * 3601, 2 * 3601 * 1801}
"""Of a tile, unpacked."""
_LABEL = ".lbl"

SUFFIXES = (*_GDAL, *_SRTM, _LABEL)
"""Of the files that can be read, lower-case."""


def suffix_of(path: Path) -> str:
    """Find the suffix that decides how a file is read, lower-case; `.hgt.zip` and `.hgt.gz` count as one."""
    name = path.name.lower()
    return next((double for double in _SRTM if name.endswith(double)), path.suffix.lower())


def readable_in(folder: Path) -> list[Path]:
    """List the rasters of a folder, by name; pictures count only with a world file beside them.

    Raises
    ------
    InputError
        There are none.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    rasters = [path for path in files if suffix_of(path) in SUFFIXES]
    rasters = [path for path in rasters if suffix_of(path) not in _PICTURES or world_file(path)]
    if not rasters:
        raise InputError(f"{folder} holds no raster: expected files ending in {', '.join(SUFFIXES)}")
    return rasters


@contextmanager
def open_raster(path: Path, declared: Declared) -> Iterator[Raster]:
    """Open one of one's own rasters.

    Parameters
    ----------
    declared : Declared
        CRS and missing value where the file has none.

    Raises
    ------
    InputError
        The file is missing, damaged, a VRT, of no known format, or lacks its header or its CRS.
    """
    suffix = suffix_of(path)
    if not path.is_file():
        more = "" if declared.options else ": check `path`, and `rasters` where it uses {rasters}"
        raise InputError(f"{path} does not exist{more or ': correct its name'}")
    _refuse_vrt(path)
    if suffix == _LABEL:
        yield _labelled(path, declared)
    elif suffix in _SRTM:
        with _open_srtm(path, gzipped=suffix == ".hgt.gz") as dataset:
            yield describe_dataset(path, dataset, declared)
    elif suffix in _GDAL:
        _require_header(path, suffix)
        with raster.opened(path, _GDAL[suffix], siblings=suffix in (".bil", ".flt", ".asc")) as dataset:
            yield describe_dataset(path, dataset, declared)
    else:
        raise InputError(f"{path} is of no known format: expected a file ending in {', '.join(SUFFIXES)}")


def _refuse_vrt(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(512)
    if path.suffix.lower() == ".vrt" or b"<VRTDataset" in start:
        raise InputError(
            f"{path} is a VRT, which can make GDAL read any file: turn it into a GeoTIFF (gdal_translate IN OUT.tif), "
            "or name its rasters in a list or a folder"
        )


@contextmanager
def _open_srtm(path: Path, gzipped: bool) -> Iterator[Any]:
    """Open an SRTM tile, zipped or gzipped too; GDAL finds its place in its name and its shape in its size."""
    try:
        if path.suffix.lower() == ".zip":
            _check_archive(path)
        with raster.opened(path, "SRTMHGT", gzipped=gzipped) as dataset:
            yield dataset
    except InputError as error:
        raise InputError(
            f"{path} is no SRTM tile ({error}): expected a name that begins like N46E008, and unpacked 1201 x 1201, "
            "3601 x 3601 or 3601 x 1801 integers of 16 bits; if it is truncated, get it again"
        ) from None


def _check_archive(path: Path) -> None:
    """Refuse a damaged archive before GDAL sees it, which checks no sum and may crash with the whole process."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = [member.file_size for member in archive.infolist()]
            whole = sum(sizes) <= max(_SRTM_BYTES) + 1_000_000 and not _SRTM_BYTES.isdisjoint(sizes)
            whole = whole and archive.testzip() is None
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError):
        whole = False
    if not whole:
        raise InputError("its archive is damaged, encrypted, or holds something else")


def _require_header(path: Path, suffix: str) -> None:
    if suffix in (".bil", ".flt") and not any(path.with_suffix(end).is_file() for end in (".hdr", ".HDR")):
        raise InputError(
            f"{path} has no header: put {path.stem}.hdr (NROWS, NCOLS, NBITS, PIXELTYPE, BYTEORDER, ULXMAP, ULYMAP, "
            "XDIM, YDIM) beside it"
        )


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
    transform, crs = located(path, dataset, beside, own_crs)
    shape = (dataset.height, dataset.width)
    own_mask = MaskFlags.per_dataset in dataset.mask_flag_enums[0]
    other_mask = mask_beside(path, shape)
    scale = dataset.scales[0] if beside.scale is None else beside.scale
    offset = dataset.offsets[0] if beside.offset is None else beside.offset
    own = _first(beside.nodata, None if dataset.nodata is None else float(dataset.nodata))
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

    names = tuple(beside.colours.get(band, of.name) for band, of in enumerate(dataset.colorinterp))
    return Raster(
        str(path), crs_of(path, crs, declared), transform, *shape, dataset.count,
        "float32" if scaled else dataset.dtypes[0], float("nan") if scaled else nodata, window, declared,
        beside.unit or dataset.units[0] or None, names,
    )  # fmt: skip


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


def _labelled(path: Path, declared: Declared) -> Raster:
    image = pds3.read(path)
    nodata = declared.nodata if image.missing is None else image.missing
    crs = crs_of(path, CRS.from_wkt(image.crs_wkt), declared)
    height, width = image.values.shape

    def window(rows: Span, columns: Span) -> Pixels:
        return Pixels(image.scaled(rows, columns), None)

    return Raster(str(path), crs, image.transform, height, width, 1, image.dtype, nodata, window, declared)

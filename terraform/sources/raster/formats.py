"""One's own rasters of every format, opened as one `Raster` by their suffix, without guessing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import MaskFlags
from rasterio.errors import CRSError
from rasterio.transform import Affine
from rasterio.windows import Window

from terraform.errors import ConfigError, InputError
from terraform.geo import raster as raster
from terraform.sources.raster import pds3

Span = tuple[int, int]


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


@dataclass(frozen=True)
class Declared:
    """What the user says of files that do not say it: CRS and missing value."""

    crs: str | None = None
    nodata: float | None = None


_GDAL = {
    ".tif": "GTiff", ".tiff": "GTiff", ".bil": "EHdr", ".flt": "EHdr", ".asc": "AAIGrid",
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG",
}  # fmt: skip
_PICTURES = (".png", ".jpg", ".jpeg")
_SRTM = (".hgt", ".hgt.zip", ".hgt.gz")
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
        raise InputError(f"{path} does not exist: check `path`, and `rasters` where it uses {{rasters}}")
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
        with raster.opened(path, "SRTMHGT", gzipped=gzipped) as dataset:
            yield dataset
    except InputError as error:
        raise InputError(
            f"{path} is no SRTM tile ({error}): expected a name that begins like N46E008, and unpacked 1201 x 1201, "
            "3601 x 3601 or 3601 x 1801 integers of 16 bits; if it is truncated, get it again"
        ) from None


def _require_header(path: Path, suffix: str) -> None:
    if suffix in (".bil", ".flt") and not any(path.with_suffix(end).is_file() for end in (".hdr", ".HDR")):
        raise InputError(
            f"{path} has no header: put {path.stem}.hdr (NROWS, NCOLS, NBITS, PIXELTYPE, BYTEORDER, ULXMAP, ULYMAP, "
            "XDIM, YDIM) beside it"
        )


def describe_dataset(path: Path, dataset: Any, declared: Declared, own_crs: bool = True) -> Raster:
    """Describe an open rasterio dataset as a raster.

    Parameters
    ----------
    declared : Declared
        CRS and missing value where the file has none.
    own_crs : bool
        Use the CRS that the dataset states.

    Raises
    ------
    InputError, ConfigError
        It has no georeference or no CRS; the declared CRS is unknown.
    """
    transform = dataset.transform
    if transform.is_identity:
        transform = _from_world_file(path)
    own_mask = MaskFlags.per_dataset in dataset.mask_flag_enums[0]
    scale, offset = dataset.scales[0], dataset.offsets[0]

    def window(rows: Span, columns: Span) -> Pixels:
        values = raster.read(dataset, rows, columns)
        if (scale, offset) != (1.0, 0.0):
            missing = np.zeros(values.shape, bool) if nodata is None else values == nodata
            values = np.where(missing, nodata or 0, values.astype(np.float32) * scale + offset)
        area = Window(columns[0], rows[0], columns[1] - columns[0], rows[1] - rows[0])
        return Pixels(values, dataset.dataset_mask(window=area) == 0 if own_mask else None)

    nodata = declared.nodata if dataset.nodata is None else float(dataset.nodata)
    crs = crs_of(path, dataset.crs if own_crs else None, declared)
    shape = (dataset.height, dataset.width, dataset.count)
    return Raster(str(path), crs, transform, *shape, dataset.dtypes[0], nodata, window)


def crs_of(path: Path, given: CRS | None, declared: Declared) -> CRS:
    """Choose the CRS of a file, or what the user says of it.

    Raises
    ------
    InputError, ConfigError
        Neither says it, or the user's is unknown.
    """
    if given is not None:
        return given
    if declared.crs is None:
        raise InputError(
            f"{path} has no CRS: say which one it is in with `crs:`, for instance `crs: EPSG:4326` (or give `generate` "
            "--pixel-size and --latitude); if it should have one it is truncated: get it again"
        )
    try:
        return CRS.from_user_input(declared.crs)
    except CRSError as error:
        raise ConfigError(f"crs: {declared.crs!r} is unknown ({error}): use one such as EPSG:4326") from None


def world_file(path: Path) -> Path | None:
    """Find the world file of a raster: `.wld`, or its suffix with a w (`.pgw`, `.pngw`)."""
    letters = path.suffix[1:]
    ends = ("wld", letters[0] + letters[-1] + "w", letters + "w")
    found = (path.with_suffix("." + end) for name in ends for end in (name, name.upper()))
    return next((candidate for candidate in found if candidate.is_file()), None)


def _from_world_file(path: Path) -> Affine:
    beside = world_file(path)
    if beside is None:
        raise InputError(f"{path} has no georeference: put a world file beside it, or export it as a GeoTIFF")
    try:
        a, d, b, e, x, y = (float(number) for number in beside.read_text(encoding="ascii").split())
    except (ValueError, UnicodeDecodeError):
        raise InputError(f"{beside} is not a world file: it must hold six numbers, one a line") from None
    # A world file gives the centre of the first pixel.
    return shift_transform(Affine(a, b, x, d, e, y), -0.5, -0.5)


def shift_transform(transform: Affine, columns: float, rows: float) -> Affine:
    """Shift a georeference to the part of a raster that begins that many columns and rows further."""
    a, b, c, d, e, f = transform[:6]
    return Affine(a, b, a * columns + b * rows + c, d, e, d * columns + e * rows + f)


def _labelled(path: Path, declared: Declared) -> Raster:
    image = pds3.read(path)
    nodata = declared.nodata if image.missing is None else image.missing
    crs = CRS.from_wkt(image.crs_wkt)
    height, width = image.values.shape

    def window(rows: Span, columns: Span) -> Pixels:
        return Pixels(image.scaled(rows, columns), None)

    return Raster(str(path), crs, image.transform, height, width, 1, image.dtype, nodata, window)

"""The only door to GDAL: open, read and write rasters with a georeference."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from rasterio.transform import Affine
from rasterio.windows import Window

from terraform.errors import InputError, ResourceError
from terraform.geo.bodies import BODIES, Body
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import VOID
from terraform.geo.resample import Axis
from terraform.storage.atomic_write import atomic_write, require_space

_GDAL = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_NUM_THREADS": "ALL_CPUS",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GDAL_VRT_ENABLE_RAWRASTERBAND": "NO",
    "GDAL_PAM_ENABLED": "NO",
    "CPL_VSIL_GZIP_WRITE_PROPERTIES": "NO",
}
_BLOCK = 256

SOURCE_PIXEL = "SOURCE_PIXEL_M"
"""Tag of a download: height of a pixel of the finest raster that it was made from, metres."""


@contextmanager
def opened(
    path: Path | str,
    driver: str = "GTiff",
    siblings: bool = False,
    gzipped: bool = False,
    variable: str | None = None,
) -> Iterator[Any]:
    """Open a raster for reading, as a rasterio dataset.

    Parameters
    ----------
    driver : str
        The one GDAL driver that may read the file; no other format is guessed.
    siblings : bool
        Let GDAL read the files beside it: a header, a projection.
    gzipped : bool
        Let GDAL unpack it while it reads.
    variable : str, optional
        Which one of a NetCDF.

    Raises
    ------
    InputError
        The file is missing, truncated, or not of the driver's format.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist: check the path")
    with rasterio.Env(**_GDAL | ({"GDAL_DISABLE_READDIR_ON_OPEN": "FALSE"} if siblings else {})):
        try:
            dataset = rasterio.open(_gdal_name(path, gzipped, variable), driver=driver)
        except (RasterioError, CRSError) as error:
            raise InputError(
                f"{path} cannot be opened as {driver} ({error}): it may be truncated or of another "
                "format; fetch or export it again"
            ) from None
        with dataset:
            yield dataset


def _gdal_name(path: Path, gzipped: bool, variable: str | None) -> str:
    """Make the name by which GDAL opens a file that is there."""
    if variable is None:
        return f"/vsigzip/{path.resolve()}" if gzipped else str(path)
    if '"' in str(path):
        raise InputError(f"{path} has a quotation mark in its name: rename it, GDAL could not tell where the name ends")
    return f'NETCDF:"{path}":{variable}'


@contextmanager
def opened_by(opener: Callable[..., Any]) -> Iterator[Any]:
    """Open a GeoTIFF of which every byte comes from a file object, as a rasterio dataset.

    Parameters
    ----------
    opener : callable
        (path, mode) to a new binary file object; GDAL opens several. It must be closed in the thread that opened it.

    Raises
    ------
    RasterioError
        It is no GeoTIFF.
    """
    with rasterio.Env(**_GDAL), rasterio.open("remote.tif", driver="GTiff", opener=opener) as dataset:
        yield dataset


def read(dataset: Any, rows: tuple[int, int] | None = None, columns: tuple[int, int] | None = None) -> NDArray[Any]:
    """Read a window of all bands as (H, W) for one band, (H, W, C) for more.

    Raises
    ------
    InputError
        The file ends early or its data cannot be decoded.
    """
    top, bottom = rows or (0, dataset.height)
    left, right = columns or (0, dataset.width)
    try:
        values = dataset.read(window=Window(left, top, right - left, bottom - top))
    except RasterioError as error:
        raise InputError(
            f"{dataset.name} cannot be read ({error.__cause__ or error}): it is damaged; get it again"
        ) from None
    return values[0] if dataset.count == 1 else np.moveaxis(values, 0, -1)


def grid_of(dataset: Any) -> RasterGrid:
    """Read the grid of a raster in a body's geographic CRS, degrees.

    Raises
    ------
    InputError
        It is rotated, south up, or in another CRS.
    """
    transform = dataset.transform
    body = body_of(dataset)
    if not dataset.crs.is_geographic or transform.b or transform.d or transform.a <= 0 or transform.e >= 0:
        raise InputError(f"{dataset.name} is not a north-up raster in degrees: it is in {dataset.crs}; fetch it again")
    return RasterGrid(
        body,
        Axis(transform.f, transform.e, dataset.height),
        Axis(transform.c, transform.a, dataset.width),
    )


def body_of(dataset: Any) -> Body:
    """Find the body whose sphere or ellipsoid a raster's CRS is on.

    Raises
    ------
    InputError
        There is no CRS, or it belongs to a body that is not known.
    """
    if dataset.crs is None:
        raise InputError(f"{dataset.name} has no CRS: say which one it is in (--crs, or `crs:` of a source)")
    axis_m = semi_major_axis_m(dataset.crs)
    for body in BODIES.values():
        if abs(axis_m / body.radius_m - 1) < 0.01:
            return body
    raise InputError(
        f"{dataset.name} is on a body of radius {axis_m / 1000:.1f} km: known are "
        + ", ".join(f"{body.name} ({body.radius_m / 1000:.1f} km)" for body in BODIES.values())
    )


def semi_major_axis_m(crs: CRS) -> float:
    """Semi-major axis of a CRS's ellipsoid, metres."""
    from pyproj import CRS as ProjCRS

    ellipsoid = ProjCRS.from_wkt(crs.to_wkt()).ellipsoid
    if ellipsoid is None:
        raise InputError(f"the CRS {crs} has no ellipsoid: give one of a body (--crs, or `crs:` of a source)")
    return float(ellipsoid.semi_major_metre)


def affine_of(grid: RasterGrid) -> Affine:
    """Make the affine georeference of a grid in degrees."""
    rows, columns = grid.latitudes, grid.longitudes
    return Affine(columns.step, 0, columns.origin, 0, rows.step, rows.origin)


def write_strips(
    path: Path,
    grid: RasterGrid,
    strips: Iterable[NDArray[Any]],
    bands: int,
    dtype: str,
    tags: Mapping[str, str],
    scale: float = 1.0,
    names: Sequence[str] = (),
    jpeg_quality: int | None = None,
) -> None:
    """Publish a GeoTIFF in degrees from strips of rows, north to south, so that memory holds one strip at a time.

    Parameters
    ----------
    strips : iterable of (h, W) or (h, W, bands) arrays
        Together as many rows as the grid has.
    dtype : str
        "int16" for heights (void is the nodata value) or "uint8" for imagery, where a pixel that is 0 in all bands
        is void (no nodata value is declared: GDAL would apply it band by band and drop dark colours).
    tags : mapping
        Provenance, written into the file.
    scale : float
        What a stored number must be multiplied by.
    names : sequence of str
        Of the bands.
    jpeg_quality : int, optional
        Compress each band for itself as JPEG, 1 to 100, for whole rasters given as one strip; by default losslessly.
    """
    height, width = grid.latitudes.count, grid.longitudes.count
    require_space(path.parent, height * width * bands * np.dtype(dtype).itemsize // 2)
    profile = {
        "driver": "GTiff", "height": height, "width": width, "count": bands, "dtype": dtype,
        "crs": CRS.from_user_input(grid.body.geographic_crs), "transform": affine_of(grid),
        "nodata": VOID if dtype == "int16" else None, "tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK,
        "bigtiff": "IF_SAFER", "photometric": "RGB" if bands == 3 else "MINISBLACK",
    }  # fmt: skip
    lossless = {"compress": "ZSTD", "zstd_level": 1, "predictor": 2}
    lossy = {"compress": "JPEG", "jpeg_quality": jpeg_quality, "interleave": "band"}
    profile |= lossless if jpeg_quality is None else lossy
    with atomic_write(path, verify=_complete) as temporary:
        # GDAL says of a closed folder only that it failed; Python says why.
        temporary.touch()
        with rasterio.Env(**_GDAL), rasterio.open(temporary, "w", **profile) as dataset:
            top = 0
            for strip in strips:
                _put(dataset, strip, top)
                top += strip.shape[0]
            dataset.update_tags(**tags)
            if scale != 1.0:
                dataset.scales = (scale,) * bands
            if names:
                dataset.descriptions = tuple(names)


def to_cog(source: Path, path: Path) -> None:
    """Write a raster again as a cloud-optimised GeoTIFF, losslessly; the caller publishes it.

    Raises
    ------
    InputError
        The source cannot be read.
    ResourceError
        The disk is full.
    """
    from rasterio.shutil import copy

    with opened(source) as dataset:
        options = {"COMPRESS": "ZSTD", "LEVEL": 1, "PREDICTOR": "YES", "BIGTIFF": "IF_SAFER", "OVERVIEWS": "NONE"}
        options["BLOCKSIZE"] = _BLOCK
        try:
            copy(dataset, path, driver="COG", **options)
        except RasterioError as error:
            raise _unwritten(path, error) from None
    _complete(path)


def _put(dataset: Any, strip: NDArray[Any], top: int) -> None:
    values = strip[None] if strip.ndim == 2 else np.moveaxis(strip, -1, 0)
    try:
        dataset.write(values, window=Window(0, top, dataset.width, strip.shape[0]))
    except RasterioError as error:
        raise _unwritten(Path(dataset.name), error) from None


def _complete(path: Path) -> None:
    """Refuse a raster of which something did not reach the disk.

    GDAL does not always say so, and a missing block would read as void.
    """
    try:
        with opened(path) as dataset:
            _check_blocks(dataset)
            for row in range(0, dataset.height, _BLOCK):
                read(dataset, (row, min(row + _BLOCK, dataset.height)))
    except InputError as error:
        raise _unwritten(path, error) from None


def _check_blocks(dataset: Any) -> None:
    for down in range(-(-dataset.height // _BLOCK)):
        for across in range(-(-dataset.width // _BLOCK)):
            if not int(dataset.get_tag_item(f"BLOCK_OFFSET_{across}_{down}", "TIFF", bidx=1) or 0):
                raise InputError(f"block {across}, {down} is missing")


def _unwritten(path: Path, error: Exception) -> ResourceError:
    free = shutil.disk_usage(path.parent).free / 1e6
    return ResourceError(
        f"{path.parent}: a raster could not be written completely, the disk is full or fails ({free:.0f} MB free): "
        f"free some space and run again ({error})"
    )

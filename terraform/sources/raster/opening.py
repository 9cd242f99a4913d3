"""One's own rasters of every format, opened as one `Raster` by their suffix, without guessing.

The list is closed: each suffix has the one GDAL driver that may read it, and drivers that follow a path in the file to
other files are not among them, or are held to files beside it.
"""

import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rasterio.crs import CRS

from terraform.errors import InputError
from terraform.geo import raster as door
from terraform.sources.raster import netcdf, pds3
from terraform.sources.raster.formats import Pixels, Raster, Span, describe_dataset
from terraform.sources.raster.metadata.declared import Declared, crs_of
from terraform.sources.raster.metadata.place import world_file

_GDAL = {
    ".tif": "GTiff", ".tiff": "GTiff", ".bil": "EHdr", ".bip": "EHdr", ".bsq": "EHdr", ".flt": "EHdr",
    ".asc": "AAIGrid", ".dt0": "DTED", ".dt1": "DTED", ".dt2": "DTED", ".dem": "USGSDEM", ".jp2": "JP2OpenJPEG",
    ".j2k": "JP2OpenJPEG", ".cub": "ISIS3", ".xml": "PDS4", ".img": "ENVI", ".dat": "ENVI", ".png": "PNG",
    ".jpg": "JPEG", ".jpeg": "JPEG",
}  # fmt: skip
_RAW = (".bil", ".bip", ".bsq", ".flt")
"""Pixels alone, which a header describes: Esri's, or ENVI's."""
_WITH_SIBLINGS = (*_RAW, ".asc", ".img", ".dat", ".xml")
_PICTURES = (".png", ".jpg", ".jpeg")
_UNSURE = (".xml", ".img", ".dat")
"""Suffixes that many other files have: in a folder they do not count."""
_SRTM = (".hgt", ".hgt.zip", ".hgt.gz")
_SRTM_BYTES = {2 * 1201 * 1201, 2 * 3601 * 3601, 2 * 3601 * 1801}
"""Of a tile, unpacked."""
_LABEL = ".lbl"
_NETCDF = (*netcdf.SUFFIXES, ".h5", ".hdf5")
_HEIGHTS = ("z", "elevation", "topo", "altitude", "height", "dem", "Band1")
"""Names of a variable of heights, the best first."""

_UNPACK = ("zip", "gz", "tgz", "tar", "bz2", "xz", "7z", "rar", "kmz")
_POINTS = ("las", "laz", "e57", "ply", "pts", "csv")
_SHAPES = ("shp", "geojson", "json", "kml", "dxf", "dwg", "stl", "obj", "gltf", "glb")

SUFFIXES = (*_GDAL, *_NETCDF, *_SRTM, _LABEL)
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
    rasters = [path for path in files if suffix_of(path) in SUFFIXES and suffix_of(path) not in _UNSURE]
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
    if path.is_dir():
        raise InputError(_no_folder(path))
    if not path.is_file():
        more = ": correct its name" if declared.options else ": check `path`, and `rasters` where it uses {rasters}"
        raise InputError(f"{path} does not exist{more}")
    _refuse_vrt(path, declared.options)
    if suffix == _LABEL:
        yield _labelled(path, declared)
    elif suffix in _SRTM:
        with _open_srtm(path, gzipped=suffix == ".hgt.gz") as dataset:
            yield describe_dataset(path, dataset, declared)
    elif suffix in _NETCDF:
        with netcdf.open_netcdf(path, declared, _HEIGHTS, own_crs=True) as (raster, unit):
            yield replace(raster, unit=unit)
    elif suffix in _GDAL:
        _check_beside(path, suffix)
        with door.opened(path, _driver(path, suffix), siblings=suffix in _WITH_SIBLINGS) as dataset:
            yield describe_dataset(path, dataset, declared)
    else:
        raise InputError(_no_raster(path))


def _driver(path: Path, suffix: str) -> str:
    """Choose the driver that may read a file: of pixels alone by their header."""
    header = _header(path) if suffix in _RAW else None
    return "ENVI" if header is not None and _is_envi(header) else _GDAL[suffix]


def _no_folder(path: Path) -> str:
    if (path / "hdr.adf").is_file():
        return f"{path} is a grid of ArcInfo: turn it into a GeoTIFF, gdal_translate {path} {path.name}.tif"
    return f"{path} is a folder: name one raster in it"


def _no_raster(path: Path) -> str:
    """Say what to do with a file of another kind: the one command that converts it, where there is one."""
    kind = path.suffix.lower().removeprefix(".")
    if kind in _UNPACK:
        return f"{path} is an archive: unpack it, and name the raster in it"
    if kind in _POINTS or kind in _SHAPES:
        what = "points" if kind in _POINTS else "shapes"
        return f"{path} holds {what}, not a grid of heights: make a grid of them (gdal_grid, or PDAL for point clouds)"
    if _start(path)[:5].lower() == b"ncols":
        return f"{path} looks like an ASCII grid: call it {path.stem}.asc"
    return (
        f"{path} is of no format that is read here ({', '.join(SUFFIXES)}): turn it into a GeoTIFF, gdal_translate "
        f"{path.name} {path.stem}.tif"
    )


def _refuse_vrt(path: Path, alone: bool = True) -> None:
    with path.open("rb") as file:
        start = file.read(512)
    if path.suffix.lower() == ".vrt" or b"<VRTDataset" in start:
        raise InputError(
            f"{path} is a VRT, which can make GDAL read any file: turn it into a GeoTIFF, gdal_translate {path.name} "
            f"{path.stem}.tif{'' if alone else ', or name its rasters in a list or a folder'}"
        )


def _check_archive(path: Path) -> None:
    """Refuse a damaged archive before GDAL sees it, which checks no sum and may crash with the whole process."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            sizes = [member.file_size for member in members]
            whole = sum(sizes) <= max(_SRTM_BYTES) + 1_000_000 and not _SRTM_BYTES.isdisjoint(sizes)
            # Python reads on past a packed size that is too large; GDAL does not survive it.
            last = max((member.header_offset + member.compress_size for member in members), default=0)
            whole = whole and last <= archive.start_dir and archive.testzip() is None
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError):
        whole = False
    if not whole:
        raise InputError("its archive is damaged, encrypted, or holds something else")


@contextmanager
def _open_srtm(path: Path, gzipped: bool) -> Iterator[Any]:
    """Open an SRTM tile, zipped or gzipped too; GDAL finds its place in its name and its shape in its size."""
    try:
        if path.suffix.lower() == ".zip":
            _check_archive(path)
        with door.opened(path, "SRTMHGT", gzipped=gzipped) as dataset:
            yield dataset
    except InputError as error:
        raise InputError(
            f"{path} is no SRTM tile ({error}): expected a name that begins like N46E008, and unpacked 1201 x 1201, "
            "3601 x 3601 or 3601 x 1801 integers of 16 bits; if it is truncated, get it again"
        ) from None


def _check_beside(path: Path, suffix: str) -> None:
    """Refuse what lacks the files beside it, or would make GDAL read others."""
    if suffix in _WITH_SIBLINGS:
        for other in (path.with_name(path.name + end) for end in (".msk", ".ovr")):
            if other.is_file():
                _refuse_vrt(other)
    header = _header(path)
    if suffix in _RAW and header is None:
        raise InputError(
            f"{path} has no header: put {path.stem}.hdr (NROWS, NCOLS, NBITS, PIXELTYPE, BYTEORDER, ULXMAP, ULYMAP, "
            "XDIM, YDIM) beside it"
        )
    if suffix in (".img", ".dat") and (header is None or not _is_envi(header)):
        label = path.with_suffix(".lbl")
        raise InputError(
            f"{path} has no header of ENVI ({path.stem}.hdr) beside it: "
            + (f"name its label, {label}" if label.is_file() else "turn it into a GeoTIFF, gdal_translate IN OUT.tif")
        )
    if suffix == ".cub" and re.search(rb"^\s*\^", _start(path), re.MULTILINE):
        raise InputError(
            f"{path} is a label of pixels in another file: put them into one, cubeatt from={path.name} to=OUT"
        )
    if suffix == ".xml":
        _check_pds4(path)


def _header(path: Path) -> Path | None:
    return next((header for header in map(path.with_suffix, (".hdr", ".HDR")) if header.is_file()), None)


def _is_envi(header: Path) -> bool:
    return _start(header).lstrip().startswith(b"ENVI")


def _check_pds4(path: Path) -> None:
    names = re.findall(rb"<file_name>\s*([^<]*?)\s*</file_name>", _start(path))
    if not names:
        raise InputError(f"{path} is no label of PDS4: it names no file; name the raster itself")
    for name in names:
        if b"/" in name or b"\\" in name or not (path.parent / name.decode("utf-8", "replace")).is_file():
            raise InputError(
                f"{path} names the file {name.decode('utf-8', 'replace')!r}: it must lie beside it; get it from there"
            )


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1 << 18)


def _labelled(path: Path, declared: Declared) -> Raster:
    image = pds3.read(path)
    nodata = declared.nodata if image.missing is None else image.missing
    crs = crs_of(path, CRS.from_wkt(image.crs_wkt), declared)
    height, width = image.values.shape

    def window(rows: Span, columns: Span) -> Pixels:
        return Pixels(image.scaled(rows, columns), None)

    return Raster(str(path), crs, image.transform, height, width, 1, image.dtype, nodata, window, declared, "m")

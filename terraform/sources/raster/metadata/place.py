"""Where a raster lies: by its own georeference, by the files beside it, or by its ground control points."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import CRS as ProjCRS
from pyproj.crs import GeographicCRS
from pyproj.crs.coordinate_system import Ellipsoidal2DCS
from rasterio.crs import CRS
from rasterio.transform import Affine, from_gcps

from terraform.errors import InputError
from terraform.sources.raster.metadata.declared import Declared
from terraform.sources.raster.metadata.sidecar import Sidecar, projection_beside

_MOST_OFF_PX = 0.5
"""Ground control points that an affine misses by more are no affine's."""
_FEWEST = 3


def located(path: Path, dataset: Any, beside: Sidecar, own_crs: bool = True) -> tuple[Affine, CRS | None]:
    """Find georeference and CRS of an open rasterio dataset.

    In this order: the `.aux.xml`, the file itself, a world file with its `.prj`, ground control points.

    Parameters
    ----------
    beside : Sidecar
        What its `.aux.xml` says.
    own_crs : bool
        Use the CRS that the dataset states.

    Returns
    -------
    Affine
        From pixel (column, row) to the CRS.
    CRS or None
        None where nothing states it.

    Raises
    ------
    InputError
        Nothing places it, or only what takes a warp does: the message names the command.
    """
    crs = beside.crs or (dataset.crs if own_crs else None)
    if beside.transform is not None:
        return beside.transform, crs
    if not dataset.transform.is_identity:
        return dataset.transform, crs or projection_beside(path)
    if world_file(path) is not None:
        return _from_world_file(path), crs or projection_beside(path)
    points, points_crs = (beside.points, beside.points_crs) if beside.points else dataset.gcps
    if points:
        return _from_points(path, points), crs or points_crs
    if dataset.rpcs is not None:
        raise InputError(
            f"{path} is placed by a camera model (RPC) alone: warp it, "
            f"gdalwarp -rpc -t_srs EPSG:4326 {path.name} OUT.tif"
        )
    raise InputError(f"{path} has no georeference: put a world file beside it, or export it as a GeoTIFF")


def in_degrees(path: Path, crs: CRS, transform: Affine, declared: Declared) -> tuple[CRS, Affine]:
    """Turn longitudes and latitudes in radians or seconds of arc into degrees.

    A map in metres stays as it is, and so do the grads of a CRS that has a number: PROJ knows its datum by that.

    Returns
    -------
    CRS, Affine
        Of the raster.

    Raises
    ------
    InputError
        The CRS is no map of a body: of a building site, or counted from the centre of the Earth.
    """
    whole = ProjCRS.from_wkt(crs.to_wkt())
    geodetic = whole.geodetic_crs
    if geodetic is None or geodetic.ellipsoid is None or whole.is_geocentric:
        more = ", or draw it on no map with --pixel-size and --latitude" * declared.options
        raise InputError(
            f"{path} is in the CRS {whole.name!r}, which is no map of a body: say with "
            f"{declared.name('crs')} which one it is in{more}"
        )
    unit = whole.axis_info[0]
    degrees = math.degrees(unit.unit_conversion_factor)
    known = whole.to_authority() is not None and unit.unit_name != "radian"  # which pyproj takes for degrees
    if not crs.is_geographic or whole.is_derived or known or abs(degrees - 1) < 1e-9:
        return crs, transform
    _say(f"{path.name}: its longitudes and latitudes are in {unit.unit_name}s, converted to degrees")
    plain = GeographicCRS(f"{geodetic.name} in degrees", geodetic.datum, Ellipsoidal2DCS())
    return CRS.from_wkt(plain.to_wkt()), Affine.scale(degrees) @ transform


def _from_points(path: Path, points: Sequence[Any]) -> Affine:
    """Find the affine of ground control points, which must lie on it."""
    warp = f"warp it, gdalwarp -tps -t_srs EPSG:4326 {path.name} OUT.tif"
    if len(points) < _FEWEST:
        raise InputError(f"{path} is placed by {len(points)} ground control point(s) alone, 3 are needed: {warp}")
    found = from_gcps(points)
    back = ~found
    off = [np.hypot(back.a * p.x + back.b * p.y + back.c - p.col, back.d * p.x + back.e * p.y + back.f - p.row)
           for p in points]  # fmt: skip
    if not max(off) <= _MOST_OFF_PX:
        raise InputError(
            f"{path} is placed by {len(points)} ground control points, which no straight grid meets (off by up to "
            f"{max(off):.3g} pixels): {warp}"
        )
    _say(f"{path.name} is placed by its {len(points)} ground control points")
    return found


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


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

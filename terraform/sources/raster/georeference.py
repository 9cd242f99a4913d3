"""Georeferenced rasters: their body, and whether their rows are parallels and their columns meridians."""

import math
import re
import sys
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS as ProjCRS
from pyproj.crs.coordinate_operation import EquidistantCylindricalConversion
from rasterio.crs import CRS

from terraform.errors import InputError, IntegrityError
from terraform.geo.bodies import BODIES, EARTH, Body
from terraform.geo.crs import degrees_crs, geodetic_crs, transformer
from terraform.geo.grid import Bounds
from terraform.geo.raster import body_of, semi_major_axis_m
from terraform.geo.resample import Axis
from terraform.sources.raster.formats import Raster
from terraform.sources.raster.metadata.declared import name_of_radius

_STRAIGHT_PX = 0.05
_HIGHEST_M, _ROUND_M = 30_000.0, 200_000.0
"""No body of such a radius, metres, has places so high or so low: Vesta's south pole and Olympus Mons have 22 km."""
_LEAST_PIXEL_M = 1e-3
_UNNAMED = ("", "unknown", "unnamed", "not", "user", "undefined", "based")
"""How the datum of a CRS begins that names no body, such as "Unknown based on ... ellipsoid"."""


class Axes(NamedTuple):
    """The rows and columns of a raster in degrees."""

    latitudes: Axis
    longitudes: Axis


@dataclass(frozen=True)
class GeoreferencedRaster:
    """A raster on a known body; `axes` where its rows are parallels and its columns meridians."""

    raster: Raster
    body: Body
    axes: Axes | None

    @property
    def pixel_m(self) -> float:
        """Height of a pixel, metres."""
        if self.axes is not None:
            return abs(self.axes.latitudes.step) * self.body.metres_per_degree
        t = self.raster.transform
        units = ProjCRS.from_wkt(self.raster.crs.to_wkt()).axis_info[0].unit_conversion_factor
        metres = units if self.raster.crs.is_projected else self.body.metres_per_degree
        return float(np.hypot(t.b, t.e) * metres)


def georeference_checked(raster: Raster, body: Body) -> GeoreferencedRaster:
    """Georeference a raster, and refuse one of another body.

    Raises
    ------
    InputError
        It is on another body, or its latitudes or longitudes count in another way than planetocentric, eastwards.
    """
    own = body_of(_Named(raster.name, raster.crs))
    if own != body:
        raise InputError(
            f"{raster.name} is on {own.name} ({raster.crs}), the region is on {body.name}: name a raster of {body.name}"
        )
    require_centric(raster, body)
    return georeference(raster, body)


def body_of_crs(crs: CRS, name: str) -> Body:
    """Find the body of a CRS: one that is known, or one made from its ellipsoid, of which nothing else is known.

    Raises
    ------
    InputError
        The CRS has no ellipsoid.
    """
    radius = semi_major_axis_m(crs)
    for body in BODIES.values():
        if abs(radius / body.radius_m - 1) < 0.01:
            return body
    geodetic = ProjCRS.from_wkt(crs.to_wkt()).geodetic_crs
    if geodetic is None or geodetic.ellipsoid is None:
        raise InputError(f"{name} is in {crs}, which has no longitudes and latitudes: warp it to a geographic CRS")
    title = (geodetic.datum.name if geodetic.datum else geodetic.name).removeprefix("D_")
    reach = _HIGHEST_M if radius > _ROUND_M else math.inf
    called = re.split(r"[^a-z]", title.lower(), maxsplit=1)[0]
    return Body(
        (name_of_radius(radius) if called in _UNNAMED else None) or called,
        radius,
        geodetic.to_wkt(),
        _map_of(geodetic, title),
        -reach,
        reach,
    )


def _map_of(geodetic: ProjCRS, title: str) -> str:
    """Make an equirectangular CRS on a body's own ellipsoid, as WKT."""
    from pyproj.crs import ProjectedCRS

    found = ProjectedCRS(EquidistantCylindricalConversion(), f"{title} equirectangular", geodetic_crs=geodetic)
    return found.to_wkt()


def require_centric(raster: Raster, body: Body) -> None:
    """Of other bodies than Earth, latitudes are planetocentric and longitudes count eastwards, from 0.

    Raises
    ------
    InputError
        They do not.
    """
    # A GeoTIFF keeps the name of such a CRS, but not which way its axes count.
    if body is not EARTH and "ographic" in geodetic_crs(raster.crs).name.lower():
        raise InputError(
            f"{raster.name} is planetographic ({geodetic_crs(raster.crs).name}), expected planetocentric latitudes and "
            f"longitudes to the east: warp it to {_centric(body)}"
        )
    meridian = geodetic_crs(raster.crs).prime_meridian
    if body is not EARTH and meridian is not None and meridian.longitude:
        raise InputError(
            f"{raster.name} counts longitudes from {meridian.longitude:g} ({meridian.name}), expected from the body's "
            f"own 0: warp it to {_centric(body)}"
        )


def _centric(body: Body) -> str:
    return body.geographic_crs if len(body.geographic_crs) < 40 else f"a planetocentric CRS of {body.name}"


def georeference(raster: Raster, body: Body) -> GeoreferencedRaster:
    """Georeference a raster on a body that it is known to be of."""
    t = raster.transform
    # A determinant of 0, or one that is no number: a world file of zeros, say.
    if not 0 < abs(t.determinant) < math.inf or not all(map(math.isfinite, t)):
        raise InputError(
            f"{raster.name} has a georeference that places no pixel ({tuple(t)[:6]}): correct its world file or header"
        )
    if raster.crs.is_geographic and not (t.b or t.d):
        beyond = max(abs(t.f), abs(t.f + t.e * raster.height)) - 90
        if beyond > abs(t.e) + 1e-6:
            south, north = sorted((t.f, t.f + t.e * raster.height))
            raise InputError(
                f"{raster.name} has latitudes from {south:g} to {north:g} degrees: correct its georeference"
                f", or say with {raster.declared.name('crs')} what it is in"
            )
    placed = GeoreferencedRaster(raster, body, _axes(raster, body))
    _check_size(placed)
    return placed


def _check_size(placed: GeoreferencedRaster) -> None:
    """Refuse pixels that no heights have, and warn of degrees that are said to be metres."""
    raster, crs = placed.raster, placed.raster.declared.name("crs")
    if not placed.pixel_m > _LEAST_PIXEL_M:
        raise InputError(
            f"{raster.name} has pixels of {placed.pixel_m:.2g} m: correct its georeference, or say with {crs} what it "
            "is in"
        )
    corners = [raster.transform @ (column, row) for column in (0, raster.width) for row in (0, raster.height)]
    if raster.crs.is_projected and placed.pixel_m < 1 and all(abs(x) <= 360 and abs(y) <= 90 for x, y in corners):
        x, y = corners[0]
        print(
            f"warning: {raster.name} is in metres ({raster.crs}), and its corner ({x:g}, {y:g}) looks like a longitude "
            f"and a latitude: if it is, say so with {crs} {placed.body.geographic_crs}",
            file=sys.stderr,
            flush=True,
        )


def bounds_of(placed: GeoreferencedRaster) -> Bounds:
    """West, south, east, north of a raster, degrees; west < east, and east may pass 180.

    Raises
    ------
    InputError
        No point of its outline has a longitude and latitude.
    """
    raster = placed.raster
    if placed.axes is not None:
        rows, columns = placed.axes
        south, north = sorted((rows.origin, rows.end))
        return _turned(columns.origin, max(-90.0, south), columns.end, min(90.0, north))
    lon, lat = _outline(raster, placed.body)
    good = np.isfinite(lon) & np.isfinite(lat)
    if not good.any():
        raise InputError(f"{raster.name} lies nowhere on its body in {raster.crs}: is its georeference right?")
    south, north = float(lat[good].min()), float(lat[good].max())
    poles = [pole for pole in (-90.0, 90.0) if _holds(raster, placed.body, pole)]
    south, north = min([south, *poles]), max([north, *poles])
    if poles:
        return Bounds(-180.0, south, 180.0, north)
    # The narrowest arc that holds all longitudes begins after the widest gap.
    around = np.sort(lon[good] % 360)
    gaps = np.diff(np.append(around, around[0] + 360))
    widest = int(gaps.argmax())
    west = float(around[(widest + 1) % len(around)])
    return _turned(west, south, west + 360 - float(gaps[widest]), north)


def _turned(west: float, south: float, east: float, north: float) -> Bounds:
    if east - west >= 360 - 1e-6:
        return Bounds(-180.0, south, 180.0, north)
    turn = 360 * math.floor((west + 180) / 360)
    return Bounds(west - turn, south, east - turn, north)


def _outline(raster: Raster, body: Body) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes of points along the edges and on a net over a raster."""
    columns, rows = np.meshgrid(np.linspace(0, raster.width, 65), np.linspace(0, raster.height, 65))
    t = raster.transform
    x, y = t.c + t.a * columns + t.b * rows, t.f + t.d * columns + t.e * rows
    lon, lat = transformer(raster.crs, degrees_crs(raster.crs, body)).transform(x.ravel(), y.ravel())
    return np.asarray(lon), np.asarray(lat)


def _holds(raster: Raster, body: Body, pole: float) -> bool:
    x, y = transformer(degrees_crs(raster.crs, body), raster.crs).transform([0.0, 90.0], [pole, pole])
    if not np.isfinite([*x, *y]).all() or abs(x[0] - x[1]) > 1 or abs(y[0] - y[1]) > 1:
        return False
    t = ~raster.transform
    column, row = t.c + t.a * x[0] + t.b * y[0], t.f + t.d * x[0] + t.e * y[0]
    return bool(0 <= column <= raster.width and 0 <= row <= raster.height)


class _Named(NamedTuple):
    name: str
    crs: CRS


def _axes(raster: Raster, body: Body) -> Axes | None:
    t = raster.transform
    if t.b or t.d:
        return None
    columns, rows = np.linspace(0, raster.width, 9), np.linspace(*_rows_below_poles(raster), 9)
    x, y = np.meshgrid(t.c + t.a * columns, t.f + t.e * rows)
    lon, lat = transformer(raster.crs, degrees_crs(raster.crs, body)).transform(x, y)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    lon = np.unwrap(lon, period=360, axis=1)
    lon = np.unwrap(lon, period=360, axis=0)
    across, down = _straight(lon[0], columns, raster.width), _straight(lat[:, 0], rows, raster.height)
    if abs(across.step) < 1e-12 or abs(down.step) < 1e-12:
        return None
    off_lon = np.abs(lon - (across.origin + across.step * columns)) / abs(across.step)
    off_lat = np.abs(lat - (down.origin + down.step * rows)[:, None]) / abs(down.step)
    if across.step < 0 or max(off_lon.max(), off_lat.max()) > _STRAIGHT_PX:
        return None
    return Axes(down, across)


def _rows_below_poles(raster: Raster) -> tuple[float, float]:
    """First and last row whose latitudes exist: where pixels are counted by centres, half a row lies beyond a pole."""
    if not raster.crs.is_geographic:
        return 0.0, float(raster.height)
    t = raster.transform
    first, last = sorted((latitude - t.f) / t.e for latitude in (90.0, -90.0))
    return max(0.0, first), min(float(raster.height), last)


def _straight(degrees: NDArray[np.float64], pixels: NDArray[np.float64], count: int) -> Axis:
    """Make the axis on which pixels of an axis of `count` lie at these degrees, by the first and the last."""
    step = float((degrees[-1] - degrees[0]) / (pixels[-1] - pixels[0]))
    return Axis(float(degrees[0]) - step * float(pixels[0]), step, count)


def wraps(longitudes: Axis) -> bool:
    """Whether the columns wrap around the planet."""
    return abs(longitudes.count * longitudes.step - 360) < longitudes.step / 2


def check_body(crs: CRS | None, body: Body, name: str) -> None:
    """Refuse a file that says to be of another body; one that says nothing is believed.

    Raises
    ------
    IntegrityError
        Its ellipsoid is not the body's.
    """
    try:
        radius_m = body.radius_m if crs is None else semi_major_axis_m(crs)
    except InputError:
        radius_m = body.radius_m
    if abs(radius_m / body.radius_m - 1) > 0.01:
        raise IntegrityError(
            f"{name} is of a body with a radius of {radius_m / 1000:.1f} km, not of {body.name} "
            f"({body.radius_m / 1000:.1f} km): base_url leads to another file"
        )

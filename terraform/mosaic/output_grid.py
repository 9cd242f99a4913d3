"""The map of a mosaic: a window of the planet-wide grid, a polar stereographic plane, or a raster's own grid."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS as ProjCRS
from rasterio.crs import CRS
from rasterio.features import geometry_mask
from rasterio.transform import Affine
from shapely.geometry import box

from terraform.errors import InputError
from terraform.geo.bodies import Body
from terraform.geo.crs import degrees_crs, transformer
from terraform.geo.geobox import GeoBox
from terraform.geo.raster import semi_major_axis_m
from terraform.geo.regions import Region
from terraform.geo.tile_spec import DEFAULT_TILE
from terraform.mosaic.bands import GlobalGrid

Span = tuple[int, int]


@dataclass(frozen=True)
class GridWindow:
    """The window of the planet-wide grid that a mosaic shows.

    Attributes
    ----------
    globe : GlobalGrid
    rows, columns : Span
        Of the planet-wide grid; columns may go on beyond the antimeridian.
    frame : GeoBox
    region : Region or None
        What lies outside its polygon is masked.
    """

    globe: GlobalGrid
    rows: Span
    columns: Span
    frame: GeoBox
    region: Region | None

    @classmethod
    def of(
        cls, body: Body, bounds: tuple[float, float, float, float], region: Region | None,
        pixel_m: float = DEFAULT_TILE.pixel_m,
    ) -> "GridWindow":  # fmt: skip
        """Make the window of bounds in degrees (west, south, east, north) on the grid with pixels of `pixel_m`."""
        globe = GlobalGrid(body.radius_m, pixel_m)
        west, south, east, north = bounds
        rows = _whole((90 - north) / globe.pixel_deg, (90 - south) / globe.pixel_deg)
        columns = _whole((west + 180) / globe.pixel_deg, (east + 180) / globe.pixel_deg)
        rows = max(0, rows[0]), min(globe.rows, rows[1])
        columns = columns[0], min(columns[1], columns[0] + globe.columns)
        crs = CRS.from_user_input(body.map_crs)
        pixel = semi_major_axis_m(crs) * math.radians(globe.pixel_deg)
        left, top = (columns[0] - globe.columns / 2) * pixel, (globe.rows / 2 - rows[0]) * pixel
        transform = Affine(pixel, 0, left, 0, -pixel, top)
        return cls(globe, rows, columns, GeoBox(rows[1] - rows[0], columns[1] - columns[0], transform, crs), region)

    @property
    def extent_deg(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Longitudes and latitudes from edge to edge, degrees."""
        lon, lat = self.globe.longitudes.part(*self.columns), self.globe.latitudes.part(*self.rows)
        return (lon.origin, lon.end), (lat.end, lat.origin)

    @cached_property
    def _is_whole(self) -> bool:
        """The region is the rectangle that is shown."""
        return self.region is not None and bool(self.region.geometry.equals(box(*self.region.bounds)))

    def mask_outside(self, rows: Span) -> NDArray[np.bool_] | None:
        """Pixels of some rows whose centre lies outside the region."""
        if self.region is None or self._is_whole:
            return None
        deg = self.globe.pixel_deg
        corner = Affine(deg, 0, -180 + self.columns[0] * deg, 0, -deg, 90 - rows[0] * deg)
        shape = (rows[1] - rows[0], self.columns[1] - self.columns[0])
        mask: NDArray[np.bool_] = geometry_mask([self.region.geometry], shape, corner)
        return mask


def _whole(first: float, last: float) -> Span:
    """Find the pixels whose centre lies between two places; at least one."""
    if round(first) < round(last):
        return round(first), round(last)
    middle = math.floor((first + last) / 2)
    return middle, middle + 1


Doubles = NDArray[np.float64]

POLAR_FROM_DEG = 45.0
"""Nearer the equator a polar stereographic map is too distorted to be what was wanted."""


@dataclass(frozen=True)
class OutputGrid:
    """A map on which a mosaic is drawn.

    Attributes
    ----------
    view : GridWindow
        The part of the planet that it may show.
    frame : GeoBox
        Where its pixels lie.
    crs : rasterio CRS
        The frame's.
    geographic : rasterio CRS
        Longitudes and latitudes in degrees, as the planet-wide grid counts them.
    region : Region or None
        What lies outside its polygon is masked.
    """

    view: GridWindow
    frame: GeoBox
    crs: CRS
    geographic: CRS
    region: Region | None

    @cached_property
    def parts(self) -> int:
        """Places along each side of a pixel that are averaged, so that coarse pixels do not alias."""
        return max(1, math.ceil(self._pixel_m() / self.view.globe.pixel_m - 0.5))

    def degrees(self, rows: Span, columns: Span, parts: int | None = None) -> tuple[Doubles, Doubles]:
        """Longitudes and latitudes of places in some pixels, both (h * parts, w * parts); not finite off the body."""
        parts = parts or self.parts
        x, y = (first + (np.arange((last - first) * parts) + 0.5) / parts for first, last in (columns, rows))
        t = self.frame.transform
        column, row = np.meshgrid(x, y)
        found = transformer(self.crs, self.geographic).transform(
            t.a * column + t.b * row + t.c, t.d * column + t.e * row + t.f
        )
        return np.asarray(found[0]), np.asarray(found[1])

    def mask_outside(self, longitude: Doubles, latitude: Doubles) -> NDArray[np.bool_] | None:
        """Places that lie outside the region."""
        if self.region is None:
            return None
        shapely.prepare(self.region.geometry)
        west = self.region.bounds[0]
        return ~shapely.contains_xy(self.region.geometry, west + (longitude - west) % 360, latitude)

    def _pixel_m(self) -> float:
        """Side of a pixel on the ground in the middle of the map."""
        row, column = self.frame.height // 2, self.frame.width // 2
        lon, lat = (np.radians(part) for part in self.degrees((row, row + 2), (column, column + 2), parts=1))
        east = (lon[0, 1] - lon[0, 0] + math.pi) % (2 * math.pi) - math.pi
        sides = np.hypot(east * np.cos(lat[0, 0]), lat[0, 1] - lat[0, 0])
        return float(sides * self.view.globe.radius_m) if np.isfinite(sides) else self.view.globe.pixel_m


def polar_stereographic(
    body: Body, view: GridWindow, bounds: tuple[float, float, float, float], region: Region | None
) -> OutputGrid:
    """Make a polar stereographic map of pixels as large as those of the planet-wide grid.

    Raises
    ------
    InputError
        It does not lie near one pole.
    """
    west, south, east, north = bounds
    if max(south, -north) < POLAR_FROM_DEG:
        raise InputError(
            f"a polar map was asked for latitudes {south:g} to {north:g}: it is for regions beyond {POLAR_FROM_DEG:g} "
            "degrees of one hemisphere; use grid: equirectangular"
        )
    crs = polar_crs(body, south > 0)
    lon = np.concatenate([np.linspace(west, east, 721), np.linspace(west, east, 721)])
    lat = np.repeat([south, north], 721)
    geographic = degrees_crs(crs, body)
    x, y = transformer(geographic, crs).transform(lon, lat)
    pixel = view.globe.pixel_m
    (left, right), (bottom, top) = ((math.floor(v.min() / pixel), math.ceil(v.max() / pixel)) for v in (x, y))
    frame = GeoBox(top - bottom, right - left, Affine(pixel, 0, left * pixel, 0, -pixel, top * pixel), crs)
    return OutputGrid(view, frame, crs, geographic, region)


def from_raster(
    view: GridWindow, shape: tuple[int, int], transform: Affine, crs: CRS, body: Body, region: Region | None
) -> OutputGrid:
    """Take the grid of a raster itself."""
    return OutputGrid(view, GeoBox(*shape, transform, crs), crs, degrees_crs(crs, body), region)


def polar_crs(body: Body, north: bool) -> CRS:
    """Choose a body's polar stereographic CRS: the IAU's for Mars, UPS for Earth, else one on its own ellipsoid."""
    known = {"mars": ("IAU_2015:49930", "IAU_2015:49935"), "earth": ("EPSG:5041", "EPSG:5042")}
    if body.name in known:
        return CRS.from_user_input(known[body.name][0 if north else 1])
    ellipsoid = ProjCRS.from_user_input(body.geographic_crs).ellipsoid
    a, b = (ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre) if ellipsoid else (body.radius_m, body.radius_m)
    return CRS.from_user_input(f"+proj=stere +lat_0={90 if north else -90} +lon_0=0 +k=1 +a={a} +b={b} +units=m")

"""The window of the planet-wide grid that a mosaic shows, and where it lies on the map."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.features import geometry_mask
from rasterio.transform import Affine
from shapely.geometry import box

from terraform.geo.bodies import Body
from terraform.geo.raster import semi_major_axis_m
from terraform.geo.regions import Region
from terraform.mosaic.bands import Globe
from terraform.mosaic.geobox import Frame

Span = tuple[int, int]


@dataclass(frozen=True)
class View:
    """The window of the planet-wide grid that a mosaic shows.

    Attributes
    ----------
    globe : Globe
    rows, columns : Span
        Of the planet-wide grid; columns may go on beyond the antimeridian.
    frame : Frame
    region : Region or None
        What lies outside its polygon is masked.
    """

    globe: Globe
    rows: Span
    columns: Span
    frame: Frame
    region: Region | None

    @classmethod
    def of(cls, body: Body, bounds: tuple[float, float, float, float], region: Region | None) -> "View":
        """The view of bounds in degrees: west, south, east, north."""
        globe = Globe(body.radius_m)
        west, south, east, north = bounds
        rows = _whole((90 - north) / globe.pixel_deg, (90 - south) / globe.pixel_deg)
        columns = _whole((west + 180) / globe.pixel_deg, (east + 180) / globe.pixel_deg)
        rows = max(0, rows[0]), min(globe.rows, rows[1])
        columns = columns[0], min(columns[1], columns[0] + globe.columns)
        crs = CRS.from_user_input(body.map_crs)
        pixel = semi_major_axis_m(crs) * math.radians(globe.pixel_deg)
        left, top = (columns[0] - globe.columns / 2) * pixel, (globe.rows / 2 - rows[0]) * pixel
        transform = Affine(pixel, 0, left, 0, -pixel, top)
        return cls(globe, rows, columns, Frame(rows[1] - rows[0], columns[1] - columns[0], transform, crs), region)

    @property
    def shown(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Longitudes and latitudes from edge to edge, degrees."""
        lon, lat = self.globe.longitudes.part(*self.columns), self.globe.latitudes.part(*self.rows)
        return (lon.origin, lon.end), (lat.end, lat.origin)

    @cached_property
    def _is_whole(self) -> bool:
        """The region is the rectangle that is shown."""
        return self.region is not None and bool(self.region.geometry.equals(box(*self.region.bounds)))

    def outside(self, rows: Span) -> NDArray[np.bool_] | None:
        """Pixels of some rows whose centre lies outside the region."""
        if self.region is None or self._is_whole:
            return None
        deg = self.globe.pixel_deg
        corner = Affine(deg, 0, -180 + self.columns[0] * deg, 0, -deg, 90 - rows[0] * deg)
        shape = (rows[1] - rows[0], self.columns[1] - self.columns[0])
        mask: NDArray[np.bool_] = geometry_mask([self.region.geometry], shape, corner)
        return mask


def _whole(first: float, last: float) -> Span:
    """The pixels whose centre lies between two places; at least one."""
    if round(first) < round(last):
        return round(first), round(last)
    middle = math.floor((first + last) / 2)
    return middle, middle + 1

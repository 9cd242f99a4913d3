"""Coordinate reference systems: the degrees of a body, and the way from one to another."""

from functools import lru_cache

from pyproj import CRS as ProjCRS
from pyproj import Transformer
from rasterio.crs import CRS

from terraform.errors import InputError
from terraform.geo.bodies import EARTH, Body


@lru_cache(64)
def geodetic_crs(crs: CRS) -> ProjCRS:
    """Find the longitudes and latitudes that lie under a CRS.

    Raises
    ------
    InputError
        There are none: it is a local CRS.
    """
    found = ProjCRS.from_wkt(crs.to_wkt()).geodetic_crs
    if found is None:
        raise InputError(f"the CRS {crs} has no longitudes and latitudes: give another (--crs, or `crs:` of a source)")
    return found


def degrees_crs(crs: CRS, body: Body) -> CRS:
    """Find the CRS of degrees to which a raster's CRS is taken: the body's own, or on Mars the raster's."""
    # Of Mars there is one datum in practice, written as several spheres and spheroids: a change of datum between
    # them would move the latitudes of data that all mean planetocentric ones. Earth has real datum shifts.
    return CRS.from_user_input(body.geographic_crs) if body is EARTH else CRS.from_wkt(geodetic_crs(crs).to_wkt())


@lru_cache(64)
def transformer(source: CRS, target: CRS) -> Transformer:
    """Build the transformation from one CRS to another: x (longitude) first, heights left alone."""

    def flat(crs: CRS) -> ProjCRS:
        return ProjCRS.from_wkt(crs.to_wkt()).to_2d()

    return Transformer.from_crs(flat(source), flat(target), always_xy=True)

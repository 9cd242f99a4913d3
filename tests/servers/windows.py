"""Requests of tests: a region's own rectangle, without the margins of its tiles, so that it is quick to draw."""

from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.regions import Region
from terraform.geo.resample import Axis
from terraform.sources import Kind, Request


def rectangle_of(where: Region, kind: Kind) -> Request:
    """The rectangle at 200 m."""
    west, south, east, north = where.bounds
    step = 200 / EARTH.metres_per_degree
    rows, columns = Axis(north, -step, round((north - south) / step)), Axis(west, step, round((east - west) / step))
    return Request(where, kind, RasterGrid(EARTH, rows, columns))

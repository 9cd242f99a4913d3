"""The Haversine grid: tiles on their own middle parallel and meridian, each row with its own width in degrees."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely

from terraform.errors import ConfigError
from terraform.geo.bodies import Body
from terraform.geo.regions import Region
from terraform.geo.resample import Axis
from terraform.geo.tile_spec import DEFAULT_TILE, TileSpec

HIGHEST_MIDDLE_DEG = 80.0


class Bounds(NamedTuple):
    """West, south, east, north in degrees; east may pass 180 when a region crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float


_NARROWEST = 0.02
"""Least width of a degree of longitude over one of latitude: beyond 88.85 degrees pixels are as wide as there."""


def haversine_m(body: Body, lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Great-circle distance of two points given in degrees, metres (Sinnott 1984, "Virtues of the Haversine")."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_dphi, half_dlambda = (phi2 - phi1) / 2, math.radians(lon2 - lon1) / 2
    h = math.sin(half_dphi) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_dlambda) ** 2
    return 2 * body.radius_m * math.asin(min(1.0, math.sqrt(h)))


def tile_height_deg(body: Body, spec: TileSpec = DEFAULT_TILE) -> float:
    """Height of every row of tiles, degrees of latitude: a tile's side along a meridian."""
    return spec.tile_m / body.metres_per_degree


def tile_width_deg(body: Body, middle_deg: float, spec: TileSpec = DEFAULT_TILE) -> float:
    """Width of the tiles of a row, degrees of longitude: the Haversine formula solved on the row's middle parallel.

    Raises
    ------
    ConfigError
        The row's middle lies beyond 80 degrees, where a tile's northern and southern edges differ too much.
    """
    if abs(middle_deg) > HIGHEST_MIDDLE_DEG:
        raise ConfigError(
            f"a row of tiles at {middle_deg:.2f} degrees is beyond {HIGHEST_MIDDLE_DEG:.0f}: there a "
            f"{spec.tile_m / 1000:g} km square is no longer square; end the region's polygon before (Mars mosaics use "
            "polar caps there)"
        )
    half = math.sin(spec.tile_m / (2 * body.radius_m))
    return math.degrees(2 * math.asin(half / math.cos(math.radians(middle_deg))))


@dataclass(frozen=True)
class Row:
    """One row of tiles of a region.

    Attributes
    ----------
    index : int
        0 is the southernmost.
    west, south : float
        South-western corner, degrees.
    tile_width_deg, tile_height_deg : float
        Extent of one tile, degrees.
    columns : int
        Tiles in the row, counted from the west.
    spec : TileSpec
        The size of its tiles.
    """

    index: int
    west: float
    south: float
    tile_width_deg: float
    tile_height_deg: float
    columns: int
    spec: TileSpec = DEFAULT_TILE

    @property
    def middle_deg(self) -> float:
        """Latitude of the row's middle parallel, degrees."""
        return self.south + self.tile_height_deg / 2

    @property
    def north(self) -> float:
        """Latitude of the row's northern edge, degrees."""
        return self.south + self.tile_height_deg

    @property
    def pixel_width_deg(self) -> float:
        """Width of a pixel, degrees of longitude."""
        return self.tile_width_deg / self.spec.tile_px

    @property
    def pixel_height_deg(self) -> float:
        """Height of a pixel, degrees of latitude."""
        return self.tile_height_deg / self.spec.tile_px

    def latitudes(self, margin_px: int = 0) -> Axis:
        """Give the pixel rows of this row of tiles, north to south, with a margin above and below, degrees."""
        step = self.pixel_height_deg
        return Axis(self.north + margin_px * step, -step, self.spec.tile_px + 2 * margin_px)

    def longitudes(self, margin_px: int = 0) -> Axis:
        """Give the pixel columns of this row of tiles, west to east, with a margin on both sides, degrees."""
        step = self.pixel_width_deg
        return Axis(self.west - margin_px * step, step, self.columns * self.spec.tile_px + 2 * margin_px)

    def tile_bounds(self, column: int) -> Bounds:
        """Give the bounds of one tile, degrees."""
        west = self.west + column * self.tile_width_deg
        return Bounds(west, self.south, west + self.tile_width_deg, self.north)

    def tile_centre(self, column: int) -> tuple[float, float]:
        """Longitude and latitude of a tile's centre, degrees."""
        return self.west + (column + 0.5) * self.tile_width_deg, self.middle_deg

    def pixel_centre(self, column: int, y: int, x: int) -> tuple[float, float]:
        """Longitude and latitude of the centre of pixel (y, x) of a tile, degrees; (0, 0) is its north-west."""
        lon = self.west + (column * self.spec.tile_px + x + 0.5) * self.pixel_width_deg
        return lon, self.north - (y + 0.5) * self.pixel_height_deg

    def pixel_at(self, lon_deg: float, lat_deg: float) -> tuple[int, int, int]:
        """Column, y and x of the pixel that holds a point: the inverse of `pixel_centre`."""
        from_west = math.floor((lon_deg - self.west) / self.pixel_width_deg)
        column, x = divmod(from_west, self.spec.tile_px)
        return column, math.floor((self.north - lat_deg) / self.pixel_height_deg), x


def rows_of(region: Region, spec: TileSpec = DEFAULT_TILE) -> list[Row]:
    """Cover a region with whole rows, from its southern edge northwards, each from the region's western edge.

    Raises
    ------
    ConfigError
        A row would lie beyond 80 degrees.
    """
    west, south, east, north = region.bounds
    height = tile_height_deg(region.body, spec)
    rows = []
    # A small tolerance, so that an edge that falls on a row's edge does not open another row.
    for index in range(max(1, math.ceil((north - south) / height - 1e-9))):
        bottom = south + index * height
        width = tile_width_deg(region.body, bottom + height / 2, spec)
        wanted = max(1, math.ceil((east - west) / width - 1e-9))
        rows.append(Row(index, west, bottom, width, height, min(wanted, math.floor(360 / width)), spec))
    return rows


def left_over_deg(row: Row, region: Region) -> float:
    """Longitude that a row round the whole planet leaves uncovered because only whole tiles fit, degrees."""
    return max(0.0, region.bounds[2] - region.bounds[0] - row.columns * row.tile_width_deg)


def columns_inside(row: Row, region: Region) -> list[int]:
    """Find the columns of a row whose centre lies in the region's polygon: the row's tiles."""
    centres = np.array([row.tile_centre(column) for column in range(row.columns)])
    inside = shapely.contains_xy(region.geometry, centres[:, 0], centres[:, 1])
    return [int(column) for column in np.flatnonzero(inside)]


def tile_count(region: Region, spec: TileSpec = DEFAULT_TILE) -> int:
    """Count the tiles of a region before any screening."""
    return sum(len(columns_inside(row, region)) for row in rows_of(region, spec))


def extent(region: Region, spec: TileSpec = DEFAULT_TILE) -> Bounds:
    """Everything a region's tiles touch, margins included, degrees; latitudes end at the poles."""
    rows, margin = rows_of(region, spec), spec.margin_px
    margin_lat = margin * rows[0].pixel_height_deg
    west = min(row.west - margin * row.pixel_width_deg for row in rows)
    east = max(row.west + row.columns * row.tile_width_deg + margin * row.pixel_width_deg for row in rows)
    return Bounds(west, max(-90.0, rows[0].south - margin_lat), east, min(90.0, rows[-1].north + margin_lat))


@dataclass(frozen=True)
class RasterGrid:
    """A raster in degrees, north up.

    Attributes
    ----------
    body : Body
        Its geographic CRS is the raster's.
    latitudes, longitudes : Axis
        The pixel rows, north to south, and the pixel columns, west to east, degrees.
    """

    body: Body
    latitudes: Axis
    longitudes: Axis

    @property
    def wraps(self) -> bool:
        """The columns go round the planet: the last is followed by the first."""
        return abs(self.longitudes.count * self.longitudes.step - 360) < self.longitudes.step / 2


def download_grid(region: Region, spec: TileSpec = DEFAULT_TILE) -> RasterGrid:
    """Lay out the raster of a region's download: a tile's pixels, as wide on its most equatorward parallel."""
    bounds = mosaic_extent(region, spec) if region.role == "mosaic" else extent(region, spec)
    return covering_grid(region.body, bounds, spec.pixel_m / region.body.metres_per_degree)


def covering_grid(body: Body, bounds: Bounds, pixel_deg: float) -> RasterGrid:
    """Cover bounds with pixels of a height, degrees, that are as wide as high on the most equatorward parallel."""
    west, south, east, north = bounds
    equatorward = 0.0 if south <= 0 <= north else min(abs(south), abs(north))
    width = pixel_deg / max(_NARROWEST, math.cos(math.radians(equatorward)))
    latitudes = Axis(north, -pixel_deg, max(1, math.ceil((north - south) / pixel_deg)))
    if east - west >= 360:
        count = round(360 / width)
        return RasterGrid(body, latitudes, Axis(west, 360 / count, count))
    return RasterGrid(body, latitudes, Axis(west, width, max(1, math.ceil((east - west) / width))))


def mosaic_extent(region: Region, spec: TileSpec = DEFAULT_TILE, halo_px: int = 256) -> Bounds:
    """Bound what a generator must see of a region: its bounds and a halo, degrees; at most once round the planet."""
    west, south, east, north = region.bounds
    halo_lat = halo_px * spec.pixel_m / region.body.metres_per_degree
    south, north = max(-90.0, south - halo_lat), min(90.0, north + halo_lat)
    halo_lon = halo_lat / max(0.05, math.cos(math.radians(max(abs(south), abs(north)))))
    if east - west + 2 * halo_lon >= 360:
        return Bounds(-180.0, south, 180.0, north)
    return Bounds(west - halo_lon, south, east + halo_lon, north)

"""Relief and sea of a whole body on the grid of a picture, from any raster of its heights."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terraform.basemap.sea import depth_from_distance_m, distance_to_land_m
from terraform.climate.sphere import gradient
from terraform.config.basemap import SeaLaw
from terraform.errors import InputError
from terraform.geo.bodies import Body
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import Heights
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.resample import Axis
from terraform.geo.spherical_spline import isotropic
from terraform.mosaic.elevation import ElevationRaster, from_array
from terraform.sources.raster.bands import heights_of
from terraform.sources.raster.classify import MaskedPixels, refuse_radius
from terraform.sources.raster.formats import Pixels, Raster
from terraform.sources.raster.georeference import GeoreferencedRaster, body_of_crs, georeference, require_centric
from terraform.sources.raster.metadata.declared import NOTHING, Declared
from terraform.sources.raster.opening import open_raster
from terraform.sources.raster.planet import with_sea_floor
from terraform.sources.raster.resample import planes

Field = NDArray[np.float32]

_STRIP_ROWS = 180
_BOUNDS_M = (-12_000.0, 25_000.0)
"""Below the deepest sea and above the highest mountain of any body: what lies outside is a missing value."""
_SENTINELS = (-32768, -32767, 32767)


@dataclass(frozen=True)
class PlanetRelief:
    """Relief and sea of a whole body.

    Attributes
    ----------
    grid : PlanetGrid
    height_m : (H, W) float32
        Above the shoreline; 0 at sea.
    depth_m : (H, W) float32
        Of the sea; 0 on land.
    land : (H, W) float32
        Share of land, 0 to 1: a coast is as sharp as a cell allows.
    """

    grid: PlanetGrid
    height_m: Field
    depth_m: Field
    land: Field


def read_relief(path: Path, shoreline_m: float, cells_per_degree: int, declared: Declared = NOTHING) -> PlanetRelief:
    """Read the relief of a whole body; where heights are missing is sea.

    Parameters
    ----------
    path : Path
        A raster that the source `files` reads, metres above the datum.
    shoreline_m : float
        What lies below it is sea, metres.
    cells_per_degree : int
        Of the picture. Coarser heights are enlarged as smooth curves (cubic B-splines), finer ones averaged.
    declared : Declared
        What the user says of the raster.

    Raises
    ------
    InputError
        It is no raster of heights, or does not cover its body.
    """
    with open_raster(path, declared) as found:
        body = body_of_crs(found.crs, path.name)
        raster = heights_of(found, with_sea_floor(body))
        require_centric(raster, body)
        placed = georeference(raster, body)
        own = PlanetGrid(body, _cells_of(placed, cells_per_degree))
        height, known = _resampled(placed, own, shoreline_m)
    return _relief(height, known, own, PlanetGrid(body, cells_per_degree))


def _cells_of(placed: GeoreferencedRaster, most: int) -> int:
    """Cells a degree of the heights: the divisor of the picture's that is next above their own."""
    own = placed.body.metres_per_degree / placed.pixel_m
    return next(cells for cells in range(1, most + 1) if most % cells == 0 and (cells >= own * 0.99 or cells == most))


def _resampled(placed: GeoreferencedRaster, grid: PlanetGrid, shoreline_m: float) -> tuple[Field, Field]:
    """Heights above the shoreline, 0 where none is known, and the share of each cell where one is: (H, W) each."""
    height, known = np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    classify = partial(_classified, body=grid.body)
    for top in range(0, grid.height, _STRIP_ROWS):
        count = min(_STRIP_ROWS, grid.height - top)
        rows = Axis(90 - top * grid.cell_deg, -grid.cell_deg, count)
        found = planes(placed, RasterGrid(grid.body, rows, Axis(-180.0, grid.cell_deg, grid.width)), classify, 1)
        if found is not None:
            share = np.minimum(found.valid, 1)
            mean = found.total[..., 0] / np.maximum(found.valid, 1e-6) - shoreline_m
            height[top : top + count], known[top : top + count] = mean * (share > 0), share
    if not known.any():
        raise InputError(f"{placed.raster.name} has no heights: every pixel is missing")
    return height, known


def _classified(pixels: Pixels, raster: Raster, body: Body) -> MaskedPixels:
    values = pixels.values
    missing = np.isin(values, _SENTINELS)
    if raster.nodata is not None:
        missing |= values == raster.nodata
    if pixels.hidden is not None:
        missing |= pixels.hidden
    known = values[~missing]
    if known.size:
        refuse_radius(float(known.min()), float(known.max()), raster.name, body)
    missing |= ~((values > _BOUNDS_M[0]) & (values < _BOUNDS_M[1]))
    return MaskedPixels(np.where(missing, 0, values).astype(np.float32)[..., None], ~missing, missing)


def _relief(height: Field, known: Field, own: PlanetGrid, grid: PlanetGrid) -> PlanetRelief:
    round_poles = isotropic(np.stack([height, known], axis=-1))
    signed, share = (own.refined(round_poles[..., plane], grid) for plane in (0, 1))
    land = np.clip((share - 0.5) * 2 + 0.5, 0, 1) * _above(signed, grid)
    depth = np.where(share > 0.5, np.maximum(-signed, 0), 0)
    if not (depth > 0).any() and (land < 0.5).any():
        depth = depth_from_distance_m(distance_to_land_m(np.asarray(land, np.float32), grid), SeaLaw())
    up = np.maximum(signed, 0) * (land > 0)
    return PlanetRelief(grid, *(np.asarray(part, np.float32) for part in (up, depth * (land < 1), land)))


def _above(signed: Field, grid: PlanetGrid) -> Field:
    """Share of a cell above the shoreline, its relief taken as a plane."""
    east, north = gradient(signed, grid)
    fall = np.hypot(east, north) * (np.radians(grid.cell_deg) * grid.body.radius_m)
    return np.asarray(np.clip(0.5 + signed / np.maximum(fall, 1.0), 0, 1), np.float32)


def as_source(relief: PlanetRelief) -> ElevationRaster:
    """Give the heights above the shoreline as mosaics read them."""
    none = np.zeros(relief.grid.shape, np.bool_)
    heights = Heights(relief.height_m - relief.depth_m, none, none)
    step, (rows, columns) = relief.grid.cell_deg, relief.grid.shape
    return from_array(heights, Axis(90.0, -step, rows), Axis(-180.0, step, columns), relief.grid.body.metres_per_degree)


def body_named_by(path: Path, declared: Declared = NOTHING) -> Body:
    """Find the body of a raster."""
    with open_raster(path, declared) as raster:
        return body_of_crs(raster.crs, path.name)

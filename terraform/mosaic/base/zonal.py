"""Base colours where a body has no base map: the base model under a climate that knows latitude and height alone.

No winds, no seas, no rain shadows: belts of climate, and mountains that are cold. It serves any body at once.
"""

import numpy as np
from numpy.typing import NDArray

from terraform.basemap.model import BaseModel
from terraform.basemap.render import Ground, draw
from terraform.basemap.tints import tints_of
from terraform.climate.balance import legendre2, zonal_temperatures
from terraform.climate.monthly import MONTHS, MonthlyClimate
from terraform.config.basemap import BaseMap as BaseMapSettings
from terraform.config.climate import EARTH_CLIMATE, MARS_CLIMATE, ClimateModel
from terraform.geo.bodies import MARS, Body
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.resample import Axis
from terraform.mosaic.base.air_map import AirMap
from terraform.mosaic.base.base_map import BaseMap
from terraform.mosaic.base.filling import push_pull
from terraform.mosaic.elevation import ElevationRaster

Field = NDArray[np.float32]

CELLS_PER_DEGREE = 4
"""Belts and mountains need no more."""
_CLIMATE_CELLS = 1
_STRIP_ROWS = 8
_RAIN_MM = (1929, 917, 619, 586, 641, 710, 557, 225, 80)
"""Precipitation of a year on Earth's land, millimetres, in belts of ten degrees from the equator on: ERA5 of 2000-2025
(Contains modified Copernicus Climate Change Service information), both hemispheres."""
_SUMMER = (0.46, 1.0, 0.84, 0.2, 0.18, 0.41, 0.43, 0.12, 0.03)
"""How much more than the mean falls in mid-July of the north, and in mid-January of the south; the same."""
_EQUATOR_TO_POLE_C = (14.9, -28.0)
_WETTEST_MONTH = 7.5


def zonal_base(
    model: BaseModel, source: ElevationRaster, body: Body, shoreline_m: float, tints: bool = False
) -> BaseMap:
    """Draw the base colours of a body from latitude and height.

    Parameters
    ----------
    model : BaseModel
    source : ElevationRaster
        Heights of a part of the body; beyond it they continue smoothly, and nobody sees it.
    body : Body
        Mars has its own gravity, year and tilt; any other body is taken as Earth.
    shoreline_m : float
        What lies below it is sea.
    tints : bool
        Whether its tints are wanted, too.

    Returns
    -------
    BaseMap
        Of the whole body.
    """
    grid, settings = PlanetGrid(body, CELLS_PER_DEGREE), _climate_of(body)
    height, land = _heights(source, grid, shoreline_m)
    coarse = PlanetGrid(body, _CLIMATE_CELLS)
    level = zonal_climate(coarse, settings)
    mean = grid.coarsened(np.maximum(height, 0) * (land > 0), coarse)
    climate = level.at_heights(mean, settings.lapse_rate_k_per_km)
    ground = Ground(grid, height, land, settings.lapse_rate_k_per_km, settings.gravity_m_s2)
    chosen = BaseMapSettings()
    drawn = draw(model, climate, coarse, ground, chosen)
    by_height = tints_of(model, climate, coarse, ground, chosen, shoreline_m) if tints else None
    return BaseMap(np.concatenate([drawn.land, drawn.sea], axis=-1), by_height)


def zonal_climate(grid: PlanetGrid, settings: ClimateModel) -> MonthlyClimate:
    """Make a climate of latitude alone, at the shoreline.

    The year's temperature is Earth's zonal mean, 14.9 - 28 P2 degrees Celsius (North, Cahalan and Coakley 1981), its
    seasons those of land under the body's sun, its rain that of Earth's land.

    Parameters
    ----------
    grid : PlanetGrid
    settings : ClimateModel
        Gives the sun.
    """
    swings = zonal_temperatures(grid, settings).land
    warmth = np.repeat((_year_c(grid) + swings - swings.mean(axis=0))[..., None], grid.width, axis=-1)
    latitude = grid.latitude_deg
    middles = np.arange(len(_RAIN_MM)) * 10 + 5
    year, summer = (np.interp(np.abs(latitude), middles, table) for table in (_RAIN_MM, _SUMMER))
    months = np.cos(2 * np.pi * (np.arange(MONTHS) + 1 - _WETTEST_MONTH) / MONTHS)[:, None]
    rain = year / MONTHS * np.maximum(1 + summer * np.clip(latitude / 10, -1, 1) * months, 0)
    wet = np.repeat(rain[..., None], grid.width, axis=-1)
    return MonthlyClimate(warmth.astype(np.float32), wet.astype(np.float32))


def zonal_air(body: Body) -> AirMap:
    """Give the year's temperature of a climate of latitude alone, at the shoreline, and the body's lapse rate."""
    grid = PlanetGrid(body, _CLIMATE_CELLS)
    level = np.repeat(_year_c(grid)[:, None], grid.width, axis=1)
    return AirMap(level.astype(np.float32), _climate_of(body).lapse_rate_k_per_km)


def _year_c(grid: PlanetGrid) -> NDArray[np.float64]:
    return np.asarray(_EQUATOR_TO_POLE_C[0] + _EQUATOR_TO_POLE_C[1] * legendre2(grid))


def _climate_of(body: Body) -> ClimateModel:
    return MARS_CLIMATE if body == MARS else EARTH_CLIMATE


def _heights(source: ElevationRaster, grid: PlanetGrid, shoreline_m: float) -> tuple[Field, Field]:
    """Heights above the shoreline and the share of land, (H, W) each, a few rows of the source at a time."""
    height, known, land = (np.zeros(grid.shape, np.float32) for _ in range(3))
    longitudes = Axis(-180.0, grid.cell_deg, grid.width)
    for top in range(0, grid.height, _STRIP_ROWS):
        rows = slice(top, min(top + _STRIP_ROWS, grid.height))
        found = source.on_axes(Axis(90.0, -grid.cell_deg, grid.height).part(rows.start, rows.stop), longitudes)
        height[rows] = np.where(found.sea | found.void, 0, found.metres - np.float32(shoreline_m))
        known[rows] = ~found.void
        land[rows] = ~found.sea & ~found.void & (height[rows] >= 0)
    filled = push_pull(np.stack([height, land], axis=-1) * known[..., None], known[..., None])
    return np.ascontiguousarray(filled[..., 0]), np.ascontiguousarray(filled[..., 1])

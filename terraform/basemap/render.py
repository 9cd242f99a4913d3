"""Draw the base colours of a body: land everywhere, sea everywhere, and a preview of both."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.basemap.features import climate_bands, features_of, relief_of
from terraform.basemap.model import BaseModel
from terraform.basemap.sea import Place, depth_from_distance_m, distance_to_land_m, sea_colours
from terraform.climate.monthly import MonthlyClimate
from terraform.climate.sphere import Smoother, gradient
from terraform.config.basemap import BaseMap
from terraform.geo.planet_grid import PlanetGrid

_LIGHT = np.array([-1.0, 1.0, np.sqrt(2.0)], np.float32) / 2
"""Towards the sun: north-west, 45 degrees high."""


class BaseColours(NamedTuple):
    """Smooth colours of a body on its planet grid.

    Attributes
    ----------
    land : (H, W, 3) uint8
        Each cell as if it were land: nothing of the sea bleeds over a coast.
    sea : (H, W, 3) uint8
        Each cell as if it were sea, with its ice.
    """

    land: NDArray[np.uint8]
    sea: NDArray[np.uint8]


class Ground(NamedTuple):
    """What a body is drawn on.

    Attributes
    ----------
    grid : PlanetGrid
        Where the colours shall lie.
    height_m : (H, W) float32
        Height above the shoreline, metres; in the sea, depth as a negative number, or 0 where no depth is known.
    land : (H, W) float32
        Share of land, 0 to 1.
    lapse_rate_k_per_km : float
        Fall of temperature with height in this climate.
    gravity_m_s2 : float
        Gravity at the surface of this body.
    """

    grid: PlanetGrid
    height_m: NDArray[np.float32]
    land: NDArray[np.float32]
    lapse_rate_k_per_km: float
    gravity_m_s2: float


def draw(model: BaseModel, climate: MonthlyClimate, climate_grid: PlanetGrid, ground: Ground, settings: BaseMap) \
        -> BaseColours:  # fmt: skip
    """Draw a body band by band, so that no more than a tenth of its months are in memory at once.

    Parameters
    ----------
    model : BaseModel
        Learnt on Earth.
    climate : MonthlyClimate
        On `climate_grid`, temperatures of that grid's mean heights.
    climate_grid : PlanetGrid
        Cells that are whole blocks of the ground's, or the ground's own.
    ground : Ground
        Relief and land.
    settings : BaseMap
        Month, roughness and sea.

    Returns
    -------
    BaseColours
        On the ground's grid.

    Raises
    ------
    InputError
        An array is not on its grid.
    """
    grid = ground.grid
    grid.check(ground.height_m)
    grid.check(ground.land)
    height = np.maximum(ground.height_m, 0) * (ground.land > 0)
    relief = relief_of(height, grid, settings.roughness_m, settings.surroundings_m)
    depth = _depth(ground, settings)
    drawn = BaseColours(*(np.empty((*grid.shape, 3), np.uint8) for _ in range(2)))
    for rows, level in climate_bands(climate, climate_grid, height, grid, ground.lapse_rate_k_per_km):
        here = level.at_heights(height[rows], ground.lapse_rate_k_per_km)
        features = features_of(here, relief.part(rows), ground.gravity_m_s2, settings.month)
        drawn.land[rows] = _levels(model.colours(features))
        month_c = level.temperature[settings.month - 1] if settings.month else level.annual_temperature
        place = Place(grid.latitude_deg[rows, None], grid.longitude_deg, grid.body.radius_m)
        drawn.sea[rows] = _levels(sea_colours(depth[rows], level.annual_temperature, month_c, settings.sea, place))
    return drawn


def composite(colours: BaseColours, land: NDArray[np.float32], shade: NDArray[np.float32] | None = None) \
        -> NDArray[np.uint8]:  # fmt: skip
    """Lay land over sea by its share, for people to look at.

    Parameters
    ----------
    colours : BaseColours
        Of a body.
    land : (H, W) float32
        Share of land, 0 to 1.
    shade : (H, W) float32, optional
        Factor of the land's colours, as `hillshade` gives it.

    Returns
    -------
    (H, W, 3) uint8
        Red, green and blue.
    """
    share = land[..., None]
    ground = colours.land * (np.float32(1) if shade is None else shade[..., None])
    return np.asarray(np.clip(np.rint(ground * share + colours.sea * (1 - share)), 0, 255), np.uint8)


def hillshade(ground: Ground, strength: float, exaggeration: float = 8.0) -> NDArray[np.float32]:
    """Shade relief lit from the north-west.

    Parameters
    ----------
    ground : Ground
        Relief.
    strength : float
        0 shades nothing, 1 is the cosine of the sun on the relief.
    exaggeration : float
        Factor of heights: cells of kilometres are flat otherwise.

    Returns
    -------
    (H, W) float32
        Factor of brightness, 1 on level ground.
    """
    grid = ground.grid
    # Cells near a pole are narrow: smoothed to a cell of the equator, their relief has no streaks along meridians.
    smooth = Smoother(grid, float(np.radians(grid.cell_deg)) * grid.body.radius_m / 2)
    east, north = gradient(smooth(np.maximum(ground.height_m, 0)) * np.float32(exaggeration), grid)
    lit = (_LIGHT[2] - east * _LIGHT[0] - north * _LIGHT[1]) / np.sqrt(1 + east**2 + north**2)
    return np.asarray(1 + strength * (np.maximum(lit, 0) / _LIGHT[2] - 1), np.float32)


def _depth(ground: Ground, settings: BaseMap) -> NDArray[np.float32]:
    """Depth of the sea, metres: known where heights go below the shoreline, else guessed from the distance to land."""
    known = np.maximum(-ground.height_m, 0)
    if (known[ground.land < 0.5] > 0).any():
        return known
    return depth_from_distance_m(distance_to_land_m(ground.land, ground.grid), settings.sea)


def _levels(colours: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(np.clip(colours, 0, 1) * 255), np.uint8)

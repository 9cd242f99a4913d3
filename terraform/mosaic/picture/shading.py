"""Light on a whole body: soft shading of its relief, and its sea by depth."""

import numpy as np
from numpy.typing import NDArray

from terraform.climate.sphere import Smoother, gradient
from terraform.geo.planet_grid import PlanetGrid

Field = NDArray[np.float32]

_SUN = np.array([-0.5, 0.5, np.sqrt(0.5)], np.float32)
"""Towards the sun: north-west, 45 degrees high, as maps are lit (Imhof 1982)."""
_BROAD_CELLS = 6.0
"""Size of the relief that is shaded a second time, cells: volcanoes and basins, whose slopes are gentle."""
_SHARES = (0.62, 0.38)
"""Of fine and of broad relief in the light."""
_TYPICAL_SLOPE = 0.42
"""Slope to which the 95th percentile of a body's slopes is exaggerated."""


def shade(height_m: Field, grid: PlanetGrid, strength: float) -> Field:
    """Shade relief softly, lit from the north-west.

    Slopes are exaggerated so that those of any body look alike, and compressed: a cliff is no black line. Fine and
    broad relief are shaded apart and added.

    Parameters
    ----------
    height_m : (H, W) float32
        Heights above the shoreline.
    grid : PlanetGrid
        Where they lie.
    strength : float
        0 shades nothing, 1 fully.

    Returns
    -------
    (H, W) float32
        Factor of brightness, 1 on level ground.
    """
    broad = Smoother(grid, _BROAD_CELLS * np.radians(grid.cell_deg) * grid.body.radius_m)(height_m)
    light = sum(
        share * _lit(*gradient(field, grid), grid)
        for share, field in zip(_SHARES, (height_m - broad * np.float32(0.5), broad), strict=True)
    )
    return np.asarray(1 + strength * light, np.float32)


def _lit(east: Field, north: Field, grid: PlanetGrid) -> Field:
    """Cosine of the sun over that on level ground, less 1."""
    slope = np.hypot(east, north)
    gain = _TYPICAL_SLOPE / max(_percentile(slope, grid), 1e-6)
    compressed = np.tanh(slope * gain) / np.maximum(slope, 1e-9)
    right, up = east * compressed, north * compressed
    facing = (_SUN[2] - right * _SUN[0] - up * _SUN[1]) / np.sqrt(1 + right**2 + up**2)
    return np.asarray(np.maximum(facing, 0.0) / _SUN[2] - 1, np.float32)


def _percentile(slope: Field, grid: PlanetGrid) -> float:
    """Compute the 95th percentile, by area, of what slopes at all."""
    thin = slope[::4, ::4]
    weight = np.broadcast_to(grid.area_weight[::4], thin.shape)[thin > 1e-7]
    values = thin[thin > 1e-7]
    if not values.size:
        return 1.0
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(reached, 0.95 * reached[-1])])


def brightened(colours: Field, light: Field) -> Field:
    """Light colours: shadows turn a little blue, as they do under a sky, and highlights a little warm.

    Parameters
    ----------
    colours : (H, W, 3) float32, 0 to 255
    light : (H, W) float32
        Factor of brightness.

    Returns
    -------
    (H, W, 3) float32, 0 to 255
    """
    away = (light - 1)[..., None]
    tint = np.where(away < 0, np.array([1.06, 1.0, 0.86], np.float32), np.array([1.05, 1.0, 0.9], np.float32))
    factor = 1 + away * tint
    room = (255 - colours) / 255
    # Highlights approach white instead of being cut off.
    lit = np.where(factor < 1, colours * factor, colours * (1 + (factor - 1) * (0.35 + 0.65 * room)))
    return np.asarray(np.clip(lit, 0, 255), np.float32)


def sea_by_depth(colours: Field, depth_m: Field) -> Field:
    """Deepen the colours of open water: shelves are lighter and greener, abysses darker; ice and what is bright stay.

    Parameters
    ----------
    colours : (H, W, 3) float32, 0 to 255
        Of the sea.
    depth_m : (H, W) float32

    Returns
    -------
    (H, W, 3) float32, 0 to 255
    """
    water = np.clip((140 - colours.max(axis=-1)) / 60, 0, 1)[..., None]
    shelf = np.exp(-depth_m / 250)[..., None] * np.array([5, 22, 20], np.float32)
    slope = np.exp(-depth_m / 2500)[..., None] * np.array([2, 7, 13], np.float32)
    return np.asarray(np.clip(colours + water * (shelf + slope), 0, 255), np.float32)

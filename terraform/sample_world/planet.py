"""The synthetic planets as a whole: their smooth ground, without the gullies and craters that are smaller than a cell.

A cell shows the ground at its centre as the lattice of the fine world has it (everything wider than about 10 km), and
its colour by the same colour law, level and without texture.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.geo.planet_grid import PlanetGrid
from terraform.sample_world import craters as sample_craters
from terraform.sample_world import earth, mars, noise
from terraform.sample_world import relief as earth_relief
from terraform.sample_world.climate import SampleClimate, climate
from terraform.sample_world.colour import colours, wetness
from terraform.sample_world.noise import Float

MARS_SHORE_M = -2_500.0
"""Height of the sea of a terraformed synthetic Mars; for its climate alone."""

_ROWS = 32
_f = np.float32


class SamplePlanet(NamedTuple):
    """A synthetic planet on a planet grid.

    Attributes
    ----------
    height_m : (H, W) float32
        Metres; on Earth below 0 on the floor of the sea.
    moisture : (H, W) float32
        Share, 0..1, as the colour law has it.
    imagery : (H, W, 3) uint8 or None
        Colours; None of Mars.
    """

    height_m: Float
    moisture: Float
    imagery: NDArray[np.uint8] | None


def sample_planet(grid: PlanetGrid, seed: int) -> SamplePlanet:
    """Compute a synthetic planet.

    Parameters
    ----------
    grid : PlanetGrid
        Of Earth or Mars.
    seed : int
    """
    return _earth(grid, seed) if grid.body.name == "earth" else _mars(grid, seed)


def sample_climate(grid: PlanetGrid, seed: int) -> SampleClimate:
    """Compute the climate of a synthetic planet by the law of `terraform.sample_world.climate`."""
    planet = sample_planet(grid, seed)
    shore = 0.0 if grid.body.name == "earth" else MARS_SHORE_M
    above = planet.height_m - _f(shore)
    return climate(grid, np.maximum(above, 0), above < 0, planet.moisture)


def _strips(grid: PlanetGrid) -> Iterator[slice]:
    for top in range(0, grid.height, _ROWS):
        yield slice(top, min(top + _ROWS, grid.height))


def _earth(grid: PlanetGrid, seed: int) -> SamplePlanet:
    table = noise.tables(seed, earth.WORLD)
    height, moisture = np.empty(grid.shape, _f), np.empty(grid.shape, _f)
    image = np.empty((*grid.shape, 3), np.uint8)
    for rows in _strips(grid):
        lat = grid.latitude_deg[rows]
        ground = earth_relief.ground(table, noise.axes(grid.longitude_deg, lat))
        land = earth_relief.level_terrain(ground)
        flat = np.zeros_like(land.height)
        height[rows] = land.height
        moisture[rows] = np.clip(wetness(land, flat), 0, 1)
        image[rows] = colours(land, lat, flat, flat)
    return SamplePlanet(height, moisture, image)


def _mars(grid: PlanetGrid, seed: int) -> SamplePlanet:
    height, moisture = np.empty(grid.shape, _f), np.empty(grid.shape, _f)
    cell_km = grid.cell_deg * grid.body.metres_per_degree / 1000
    turned = np.where(grid.longitude_deg < 0, grid.longitude_deg + 360, grid.longitude_deg)
    craters = sample_craters.scattered(seed, grid.latitude_deg, mars.RADIUS_KM, smallest_km=3 * cell_km)
    for rows in _strips(grid):
        lat = grid.latitude_deg[rows]
        height[rows] = mars.smooth(turned, lat, seed, craters)
        belts = earth_relief.belts(lat.astype(_f))[:, None]
        moisture[rows] = np.clip(belts - _f(5e-5) * np.maximum(height[rows] - _f(MARS_SHORE_M), 0), 0, 1)
    return SamplePlanet(height, moisture, None)

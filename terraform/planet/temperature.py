"""Temperature at the shoreline: what a climate is without its relief, and pairs that know it.

What is smooth is the temperature reduced to height 0 (the body's datum, or its shoreline); the generator takes it to
the height of each pixel (`terraform.pairs.context.Air`). Pairs take it from the observed climate of Earth, so that no
knob of a climate and no model of it touches them.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from terraform import provenance
from terraform.config.climate import EARTH_CLIMATE
from terraform.errors import InputError
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.resample import Axis
from terraform.geo.spherical_spline import SphericalSpline
from terraform.geo.tile_spec import TileSpec
from terraform.pairs.store import LAPSE_RATE, TEMPERATURE, open_pairs, save_array
from terraform.planet.rasters import read_climate, read_land, read_months
from terraform.provenance import Provenance
from terraform.storage.atomic_write import remove_file

CELLS_PER_DEGREE = 2.0
"""Of the observed climate, at most: what the climate of a mosaic has by default, so that both are as smooth."""


class ShorelineTemperature(NamedTuple):
    """The year's mean temperature of a body, reduced to its shoreline.

    Attributes
    ----------
    grid : PlanetGrid
    celsius : (H, W) float32
        At the height of the shoreline, degrees Celsius.
    lapse_rate_k_per_km : float
        By which it was reduced, and falls with height.
    shoreline_m : float
        Above the datum, metres.
    provenance : Provenance
    """

    grid: PlanetGrid
    celsius: NDArray[np.float32]
    lapse_rate_k_per_km: float
    shoreline_m: float
    provenance: Provenance

    def spline(self) -> SphericalSpline:
        """Give the temperature as a smooth function of place, one channel."""
        return SphericalSpline(self.celsius[..., None])


def of_climate(path: Path) -> ShorelineTemperature:
    """Read a body's climate, observed or simulated: `climate.tif`.

    Raises
    ------
    InputError
        It is no climate of a body.
    """
    climate, made = read_climate(path)
    rate = climate.lapse_rate_k_per_km
    level = climate.monthly.at_sea_level(climate.height_m, rate).annual_temperature
    return ShorelineTemperature(climate.grid, level, rate, climate.shoreline_m, made)


def observed(temperature: Path, elevation: Path) -> ShorelineTemperature:
    """Reduce the observed temperature of Earth to its datum, by the lapse rate of Earth's climate.

    The heights of the cells are averaged to the temperature's own; both are averaged to at most half a degree.

    Parameters
    ----------
    temperature, elevation : Path
        Twelve months, and heights of the whole body, as `fetch --planet` writes them.

    Raises
    ------
    InputError
        A raster is missing or damaged, or they are of different bodies or grids that do not fit.
    """
    grid, months = read_months(temperature)
    land = read_land(elevation, 0.0)
    target = grid.coarser(CELLS_PER_DEGREE)
    if land.grid.body != grid.body or land.grid.height % target.height:
        raise InputError(
            f"{temperature} is of {grid.body.name}, {target.cells_per_degree:g} cells per degree once averaged; "
            f"{elevation} of {land.grid.body.name}, {land.grid.cells_per_degree:g}: give both of one body, the heights "
            "with a multiple of the cells"
        )
    rate = EARTH_CLIMATE.lapse_rate_k_per_km
    year = grid.coarsened(months.mean(axis=0, dtype=np.float32), target)
    height = land.grid.coarsened(land.above_m, target)
    parts = [provenance.read(provenance.beside(path)) for path in (temperature, elevation)]
    made = provenance.merge(parts, **{"kind": "temperature at the shoreline", LAPSE_RATE: rate})
    return ShorelineTemperature(target, year + np.float32(rate / 1000) * height, rate, 0.0, made)


def add_temperature(pairs: Path, temperature: Path, elevation: Path) -> None:
    """Add the temperature of their places to a folder of pairs: `temperature.npy`, one value for 16 x 16 pixels.

    Parameters
    ----------
    pairs : Path
        A folder, as `cut` writes it.
    temperature, elevation : Path
        See `observed`.

    Raises
    ------
    InputError
        The pairs or a raster are missing or damaged, or of different bodies.
    """
    stored, level = open_pairs(pairs), observed(temperature, elevation)
    body = stored.provenance.details["body"]
    if body != level.grid.body.name:
        raise InputError(f"{pairs} is of {body}, {temperature} of {level.grid.body.name}: give the body's own")
    spline = level.spline()
    path = pairs / TEMPERATURE
    remove_file(provenance.beside(path))
    save_array(path, np.stack([_cells(spline, tile, stored.spec) for tile in stored.tiles]))
    provenance.write(level.provenance, provenance.beside(path))


def _cells(spline: SphericalSpline, tile: np.void, spec: TileSpec) -> NDArray[np.float32]:
    """Sample at the cells of a tile's base colours and their margins, (20, 20) for the default tile."""
    side, margin = spec.base_side_cells, spec.BASE_MARGIN_CELLS
    cells = side - 2 * margin
    high, wide = (tile["north"] - tile["south"]) / cells, (tile["east"] - tile["west"]) / cells
    rows = Axis(tile["north"] + margin * high, -high, side)
    columns = Axis(tile["west"] - margin * wide, wide, side)
    found: torch.Tensor = spline.on_axes(rows, columns)[0]
    sampled: NDArray[np.float32] = found.numpy()
    return sampled

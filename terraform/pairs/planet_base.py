"""Base colours of a whole body, sampled where tiles are: what a mosaic has, instead of the imagery's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.errors import InputError
from terraform.geo.resample import Axis, gather, taps
from terraform.geo.tile_spec import TileSpec


@dataclass(frozen=True)
class PlanetBase:
    """Base colours on the planet grid.

    Attributes
    ----------
    land, sea : (H, W, 3) float32, 0 to 255
    latitudes, longitudes : Axis
        Rows north to south, columns west to east, degrees; the columns go round the planet.
    """

    land: NDArray[np.float32]
    sea: NDArray[np.float32]
    latitudes: Axis
    longitudes: Axis

    def sample(self, tiles: NDArray[Any], spec: TileSpec) -> NDArray[np.uint8]:
        """Sample by bilinear interpolation at the cells of tiles.

        Parameters
        ----------
        tiles : (N,) structured
            Records of tiles, `terraform.pairs.store.TILE`.
        spec : TileSpec
            Their size.

        Returns
        -------
        (N, 2, 20, 20, 3) uint8
            Land and sea, as pairs hold them.
        """
        return np.stack([self._of(tile, spec) for tile in tiles])

    def _of(self, tile: Any, spec: TileSpec) -> NDArray[np.uint8]:
        side, margin = spec.base_side_cells, spec.BASE_MARGIN_CELLS
        cells = side - 2 * margin
        high, wide = (tile["north"] - tile["south"]) / cells, (tile["east"] - tile["west"]) / cells
        rows = Axis(tile["north"] + margin * high, -high, side)
        columns = Axis(tile["west"] - margin * wide, wide, side)
        down, across = taps(self.latitudes, rows), taps(self.longitudes, columns, wrap=True)
        sampled = [gather(plane, down, across) for plane in (self.land, self.sea)]
        return np.clip(np.rint(np.stack(sampled)), 0, 255).astype(np.uint8)


def read_planet_base(path: Path) -> PlanetBase:
    """Read base colours of a whole body.

    Parameters
    ----------
    path : Path
        Raster in degrees that goes round the planet, uint8: land as RGB, then sea as RGB, or RGB alone for both.

    Raises
    ------
    InputError
        It has another number of bands or does not go round the planet.
    """
    from terraform.geo import raster

    with raster.opened(path) as dataset:
        grid = raster.grid_of(dataset)
        values = raster.read(dataset, (0, grid.latitudes.count), (0, grid.longitudes.count)).astype(np.float32)
    bands = values.shape[2] if values.ndim == 3 else 1
    if bands not in (3, 6) or not grid.wraps:
        raise InputError(
            f"{path} has {bands} bands and {grid.longitudes.count * grid.longitudes.step:g} degrees of longitude: base "
            "colours have 3 or 6 bands (land, sea) and 360 degrees"
        )
    return PlanetBase(values[..., :3], values[..., -3:], grid.latitudes, grid.longitudes)

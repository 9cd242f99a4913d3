"""The ground that a climate stands on: share of land and height above the shoreline."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.sphere import Field
from terraform.geo.planet_grid import PlanetGrid


class Ground(NamedTuple):
    """Land and relief on a planet grid.

    Attributes
    ----------
    land : (H, W) float32
        Share of land, 0 to 1.
    height_m : (H, W) float32
        Mean height above the shoreline, metres; the sea counts as 0.
    """

    land: Field
    height_m: Field

    def coarsened(self, grid: PlanetGrid, target: PlanetGrid) -> "Ground":
        """Average onto a coarser grid."""
        return Ground(grid.coarsened(self.land, target), grid.coarsened(self.height_m, target))


def ground_of(elevation_m: NDArray[Any], sea: NDArray[np.bool_], shoreline_m: float) -> Ground:
    """Heights (H, W) above the body's datum, metres, become heights above the shoreline; sea becomes 0."""
    height = np.where(sea, 0.0, np.asarray(elevation_m, np.float32) - shoreline_m)
    return Ground((~sea).astype(np.float32), height.astype(np.float32))

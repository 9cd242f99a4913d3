"""The planet grid: one plate carree raster of a whole body, and the way from one resolution to another."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.errors import ConfigError, InputError
from terraform.geo.bodies import Body

_GHOST = 3


@dataclass(frozen=True)
class PlanetGrid:
    """Cells of equal degrees over a whole body: row 0 at the north pole, column 0 begins at 180 W.

    Attributes
    ----------
    body : Body
        The sphere that is covered.
    cells_per_degree : float
        Cells along one degree, the same in latitude and longitude; 180 times it must be a whole even number.

    Raises
    ------
    ConfigError
        The cells do not fill the body.
    """

    body: Body
    cells_per_degree: float

    def __post_init__(self) -> None:
        """Refuse cells that do not fill the body."""
        rows = 180 * self.cells_per_degree
        if rows < 4 or abs(rows - 2 * round(rows / 2)) > 1e-6:
            raise ConfigError(
                f"a planet grid of {self.cells_per_degree} cells per degree has {rows:g} rows: "
                "choose one with an even number of rows, such as 12, 2, 1 or 0.5 cells per degree"
            )

    @property
    def height(self) -> int:
        """Rows."""
        return round(180 * self.cells_per_degree)

    @property
    def width(self) -> int:
        """Columns, twice the rows."""
        return 2 * self.height

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def cell_deg(self) -> float:
        """Side of a cell, degrees."""
        return 180 / self.height

    @cached_property
    def latitude_deg(self) -> NDArray[np.float64]:
        """Latitudes of the cells' centres, (H,) float64 degrees, falling from north to south."""
        return np.asarray(90 - (np.arange(self.height) + 0.5) * self.cell_deg, np.float64)

    @cached_property
    def longitude_deg(self) -> NDArray[np.float64]:
        """Longitudes of the cells' centres, (W,) float64 degrees from -180 to 180."""
        return np.asarray((np.arange(self.width) + 0.5) * self.cell_deg - 180, np.float64)

    @cached_property
    def area_weight(self) -> NDArray[np.float64]:
        """Share of the sphere that each cell covers, (H, 1) float64; over all cells of the grid they add up to 1."""
        edges = np.sin(np.radians(90 - np.arange(self.height + 1) * self.cell_deg))
        return np.asarray((edges[:-1] - edges[1:])[:, None] / (2 * self.width), np.float64)

    def mean(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Average values over the sphere: (..., H, W) -> (...) float64."""
        return np.asarray((np.asarray(values, np.float64) * self.area_weight).sum(axis=(-2, -1)))

    def coarser(self, cells_per_degree: float) -> "PlanetGrid":
        """Choose the finest grid whose cells are whole blocks of this one's, and no smaller than asked for."""
        for factor in range(1, self.height // 4 + 1):
            fits = self.height % (2 * factor) == 0
            if fits and self.cells_per_degree / factor <= cells_per_degree * (1 + 1e-9):
                return PlanetGrid(self.body, self.cells_per_degree / factor)
        return self

    def coarsened(self, values: NDArray[Any], target: "PlanetGrid") -> NDArray[np.float32]:
        """Average blocks of cells, weighted by area.

        Parameters
        ----------
        values : (..., H, W)
            Any real values, or a mask, on this grid.
        target : PlanetGrid
            Its cells must be whole blocks of this grid's.

        Returns
        -------
        (..., h, w) float32
            Means on the target.

        Raises
        ------
        InputError
            The shape is not this grid's, or the target's cells are no whole blocks.
        """
        self.check(values)
        factor = self.height // target.height
        if factor * target.height != self.height:
            raise InputError(f"{self.height} rows cannot be averaged to {target.height}: choose a divisor")
        blocks = (*values.shape[:-2], target.height, factor, target.width, factor)
        rows = self.area_weight.reshape(target.height, factor, 1)
        rows = rows / rows.sum(axis=1, keepdims=True)
        means = np.asarray(values, np.float32).reshape(blocks).mean(axis=-1)
        return np.asarray((means * rows).sum(axis=-2), np.float32)

    def refined(
        self, values: NDArray[Any], target: "PlanetGrid", band: slice = slice(None)
    ) -> NDArray[np.float32]:  # fmt: skip
        """Interpolate smoothly onto a finer grid.

        The cubic B-spline of the values: no kinks at the coarse cells' borders, never beyond the values' range. It
        blurs by 0.58 of a coarse cell (standard deviation).

        Parameters
        ----------
        values : (..., H, W)
            Values on this grid.
        target : PlanetGrid
            Any other resolution of the same body.
        band : slice
            Rows of the target to give; all when left out.

        Returns
        -------
        (..., h, w) float32
            Values on those rows of the target, periodic in longitude, continuous over the poles.
        """
        self.check(values)
        if target.height == self.height:
            return np.asarray(values[..., band, :], np.float32)
        rows, row_weights = (taps[:, band] for taps in self._taps(target, target.height))
        columns, column_weights = self._taps(target, target.width)
        padded = over_the_poles(np.asarray(values, np.float32), _GHOST)
        tall = sum(padded[..., rows[k] + _GHOST, :] * row_weights[k][:, None] for k in range(4))
        wide = sum(np.take(tall, columns[k] % self.width, axis=-1) * column_weights[k] for k in range(4))
        return np.asarray(wide, np.float32)

    def check(self, values: NDArray[Any]) -> None:
        """Refuse arrays of another shape.

        Raises
        ------
        InputError
            The last two axes are not those of this grid.
        """
        if values.shape[-2:] != self.shape:
            raise InputError(f"an array of shape {values.shape} is not on a planet grid of {self.shape}: resample it")

    def _taps(self, target: "PlanetGrid", count: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Four neighbours of each target cell along an axis, and their weights: (4, count) each."""
        at = (np.arange(count) + 0.5) * target.cell_deg / self.cell_deg - 0.5
        first = np.floor(at)
        t = at - first
        weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
        return np.stack([first - 1, first, first + 1, first + 2]).astype(np.intp), weights.astype(np.float32)


def over_the_poles(values: NDArray[Any], rows: int) -> NDArray[Any]:
    """Add rows beyond both poles: what lies there is the other side of the body, half a turn away.

    Parameters
    ----------
    values : (..., H, W)
        A scalar field on a planet grid. (The components of a vector change their sign there.)
    rows : int
        How many to add at each end.

    Returns
    -------
    (..., H + 2 rows, W)
        The same dtype.
    """
    half = values.shape[-1] // 2
    north = np.roll(values[..., :rows, :][..., ::-1, :], half, axis=-1)
    south = np.roll(values[..., -rows:, :][..., ::-1, :], half, axis=-1)
    return np.concatenate([north, values, south], axis=-2)

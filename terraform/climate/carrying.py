"""Transport by the wind: where air came from a while ago (semi-Lagrangian: Staniforth and Cote 1991)."""

import numpy as np
from numpy.typing import NDArray

from terraform.climate.sphere import Field
from terraform.geo.planet_grid import PlanetGrid, over_the_poles


class Flow:
    """Trajectories of a step back along a steady wind, one set for each of N maps.

    Parameters
    ----------
    east, north : (N, H, W) float32
        Wind, m/s.
    grid : PlanetGrid
        Where it blows.
    step_s : float
        Length of the step, seconds; trajectories are parts of great circles, so the poles are places like any other.
    """

    def __init__(self, east: Field, north: Field, grid: PlanetGrid, step_s: float) -> None:
        rows, columns = _departures(east, north, grid, step_s)
        top = np.floor(rows).astype(np.intp)
        left = np.floor(columns).astype(np.intp)
        down = (rows - top).astype(np.float32)
        along = (columns - left).astype(np.float32)
        count, height, width = east.shape
        first = (np.arange(count, dtype=np.intp) * (height + 2) * width)[:, None, None]
        row = first + (top + 1) * width
        west, right = left % width, (left + 1) % width
        self._places = (row + west, row + right, row + width + west, row + width + right)
        self._weights = ((1 - down) * (1 - along), (1 - down) * along, down * (1 - along), down * along)

    def carry(self, values: Field) -> Field:
        """Move (N, H, W) float32 by one step, with bilinear interpolation."""
        flat = over_the_poles(values, 1).ravel()
        moved = flat.take(self._places[0])
        moved *= self._weights[0]
        for place, weight in zip(self._places[1:], self._weights[1:], strict=True):
            part = flat.take(place)
            part *= weight
            moved += part
        return np.asarray(moved, np.float32)


def _departures(
    east: Field, north: Field, grid: PlanetGrid, step_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fractional row and column that the air at each cell left one step ago: (N, H, W) each."""
    speed = np.maximum(np.hypot(east, north), 1e-9)
    angle = speed * (step_s / grid.body.radius_m)
    latitude = np.radians(grid.latitude_deg)[:, None]
    sine = np.sin(latitude) * np.cos(angle) - np.cos(latitude) * np.sin(angle) * north / speed
    sine = np.clip(sine, -1, 1)
    turn = np.arctan2(-east / speed * np.sin(angle) * np.cos(latitude), np.cos(angle) - np.sin(latitude) * sine)
    rows = (90 - np.degrees(np.arcsin(sine))) / grid.cell_deg - 0.5
    return rows, np.arange(grid.width) + np.degrees(turn) / grid.cell_deg

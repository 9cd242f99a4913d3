"""Calculus on a planet grid: slopes, divergence and smoothing, finite at the poles and without a seam in longitude."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.geo.planet_grid import PlanetGrid, over_the_poles

Field = NDArray[np.float32]


def gradient(values: NDArray[Any], grid: PlanetGrid) -> tuple[Field, Field]:
    """Differentiate a scalar field.

    Parameters
    ----------
    values : (..., H, W)
        In any unit.
    grid : PlanetGrid
        Where they lie.

    Returns
    -------
    two (..., H, W) float32
        Change per metre towards the east and towards the north, by central differences.
    """
    step_m = np.radians(grid.cell_deg) * grid.body.radius_m
    cosine = np.cos(np.radians(grid.latitude_deg))[:, None]
    east = (np.roll(values, -1, -1) - np.roll(values, 1, -1)) / (2 * step_m * cosine)
    tall = over_the_poles(values, 1)
    north = (tall[..., :-2, :] - tall[..., 2:, :]) / (2 * step_m)
    return np.asarray(east, np.float32), np.asarray(north, np.float32)


def divergence(east: NDArray[Any], north: NDArray[Any], grid: PlanetGrid) -> Field:
    """Divergence of a vector field of components (..., H, W), per metre, by fluxes through the cells' sides."""
    step_m = np.radians(grid.cell_deg) * grid.body.radius_m
    cosine = np.cos(np.radians(grid.latitude_deg))[:, None]
    edges = np.cos(np.radians(grid.latitude_deg[:-1] - grid.cell_deg / 2))[:, None]
    along = (np.roll(east, -1, -1) - np.roll(east, 1, -1)) / 2
    flux = edges * (north[..., :-1, :] + north[..., 1:, :]) / 2
    none = np.zeros_like(flux[..., :1, :])
    across = np.concatenate([none, flux], axis=-2) - np.concatenate([flux, none], axis=-2)
    return np.asarray((along + across) / (step_m * cosine), np.float32)


class Smoother:
    """Implicit diffusion on the sphere: solves (1 - length^2 Laplacian) f = g, again for each pass.

    Fourier series in longitude and a tridiagonal system along each meridian: no direction is preferred, the mean stays.

    Parameters
    ----------
    grid : PlanetGrid
        Where fields lie.
    length_m : float
        Standard deviation of the whole smoothing along one axis, metres.
    passes : int
        One has a sharp peak, two are near a Gaussian.
    """

    def __init__(self, grid: PlanetGrid, length_m: float, passes: int = 2) -> None:
        self.width, self.passes = grid.width, passes
        square = (length_m / grid.body.radius_m) ** 2 / (2 * passes)
        step = np.radians(grid.cell_deg)
        cosine = np.cos(np.radians(grid.latitude_deg))[:, None]
        edges = np.cos(np.radians(np.append(90, grid.latitude_deg - grid.cell_deg / 2)))[:, None]
        edges[[0, -1]] = 0
        waves = (2 - 2 * np.cos(np.arange(grid.width // 2 + 1) * step)) / step**2
        self._above = -square * edges[:-1] / (cosine * step**2)
        below = -square * edges[1:] / (cosine * step**2)
        diagonal = 1 + square * waves / cosine**2 - self._above - below
        self._ratio = np.zeros_like(diagonal)
        self._inverse = np.zeros_like(diagonal)
        for row in range(grid.height):
            before = self._ratio[row - 1] if row else 0.0
            self._inverse[row] = 1 / (diagonal[row] - self._above[row] * before)
            self._ratio[row] = below[row] * self._inverse[row]
        self._above, self._ratio, self._inverse = (
            np.asarray(a, np.float32)[..., None] for a in (self._above, self._ratio, self._inverse)
        )

    def __call__(self, values: NDArray[Any]) -> Field:
        """Smooth (H, W) or (N, H, W); float32."""
        stack = np.asarray(values, np.float32).reshape(-1, *values.shape[-2:])
        waves = np.ascontiguousarray(np.fft.rfft(stack, axis=-1).astype(np.complex64).transpose(1, 2, 0))
        for _ in range(self.passes):
            self._solve(waves)
        smooth = np.fft.irfft(waves.transpose(2, 0, 1), self.width, axis=-1)
        return np.asarray(smooth, np.float32).reshape(values.shape)

    def _solve(self, waves: NDArray[np.complex64]) -> None:
        """Thomas's algorithm down and up all meridians at once, in place: (H, M, N)."""
        waves[0] *= self._inverse[0]
        for row in range(1, len(waves)):
            waves[row] -= self._above[row] * waves[row - 1]
            waves[row] *= self._inverse[row]
        for row in range(len(waves) - 2, -1, -1):
            waves[row] -= self._ratio[row] * waves[row + 1]

"""Energy balance by latitude: the year's mean, and the seasons of land and of sea (North, Cahalan and Coakley 1981)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.insolation import monthly_insolation
from terraform.climate.monthly import MONTHS
from terraform.config.climate import ClimateModel, Energy
from terraform.geo.planet_grid import PlanetGrid

_DAY_S = 86_400.0


class Zonal(NamedTuple):
    """Temperatures at the shoreline that surfaces would have if no wind mixed them.

    Attributes
    ----------
    land, sea : (12, H) float64
        Degrees Celsius, for land and for open water at each latitude.
    sunlight : (12, H) float64
        W/m2 at the top of the air.
    """

    land: NDArray[np.float64]
    sea: NDArray[np.float64]
    sunlight: NDArray[np.float64]


def zonal_temperatures(grid: PlanetGrid, settings: ClimateModel) -> Zonal:
    """Solve the balance of sunlight, emission and transport between latitudes.

    The mean over the sphere and the year is `mean_temperature_c`, so that greenhouse gases need no model; everything
    else is linear in sunlight.

    Parameters
    ----------
    grid : PlanetGrid
        Gives the latitudes.
    settings : ClimateModel
        Its `orbit`, `energy` and `mean_temperature_c`.

    Returns
    -------
    Zonal
    """
    energy = settings.energy
    polar = legendre2(grid)
    sunlight = monthly_insolation(grid.latitude_deg, settings.orbit)
    absorbed = sunlight * (energy.absorbed + energy.absorbed_poles * polar)
    cooling = energy.cooling_w_m2_k * np.eye(grid.height) - energy.spread_w_m2_k * _laplacian(grid)
    mean = np.linalg.solve(cooling, absorbed.mean(axis=0))
    mean += settings.mean_temperature_c - float(grid.mean(mean[:, None]) * grid.width)
    year_s = settings.orbit.year_days * _DAY_S
    swings = [
        _seasons(absorbed, cooling, capacity, year_s)
        for capacity in (energy.land_capacity_j_m2_k, energy.sea_capacity_j_m2_k)
    ]
    return Zonal(mean + _land_offset(energy, polar) + swings[0], mean + swings[1], sunlight)


def legendre2(grid: PlanetGrid) -> NDArray[np.float64]:
    """Second Legendre polynomial of the sine of latitude, (H,): -0.5 at the equator, 1 at the poles."""
    return 1.5 * np.sin(np.radians(grid.latitude_deg)) ** 2 - 0.5


def _land_offset(energy: Energy, polar: NDArray[np.float64]) -> NDArray[np.float64]:
    return energy.land_warmer_k + energy.land_colder_poles_k * (polar + 0.5) / 1.5


def _seasons(
    absorbed: NDArray[np.float64], cooling: NDArray[np.float64], capacity: float, year_s: float
) -> NDArray[np.float64]:
    """Departure of each month from the mean of the year, (12, H) K: each harmonic of the year on its own."""
    harmonics = np.fft.rfft(absorbed, axis=0)
    harmonics[0] = 0
    for number in range(1, len(harmonics)):
        storing = 2j * np.pi * number / year_s * capacity * np.eye(len(cooling))
        harmonics[number] = np.linalg.solve(cooling + storing, harmonics[number])
    return np.fft.irfft(harmonics, MONTHS, axis=0)


def _laplacian(grid: PlanetGrid) -> NDArray[np.float64]:
    """Laplacian along meridians of the sphere of radius 1, (H, H), by fluxes: it conserves the mean."""
    step = np.radians(grid.cell_deg)
    cosine = np.cos(np.radians(grid.latitude_deg))
    edges = np.cos(np.radians(grid.latitude_deg[:-1] - grid.cell_deg / 2)) / step**2
    matrix = np.zeros((grid.height, grid.height))
    upper, lower = np.arange(grid.height - 1), np.arange(1, grid.height)
    matrix[upper, lower] = edges / cosine[:-1]
    matrix[lower, upper] = edges / cosine[1:]
    return matrix - np.diag(matrix.sum(axis=1))

"""Sunlight at the top of the air, by latitude and month."""

import numpy as np
from numpy.typing import NDArray

from terraform.climate.monthly import MONTHS
from terraform.config.climate import Orbit

_SOLSTICE = 355.3 / 365.25
"""Share of the year that has passed at the northern winter solstice: 21 or 22 December."""
_PARTS = 8


def declination_deg(orbit: Orbit, lag_months: float = 0.0) -> NDArray[np.float64]:
    """Latitude at which the sun stands overhead, (12,) degrees; `lag_months` looks at an earlier time."""
    longitude = _solar_longitude(orbit, (np.arange(MONTHS) + 0.5 - lag_months) / MONTHS)
    return np.asarray(np.degrees(np.arcsin(np.sin(np.radians(orbit.obliquity_deg)) * np.sin(longitude))), np.float64)


def monthly_insolation(latitude_deg: NDArray[np.float64], orbit: Orbit) -> NDArray[np.float64]:
    """Average sunlight on a level place over the day and the month.

    Parameters
    ----------
    latitude_deg : (H,)
        Degrees.
    orbit : Orbit
        The body's.

    Returns
    -------
    (12, H) float64
        W/m2 (Berger 1978, daily insolation).
    """
    share = (np.arange(MONTHS * _PARTS) + 0.5) / (MONTHS * _PARTS)
    longitude = _solar_longitude(orbit, share)[:, None]
    sine = np.sin(np.radians(orbit.obliquity_deg)) * np.sin(longitude)
    latitude = np.radians(latitude_deg)
    up = np.sin(latitude) * sine
    across = np.cos(latitude) * np.sqrt(1 - sine**2)
    half_day = np.arccos(np.clip(-up / np.maximum(across, 1e-12), -1, 1))
    daily = (half_day * up + across * np.sin(half_day)) / np.pi
    nearness = (1 + orbit.eccentricity * np.cos(longitude - np.radians(orbit.perihelion_deg))) ** 2
    nearness /= (1 - orbit.eccentricity**2) ** 2
    sunlight = (orbit.sunlight_w_m2 * nearness * daily).reshape(MONTHS, _PARTS, -1)
    return np.asarray(sunlight.mean(axis=1), np.float64)


def _solar_longitude(orbit: Orbit, year_share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solar longitude in radians at shares of the year that begins ten days after the northern winter solstice."""
    perihelion = np.radians(orbit.perihelion_deg)
    solstice = _mean_anomaly(orbit, np.radians(270) - perihelion)
    mean = solstice + 2 * np.pi * (year_share - _SOLSTICE)
    eccentric = mean.copy()
    for _ in range(60):
        eccentric = mean + orbit.eccentricity * np.sin(eccentric)
    ratio = np.sqrt((1 + orbit.eccentricity) / (1 - orbit.eccentricity))
    true = 2 * np.arctan2(ratio * np.sin(eccentric / 2), np.cos(eccentric / 2))
    return np.asarray(true + perihelion)


def _mean_anomaly(orbit: Orbit, true: float) -> float:
    """Mean anomaly at a true anomaly, radians (Kepler's equation)."""
    ratio = np.sqrt((1 - orbit.eccentricity) / (1 + orbit.eccentricity))
    eccentric = 2 * np.arctan2(ratio * np.sin(true / 2), np.cos(true / 2))
    return float(eccentric - orbit.eccentricity * np.sin(eccentric))

"""Colour of the sea by a stated law of depth and temperature; ice where it is cold."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.climate.sphere import Smoother
from terraform.climate.sphere_noise import sphere_noise
from terraform.config.basemap import SeaLaw
from terraform.geo.planet_grid import PlanetGrid

Field = NDArray[np.float32]


class Place(NamedTuple):
    """Where cells of a body lie.

    Attributes
    ----------
    latitude_deg, longitude_deg : float
        Of shapes that broadcast to the cells'.
    radius_m : float
        Of the body.
    """

    latitude_deg: NDArray[np.floating]
    longitude_deg: NDArray[np.floating]
    radius_m: float


_REACH_M = 50_000.0
_FAR = 4.0
"""Standard deviations beyond which meanders change nothing."""
_LEAST_SHARE = 1e-5
_STEEPER = 40.0


def sea_colours(depth_m: Field, annual_c: Field, month_c: Field, law: SeaLaw, place: Place) -> Field:
    """Colour the sea.

    Water is `deep + shallow * exp(-depth / a) + warm * bottom * exp(-depth / b)`: never brighter in deeper water.
    Ice covers it as the month's air is colder than `ice_c`, as a logistic, give or take meanders.

    Parameters
    ----------
    depth_m : (...) float32
        Depth below the shoreline, metres; negative counts as 0.
    annual_c, month_c : (...) float32
        Temperature of the year and of the month at the shoreline, degrees Celsius.
    law : SeaLaw
        Constants.
    place : Place
        Where the cells lie, for the meanders.

    Returns
    -------
    (..., 3) float32
        Red, green and blue, 0 to 1.
    """
    depth = np.maximum(depth_m, 0)[..., None]
    warm = _logistic((annual_c - law.warm_c) / law.warm_width_k)[..., None]
    water = _colour(law.deep) + _colour(law.shallow) * np.exp(-depth / np.float32(law.shallow_depth_m))
    water = water + warm * _colour(law.bottom) * np.exp(-depth / np.asarray(law.bottom_depth_m, np.float32))
    ice = _ice(law.ice_c - month_c, law, place)[..., None]
    return np.asarray((np.clip(water, 0, 255) * (1 - ice) + _colour(law.ice) * ice) / 255, np.float32)


def _ice(colder_k: Field, law: SeaLaw, place: Place) -> Field:
    """Share of ice where the air is so much colder than it needs; meanders are computed near the edge alone."""
    near = np.abs(colder_k) < _FAR * (law.ice_meander_k + law.ice_width_k)
    if law.ice_meander_k and near.any():
        colder_k = colder_k.copy()
        latitude, longitude = (
            np.broadcast_to(degrees, near.shape)[near] for degrees in (place.latitude_deg, place.longitude_deg)
        )
        colder_k[near] += np.float32(law.ice_meander_k) * sphere_noise(latitude, longitude, place.radius_m)
    return _logistic(colder_k / np.float32(law.ice_width_k))


def distance_to_land_m(land: Field, grid: PlanetGrid) -> Field:
    """Estimate the distance to land, smoothly.

    Land diffuses into the sea with a decay length L; off a straight coast its share is exp(-x / L) / 2, which gives x
    (the idea of Varadhan 1967; Crane, Weischedel and Wardetzky 2013). Small islands count less than long coasts.

    Parameters
    ----------
    land : (H, W) float32
        Share of land, 0 to 1.
    grid : PlanetGrid
        Where it lies.

    Returns
    -------
    (H, W) float32
        Metres, 0 on land, at most 11 L = 541 km.
    """
    share = Smoother(grid, float(np.sqrt(2)) * _REACH_M, passes=1)(land)
    return np.asarray(np.maximum(-_REACH_M * np.log(2 * np.maximum(share, _LEAST_SHARE)), 0), np.float32)


def depth_from_distance_m(distance_m: Field, law: SeaLaw) -> Field:
    """Guess the depth of the sea where no sea floor is known: a shelf, and a slope 40 times as steep beyond it."""
    edge = law.shelf_m / law.shelf_slope
    beyond = np.maximum(distance_m - edge, 0) * (law.shelf_slope * _STEEPER)
    return np.asarray(np.minimum(distance_m, edge) * law.shelf_slope + beyond, np.float32)


def _logistic(x: Field) -> Field:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))), np.float32)


def _colour(levels: tuple[float, float, float]) -> Field:
    return np.asarray(levels, np.float32)

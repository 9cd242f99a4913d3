"""The ground of the Earth Engine stand-in, a function of place, and the assets that show it.

It has land (the heights of `surface`), sea of exactly 0 m, ocean without data and land without data, by the position
within a degree (`sea`, `unseen_ocean`, `unseen_land`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from servers.surface import height_m

Plane = NDArray[np.float64]
ARC_SECOND = 1 / 3600


class Grid(NamedTuple):
    """Centres of the output pixels in degrees, (H, 1) and (1, W), and the size of a pixel."""

    lat: Plane
    lon: Plane
    height: float
    width: float

    @property
    def key(self) -> tuple[float, ...]:
        """What tells it from others."""
        return (*self.lat.shape, *self.lon.shape, float(self.lat[0, 0]), float(self.lon[0, 0]), self.height, self.width)


class Band(NamedTuple):
    """Values and where they are valid."""

    values: Plane
    mask: NDArray[np.bool_]


def sea(lon: Plane, lat: Plane) -> NDArray[np.bool_]:
    """Water at exactly 0 m: the western tenth of each degree."""
    return np.broadcast_arrays(np.mod(lon, 1) < 0.1, lat)[0]


def unseen_ocean(lon: Plane, lat: Plane) -> NDArray[np.bool_]:
    """Ocean for which there is no tile: the southern tenth of what is sea."""
    return sea(lon, lat) & (np.mod(lat, 1) < 0.1)


def unseen_land(lon: Plane, lat: Plane) -> NDArray[np.bool_]:
    """Land that was not seen: the north-eastern hundredth of each degree."""
    return (np.mod(lon, 1) > 0.9) & (np.mod(lat, 1) > 0.9)


def grid_of(asked: dict[str, Any]) -> Grid:
    """The pixel centres of a request; translate is the outer corner of pixel (0, 0)."""
    affine, size = asked["affineTransform"], asked["dimensions"]
    lon = affine["translateX"] + (np.arange(size["width"]) + 0.5) * affine["scaleX"]
    lat = affine["translateY"] + (np.arange(size["height"]) + 0.5) * affine["scaleY"]
    return Grid(lat[:, None], lon[None, :], abs(affine["scaleY"]), abs(affine["scaleX"]))


def _native(centres: Plane) -> Plane:
    """Centres of the model's own pixels, on whole arc seconds: without averaging, the nearest is what one gets."""
    return np.rint(centres / ARC_SECOND) * ARC_SECOND


def _srtm(grid: Grid) -> dict[str, Band]:
    lat, lon = _native(grid.lat), _native(grid.lon)
    water = sea(lon, lat)
    seen = ~unseen_ocean(lon, lat) & ~unseen_land(lon, lat) & (np.abs(lat + 2) < 58)
    heights = np.where(water, 0, np.rint(height_m(lon, lat)))
    return {"elevation": Band(heights, seen), "swb": Band(np.where(water, 255.0, 0.0), seen)}


def _glo30(grid: Grid) -> dict[str, Band]:
    lat, lon = _native(grid.lat), _native(grid.lon)
    water = sea(lon, lat)
    seen = ~unseen_ocean(lon, lat) & ~unseen_land(lon, lat)
    return {
        "DEM": Band(np.where(water, 0.0, height_m(lon, lat)), seen),
        "WBM": Band(np.where(water, 1.0, 0.0), seen),
    }


def _etopo(grid: Grid) -> dict[str, Band]:
    water = sea(grid.lon, grid.lat)
    return {"bedrock": Band(np.where(water, -120.0, 80.0), np.ones_like(water))}


ASSETS: dict[str, Callable[[Grid], dict[str, Band]]] = {
    "USGS/SRTMGL1_003": _srtm,
    "NASA/NASADEM_HGT/001": _srtm,
    "COPERNICUS/DEM/GLO30_2024_1": _glo30,
    "NOAA/NGDC/ETOPO1": _etopo,
}

"""Elevation models in Earth Engine's catalogue, and the image that is asked of each: land, sea and what was seen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.geo.heights import pack
from terraform.provenance import Credit
from terraform.sources.catalog.copernicus import LICENCE, NOTICE
from terraform.sources.remote_raster.request_grid import ARC_SECOND, NORTH, WEST

BANDS = ("land", "sea", "seen")
DTYPE = np.dtype([("land", "<i2"), ("sea", "u1"), ("seen", "u1")])
"""Mean height of the land in a pixel, metres; shares of it that are sea and that are known, in 1/200."""

LARGEST_REQUEST_BYTES = 48 * 2**20
LARGEST_SIDE_PX = 32_000
"""Limits of `computePixels` (Earth Engine REST reference, projects.image.computePixels)."""

_FULL = 200
_MOST_NATIVE_PX = 1024
_SHORE = "NOAA/NGDC/ETOPO1"
"""Tells ocean for which a model has no tile from land that it did not see."""


class Surface(NamedTuple):
    """Two images of one model: heights in metres, and 1 where there is sea."""

    heights: Any
    sea: Any


@dataclass(frozen=True)
class Asset:
    """An elevation model.

    Attributes
    ----------
    id : str
        Its name in the catalogue, with the version.
    south, north : float
        Where its data end, degrees.
    credit : Credit
        Licence, and the notices that it demands.
    surface : callable
        Makes its heights and its sea from the module `ee`.
    """

    id: str
    south: float
    north: float
    credit: Credit
    surface: Callable[[Any], Surface]

    def image(self, ee: Any) -> Any:
        """Build the image whose pixels are asked for: bands `BANDS`, every pixel the mean of the model's own.

        Without `reduceResolution` Earth Engine gives the nearest of some forty pixels. A mosaic has no projection to
        average in, so it is set. Masked pixels would arrive as 0, which is a height: their share is a band instead.
        """
        heights, sea = self.surface(ee)
        seen = heights.mask().gt(0).unmask(0, False)
        ocean = seen.Not().And(ee.Image(_SHORE).select("bedrock").lte(0))
        wet = seen.And(sea.unmask(0, False)).Or(ocean)
        land = _mean(ee, heights.updateMask(wet.Not())).unmask(0, False).round().toInt16()
        shares = [_mean(ee, share).multiply(_FULL).round().toByte() for share in (wet, seen.Or(ocean))]
        named = [image.rename(name) for name, image in zip(BANDS, (land, *shares), strict=True)]
        return named[0].addBands(named[1]).addBands(named[2])


def heights(pixels: NDArray[np.void]) -> NDArray[np.int16]:
    """Convert pixels of `Asset.image` to stored heights: void where less than half is known, else sea or metres."""
    seen, sea = pixels["seen"].astype(np.int16), pixels["sea"].astype(np.int16)
    void = seen * 2 < _FULL
    return pack(pixels["land"].astype(np.float32), ~void & (sea * 2 > seen), void)


def _mean(ee: Any, image: Any) -> Any:
    transform = [ARC_SECOND, 0, WEST, 0, -ARC_SECOND, NORTH]
    placed = image.setDefaultProjection("EPSG:4326", transform)
    return placed.reduceResolution(ee.Reducer.mean(), False, _MOST_NATIVE_PX)


def _srtm(ee: Any) -> Surface:
    model = ee.Image("USGS/SRTMGL1_003").select("elevation")
    # In the edited SRTM the ocean is 0 m exactly (SRTM Collection User Guide 2015, 2.1.2); it has no mask of its own.
    return Surface(model, model.eq(0))


def _nasadem(ee: Any) -> Surface:
    model = ee.Image("NASA/NASADEM_HGT/001")
    elevation = model.select("elevation")
    # Water bodies at 0 m; lakes above it are no sea.
    return Surface(elevation, model.select("swb").gt(0).And(elevation.eq(0)))


def _glo30(ee: Any) -> Surface:
    model = ee.ImageCollection("COPERNICUS/DEM/GLO30_2024_1").mosaic()
    # Water body mask: 1 ocean, 2 lake, 3 river (Copernicus DEM Product Handbook).
    return Surface(model.select("DEM"), model.select("WBM").eq(1))


def _public(attribution: str) -> Credit:
    return Credit("earthengine", "LicenseRef-Public-Domain", attribution)


ASSETS = {
    asset.id: asset
    for asset in (
        Asset("USGS/SRTMGL1_003", -56, 60, _public("SRTM GL1 v3, NASA/USGS, by Google Earth Engine"), _srtm),
        Asset("NASA/NASADEM_HGT/001", -56, 60, _public("NASADEM, NASA JPL, by Google Earth Engine"), _nasadem),
        Asset(
            "COPERNICUS/DEM/GLO30_2024_1", -90, 90,
            Credit("earthengine", LICENCE, NOTICE), _glo30,
        ),
    )
}  # fmt: skip

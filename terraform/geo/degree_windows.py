"""A raster in degrees or equirectangular metres, read by longitude and latitude in any resolution."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.windows import Window

from terraform.errors import InputError
from terraform.geo.raster import body_of, semi_major_axis_m


class DegreeWindows:
    """A raster whose rows are parallels and whose columns are meridians, read by longitude and latitude.

    Parameters
    ----------
    dataset : rasterio dataset
        In degrees, or in equirectangular metres.

    Attributes
    ----------
    west_deg, north_deg : float
        Its upper left corner.
    pixel_deg : (float, float)
        Width and height of its pixels, degrees.
    width, height : int

    Raises
    ------
    InputError
        It is rotated, south up, or in a projection with other rows, such as a polar one.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        step = _degrees_per_unit(dataset)
        transform = dataset.transform
        self.west_deg, self.north_deg = transform.c * step, transform.f * step
        self.pixel_deg = transform.a * step, -transform.e * step
        self.width, self.height = int(dataset.width), int(dataset.height)

    def read(
        self, bounds: tuple[float, ...], shape: tuple[int, int], smooth: bool
    ) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Read a box in any resolution; what lies outside of the raster is 0 and not known.

        Parameters
        ----------
        bounds : (west, south, east, north)
            Degrees.
        shape : (int, int)
            Rows and columns of the result.
        smooth : bool
            Average or interpolate; otherwise the nearest pixel is taken.

        Returns
        -------
        values : (bands, h, w)
            Of the raster's dtype.
        known : (h, w) uint8
            255 where the raster shows something.
        """
        west, south, east, north = bounds
        (left, right), (first, last) = _inside(west, east, self.west_deg, self.pixel_deg[0], self.width, shape[1])
        (top, bottom), (upper, lower) = _inside(
            -north, -south, -self.north_deg, self.pixel_deg[1], self.height, shape[0]
        )
        size = lower - upper, last - first
        found = None
        if first < last and upper < lower:
            found = self._window(Window(left, top, right - left, bottom - top), size, smooth)
            if size == shape:
                return found
        values = np.zeros((self._dataset.count, *shape), self._dataset.dtypes[0])
        known = np.zeros(shape, np.uint8)
        if found is not None:
            values[:, upper:lower, first:last], known[upper:lower, first:last] = found
        return values, known

    def _window(self, window: Window, size: tuple[int, int], smooth: bool) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        how = _resampling(window, size, smooth)
        try:
            values = self._dataset.read(window=window, out_shape=size, resampling=how)
            return values, self._dataset.dataset_mask(window=window, out_shape=size)
        except RasterioError as error:
            raise InputError(
                f"{self._dataset.name} cannot be read ({error.__cause__ or error}): it is damaged; get it again"
            ) from None


def _degrees_per_unit(dataset: Any) -> float:
    """Degrees along one unit of a raster's CRS.

    Raises
    ------
    InputError
        Its rows are no parallels.
    """
    transform = dataset.transform
    body_of(dataset)
    parameters = dataset.crs.to_dict()
    flat = parameters.get("proj") == "eqc" and not any(
        parameters.get(name) for name in ("lat_ts", "lon_0", "x_0", "y_0")
    )
    upright = not transform.b and not transform.d and transform.a > 0 > transform.e
    if not upright or not (dataset.crs.is_geographic or flat):
        raise InputError(
            f"{dataset.name} is in {dataset.crs}: rows of tiles are parallels, so draw it with "
            "`mosaics.grid: equirectangular`"
        )
    return 1.0 if dataset.crs.is_geographic else 180 / (np.pi * semi_major_axis_m(dataset.crs))


def _inside(
    low: float, high: float, origin: float, step: float, size: int, count: int
) -> tuple[tuple[float, float], tuple[int, int]]:
    """Find which of `count` cells between two places have their middle in a raster, and its pixels there."""
    cell = (high - low) / count
    first = max(0, int(np.ceil((origin - low) / cell - 0.5 - 1e-6)))
    last = min(count, int(np.floor((origin + size * step - low) / cell + 0.5 + 1e-6)))
    begin, end = (low + first * cell - origin) / step, (low + last * cell - origin) / step
    return (_rounded(min(max(begin, 0), size)), _rounded(min(max(end, 0), size))), (first, last)


def _rounded(place: float) -> float:
    """Take a place that is a whole pixel but for the last digits as that."""
    return float(round(place)) if abs(place - round(place)) < 1e-4 else place


def _resampling(window: Window, size: tuple[int, int], smooth: bool) -> Resampling:
    if not smooth or (window.height, window.width) == size:
        return Resampling.nearest
    return Resampling.average if window.height > size[0] * 1.05 else Resampling.bilinear

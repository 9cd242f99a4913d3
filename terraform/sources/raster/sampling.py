"""The heights of a raster in any CRS at the pixels of a strip, averaged once from its own pixels.

Places are taken to the raster exactly, one by one, so that a pixel does not depend on the window that it is asked in.
The kernel is the triangle of `terraform.geo.resample`, as wide as the strip's pixels are on the raster.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.geo.crs import degrees_crs, transformer
from terraform.geo.heights import Heights, from_shares
from terraform.geo.resample import Axis
from terraform.sources.raster.classify import MaskedPixels
from terraform.sources.raster.condense import condense
from terraform.sources.raster.georeference import GeoreferencedRaster
from terraform.sources.raster.resample import Classify

_MOST_PLACES = 1 << 16
_MOST_PIXELS = 1 << 21
"""Places and, under them, pixels of the raster that are worked on at once."""
_FINEST_REACH_PX = 2.0
"""Where the kernel reaches twice as many pixels, 2, 4, 8 ... of them are averaged before."""


class _Places(NamedTuple):
    """Places on a raster, and how far the kernel reaches around each, in its pixels; all (n,) float64."""

    row: NDArray[np.float64]
    column: NDArray[np.float64]
    reach_down: NDArray[np.float64]
    reach_right: NDArray[np.float64]

    def chosen(self, which: NDArray[np.generic]) -> "_Places":
        return _Places(*(part[which] for part in self))


class _Window(NamedTuple):
    """First and last-plus-one row and column, in squares of pixels."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> int:
        return max(0, self.bottom - self.top) * max(0, self.right - self.left)


@dataclass(frozen=True)
class SampledRaster:
    """The heights of a raster in any CRS, as a mosaic asks for them.

    Attributes
    ----------
    placed : GeoreferencedRaster
    classify : callable
        Tells heights, sea and void apart in what is read.
    """

    placed: GeoreferencedRaster
    classify: Classify

    def with_row_cache(self) -> "SampledRaster":
        """Give the raster itself: its rows are not those of a strip, and GDAL keeps the blocks that it has read."""
        return self

    def on_axes(self, latitudes: Axis, longitudes: Axis, /) -> Heights:
        """Give the heights at rows and columns in degrees; longitudes count modulo 360."""
        lon, lat = np.meshgrid(longitudes.centres(), latitudes.centres())
        return self.at_points(lon, lat)

    def at_points(
        self, longitude_deg: NDArray[np.float64], latitude_deg: NDArray[np.float64], pixel_m: float = 0.0, /
    ) -> Heights:
        """Give the heights at the pixels of a plane, (H, W).

        Parameters
        ----------
        longitude_deg, latitude_deg : (H, W) float64
            Of neighbouring pixels: how far they are apart decides how wide the kernel is.
        pixel_m : float
            Not needed.
        """
        row, column = self._on_raster(longitude_deg, latitude_deg)
        reach_down, reach_right = (np.maximum(np.hypot(_steps(p, 0), _steps(p, 1)), 1) for p in (row, column))
        everywhere = _Places(*(part.ravel() for part in (row, column, reach_down, reach_right)))
        sums = np.zeros((3, row.size), np.float32)
        seen = np.flatnonzero(np.isfinite(everywhere.row) & np.isfinite(everywhere.column))
        reach = np.sqrt(everywhere.reach_down * everywhere.reach_right)[seen]
        halvings = np.log2(np.maximum(reach / _FINEST_REACH_PX, 1)).astype(np.int64)
        for power in np.unique(halvings):
            here = seen[halvings == power]
            for part in self._divided(here, everywhere, 1 << int(power)):
                sums[:, part] = self._averaged(everywhere.chosen(part), 1 << int(power))
        return from_shares(*sums.reshape(3, *row.shape))

    def _on_raster(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows and columns of places; pixel i covers i to i + 1; NaN where the CRS does not reach."""
        raster = self.placed.raster
        if raster.crs.is_geographic:
            middle, _ = raster.transform @ (raster.width / 2, raster.height / 2)
            lon = middle + (lon - middle + 180) % 360 - 180
        x, y = transformer(degrees_crs(raster.crs, self.placed.body), raster.crs).transform(lon, lat)
        x, y = (np.where(np.isfinite(axis), axis, np.nan) for axis in (x, y))
        back = ~raster.transform
        return back.d * x + back.e * y + back.f, back.a * x + back.b * y + back.c

    def _divided(self, which: NDArray[np.int64], everywhere: _Places, factor: int) -> Iterator[NDArray[np.int64]]:
        """Divide places into parts that lie close together on the raster."""
        places = everywhere.chosen(which)
        few = len(which) <= _MOST_PLACES and self._window(places, factor).size <= _MOST_PIXELS
        if few or len(which) == 1:
            yield which
            return
        along = max(places.row, places.column, key=np.ptp)
        order = np.argpartition(along, len(which) // 2)
        for half in (order[: len(which) // 2], order[len(which) // 2 :]):
            yield from self._divided(which[half], everywhere, factor)

    def _window(self, places: _Places, factor: int) -> _Window:
        """Find what the kernels of some places need, in squares of `factor` pixels a side."""
        spans = []
        for place, reach, count in (
            (places.row, places.reach_down, self.placed.raster.height),
            (places.column, places.reach_right, self.placed.raster.width),
        ):
            least = max(reach.max(), factor) / factor + 1
            first, last = place.min() / factor - least, place.max() / factor + least
            spans += [int(max(0, min(np.floor(first), count))), int(max(0, min(np.ceil(last), -(-count // factor))))]
        return _Window(*spans)

    def _averaged(self, places: _Places, factor: int) -> NDArray[np.float32]:
        """Sum up heights, land and sea under the kernels of some places, (3, n)."""
        window = self._window(places, factor)
        if not window.size:
            return np.zeros((3, len(places.row)), np.float32)
        metres, land, sea = self._read(window, factor)
        rows, down = _kernel(places.row / factor, places.reach_down / factor, window.top, window.bottom)
        columns, right = _kernel(places.column / factor, places.reach_right / factor, window.left, window.right)
        sums = np.zeros((3, len(places.row)), np.float32)
        planes = [(sums[0], metres.ravel())]
        if land.all():
            sums[1] = down.sum(0) * right.sum(0)
        else:
            planes += [(sums[1], land.ravel()), (sums[2], sea.ravel())]
        for row, weight_down in zip(rows * metres.shape[1], down, strict=True):
            for column, weight_right in zip(columns, right, strict=True):
                index, weight = row + column, weight_down * weight_right
                for total, plane in planes:
                    total += weight * plane[index]
        return sums

    def _read(self, window: _Window, factor: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Read heights, land and sea of a window, (h, w), averaged in squares."""
        raster = self.placed.raster
        top, bottom = window.top * factor, min(window.bottom * factor, raster.height)
        columns = window.left * factor, min(window.right * factor, raster.width)

        def read(first: int, last: int) -> MaskedPixels:
            return self.classify(raster.read((top + first, top + last), columns), raster)

        if factor == 1:
            known = read(0, bottom - top)
            return known.values[..., 0], known.valid, known.sea
        squares = condense(read, (bottom - top, columns[1] - columns[0]), factor, 1)
        return squares.total[..., 0], squares.valid, squares.sea


def _steps(place: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """How far the neighbours along an axis lie away: the nearer, for between two the raster may end and begin."""
    steps = np.abs(np.diff(place, axis=axis))
    beyond = np.full_like(place.take([0], axis), np.nan)
    nearer = np.fmin(np.concatenate([beyond, steps], axis), np.concatenate([steps, beyond], axis))
    return np.where(np.isfinite(nearer), nearer, 0)


def _kernel(
    place: NDArray[np.float64], reach: NDArray[np.float64], start: int, stop: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Pixels along one direction under a triangle around each place, counted from `start`, and their weights.

    Returns
    -------
    index : (k, n) int64
    weight : (k, n) float32
        They sum to 1, or to less where the kernel leaves the raster.
    """
    centre, reach = place - 0.5, np.maximum(reach, 1)
    first = np.floor(centre - reach).astype(np.int64) + 1
    index = first + np.arange(int(np.ceil(2 * reach.max())))[:, None]
    weight = np.clip(1 - np.abs(index - centre) / reach, 0, None)
    weight /= weight.sum(0)
    inside = (index >= start) & (index < stop)
    return np.clip(index - start, 0, stop - start - 1), np.where(inside, weight, 0).astype(np.float32)

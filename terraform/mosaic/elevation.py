"""The heights of a raster in degrees at the pixels of a strip.

Row by row and column by column for bands, point by point for caps. What is missing takes no part in any average, and
longitudes count modulo 360.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from terraform.geo.heights import Heights, from_shares, pack, unpack
from terraform.geo.resample import Axis, Taps, spline_taps, taps
from terraform.geo.resample_torch import resample_last_axis

Span = tuple[int, int]
Float = NDArray[np.float32]

_CHUNK_ROWS = 128
_FACETS_M = 1000.0
"""Side of a pixel, metres, above which straight lines between its heights show as facets."""


@dataclass(frozen=True)
class ElevationRaster:
    """A raster of heights in degrees, read in pieces.

    Attributes
    ----------
    read : callable
        Spans of rows and columns, inside the raster, to heights.
    latitudes, longitudes : Axis
        Its rows and columns, degrees.
    metres_per_degree : float
        Of latitude, on its body.
    """

    read: Callable[[Span, Span], Heights]
    latitudes: Axis
    longitudes: Axis
    metres_per_degree: float

    @property
    def is_coarse(self) -> bool:
        """Whether straight lines between its heights would show as facets: pixels above 1 km."""
        return abs(self.latitudes.step) * self.metres_per_degree > _FACETS_M

    @property
    def wraps(self) -> bool:
        """The columns go round the planet: the last is followed by the first."""
        return abs(self.longitudes.count * self.longitudes.step - 360) < self.longitudes.step / 2

    def with_row_cache(self) -> "ElevationRaster":
        """Wrap it so that neighbouring windows read each row once.

        Whole rows are kept from the first to the last of the latest window, packed in two bytes a pixel. Windows come
        from north to south; one that begins further north than what is kept is read anew.
        """
        kept: tuple[int, NDArray[np.int16]] = 0, np.zeros((0, self.longitudes.count), np.int16)

        def read(rows: Span, columns: Span) -> Heights:
            nonlocal kept
            first, last = kept[0], kept[0] + len(kept[1])
            if not (first <= rows[0] and rows[1] <= last):
                begin = max(rows[0], last) if first <= rows[0] <= last else rows[0]
                tops = range(begin, rows[1], _CHUNK_ROWS)
                fresh = [self.read((top, min(top + _CHUNK_ROWS, rows[1])), (0, self.longitudes.count)) for top in tops]
                old = kept[1][rows[0] - first :] if begin > rows[0] else kept[1][:0]
                kept = rows[0], np.concatenate([old, *(pack(*heights) for heights in fresh)])
            return unpack(kept[1][rows[0] - kept[0] : rows[1] - kept[0], columns[0] : columns[1]])

        return ElevationRaster(read, self.latitudes, self.longitudes, self.metres_per_degree)

    def on_axes(self, latitudes: Axis, longitudes: Axis, /) -> Heights:
        """Give the heights at rows and columns that are parallel to its own.

        Between coarse pixels they are cubic B-splines, which have no kinks; else a triangle kernel.

        Parameters
        ----------
        latitudes, longitudes : Axis
            Degrees; longitudes count modulo 360.
        """
        shape = (latitudes.count, longitudes.count)
        total, land, sea = (np.zeros(shape, np.float32) for _ in range(3))
        spare = int(np.ceil(abs(latitudes.step / self.latitudes.step))) + 2
        begin, end = self.latitudes.covering(latitudes.origin, latitudes.end, spare)
        begin, end = max(0, begin), min(self.latitudes.count, end)
        if begin < end:
            kernel = _spline if self.is_coarse else taps
            rows = kernel(self.latitudes.part(begin, end), latitudes)
            for part, along in _pieces(self, (begin, end), longitudes):
                columns = kernel(along, longitudes)
                known = ~(part.sea | part.void)
                everywhere = bool(known.all())
                metres = part.metres if everywhere else np.where(known, part.metres, np.float32(0))
                total += _both(metres, rows, columns)
                if everywhere:
                    land += np.outer(rows.weight.sum(1), columns.weight.sum(1))
                elif known.any():
                    land += _both(known, rows, columns)
                if part.sea.any():
                    sea += _both(part.sea, rows, columns)
        return from_shares(total, land, sea)

    def at_points(
        self, longitude_deg: NDArray[np.float64], latitude_deg: NDArray[np.float64], pixel_m: float, /
    ) -> Heights:
        """Give the heights at points by bilinear interpolation, between coarse pixels by cubic B-splines.

        Towards a pole the columns crowd: there 2, 4, 8 ... of them, so many that they stay within a pixel of the strip,
        are averaged before. How many depends on the latitude alone.

        Parameters
        ----------
        longitude_deg, latitude_deg : (H, W) float64
        pixel_m : float
            Side of a pixel of the strip, metres.
        """
        width_m = self.longitudes.step * self.metres_per_degree * np.cos(np.radians(latitude_deg))
        halvings = np.floor(np.log2(np.maximum(pixel_m / np.maximum(width_m, 1e-3), 1))).astype(np.int64)
        halvings = np.minimum(halvings, int(np.log2(self.longitudes.count)))
        planes = [np.zeros(latitude_deg.shape, np.float32) for _ in range(3)]
        for power in np.unique(halvings):
            here = halvings == power
            found = _interpolated(self, longitude_deg[here], latitude_deg[here], 1 << int(power))
            for plane, values in zip(planes, found, strict=True):
                plane[here] = values
        return from_shares(*planes)


def from_array(heights: Heights, latitudes: Axis, longitudes: Axis, metres_per_degree: float) -> ElevationRaster:
    """Wrap heights that are in memory."""

    def read(rows: Span, columns: Span) -> Heights:
        part = slice(*rows), slice(*columns)
        return Heights(heights.metres[part], heights.sea[part], heights.void[part])

    return ElevationRaster(read, latitudes, longitudes, metres_per_degree)


def _spline(source: Axis, target: Axis) -> Taps:
    """Weights of the cubic B-spline, 0 beyond the source."""
    found = spline_taps(source, target.centres())
    inside = (found.index >= 0) & (found.index < source.count)
    return Taps(np.clip(found.index, 0, source.count - 1), np.where(inside, found.weight, np.float32(0)))


def _pieces(source: ElevationRaster, rows: Span, wanted: Axis) -> Iterator[tuple[Heights, Axis]]:
    """Yield the heights under some columns, and where on the wanted axis they lie."""
    own = source.longitudes
    spare = int(np.ceil(wanted.step / own.step)) + 2
    if source.wraps:
        first, last = own.covering(wanted.origin, wanted.end, spare)
        parts = [source.read(rows, columns) for columns in _round(first, last, own.count)]
        joined = Heights(*(np.concatenate(planes, axis=1) for planes in zip(*parts, strict=True)))
        yield joined, Axis(own.origin, 360 / own.count, own.count).part(first, last)
        return
    for turn in _turns(own, wanted):
        first, last = own.covering(wanted.origin - turn, wanted.end - turn, spare)
        first, last = max(0, first), min(own.count, last)
        if first < last:
            yield source.read(rows, (first, last)), _turned(own.part(first, last), turn)


def _round(first: int, last: int, count: int) -> Iterator[Span]:
    while first < last:
        start = first % count
        stop = min(count, start + last - first)
        yield start, stop
        first += stop - start


def _interpolated(
    source: ElevationRaster, lon: NDArray[np.float64], lat: NDArray[np.float64], joined: int
) -> tuple[Float, ...]:
    """Weighted sums of heights, land and sea at points, `joined` columns at a time; all (n,)."""
    rows, columns = source.latitudes, source.longitudes
    y = (lat - rows.origin) / rows.step - 0.5
    x = ((lon - columns.origin) % 360) / columns.step / joined - 0.5
    count = -(-columns.count // joined)
    x = np.where(source.wraps | (x < count), x, x - 360 / columns.step / joined)
    y0, x0 = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    first, last = (-1, 2) if source.is_coarse else (0, 1)
    begin, end = max(0, int(y0.min()) + first), min(rows.count, int(y0.max()) + last + 1)
    if begin >= end:
        return tuple(np.zeros(len(lat), np.float32) for _ in range(3))
    near = np.concatenate([x0 + dx for dx in range(first, last + 1)])
    used = np.unique(near % count if source.wraps else np.clip(near, 0, count - 1))
    planes, places = _joined(source, (begin, end), used, joined)
    sums = tuple(np.zeros(len(lat), np.float32) for _ in range(3))
    kernel = _cubic if source.is_coarse else _triangle
    for dy in range(first, last + 1):
        for dx in range(first, last + 1):
            weight = kernel(y - (y0 + dy)) * kernel(x - (x0 + dx))
            inside = (y0 + dy >= begin) & (y0 + dy < end)
            if not source.wraps:
                inside &= (x0 + dx >= 0) & (x0 + dx < count)
            row = np.clip(y0 + dy - begin, 0, end - begin - 1)
            column = places[(x0 + dx) % count]
            for result, plane in zip(sums, planes, strict=True):
                result += np.where(inside, weight * plane[row, column], 0).astype(np.float32)
    return sums


def _triangle(away: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - np.abs(away)


def _cubic(away: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the uniform cubic B-spline at -2 to 2."""
    far = np.abs(away)
    return np.where(far < 1, 2 / 3 - far**2 + far**3 / 2, (2 - np.minimum(far, 2)) ** 3 / 6)


def _joined(
    source: ElevationRaster, rows: Span, used: NDArray[np.int64], joined: int
) -> tuple[tuple[Float, ...], NDArray[np.int64]]:
    """Average `joined` columns at a time, for the joined columns that are used, read in unbroken runs.

    Returns
    -------
    planes : three (rows, n) float32
        Heights of land times share of land, shares of land and sea.
    places : (count,) int64
        Where in n each joined column stands.
    """
    places = np.zeros(-(-source.longitudes.count // joined), np.int64)
    places[used] = np.arange(len(used))
    runs = np.split(used, np.flatnonzero(np.diff(used) > 64) + 1)
    # Columns between the used ones of a run are read and left out again: one read is faster than many.
    parts = [_average(source, rows, (int(run[0]), int(run[-1]) + 1), joined) for run in runs]
    chosen = [[plane[:, run - run[0]] for plane in part] for run, part in zip(runs, parts, strict=True)]
    return tuple(np.concatenate([part[k] for part in chosen], axis=1) for k in range(3)), places


def _average(source: ElevationRaster, rows: Span, columns: Span, joined: int) -> tuple[Float, ...]:
    first, last = columns[0] * joined, min(columns[1] * joined, source.longitudes.count)
    starts = np.arange(first, last, joined) - first
    sizes = np.diff(np.append(starts, last - first)).astype(np.float32)
    pieces = []
    for top in range(*rows, _CHUNK_ROWS):
        heights = source.read((top, min(top + _CHUNK_ROWS, rows[1])), (first, last))
        known = ~(heights.sea | heights.void)
        planes = (np.where(known, heights.metres, np.float32(0)), known.astype(np.float32), heights.sea)
        pieces.append([np.add.reduceat(plane.astype(np.float32), starts, axis=1) / sizes for plane in planes])
    return tuple(np.concatenate([piece[k] for piece in pieces]) for k in range(3))


def _turns(own: Axis, wanted: Axis) -> list[float]:
    """Find the multiples of 360 degrees by which a wanted axis lies on a source's."""
    spare = own.step + wanted.step
    first = np.ceil((wanted.origin - own.end - spare) / 360)
    last = np.floor((wanted.end - own.origin + spare) / 360)
    return [360.0 * turn for turn in range(int(first), int(last) + 1)]


def _turned(axis: Axis, degrees: float) -> Axis:
    return Axis(axis.origin + degrees, axis.step, axis.count)


def _both(values: NDArray[np.generic], rows: Taps, columns: Taps) -> Float:
    """Resample rows, then columns."""
    plane = torch.from_numpy(values.astype(np.float32, copy=False))
    if not _same(rows, len(plane)):
        plane = resample_last_axis(plane.T.contiguous(), rows).T.contiguous()
    found: Float = resample_last_axis(plane, columns).numpy()
    return found


def _same(rows: Taps, count: int) -> bool:
    """Whether the rows are the source's own."""
    exact = rows.weight.shape[1] == 1 and len(rows.index) == count
    return exact and bool((rows.index[:, 0] == np.arange(count)).all() and (rows.weight == 1).all())

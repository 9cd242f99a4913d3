"""The heights of a raster in degrees at the pixels of a strip: row by row and column by column for bands, point by
point for caps. What is missing takes no part in any average, and longitudes count modulo 360.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.geo.heights import Heights
from terraform.geo.resample import Axis, Taps, taps
from terraform.geo.tile import PIXEL_M

Span = tuple[int, int]
Float = NDArray[np.float32]

_CHUNK_ROWS = 128
_HALF = 0.5 - 1e-6


@dataclass(frozen=True)
class Source:
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
    def closes(self) -> bool:
        """The columns go round the planet: the last is followed by the first."""
        return abs(self.longitudes.count * self.longitudes.step - 360) < self.longitudes.step / 2


def of_array(heights: Heights, latitudes: Axis, longitudes: Axis, metres_per_degree: float) -> Source:
    """A raster that is in memory."""

    def read(rows: Span, columns: Span) -> Heights:
        part = slice(*rows), slice(*columns)
        return Heights(heights.metres[part], heights.sea[part], heights.void[part])

    return Source(read, latitudes, longitudes, metres_per_degree)


class Lines(NamedTuple):
    """Heights resampled to the rows of a strip, still in the columns of their source.

    Attributes
    ----------
    total : (h, n) float32
        Sums of weighted heights of land.
    land, sea : (h, n) float32
        Shares of the kernel on land and on sea; the rest is void.
    longitudes : Axis
        Of the n columns.
    closes : bool
    """

    total: Float
    land: Float
    sea: Float
    longitudes: Axis
    closes: bool


def lines(source: Source, latitudes: Axis, longitudes: Axis) -> Lines:
    """Resample the rows of what a strip needs of a source.

    Parameters
    ----------
    latitudes, longitudes : Axis
        Of the strip, degrees; the columns say which part of the source is read.
    """
    first, last = _columns(source, longitudes)
    shape = (latitudes.count, last - first)
    total, land, sea = (np.zeros(shape, np.float32) for _ in range(3))
    for top in range(0, latitudes.count, _CHUNK_ROWS):
        part = slice(top, min(top + _CHUNK_ROWS, latitudes.count))
        rows = taps(source.latitudes, latitudes.part(part.start, part.stop))
        used = rows.index[rows.weight > 0]
        if not used.size or first == last:
            continue
        begin, end = int(used.min()), int(used.max()) + 1
        heights = source.read((begin, end), (first, last))
        near = Taps(np.clip(rows.index - begin, 0, end - begin - 1), rows.weight)
        known = ~(heights.sea | heights.void)
        total[part] = _down(np.where(known, heights.metres, np.float32(0)), near)
        land[part] = _down(known, near)
        sea[part] = _down(heights.sea, near)
    return Lines(total, land, sea, source.longitudes.part(first, last), source.closes)


def across(strip: Lines, longitudes: Axis) -> Heights:
    """The heights of some columns of a strip."""
    total, land, sea = (np.zeros((len(strip.total), longitudes.count), np.float32) for _ in range(3))
    for turn in _turns(strip.longitudes, longitudes, strip.closes):
        columns = taps(strip.longitudes, _turned(longitudes, -turn), wrap=strip.closes)
        columns = _trimmed(columns)
        for result, values in ((total, strip.total), (land, strip.land), (sea, strip.sea)):
            result += _right(values, columns)
    return _sorted(total, land, sea)


def points(source: Source, longitude_deg: NDArray[np.float64], latitude_deg: NDArray[np.float64]) -> Heights:
    """Heights at points by bilinear interpolation.

    Towards a pole the columns of a raster in degrees crowd: there 2, 4, 8 ... of them, so many that they stay within
    a pixel of 200 m, are averaged before. How many depends on the latitude alone.

    Parameters
    ----------
    longitude_deg, latitude_deg : (H, W) float64
    """
    width_m = source.longitudes.step * source.metres_per_degree * np.cos(np.radians(latitude_deg))
    halvings = np.floor(np.log2(np.maximum(PIXEL_M / np.maximum(width_m, 1e-3), 1))).astype(np.int64)
    halvings = np.minimum(halvings, int(np.log2(source.longitudes.count)))
    planes = [np.zeros(latitude_deg.shape, np.float32) for _ in range(3)]
    for power in np.unique(halvings):
        here = halvings == power
        found = _bilinear(source, longitude_deg[here], latitude_deg[here], 1 << int(power))
        for plane, values in zip(planes, found, strict=True):
            plane[here] = values
    return _sorted(*planes)


def _bilinear(source: Source, lon: NDArray[np.float64], lat: NDArray[np.float64], joined: int) -> tuple[Float, ...]:
    """Weighted sums of heights, land and sea at points, `joined` columns at a time; all (n,)."""
    rows, columns = source.latitudes, source.longitudes
    y = (lat - rows.origin) / rows.step - 0.5
    x = ((lon - columns.origin) % 360) / columns.step / joined - 0.5
    count = -(-columns.count // joined)
    x = np.where(source.closes | (x < count), x, x - 360 / columns.step / joined)
    y0, x0 = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    begin, end = max(0, int(y0.min())), min(rows.count, int(y0.max()) + 2)
    if begin >= end:
        return tuple(np.zeros(len(lat), np.float32) for _ in range(3))
    used = np.unique(np.concatenate([x0, x0 + 1]) % count if source.closes else np.clip([x0, x0 + 1], 0, count - 1))
    planes, places = _joined(source, (begin, end), used, joined)
    sums = tuple(np.zeros(len(lat), np.float32) for _ in range(3))
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (1 - np.abs(y - (y0 + dy))) * (1 - np.abs(x - (x0 + dx)))
            inside = (y0 + dy >= begin) & (y0 + dy < end)
            if not source.closes:
                inside &= (x0 + dx >= 0) & (x0 + dx < count)
            row = np.clip(y0 + dy - begin, 0, end - begin - 1)
            column = places[(x0 + dx) % count]
            for result, plane in zip(sums, planes, strict=True):
                result += np.where(inside, weight * plane[row, column], 0).astype(np.float32)
    return sums


def _joined(
    source: Source, rows: Span, used: NDArray[np.int64], joined: int
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


def _average(source: Source, rows: Span, columns: Span, joined: int) -> tuple[Float, ...]:
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


def _sorted(total: Float, land: Float, sea: Float) -> Heights:
    void = land + sea < _HALF
    is_sea = ~void & (sea > land)
    metres = np.where(void | is_sea, np.float32(0), total / np.maximum(land, np.float32(1e-6)))
    return Heights(metres.astype(np.float32), is_sea, void)


def _columns(source: Source, wanted: Axis) -> Span:
    """First and last-plus-one column that a strip needs."""
    own = source.longitudes
    if source.closes:
        return 0, own.count
    spare = int(np.ceil(wanted.step / own.step)) + 2
    spans = [
        own.covering(wanted.origin - turn, wanted.end - turn, spare) for turn in _turns(own, wanted, source.closes)
    ]
    firsts, lasts = [max(0, a) for a, _ in spans], [min(own.count, b) for _, b in spans]
    return (min(firsts), max(lasts)) if spans else (0, 0)


def _turns(own: Axis, wanted: Axis, closes: bool) -> list[float]:
    """The multiples of 360 degrees by which a wanted axis lies on a source's."""
    if closes:
        return [0.0]
    spare = own.step + wanted.step
    first = np.ceil((wanted.origin - own.end - spare) / 360)
    last = np.floor((wanted.end - own.origin + spare) / 360)
    return [360.0 * turn for turn in range(int(first), int(last) + 1)]


def _turned(axis: Axis, degrees: float) -> Axis:
    return Axis(axis.origin + degrees, axis.step, axis.count)


def _trimmed(columns: Taps) -> Taps:
    """Without taps that nobody uses."""
    used = np.flatnonzero(columns.weight.any(axis=0))
    return Taps(columns.index[:, used], columns.weight[:, used])


def _down(values: NDArray[np.generic], rows: Taps) -> Float:
    if values.dtype == np.bool_ and (values.all() or not values.any()):
        return np.repeat(rows.weight.sum(1, keepdims=True) * np.float32(values.all()), values.shape[1], axis=1)
    matrix = np.zeros((len(rows.index), len(values)), np.float32)
    np.add.at(matrix, (np.arange(len(matrix))[:, None], rows.index), rows.weight)
    if (np.count_nonzero(rows.weight, axis=1) == 1).all() and (rows.weight.max(axis=1) == 1).all():
        exact: Float = values[rows.index[np.arange(len(matrix)), rows.weight.argmax(axis=1)]].astype(np.float32)
        return exact
    return np.asarray(matrix @ values.astype(np.float32, copy=False), np.float32)


def _right(values: Float, columns: Taps) -> Float:
    total = np.zeros((len(values), len(columns.index)), np.float32)
    for k in range(columns.index.shape[1]):
        total += np.take(values, columns.index[:, k], axis=1) * columns.weight[:, k]
    return total

"""The pixels that services which draw on demand are asked for: one lattice of whole arc seconds for every region.

What one region fetched serves the next, and a polygon that is moved a little. Every pixel is a whole number of the
one-arc-second pixels of SRTM, NASADEM and GLO-30, so that their mean is exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, cos, floor, radians
from typing import Any

from numpy.typing import NDArray

from terraform.geo.grid import RasterGrid
from terraform.geo.resample import Axis

ARC_SECOND = 1 / 3600
ROW_S = 6
"""Height of a pixel, arc seconds: 185 m, the most that is not above 200 m."""
WEST, NORTH = -180 - ARC_SECOND / 2, 90 + ARC_SECOND / 2
"""Outer corner of the lattice: the centres of the assets' pixels lie on whole arc seconds."""

_TURN_S = 360 * 3600
_LARGEST_M = 200.0
"""Largest side of a pixel that is asked for, metres: tiles have no smaller ones by default."""
_EDGE_PX = 32


@dataclass(frozen=True)
class RequestWindow:
    """One request.

    Attributes
    ----------
    top, bottom, left, right : int
        Rows and columns of the lattice; columns count on across the antimeridian.
    column_s : int
        Width of a pixel, arc seconds.
    """

    top: int
    bottom: int
    left: int
    right: int
    column_s: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    @property
    def west(self) -> float:
        """Outer edge, degrees, within -180..180: that of the first pixel centre's turn."""
        return WEST + self.left * self.step_deg - 360 * floor((self.left + 0.5) * self.column_s / _TURN_S)

    @property
    def north(self) -> float:
        """Outer edge, degrees."""
        return NORTH - self.top * ROW_S * ARC_SECOND

    @property
    def step_deg(self) -> float:
        """Width of a pixel, degrees."""
        return self.column_s * ARC_SECOND

    def quarters(self) -> Iterator["RequestWindow"]:
        """Split the window into up to four, for when it is too much at once."""
        row, column = (self.top + self.bottom + 1) // 2, (self.left + self.right + 1) // 2
        for top, bottom in ((self.top, row), (row, self.bottom)):
            for left, right in ((self.left, column), (column, self.right)):
                if bottom > top and right > left:
                    yield RequestWindow(top, bottom, left, right, self.column_s)


@dataclass(frozen=True)
class RequestGrid:
    """The part of the lattice that covers a region's window.

    Attributes
    ----------
    rows, columns : (int, int)
        First and last-plus-one.
    column_s : int
        Width of a pixel, arc seconds.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    column_s: int

    def grid(self, like: RasterGrid) -> RasterGrid:
        """Its georeference."""
        lat, lon = _axes(self.column_s)
        return RasterGrid(like.body, lat.part(*self.rows), lon.part(*self.columns))

    def windows(self, side_px: int, south: float, north: float) -> list[RequestWindow]:
        """List the requests, row by row, of at most `side_px` on a side.

        Between `south` and `north` only; beyond there is nothing to ask for. None crosses the antimeridian.
        """
        lat, _ = _axes(self.column_s)
        first, last = lat.covering(south, north)
        top, bottom = _rounded(self.rows)
        seams = [ceil(_TURN_S / self.column_s * turn - 0.5) for turn in (-1, 0, 1, 2)]
        rows = _cut((max(top, first), min(bottom, last)), side_px, [])
        columns = _cut(_rounded(self.columns), side_px, seams)
        return [RequestWindow(*row, *column, self.column_s) for row in rows for column in columns]


def request_grid(window: RasterGrid) -> RequestGrid:
    """Choose the pixels that cover a window, none larger than 200 m."""
    south, north = window.latitudes.end, window.latitudes.origin
    equatorward = 0.0 if south <= 0 <= north else min(abs(south), abs(north))
    second_m = window.body.metres_per_degree * ARC_SECOND
    column_s = max(ROW_S, floor(_LARGEST_M / (second_m * cos(radians(equatorward)))))
    lat, lon = _axes(column_s)
    rows = lat.covering(max(-90.0, south), min(90.0, north))
    return RequestGrid(rows, lon.covering(window.longitudes.origin, window.longitudes.end), column_s)


def _axes(column_s: int) -> tuple[Axis, Axis]:
    return Axis(NORTH, -ROW_S * ARC_SECOND, 0), Axis(WEST, column_s * ARC_SECOND, 0)


def _rounded(span: tuple[int, int]) -> tuple[int, int]:
    """Outwards to whole `_EDGE_PX`: a polygon that is moved a little finds its windows in the cache."""
    return span[0] // _EDGE_PX * _EDGE_PX, -(-span[1] // _EDGE_PX) * _EDGE_PX


def _cut(span: tuple[int, int], side_px: int, seams: list[int]) -> list[tuple[int, int]]:
    """Cut a span at the multiples of `side_px`, which are the same for every region, and at the seams."""
    first, last = span
    if last <= first:
        return []
    edges = {first, last, *range(-(-first // side_px) * side_px, last, side_px)}
    return list(pairwise(sorted(edges | {seam for seam in seams if first < seam < last})))


def place(target: NDArray[Any], origin: tuple[int, int], values: NDArray[Any], window: RequestWindow) -> None:
    """Put the pixels of a window where they belong in an array whose first pixel is `origin` of the lattice."""
    top, left = window.top - origin[0], window.left - origin[1]
    rows = slice(max(0, -top), min(values.shape[0], target.shape[0] - top))
    columns = slice(max(0, -left), min(values.shape[1], target.shape[1] - left))
    if rows.start < rows.stop and columns.start < columns.stop:
        target[top + rows.start : top + rows.stop, left + columns.start : left + columns.stop] = values[rows, columns]


def strips(
    part: RequestGrid, windows: Sequence[RequestWindow]
) -> Iterator[tuple[tuple[int, int], list[RequestWindow]]]:
    """From north to south, each row of windows with its first and last-plus-one row; rows without windows too."""
    first, last = part.rows
    inner = {edge for window in windows for edge in (window.top, window.bottom) if first < edge < last}
    for top, bottom in pairwise(sorted({first, last, *inner})):
        yield (top, bottom), [window for window in windows if window.top < bottom and top < window.bottom]

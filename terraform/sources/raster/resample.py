"""Resampling the rasters of any CRS onto blocks of a grid in degrees.

Rasters whose rows are parallels and whose columns are meridians, evenly spaced (longitude and latitude,
equirectangular), are gathered row by row and column by column; all others (UTM, Mercator, polar) are warped. Both use
a triangle kernel that widens when the target is coarser, and both carry shares of land and sea instead of missing
values, so that nothing missing is ever averaged.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import reproject

from terraform.geo.crs import degrees_crs, transformer
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import affine_of
from terraform.geo.resample import Axis, gather, taps
from terraform.sources.raster.classify import MaskedPixels
from terraform.sources.raster.condense import Planes, condense, factor_for
from terraform.sources.raster.formats import Pixels, Raster
from terraform.sources.raster.georeference import Axes, GeoreferencedRaster, wraps
from terraform.sources.raster.metadata.place import shift_transform

_WARP_TOLERANCE_PX = 0.02

Classify = Callable[[Pixels, Raster], MaskedPixels]


def planes(of: GeoreferencedRaster, block: RasterGrid, classify: Classify, bands: int) -> Planes | None:
    """Resample a raster onto a block of a grid, or None where it does not reach.

    Parameters
    ----------
    classify : callable
        Tells values, sea and void apart in what is read.
    bands : int
        Bands of the result.
    """
    if of.axes is None:
        return _warped(of, block, classify, bands)
    parts = [_gathered(of, of.axes, block, turn, classify, bands) for turn in _turns(of.axes, block)]
    found = [part for part in parts if part is not None]
    return _sum(found)


def reaches(of: GeoreferencedRaster, block: RasterGrid) -> bool:
    """Whether any pixel of a raster is in a block."""
    return bool(windows(of, block))


def windows(of: GeoreferencedRaster, block: RasterGrid) -> list["PixelWindow"]:
    """Find the windows of a raster that a block needs.

    There are two where the antimeridian cuts the block off from part of it; the columns of a raster that wraps around
    the planet may lie beyond its edges.
    """
    if of.axes is not None:
        return windows_along(of.axes, block)
    found = _window(of, block)
    return [] if found is None else [found]


def windows_along(axes: Axes, block: RasterGrid) -> list["PixelWindow"]:
    """Find the windows of a raster of which no more is known than its rows and columns in degrees."""
    found = [_spans(axes, block, turn) for turn in _turns(axes, block)]
    return [window for window in found if window is not None]


def _sum(parts: list[Planes]) -> Planes | None:
    total = parts[0] if parts else None
    for part in parts[1:]:
        total = part if total is None else total.plus(part)
    return total


def _turns(axes: Axes, block: RasterGrid) -> list[float]:
    """List the multiples of 360 degrees that bring a raster over a block."""
    own, wanted = axes.longitudes, block.longitudes
    first = int(np.ceil((wanted.origin - own.end) / 360 - 1e-9))
    last = int(np.floor((wanted.end - own.origin) / 360 + 1e-9))
    if wraps(own):
        return [360.0 * first]
    return [360.0 * turn for turn in range(first, last + 1)]


class PixelWindow(NamedTuple):
    """Rows and columns, each from the first to the one after the last."""

    rows: tuple[int, int]
    columns: tuple[int, int]


def _spans(axes: Axes, block: RasterGrid, turn: float) -> PixelWindow | None:
    """Find the window of a raster that a block needs; its columns may lie beyond the edges where the raster wraps."""
    lat, lon = axes.latitudes, axes.longitudes
    spare_y = int(np.ceil(abs(block.latitudes.step / lat.step))) + 1
    spare_x = int(np.ceil(block.longitudes.step / lon.step)) + 1
    top, bottom = lat.covering(block.latitudes.origin, block.latitudes.end)
    left, right = lon.covering(block.longitudes.origin - turn, block.longitudes.end - turn)
    closed = wraps(lon)
    if top >= lat.count or bottom <= 0 or (not closed and (left >= lon.count or right <= 0)):
        return None
    rows = max(0, top - spare_y), min(lat.count, bottom + spare_y)
    left, right = left - spare_x, right + spare_x
    return PixelWindow(rows, (left, right) if closed else (max(0, left), min(lon.count, right)))


def _gathered(
    of: GeoreferencedRaster, axes: Axes, block: RasterGrid, turn: float, classify: Classify, bands: int
) -> Planes | None:
    spans = _spans(axes, block, turn)
    if spans is None:
        return None
    (top, bottom), (left, right) = spans
    factor = factor_for((bottom - top) * (right - left))
    if factor > 1 and _divisible(block):
        return _halved(block, bands, lambda half: _gathered(of, axes, half, turn, classify, bands))
    if factor > 1:
        fine = _condensed(of, spans, factor, classify, bands)
        down, right_ = (
            taps(_squares(axis.part(*span), factor, count), target)
            for axis, span, count, target in (
                (axes.latitudes, spans.rows, fine.valid.shape[0], block.latitudes),
                (axes.longitudes, spans.columns, fine.valid.shape[1], _turned(block.longitudes, -turn)),
            )
        )
        return Planes(*(gather(np.ascontiguousarray(part), down, right_) for part in fine))
    known = classify(_read_round(of.raster, (top, bottom), (left, right)), of.raster)
    own_lat, own_lon = axes.latitudes.part(top, bottom), axes.longitudes.part(left, right)
    rows = taps(own_lat, block.latitudes)
    columns = taps(own_lon, _turned(block.longitudes, -turn))
    if known.valid.all():
        shares = np.outer(rows.weight.sum(1), columns.weight.sum(1)).astype(np.float32)
    else:
        shares = gather(known.valid.astype(np.float32), rows, columns)
    sea = gather(known.sea.astype(np.float32), rows, columns) if known.sea.any() else np.zeros_like(shares)
    return Planes(gather(known.values, rows, columns), shares, sea)


def _condensed(of: GeoreferencedRaster, spans: PixelWindow, factor: int, classify: Classify, bands: int) -> Planes:
    """Read a window in squares, some rows at a time."""
    (top, bottom), (left, right) = spans

    def read(first: int, last: int) -> MaskedPixels:
        return classify(_read_round(of.raster, (top + first, top + last), (left, right)), of.raster)

    return condense(read, (bottom - top, right - left), factor, bands)


def _squares(axis: Axis, factor: int, count: int) -> Axis:
    return Axis(axis.origin, axis.step * factor, count)


def _turned(axis: Axis, degrees: float) -> Axis:
    return Axis(axis.origin + degrees, axis.step, axis.count)


def _read_round(raster: Raster, rows: tuple[int, int], columns: tuple[int, int]) -> Pixels:
    """Read columns that may lie beyond the edges of a raster that goes round the planet."""
    left, right = columns
    parts = []
    while left < right:
        start = left % raster.width
        count = min(raster.width - start, right - left)
        parts.append(raster.read(rows, (start, start + count)))
        left += count
    if len(parts) == 1:
        return parts[0]
    hidden = [part.hidden for part in parts if part.hidden is not None]
    return Pixels(
        np.concatenate([part.values for part in parts], axis=1), np.concatenate(hidden, 1) if hidden else None
    )


def _warped(of: GeoreferencedRaster, block: RasterGrid, classify: Classify, bands: int) -> Planes | None:
    spans = _window(of, block)
    if spans is None:
        return None
    (top, bottom), (left, right) = spans
    factor = factor_for((bottom - top) * (right - left))
    if factor > 1 and _divisible(block):
        return _halved(block, bands, lambda half: _warped(of, half, classify, bands))
    if factor > 1:
        known: MaskedPixels | Planes = _condensed(of, spans, factor, classify, bands)
    else:
        known = classify(of.raster.read(*spans), of.raster)
    values, valid, sea = known
    stack = np.stack([*np.moveaxis(values, -1, 0), valid, sea]).astype(np.float32)
    shape = (block.latitudes.count, block.longitudes.count)
    warped = np.zeros((len(stack), *shape), np.float32)
    reproject(
        stack, warped,
        src_transform=shift_transform(of.raster.transform, left, top) @ Affine.scale(factor), src_crs=of.raster.crs,
        dst_transform=affine_of(block), dst_crs=degrees_crs(of.raster.crs, of.body),
        resampling=Resampling.bilinear, tolerance=_WARP_TOLERANCE_PX,
    )  # fmt: skip
    return Planes(np.moveaxis(warped[:bands], 0, -1), warped[bands], warped[bands + 1])


def _window(of: GeoreferencedRaster, block: RasterGrid) -> PixelWindow | None:
    """Find the window of a raster in any CRS that a block needs."""
    lon = np.linspace(block.longitudes.origin, block.longitudes.end, 17)
    lat = np.linspace(block.latitudes.origin, block.latitudes.end, 17)
    to_source = transformer(degrees_crs(of.raster.crs, of.body), of.raster.crs)
    x, y = (np.where(np.isfinite(axis), axis, np.nan) for axis in to_source.transform(*np.meshgrid(lon, lat)))
    back = ~of.raster.transform
    columns, rows = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
    seen = np.isfinite(columns) & np.isfinite(rows)
    if not seen.any():
        return None
    spare = 3 + int(2 * of.body.metres_per_degree * abs(block.latitudes.step) / of.pixel_m)
    left, right = int(np.floor(columns[seen].min())) - spare, int(np.ceil(columns[seen].max())) + spare
    top, bottom = int(np.floor(rows[seen].min())) - spare, int(np.ceil(rows[seen].max())) + spare
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, of.raster.width), min(bottom, of.raster.height)
    return None if left >= right or top >= bottom else PixelWindow((top, bottom), (left, right))


def _divisible(block: RasterGrid) -> bool:
    return max(block.latitudes.count, block.longitudes.count) > 16


def _halved(block: RasterGrid, bands: int, work: Callable[[RasterGrid], Planes | None]) -> Planes:
    """Work on the two halves of a block, cut across its longer side."""
    rows, columns = block.latitudes, block.longitudes
    down = rows.count >= columns.count
    middle = max(rows.count, columns.count) // 2
    if down:
        axes = [(rows.part(0, middle), columns), (rows.part(middle, rows.count), columns)]
    else:
        axes = [(rows, columns.part(0, middle)), (rows, columns.part(middle, columns.count))]
    halves = [RasterGrid(block.body, *pair) for pair in axes]
    results = [work(half) or nothing(half, bands) for half in halves]
    return Planes(*(np.concatenate(pair, axis=0 if down else 1) for pair in zip(*results, strict=True)))


def nothing(block: RasterGrid, bands: int) -> Planes:
    """Make a block of void."""
    shape = (block.latitudes.count, block.longitudes.count)
    return Planes(np.zeros((*shape, bands), np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32))

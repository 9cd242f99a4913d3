"""Where the pixels of a file lie on a grid in degrees, and resampling them onto it.

Rasters whose rows are parallels and whose columns are meridians, evenly spaced (longitude and latitude,
equirectangular), are gathered row by row and column by column; all others (UTM, Mercator, polar) are warped. Both use
a triangle kernel that widens when the target is coarser, and both carry shares of land and sea instead of missing
values, so that nothing missing is ever averaged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS as ProjCRS
from pyproj import Transformer
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import reproject

from terraform.errors import InputError
from terraform.geo.bodies import EARTH, Body
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import affine_of, body_of
from terraform.geo.resample import Axis, gather, taps
from terraform.sources.formats import Pixels, Raster
from terraform.sources.masking import Known

_STRAIGHT_PX = 0.05
_LARGEST_WINDOW_PX = 8_000_000
_WARP_TOLERANCE_PX = 0.02

Sort = Callable[[Pixels, Raster], Known]


class Axes(NamedTuple):
    """The rows and columns of a raster in degrees."""

    latitudes: Axis
    longitudes: Axis


@dataclass(frozen=True)
class Placed:
    """A raster that lies on a known body; `axes` where its rows are parallels and its columns meridians."""

    raster: Raster
    body: Body
    axes: Axes | None

    @property
    def pixel_m(self) -> float:
        """Height of a pixel, metres."""
        if self.axes is not None:
            return abs(self.axes.latitudes.step) * self.body.metres_per_degree
        t = self.raster.transform
        units = ProjCRS.from_wkt(self.raster.crs.to_wkt()).axis_info[0].unit_conversion_factor
        metres = units if self.raster.crs.is_projected else self.body.metres_per_degree
        return float(np.hypot(t.b, t.e) * metres)


class Planes(NamedTuple):
    """What the pixels of a block are made of.

    Attributes
    ----------
    total : (h, w, C) float32
        Sum of weighted values.
    valid, sea : (h, w) float32
        Shares of the kernel on values and on sea; the rest is void.
    """

    total: NDArray[np.float32]
    valid: NDArray[np.float32]
    sea: NDArray[np.float32]

    def plus(self, other: "Planes") -> "Planes":
        """Both together, as if they were one raster."""
        return Planes(self.total + other.total, self.valid + other.valid, self.sea + other.sea)


def placed(raster: Raster, body: Body) -> Placed:
    """Find out how a raster lies.

    Raises
    ------
    InputError
        It is on another body, or its latitudes or longitudes count in another way than planetocentric, eastwards.
    """
    own = body_of(_Named(raster.name, raster.crs))
    if own != body:
        raise InputError(
            f"{raster.name} is on {own.name} ({raster.crs}), the region is on {body.name}: name a raster of {body.name}"
        )
    if body is not EARTH and any(axis.direction == "west" for axis in _geodetic(raster.crs).axis_info):
        raise InputError(
            f"{raster.name} is in {raster.crs}, planetographic with longitudes to the west: warp it to "
            f"{body.geographic_crs}"
        )
    return Placed(raster, body, _axes(raster, body))


class _Named(NamedTuple):
    name: str
    crs: CRS


@lru_cache(64)
def _geodetic(crs: CRS) -> ProjCRS:
    found = ProjCRS.from_wkt(crs.to_wkt()).geodetic_crs
    if found is None:
        raise InputError(f"the CRS {crs} has no longitudes and latitudes: give another with `crs:`")
    return found


def _degrees_crs(crs: CRS, body: Body) -> CRS:
    # Of Mars there is one datum in practice, written as several spheres and spheroids: a change of datum between
    # them would move the latitudes of data that all mean planetocentric ones. Earth has real datum shifts.
    return CRS.from_user_input(body.geographic_crs) if body is EARTH else CRS.from_wkt(_geodetic(crs).to_wkt())


@lru_cache(64)
def _transformer(source: CRS, target: CRS) -> Transformer:
    def flat(crs: CRS) -> ProjCRS:
        return ProjCRS.from_wkt(crs.to_wkt()).to_2d()

    return Transformer.from_crs(flat(source), flat(target), always_xy=True)


def _axes(raster: Raster, body: Body) -> Axes | None:
    t = raster.transform
    if t.b or t.d:
        return None
    columns, rows = np.linspace(0, raster.width, 9), np.linspace(0, raster.height, 9)
    x, y = np.meshgrid(t.c + t.a * columns, t.f + t.e * rows)
    lon, lat = _transformer(raster.crs, _degrees_crs(raster.crs, body)).transform(x, y)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    lon = np.unwrap(lon, period=360, axis=1)
    lon = np.unwrap(lon, period=360, axis=0)
    across, down = _straight(lon[0], columns), _straight(lat[:, 0], rows)
    if abs(across.step) < 1e-12 or abs(down.step) < 1e-12:
        return None
    off_lon = np.abs(lon - (across.origin + across.step * columns)) / abs(across.step)
    off_lat = np.abs(lat - (down.origin + down.step * rows)[:, None]) / abs(down.step)
    if across.step < 0 or max(off_lon.max(), off_lat.max()) > _STRAIGHT_PX:
        return None
    return Axes(down, across)


def _straight(degrees: NDArray[np.float64], pixels: NDArray[np.float64]) -> Axis:
    return Axis(float(degrees[0]), float((degrees[-1] - degrees[0]) / pixels[-1]), int(pixels[-1]))


def planes(of: Placed, block: RasterGrid, sort: Sort, bands: int) -> Planes | None:
    """Resample a raster onto a block of a grid, or None where it does not reach.

    Parameters
    ----------
    sort : callable
        Tells values, sea and void apart in what is read.
    bands : int
        Bands of the result.
    """
    if of.axes is None:
        return _warped(of, block, sort, bands)
    parts = [_gathered(of, of.axes, block, turn, sort, bands) for turn in _turns(of.axes, block)]
    found = [part for part in parts if part is not None]
    return _sum(found)


def reaches(of: Placed, block: RasterGrid) -> bool:
    """Whether any pixel of a raster lies in a block."""
    if of.axes is None:
        return _window(of, block) is not None
    return any(_spans(of.axes, block, turn) is not None for turn in _turns(of.axes, block))


def _sum(parts: list[Planes]) -> Planes | None:
    total = parts[0] if parts else None
    for part in parts[1:]:
        total = part if total is None else total.plus(part)
    return total


def _turns(axes: Axes, block: RasterGrid) -> list[float]:
    """The multiples of 360 degrees that bring a raster over a block."""
    own, wanted = axes.longitudes, block.longitudes
    first = int(np.ceil((wanted.origin - own.end) / 360 - 1e-9))
    last = int(np.floor((wanted.end - own.origin) / 360 + 1e-9))
    if _closes(own):
        return [360.0 * first]
    return [360.0 * turn for turn in range(first, last + 1)]


def _closes(longitudes: Axis) -> bool:
    return abs(longitudes.count * longitudes.step - 360) < longitudes.step / 2


class _Spans(NamedTuple):
    rows: tuple[int, int]
    columns: tuple[int, int]


def _spans(axes: Axes, block: RasterGrid, turn: float) -> _Spans | None:
    """The rows and columns of a raster that a block needs; the columns go on round the planet where it closes."""
    lat, lon = axes.latitudes, axes.longitudes
    spare_y = int(np.ceil(abs(block.latitudes.step / lat.step))) + 1
    spare_x = int(np.ceil(block.longitudes.step / lon.step)) + 1
    top, bottom = lat.covering(block.latitudes.origin, block.latitudes.end)
    left, right = lon.covering(block.longitudes.origin - turn, block.longitudes.end - turn)
    closed = _closes(lon)
    if top >= lat.count or bottom <= 0 or (not closed and (left >= lon.count or right <= 0)):
        return None
    rows = max(0, top - spare_y), min(lat.count, bottom + spare_y)
    left, right = left - spare_x, right + spare_x
    return _Spans(rows, (left, right) if closed else (max(0, left), min(lon.count, right)))


def _gathered(of: Placed, axes: Axes, block: RasterGrid, turn: float, sort: Sort, bands: int) -> Planes | None:
    spans = _spans(axes, block, turn)
    if spans is None:
        return None
    (top, bottom), (left, right) = spans
    if (bottom - top) * (right - left) > _LARGEST_WINDOW_PX and _divisible(block):
        return _halved(block, bands, lambda half: _gathered(of, axes, half, turn, sort, bands))
    known = sort(_read_round(of.raster, (top, bottom), (left, right)), of.raster)
    own_lat, own_lon = axes.latitudes.part(top, bottom), axes.longitudes.part(left, right)
    rows = taps(own_lat, block.latitudes)
    columns = taps(own_lon, _turned(block.longitudes, -turn))
    if known.valid.all():
        shares = np.outer(rows.weight.sum(1), columns.weight.sum(1)).astype(np.float32)
    else:
        shares = gather(known.valid.astype(np.float32), rows, columns)
    sea = gather(known.sea.astype(np.float32), rows, columns) if known.sea.any() else np.zeros_like(shares)
    return Planes(gather(known.values, rows, columns), shares, sea)


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


def _warped(of: Placed, block: RasterGrid, sort: Sort, bands: int) -> Planes | None:
    spans = _window(of, block)
    if spans is None:
        return None
    (top, bottom), (left, right) = spans
    if (bottom - top) * (right - left) > _LARGEST_WINDOW_PX and _divisible(block):
        return _halved(block, bands, lambda half: _warped(of, half, sort, bands))
    known = sort(of.raster.read(*spans), of.raster)
    stack = np.stack([*np.moveaxis(known.values, -1, 0), known.valid, known.sea]).astype(np.float32)
    shape = (block.latitudes.count, block.longitudes.count)
    warped = np.zeros((len(stack), *shape), np.float32)
    reproject(
        stack, warped,
        src_transform=of.raster.transform * Affine.translation(left, top), src_crs=of.raster.crs,
        dst_transform=affine_of(block), dst_crs=_degrees_crs(of.raster.crs, of.body),
        resampling=Resampling.bilinear, tolerance=_WARP_TOLERANCE_PX,
    )  # fmt: skip
    return Planes(np.moveaxis(warped[:bands], 0, -1), warped[bands], warped[bands + 1])


def _window(of: Placed, block: RasterGrid) -> _Spans | None:
    """The rows and columns of a raster in any CRS that a block needs."""
    lon = np.linspace(block.longitudes.origin, block.longitudes.end, 17)
    lat = np.linspace(block.latitudes.origin, block.latitudes.end, 17)
    to_source = _transformer(_degrees_crs(of.raster.crs, of.body), of.raster.crs)
    x, y = to_source.transform(*np.meshgrid(lon, lat))
    columns, rows = ~of.raster.transform * (x, y)
    seen = np.isfinite(columns) & np.isfinite(rows)
    if not seen.any():
        return None
    spare = 3 + int(2 * of.body.metres_per_degree * abs(block.latitudes.step) / of.pixel_m)
    left, right = int(np.floor(columns[seen].min())) - spare, int(np.ceil(columns[seen].max())) + spare
    top, bottom = int(np.floor(rows[seen].min())) - spare, int(np.ceil(rows[seen].max())) + spare
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, of.raster.width), min(bottom, of.raster.height)
    return None if left >= right or top >= bottom else _Spans((top, bottom), (left, right))


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
    results = [work(half) or _nothing(half, bands) for half in halves]
    return Planes(*(np.concatenate(pair, axis=0 if down else 1) for pair in zip(*results, strict=True)))


def _nothing(block: RasterGrid, bands: int) -> Planes:
    shape = (block.latitudes.count, block.longitudes.count)
    return Planes(np.zeros((*shape, bands), np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32))

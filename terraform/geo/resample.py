"""Row-separable resampling between two grids whose rows and columns are parallel, by gathering weighted pixels.

A grid in degrees and a row of tiles, a band or an equirectangular map differ only in the origin and the step of each
axis, so that resampling is two one-dimensional gathers: no per-tile warp.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROUNDING_PX = 1e-6
_HALF = 0.5 - 1e-6
_ROWS = 64


@dataclass(frozen=True)
class Axis:
    """The pixels along one direction.

    Attributes
    ----------
    origin : float
        Coordinate of the outer edge of pixel 0.
    step : float
        Signed size of a pixel in the same unit: pixel i covers origin + i * step to origin + (i + 1) * step.
    count : int
        Number of pixels.
    """

    origin: float
    step: float
    count: int

    @property
    def end(self) -> float:
        """Coordinate of the outer edge of the last pixel."""
        return self.origin + self.step * self.count

    def centres(self) -> NDArray[np.float64]:
        """Coordinates of the pixel centres, (count,)."""
        return self.origin + self.step * (np.arange(self.count, dtype=np.float64) + 0.5)

    def part(self, start: int, stop: int) -> "Axis":
        """Pixels start to stop (exclusive); both may lie outside."""
        return Axis(self.origin + start * self.step, self.step, stop - start)

    def covering(self, low: float, high: float, spare: int = 0) -> tuple[int, int]:
        """First and last-plus-one pixel that cover two coordinates and `spare` more, unclipped.

        What a coordinate reaches into a pixel by rounding alone does not count: a row beyond a pole would be void.
        """
        a, b = sorted(((low - self.origin) / self.step, (high - self.origin) / self.step))
        return int(np.floor(a + _ROUNDING_PX)) - spare, int(np.ceil(b - _ROUNDING_PX)) + spare


@dataclass(frozen=True)
class Taps:
    """Which source pixels make each target pixel, and with what weight.

    Attributes
    ----------
    index : (n, k) int64
        Source pixels; always inside the source.
    weight : (n, k) float32
        Their weights; they sum to 1, or to less where the kernel leaves the source, or to 0 outside it.
    """

    index: NDArray[np.int64]
    weight: NDArray[np.float32]

    @property
    def are_copies(self) -> bool:
        """Whether each target pixel is one source pixel as it is."""
        return self.index.shape[1] == 1 and bool((self.weight == 1).all())

    def normalised(self) -> "Taps":
        """Make the weights of each target pixel sum to 1, where it has any."""
        total = self.weight.sum(1, keepdims=True)
        total[total == 0] = 1
        return Taps(self.index, self.weight / total)

    def shifted(self, pixels: int) -> "Taps":
        """Make the same weights of a source that begins elsewhere."""
        return Taps(self.index + pixels, self.weight)


def taps(source: Axis, target: Axis, wrap: bool = False) -> Taps:
    """Weights of a triangle kernel, widened by the scale when the target is coarser (a prefilter against aliasing).

    At equal pixel sizes this is bilinear interpolation; for coarser targets it is the average that PIL and GDAL call
    "bilinear with antialiasing".

    Parameters
    ----------
    source, target : Axis
        In the same unit; the steps may differ in sign.
    wrap : bool
        The source closes round the planet: pixel `count` is pixel 0.
    """
    position = (target.centres() - source.origin) / source.step - 0.5
    # Pixels that lie on pixels but for rounding are those pixels.
    whole = np.round(position)
    position = np.where(np.abs(position - whole) < _ROUNDING_PX, whole, position)
    radius = max(1.0, abs(target.step / source.step))
    first = np.floor(position - radius).astype(np.int64) + 1
    index = first[:, None] + np.arange(int(np.ceil(2 * radius)))
    weight = np.clip(1 - np.abs(index - position[:, None]) / radius, 0, None)
    weight /= weight.sum(axis=1, keepdims=True)
    if wrap:
        index %= source.count
    else:
        weight = np.where((index >= 0) & (index < source.count), weight, 0)
        index = np.clip(index, 0, source.count - 1)
    used = np.flatnonzero(weight.any(axis=0))
    if not used.size:
        used = np.array([0])  # wholly outside the source: weights of 0
    return Taps(index[:, used], weight[:, used].astype(np.float32))


def cubic_taps(source: Axis, target: Axis, wrap: bool = False) -> Taps:
    """Weights of cubic convolution (Keys 1981, a = -1/2) for a target that is at least as fine as its source.

    Parameters
    ----------
    source, target : Axis
        In the same unit.
    wrap : bool
        The source closes round the planet; otherwise its edge pixels are repeated.
    """
    position = (target.centres() - source.origin) / source.step - 0.5
    base = np.floor(position).astype(np.int64)
    index = base[:, None] + np.arange(-1, 3)
    away = np.abs(index - position[:, None])
    near = (1.5 * away - 2.5) * away**2 + 1
    far = ((-0.5 * away + 2.5) * away - 4) * away + 2
    weight = np.where(away <= 1, near, np.where(away < 2, far, 0))
    weight /= weight.sum(axis=1, keepdims=True)
    index = index % source.count if wrap else np.clip(index, 0, source.count - 1)
    return Taps(index, weight.astype(np.float32))


def spline_taps(source: Axis, places: NDArray[np.float64]) -> Taps:
    """Compute the weights of the uniform cubic B-spline at places along an axis (Unser 1999).

    It is smooth up to its curvature and never leaves the range of the pixels that it averages.

    Parameters
    ----------
    source : Axis
    places : (n,) float64
        In its unit.

    Returns
    -------
    Taps
        Of four pixels each; they may lie outside the source.
    """
    position = (places - source.origin) / source.step - 0.5
    first = np.floor(position)
    t = position - first
    weight = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    return Taps(first.astype(np.int64)[:, None] + np.arange(-1, 3), weight.astype(np.float32))


def gather(values: NDArray[Any], rows: Taps, columns: Taps) -> NDArray[np.float32]:
    """Resample an array along its first two axes.

    Parameters
    ----------
    values : (H, W) or (H, W, C), float32 or integers of at most 16 bits
    rows, columns : Taps
        For h target rows and w target columns.

    Returns
    -------
    (h, w) or (h, w, C) float32
    """
    # Band by band, as rasters are read, and few rows at a time, which a processor's cache holds.
    planes = np.moveaxis(values.reshape(*values.shape[:2], -1), -1, 0)
    result = np.empty((len(planes), len(rows.index), len(columns.index)), np.float32)
    for start in range(0, len(rows.index), _ROWS):
        part = slice(start, start + _ROWS)
        down = Taps(rows.index[part], rows.weight[part])
        for plane, resampled in zip(planes, result, strict=True):
            resampled[part] = _along(_along(plane, down, 0), columns, 1)
    return np.moveaxis(result, 0, -1) if values.ndim == 3 else result[0]


Resample = Callable[[NDArray[Any], Taps, Taps], NDArray[np.float32]]


def gather_masked(
    values: NDArray[Any], valid: NDArray[np.bool_], rows: Taps, columns: Taps, resample: Resample = gather
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Resample only what is valid: invalid pixels are left out before any averaging.

    Parameters
    ----------
    values : (H, W) or (H, W, C), float32 or integers of at most 16 bits
    valid : (H, W) bool
    resample : callable
        `gather`, or what does the same in another way.

    Returns
    -------
    values : (h, w) or (h, w, C) float32
        0 where not valid.
    valid : (h, w) bool
        At least half of the kernel fell on valid pixels.
    """
    if valid.all():
        share = np.outer(rows.weight.sum(1), columns.weight.sum(1))
        mixed = resample(values, rows.normalised(), columns.normalised())
        good: NDArray[np.bool_] = share >= _HALF
    else:
        share = resample(valid.view(np.uint8), rows, columns)
        mixed = resample(np.where(_spread(valid, values), values, values.dtype.type(0)), rows, columns)
        good = share >= _HALF
        mixed /= _spread(np.where(good, share, np.float32(1)), mixed)
    if not good.all():
        mixed[~good] = 0
    return mixed, good


def _along(values: NDArray[Any], axis_taps: Taps, axis: int) -> NDArray[Any]:
    # Indices are inside: "clip" only spares numpy a check and a copy.
    first = np.take(values, axis_taps.index[:, 0], axis, mode="clip")
    if axis_taps.are_copies:
        return first
    weight = axis_taps.weight[:, None] if axis == 0 else axis_taps.weight[None]
    total: NDArray[np.float32] = first * weight[..., 0]
    part, one = np.empty_like(total), np.empty_like(first)
    for k in range(1, axis_taps.index.shape[1]):
        np.take(values, axis_taps.index[:, k], axis, out=one, mode="clip")
        total += np.multiply(one, weight[..., k], out=part)
    return total


def _spread(mask: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    return mask[..., None] if like.ndim > mask.ndim else mask

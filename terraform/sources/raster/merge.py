"""Several rasters as one: those of a group count alike, and where a group is void the next one fills.

Two elevation models of one place differ by an offset that changes slowly, and by detail that only the finer one has.
Where both have heights their difference is known; it is carried into the finer one's voids by a pull-push pyramid
(Gortler and others 1996, "The Lumigraph", section 3.4) and fades to nothing within a few pixels of the filler, so that
a coarse raster joins a finer one without a cliff.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.geo.grid import RasterGrid
from terraform.geo.resample import Axis, gather, taps
from terraform.sources.raster.condense import Planes
from terraform.sources.raster.georeference import GeoreferencedRaster
from terraform.sources.raster.resample import Classify, nothing, planes

_SIDE_PX = 1024
_REACH_FILLER_PX = 3


class Offsets(NamedTuple):
    """What to add to a filler, metres: (h, w) float32 on a coarse grid."""

    grid: RasterGrid
    metres: NDArray[np.float32]

    def on(self, block: RasterGrid) -> NDArray[np.float32]:
        """Interpolate the offsets to the pixels of a block, (H, W) float32 metres."""
        rows = taps(self.grid.latitudes, block.latitudes)
        columns = taps(self.grid.longitudes, block.longitudes)
        return gather(self.metres, rows, columns)


def coarse_grid(grid: RasterGrid) -> RasterGrid:
    """Make the grid of the offsets: the same ground in at most 1,024 pixels a side."""
    parts = -(-max(grid.latitudes.count, grid.longitudes.count) // _SIDE_PX)
    return RasterGrid(grid.body, _coarser(grid.latitudes, parts), _coarser(grid.longitudes, parts))


def offsets(
    grid: RasterGrid,
    fine: NDArray[np.float32],
    filler: NDArray[np.float32],
    both: NDArray[np.bool_],
    filler_pixel_m: float,
) -> Offsets:
    """Compute the offsets that make a filler meet what is finer.

    Parameters
    ----------
    grid : RasterGrid
        Grid of the arrays, (h, w).
    fine, filler : (h, w) float32
        Heights, metres.
    both : (h, w) bool
        Where both have heights.
    filler_pixel_m : float
        Size of the filler's pixels; the offsets reach three of them.
    """
    if not both.any():
        return Offsets(grid, np.zeros(both.shape, np.float32))
    pixel_m = abs(grid.latitudes.step) * grid.body.metres_per_degree
    reach = int(np.clip(_REACH_FILLER_PX * filler_pixel_m / pixel_m, 4, _SIDE_PX // 8))
    # A quarter of the surroundings is known at the corner of a border: there the fading begins.
    fade = np.clip(4 * _mean_around(both.astype(np.float32), reach), 0, 1)
    return Offsets(grid, _spread(np.where(both, fine - filler, np.float32(0)), both) * fade)


def _coarser(axis: Axis, parts: int) -> Axis:
    return Axis(axis.origin, axis.step * parts, -(-axis.count // parts))


def _spread(values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fill what is unknown from ever coarser means of what is known."""
    if known.all() or max(known.shape) == 1:
        return np.where(known, values, np.float32(0))
    coarse, some = _halved(values, known)
    below = _spread(coarse, some)
    height, width = known.shape
    rows = taps(Axis(0, 2, len(below)), Axis(0, 1, height))
    columns = taps(Axis(0, 2, below.shape[1]), Axis(0, 1, width))
    share = np.outer(rows.weight.sum(1), columns.weight.sum(1)).astype(np.float32)
    return np.where(known, values, gather(below, rows, columns) / share)


def _halved(values: NDArray[np.float32], known: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Means of the known of every 2 x 2 pixels."""
    height, width = (-(-size // 2) for size in known.shape)
    pad = [(0, 2 * height - known.shape[0]), (0, 2 * width - known.shape[1])]

    def quartets(array: NDArray[np.float32]) -> NDArray[np.float32]:
        total: NDArray[np.float32] = np.pad(array, pad).reshape(height, 2, width, 2).sum(axis=(1, 3))
        return total

    count = quartets(known.astype(np.float32))
    means = quartets(np.where(known, values, np.float32(0))) / np.maximum(count, 1)
    return means.astype(np.float32), count > 0


def _mean_around(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Mean of a square of 2 * reach + 1 pixels; beyond the edge everything repeats."""
    for axis in (0, 1):
        pad = [(reach + 1, reach) if axis == along else (0, 0) for along in (0, 1)]
        total = np.cumsum(np.pad(values, pad, mode="edge"), axis=axis, dtype=np.float64)
        size, width = values.shape[axis], 2 * reach + 1
        upper = np.take(total, range(width, width + size), axis)
        values = ((upper - np.take(total, range(size), axis)) / width).astype(np.float32)
    return values


Group = Sequence[GeoreferencedRaster]


def merge_groups(
    block: RasterGrid, groups: Sequence[Group], shifts: Sequence[Offsets], classify: Classify, bands: int
) -> Planes:
    """Resample groups of rasters onto a block, the finest first.

    Parameters
    ----------
    groups : sequence of sequences of GeoreferencedRaster
        The next is looked at only where those before are void.
    shifts : sequence of Offsets
        What to add to the heights of the second group, the third, and so on; those without one are taken as they are.
    classify : callable
        Tells values, sea and void apart.
    bands : int
        1 for heights, 3 for colours.
    """
    result = nothing(block, bands)
    for number, group in enumerate(groups):
        void = result.void
        if not void.any():
            break
        made = _together(block, group, classify, bands)
        if 0 < number <= len(shifts):
            made = made._replace(total=made.total + (shifts[number - 1].on(block) * made.valid)[..., None])
        result = Planes(
            np.where(void[..., None], made.total, result.total),
            np.where(void, made.valid, result.valid),
            np.where(void, made.sea, result.sea),
        )
    return result


def group_offsets(grid: RasterGrid, groups: Sequence[Group], classify: Classify) -> list[Offsets]:
    """Compute the offsets with which each group after the first meets those before it, on a coarse grid."""
    coarse = coarse_grid(grid)
    shifts: list[Offsets] = []
    for number, group in enumerate(groups[1:], start=1):
        above = merge_groups(coarse, groups[:number], shifts, classify, 1)
        below = _together(coarse, group, classify, 1)
        both = (above.valid > 0.5) & (below.valid > 0.5)
        heights = [(made.total[..., 0] / np.maximum(made.valid, 1e-6)).astype(np.float32) for made in (above, below)]
        shifts.append(offsets(coarse, heights[0], heights[1], both, min(raster.pixel_m for raster in group)))
    return shifts


def _together(block: RasterGrid, group: Group, classify: Classify, bands: int) -> Planes:
    """Resample the rasters of a group as one; where several overlap, their mean."""
    made = [part for raster in group if (part := planes(raster, block, classify, bands)) is not None]
    total = made[0] if made else nothing(block, bands)
    for part in made[1:]:
        total = total.plus(part)
    return total

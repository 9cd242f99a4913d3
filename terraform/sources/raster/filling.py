"""Several rasters as one: those of a group count alike, and where a group is void the next one fills."""

from collections.abc import Sequence

import numpy as np

from terraform.geo.grid import RasterGrid
from terraform.sources.raster.georeference import GeoreferencedRaster
from terraform.sources.raster.joining import Offsets, coarse_grid, offsets
from terraform.sources.raster.resample import Classify, Planes, nothing, planes

Group = Sequence[GeoreferencedRaster]


def merge_groups(
    block: RasterGrid, groups: Sequence[Group], shifts: Sequence[Offsets], classify: Classify, bands: int
) -> Planes:
    """Groups of rasters on a block, the finest first.

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
    """The offsets with which each group after the first meets those before it, from a coarse look at all of them."""
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
    """The rasters of a group as one; where several overlap, their mean."""
    made = [part for raster in group if (part := planes(raster, block, classify, bands)) is not None]
    total = made[0] if made else nothing(block, bands)
    for part in made[1:]:
        total = total.plus(part)
    return total

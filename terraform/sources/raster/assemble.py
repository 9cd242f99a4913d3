"""From georeferenced rasters to the raster of a request: one grid, strip by strip, void where nothing is known."""

from collections.abc import Iterator, Sequence
from math import cos, floor, radians
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.errors import InputError
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import VOID, from_shares, pack
from terraform.geo.raster import SOURCE_PIXEL, write_strips
from terraform.geo.resample import Axis
from terraform.provenance import Provenance
from terraform.sources import Request
from terraform.sources.raster.condense import Planes
from terraform.sources.raster.georeference import GeoreferencedRaster
from terraform.sources.raster.merge import Group, group_offsets, merge_groups
from terraform.sources.raster.resample import Classify, planes

FINE_M = 100.0
"""Pixels smaller than this are averaged, by a whole number, to at most this: tiles and mosaics have 200 m."""

_STRIP_ROWS = 256


def write_raster(
    request: Request, groups: Sequence[Group], classify: Classify, destination: Path, provenance: Provenance
) -> None:
    """Publish the raster of a request from groups of rasters, the finest first.

    The result keeps the pixels of the finest raster where its rows are parallels and its columns meridians (as they
    are when 100 m or larger, else averaged by a whole number), so that they are resampled once, by the cut. Rasters in
    another CRS are warped onto 200 or 100 m.

    Parameters
    ----------
    groups : sequence of sequences of GeoreferencedRaster
        The next is looked at only where those before are void; its heights are shifted to meet theirs.
    classify : callable
        Tells values, sea and void apart.
    provenance : Provenance
        Its tags go into the file.

    Raises
    ------
    InputError
        All is void.
    """
    grid = result_grid(request.grid, groups[0])
    bands, dtype = (1, "int16") if request.kind == "elevation" else (3, "uint8")
    told = (
        f"region {request.region.name!r} has no {request.kind} at all: every pixel is missing there; choose other "
        "sources, or correct `nodata:` of own files"
    )
    strips = _not_all_void(_strips(request, grid, groups, classify), told)
    finest = min(raster.pixel_m for raster in groups[0])
    write_strips(destination, grid, strips, bands, dtype, {**provenance.tags(), SOURCE_PIXEL: f"{finest:.6g}"})


def write_heights(destination: Path, window: RasterGrid, raster: GeoreferencedRaster, classify: Classify) -> None:
    """Publish the heights of one raster within a window, on the grid that `result_grid` chooses.

    Raises
    ------
    InputError
        All is void.
    """
    grid = result_grid(window, [raster])
    nothing = f"{raster.raster.name} has no heights: every pixel is missing, or it is smaller than 200 m"
    write_strips(destination, grid, _not_all_void(_heights(grid, raster, classify), nothing), 1, "int16", {})


def _heights(grid: RasterGrid, raster: GeoreferencedRaster, classify: Classify) -> Iterator[NDArray[np.int16]]:
    for block in strips_of(grid):
        made = planes(raster, block, classify, 1)
        outside = np.full((block.latitudes.count, block.longitudes.count), VOID, np.int16)
        yield outside if made is None else _stored(made, True)


def _strips(request: Request, grid: RasterGrid, groups: Sequence[Group], classify: Classify) -> Iterator[NDArray[Any]]:
    elevation = request.kind == "elevation"
    bands = 1 if elevation else 3
    shifts = group_offsets(grid, groups, classify) if elevation else []
    for block in strips_of(grid):
        yield _stored(merge_groups(block, groups, shifts, classify, bands), elevation)


def strips_of(grid: RasterGrid) -> Iterator[RasterGrid]:
    """Cut a grid into the parts in which a raster is made, north to south: what each reads is what must be fetched."""
    for top in range(0, grid.latitudes.count, _STRIP_ROWS):
        rows = grid.latitudes.part(top, min(top + _STRIP_ROWS, grid.latitudes.count))
        yield RasterGrid(grid.body, rows, grid.longitudes)


def result_grid(window: RasterGrid, finest: Group) -> RasterGrid:
    """Choose the grid of the result: the finest raster's within the window, or the window's own at 200 or 100 m.

    Parameters
    ----------
    window : RasterGrid
        What was asked for.
    finest : sequence of GeoreferencedRaster
        The rasters that come first.
    """
    best = min(finest, key=lambda raster: raster.pixel_m)
    if best.axes is None:
        parts = 1 if best.pixel_m > 1.5 * FINE_M else 2
        return RasterGrid(window.body, _refined(window.latitudes, parts), _refined(window.longitudes, parts))
    per_degree = window.body.metres_per_degree
    equatorward = min(abs(window.latitudes.origin), abs(window.latitudes.end))
    if window.latitudes.origin * window.latitudes.end <= 0:
        equatorward = 0.0
    lat = _coarsened(_north_up(best.axes.latitudes), per_degree)
    lon = _coarsened(best.axes.longitudes, per_degree * cos(radians(equatorward)))
    rows = lat.part(*lat.covering(window.latitudes.origin, window.latitudes.end))
    columns = lon.part(*lon.covering(window.longitudes.origin, window.longitudes.end))
    if window.wraps:
        columns = Axis(columns.origin, columns.step, round(360 / columns.step))
    return RasterGrid(window.body, rows, columns)


def _refined(axis: Axis, parts: int) -> Axis:
    return Axis(axis.origin, axis.step / parts, axis.count * parts)


def _coarsened(axis: Axis, metres_per_degree: float) -> Axis:
    """Join the pixels of an axis by whole numbers to at most `FINE_M`."""
    parts = max(1, floor(FINE_M / (abs(axis.step) * metres_per_degree)))
    return Axis(axis.origin, axis.step * parts, axis.count // parts)


def _north_up(axis: Axis) -> Axis:
    return axis if axis.step < 0 else Axis(axis.end, -axis.step, axis.count)


def _stored(made: Planes, elevation: bool) -> NDArray[Any]:
    if elevation:
        return pack(*from_shares(made.total[..., 0], made.valid, made.sea))
    void = made.void
    values = made.total / np.maximum(made.valid, 1e-6)[..., None]
    rgb = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    # Black in all bands means void: what is black and seen becomes the darkest grey.
    rgb[~void & (rgb == 0).all(axis=-1)] = 1
    rgb[void] = 0
    return rgb


def _not_all_void(strips: Iterator[NDArray[Any]], told: str) -> Iterator[NDArray[Any]]:
    some = False
    for strip in strips:
        some = some or bool((strip != (VOID if strip.dtype == np.int16 else 0)).any())
        yield strip
    if not some:
        raise InputError(told)

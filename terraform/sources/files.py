"""The source `files`: one's own rasters, in whatever format, grid and CRS they are."""

import string
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from math import cos, floor, radians
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.config import Config, FilesSource
from terraform.errors import ConfigError, InputError
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import pack
from terraform.geo.raster import write_strips
from terraform.geo.regions import Region
from terraform.geo.resample import Axis
from terraform.provenance import Credit, Provenance
from terraform.sources import Needs, Request, hgt
from terraform.sources.filling import Group, filled, shifts_of
from terraform.sources.formats import Declared, opened, readable_in
from terraform.sources.masking import check_colours, check_heights, colours, heights
from terraform.sources.placing import placed
from terraform.sources.resampling import Planes, Sort, reaches

FINE_M = 100.0
"""Pixels smaller than this are averaged, by a whole number, to at most this: tiles and mosaics have 200 m."""

_STRIP_ROWS = 256


def build(settings: FilesSource, config: Config) -> "OwnRasters":
    """The source with its settings; nothing of it is random."""
    return OwnRasters(settings)


@dataclass(frozen=True)
class OwnRasters:
    """One's own rasters. Within an item of `path`, all rasters count alike; the next item fills what is void.

    A filler's heights are shifted to meet the finer ones at the border.
    """

    settings: FilesSource

    def credit(self) -> Credit:
        """Licence and attribution as the user states them."""
        return Credit("files", self.settings.licence, self.settings.attribution)

    def plan(self, request: Request) -> Needs:
        """Nothing: the files are here."""
        return Needs("files")

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the raster of a request: void where the files have nothing.

        The result keeps the pixels of the finest file where its rows are parallels and its columns meridians (as
        they are when 100 m or larger, else averaged by a whole number), so that they are resampled once, by the cut.
        Rasters in another CRS are warped onto 200 or 100 m.

        Raises
        ------
        InputError
            A file is missing, damaged, of another body or kind; none reaches the region; all is void.
        """
        with ExitStack() as stack:
            groups = self._reaching(request, stack)
            grid = result_grid(request.grid, groups[0])
            strips = self._strips(request, grid, groups)
            bands, dtype = (1, "int16") if request.what == "elevation" else (3, "uint8")
            provenance = Provenance((self.credit(),), {"files": _names(groups)})
            write_strips(destination, grid, _not_all_void(strips, request), bands, dtype, provenance.tags())
        return provenance

    def _reaching(self, request: Request, stack: ExitStack) -> list[Group]:
        """The rasters that reach the window, finest group first; those that do not are closed again."""
        declared = Declared(self.settings.crs, self.settings.nodata)
        check = check_heights if request.what == "elevation" else check_colours
        tiles = hgt.loader()
        groups: list[Group] = []
        for item in expanded(self.settings.path, request.region):
            group = []
            for path in readable_in(item) if item.is_dir() else [item]:
                with ExitStack() as one:
                    raster = one.enter_context(opened(path, declared, tiles))
                    check(raster)
                    candidate = placed(raster, request.region.body)
                    if reaches(candidate, request.grid):
                        group.append(candidate)
                        stack.push(one.pop_all())
            groups.append(group)
        if not any(groups):
            raise _elsewhere(self.settings, request)
        return [group for group in groups if group]

    def _strips(self, request: Request, grid: RasterGrid, groups: Sequence[Group]) -> Iterator[NDArray[Any]]:
        body, elevation = request.region.body, request.what == "elevation"
        missing_is_sea = self.settings.nodata_means == "sea"
        sort: Sort = partial(heights, body=body, missing_is_sea=missing_is_sea) if elevation else colours
        bands = 1 if elevation else 3
        shifts = shifts_of(grid, groups, sort) if elevation else []
        for top in range(0, grid.latitudes.count, _STRIP_ROWS):
            rows = grid.latitudes.part(top, min(top + _STRIP_ROWS, grid.latitudes.count))
            block = RasterGrid(body, rows, grid.longitudes)
            yield _stored(filled(block, groups, shifts, sort, bands), elevation)


def expanded(path: str | Sequence[str], region: Region) -> list[Path]:
    """The items of a path, with `{region}` replaced.

    Raises
    ------
    ConfigError
        It has another placeholder, or is empty.
    """
    items = [path] if isinstance(path, str) else list(path)
    if not items:
        raise ConfigError("path is an empty list: name at least one file or folder")
    return [Path(_replaced(item, region=region.name)) for item in items]


def _replaced(item: str, **known: str) -> str:
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(item) if field is not None}
    except ValueError as error:
        raise ConfigError(f"path: {item!r} has unbalanced braces ({error}): use {{region}} and {{rasters}}") from None
    if not fields <= set(known):
        strange = ", ".join(f"{{{field}}}" for field in sorted(fields - set(known)))
        raise ConfigError(f"path: {item!r} has the placeholder {strange}: use {{region}} and {{rasters}}")
    return item.format(**known)


def result_grid(window: RasterGrid, finest: Group) -> RasterGrid:
    """The grid of the result: the lattice of the finest raster within the window, or the window's own at 200 or 100 m.

    Parameters
    ----------
    window : RasterGrid
        What was asked for.
    finest : sequence of Placed
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
    if window.closes:
        columns = Axis(columns.origin, columns.step, round(360 / columns.step))
    return RasterGrid(window.body, rows, columns)


def _refined(axis: Axis, parts: int) -> Axis:
    return Axis(axis.origin, axis.step / parts, axis.count * parts)


def _coarsened(axis: Axis, metres_per_degree: float) -> Axis:
    """The lattice of an axis, joined by whole numbers to at most `FINE_M`."""
    parts = max(1, floor(FINE_M / (abs(axis.step) * metres_per_degree)))
    return Axis(axis.origin, axis.step * parts, axis.count // parts)


def _north_up(axis: Axis) -> Axis:
    return axis if axis.step < 0 else Axis(axis.end, -axis.step, axis.count)


def _stored(made: Planes, elevation: bool) -> NDArray[Any]:
    void = made.void
    sea = ~void & (made.sea > made.valid)
    values = made.total / np.maximum(made.valid, 1e-6)[..., None]
    if elevation:
        return pack(values[..., 0], sea, void)
    rgb = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    # Black in all bands means void: what is black and seen becomes the darkest grey.
    rgb[~void & (rgb == 0).all(axis=-1)] = 1
    rgb[void] = 0
    return rgb


def _not_all_void(strips: Iterator[NDArray[Any]], request: Request) -> Iterator[NDArray[Any]]:
    some = False
    for strip in strips:
        some = some or bool((strip > -32768).any() if request.what == "elevation" else strip.any())
        yield strip
    if not some:
        raise InputError(
            f"region {request.region.name!r} has no {request.what} at all: every pixel of the files is missing there; "
            "choose other files, or correct `nodata:`"
        )


def _elsewhere(settings: FilesSource, request: Request) -> InputError:
    west, south, east, north = request.region.bounds
    return InputError(
        f"path {settings.path!r} has no raster that reaches region {request.region.name!r} "
        f"({west:g}..{east:g} E, {south:g}..{north:g} N): add one, or correct the region"
    )


def _names(groups: Sequence[Group]) -> list[str]:
    return [Path(raster.raster.name).name for group in groups for raster in group]

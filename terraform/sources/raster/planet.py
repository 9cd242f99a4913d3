"""From rasters that are placed on a body to the raster of the whole body on a planet grid."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.errors import InputError
from terraform.geo.bodies import Body
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import VOID, from_shares, pack
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.raster import write_strips
from terraform.geo.resample import Axis
from terraform.provenance import Provenance
from terraform.sources import PlanetKind, PlanetRequest
from terraform.sources.raster.assemble import strips_of
from terraform.sources.raster.condense import Planes
from terraform.sources.raster.merge import Group, merge_groups
from terraform.sources.raster.resample import Classify

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip

DEEPEST_M = -12_000.0
"""Below every place of any body: in planet rasters the floor of the sea is a height where it is known."""


class Form(NamedTuple):
    """How a kind of planet raster is stored.

    Attributes
    ----------
    bands : int
    dtype : str
        "int16" with -32768 for void, or "uint8" with black for void.
    scale : float
        Value of 1 in the file: metres, 0.1 degC, millimetres a month.
    names : tuple of str
        Of the bands.
    """

    bands: int
    dtype: str
    scale: float = 1.0
    names: tuple[str, ...] = ()


FORMS: dict[PlanetKind, Form] = {
    "elevation": Form(1, "int16"),
    "imagery": Form(3, "uint8"),
    "temperature": Form(12, "int16", 0.1, MONTHS),
    "precipitation": Form(12, "int16", 1.0, MONTHS),
}


def raster_grid(grid: PlanetGrid) -> RasterGrid:
    """Describe a planet grid as a raster in degrees: row 0 begins at 90 N, column 0 at 180 W."""
    step = grid.cell_deg
    return RasterGrid(grid.body, Axis(90.0, -step, grid.height), Axis(-180.0, step, grid.width))


def with_sea_floor(body: Body) -> Body:
    """Widen a body's range of heights down to the deepest floor of any sea."""
    return Body(body.name, body.radius_m, body.geographic_crs, body.map_crs, DEEPEST_M, body.highest_m)


def resample_planet(
    request: PlanetRequest, groups: Sequence[Group], classify: Classify, destination: Path, provenance: Provenance
) -> None:
    """Publish a planet raster from groups of rasters, the finest first; each cell is their mean over it.

    Parameters
    ----------
    groups : sequence of sequences of GeoreferencedRaster
        The next is looked at only where those before are void.
    classify : callable
        Tells values, sea and void apart; values are metres, colours, degrees Celsius or millimetres a month.
    provenance : Provenance
        Its tags go into the file.

    Raises
    ------
    InputError
        All is void.
    """
    write_planet(request, planet_strips(request, groups, classify), destination, provenance)


def planet_strips(request: PlanetRequest, groups: Sequence[Group], classify: Classify) -> Iterator[NDArray[Any]]:
    """Resample groups of rasters onto a planet grid, as `resample_planet` does.

    Yields
    ------
    (h, W) int16, (h, W, 3) uint8 or (h, W, 12) int16
        As they are stored, north to south.
    """
    bands = FORMS[request.kind].bands
    for block in strips_of(raster_grid(request.grid)):
        yield _stored(merge_groups(block, groups, [], classify, bands), request.kind)


def write_planet(
    request: PlanetRequest, strips: Iterable[NDArray[Any]], destination: Path, provenance: Provenance
) -> None:
    """Publish a planet raster from its rows.

    Parameters
    ----------
    strips : iterable of (h, W) or (h, W, C) arrays
        As they are stored (`FORMS`), north to south.

    Raises
    ------
    InputError
        All is void.
    """
    form = FORMS[request.kind]
    checked = _not_all_void(strips, request)
    grid = raster_grid(request.grid)
    tags = provenance.tags() | {"UNITS": _units(request.kind)}
    write_strips(destination, grid, checked, form.bands, form.dtype, tags, form.scale, form.names)


def darkest(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Take channel by channel the darkest of several pictures: without most snow and dry grass.

    Parameters
    ----------
    pictures : sequence of (h, w, 3) uint8
        Of the same ground; black in all channels is void.

    Returns
    -------
    (h, w, 3) uint8
        Void where all are.
    """
    seen = [picture.any(axis=-1, keepdims=True) for picture in pictures]
    known = [np.where(here, picture, np.uint8(255)) for here, picture in zip(seen, pictures, strict=True)]
    least: NDArray[np.uint8] = np.min(known, axis=0)
    some = np.any(seen, axis=0)
    # Channels of different months could all be 0 together, which would mean void.
    least = np.where((least == 0).all(axis=-1, keepdims=True), np.uint8(1), least)
    return np.where(some, least, np.uint8(0))


def darkest_strips(pictures: Sequence[Iterator[NDArray[np.uint8]]]) -> Iterator[NDArray[np.uint8]]:
    """Take the darkest of several pictures strip by strip; all are cut into the same strips."""
    for strips in zip(*pictures, strict=True):
        yield darkest(strips)


def stored_months(values: NDArray[np.floating], valid: NDArray[np.bool_], kind: PlanetKind) -> NDArray[np.int16]:
    """Store the values of twelve months.

    Parameters
    ----------
    values : (H, W, 12)
        Degrees Celsius, or millimetres a month.
    valid : (H, W) bool
        Where there are values.

    Returns
    -------
    (H, W, 12) int16
        In steps of the kind's scale; -32768 where not valid.
    """
    steps = np.clip(np.rint(values / FORMS[kind].scale), VOID + 2, 32767)
    return np.where(valid[..., None], steps, VOID).astype(np.int16)


def _stored(made: Planes, kind: PlanetKind) -> NDArray[Any]:
    if kind == "elevation":
        return pack(*from_shares(made.total[..., 0], made.valid, made.sea))
    void = made.void
    values = made.total / np.maximum(made.valid, 1e-6)[..., None]
    if kind != "imagery":
        return stored_months(values, ~void, kind)
    rgb = np.clip(np.rint(values), 1, 255).astype(np.uint8)
    rgb[void] = 0
    return rgb


def _units(kind: PlanetKind) -> str:
    return {"elevation": "m", "imagery": "RGB", "temperature": "0.1 degC", "precipitation": "mm/month"}[kind]


def _not_all_void(strips: Iterable[NDArray[Any]], request: PlanetRequest) -> Iterator[NDArray[Any]]:
    some = False
    for strip in strips:
        some = some or bool((strip != (0 if request.kind == "imagery" else VOID)).any())
        yield strip
    if not some:
        raise InputError(
            f"the whole of {request.body.name} has no {request.kind}: every cell is missing; choose another source for "
            f"sources.{request.body.name}.planet.{request.kind}, or correct `nodata:` of own files"
        )

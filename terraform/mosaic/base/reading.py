"""Base maps from files: a body's own base colours in six bands, or any picture of it in any georeference."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terraform.errors import InputError
from terraform.geo.bodies import BODIES, Body
from terraform.geo.grid import RasterGrid
from terraform.geo.resample import Axis
from terraform.mosaic.base.base_map import BANDS, BaseMap
from terraform.mosaic.base.filling import push_pull
from terraform.sources.raster.bands import colours_of
from terraform.sources.raster.classify import MaskedPixels, classify_colours
from terraform.sources.raster.condense import Planes
from terraform.sources.raster.formats import Pixels, Raster
from terraform.sources.raster.georeference import GeoreferencedRaster, georeference, georeference_checked
from terraform.sources.raster.metadata.declared import Declared
from terraform.sources.raster.opening import open_raster
from terraform.sources.raster.resample import planes

CELLS_PER_DEGREE = 12
"""Cells of a base map that is made from a picture."""
MOST_CELLS_PER_DEGREE = 24
"""Cells of a base map of six bands, at most: it is held in memory, 224 MB then."""

_STRIP_ROWS = 90
_RGB = 3


def read_base(path: Path, body: Body) -> BaseMap:
    """Read the base colours of a body.

    Parameters
    ----------
    path : Path
        GeoTIFF of six bands, uint8, plate carree over the whole body: red, green and blue of land, then of sea. Or an
        RGB raster that the source `files` reads, in any CRS of the body: it serves land and sea, is averaged to 1/12
        degree, and where it has nothing its surroundings are taken.
    body : Body
        Whose mosaic it is for.

    Raises
    ------
    InputError
        It is of another body, has other bands, or nothing in it.
    """
    with open_raster(path, Declared()) as raster:
        placed = georeference_checked(raster, body) if body in BODIES.values() else georeference(raster, body)
        if raster.bands == BANDS:
            return BaseMap(_read_whole(placed))
        seen = replace(placed, raster=colours_of(raster))
        return BaseMap(np.tile(_filled(*_resampled(seen)), 2))


def _read_whole(placed: GeoreferencedRaster) -> NDArray[np.uint8]:
    raster, axes = placed.raster, placed.axes
    step = 180 / raster.height
    whole = Axis(90.0, -step, raster.height), Axis(-180.0, step, 2 * raster.height)
    lies = axes is not None and all(
        np.allclose((axis.origin, axis.step, axis.count), (own.origin, own.step, own.count), rtol=1e-6)
        for axis, own in zip(axes, whole, strict=True)
    )
    if not lies or raster.dtype != "uint8" or step < 1 / MOST_CELLS_PER_DEGREE - 1e-9:
        raise InputError(
            f"{raster.name} has {raster.width} x {raster.height} pixels of {raster.dtype} in six bands; base colours "
            f"are uint8 over the whole body from 180 W and 90 N, twice as wide as high, with at most "
            f"{MOST_CELLS_PER_DEGREE} cells a degree: make them with `snakemake planet`, or give an RGB raster"
        )
    return np.asarray(raster.read((0, raster.height), (0, raster.width)).values, np.uint8)


def _resampled(placed: GeoreferencedRaster) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colours (H, W, 3), 0 where there are none, and the share of each cell that is known (H, W)."""
    height = 180 * CELLS_PER_DEGREE
    colours, known = np.zeros((height, 2 * height, _RGB), np.float32), np.zeros((height, 2 * height), np.float32)
    for rows, found in _strips(placed, height):
        if found is not None:
            colours[rows], known[rows] = found.total, found.valid
    return colours, known


def _strips(placed: GeoreferencedRaster, height: int) -> Iterator[tuple[slice, Planes | None]]:
    step = 180 / height
    for top in range(0, height, _STRIP_ROWS):
        rows = Axis(90.0, -step, height).part(top, min(top + _STRIP_ROWS, height))
        block = RasterGrid(placed.body, rows, Axis(-180.0, step, 2 * height))
        yield slice(top, top + rows.count), planes(placed, block, _classified, _RGB)


def _classified(pixels: Pixels, raster: Raster) -> MaskedPixels:
    return classify_colours(pixels, raster)


def _filled(colours: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colours of all cells, rounded: what is unknown is like its surroundings."""
    if not known.any():
        raise InputError("the base raster shows nothing of this body: every pixel is missing, or it is black")
    share = np.minimum(known, 1)[..., None]
    mean = np.asarray(colours / np.maximum(known, 1e-6)[..., None], np.float32)
    if (share >= 1 - 1e-6).all():
        return np.clip(np.rint(mean), 0, 255).astype(np.uint8)
    return np.clip(np.rint(push_pull(np.asarray(mean * share, np.float32), share)), 0, 255).astype(np.uint8)

"""Mosaics that the page reads straight from their files, by byte ranges, instead of from tiles."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.degree_windows import DegreeWindows
from terraform.storage.atomic_write import atomic_write
from terraform.viewer.grid import TileGrid

MOSAICS = "mosaics"
"""Their folder in the viewer's."""


def place_mosaics(mosaics: Mapping[str, Path], output: Path) -> list[dict[str, Any]]:
    """Put mosaics beside the page, instead of tiles of them, and describe them to the page.

    On the same file system a mosaic gets a second name; elsewhere it is copied.

    Parameters
    ----------
    mosaics : mapping of str to Path
        Cloud-optimised GeoTIFFs of three bands of bytes, by region.
    output : Path
        The viewer's folder.

    Returns
    -------
    list of dict
        The grid of each one's blocks, and `cog`, its name.

    Raises
    ------
    InputError
        The page could not read one block by block.
    ResourceError
        The disk is full.
    """
    grids = {name: block_grid(path) for name, path in mosaics.items()}
    for name, path in mosaics.items():
        target = output / MOSAICS / f"{name}.tif"
        if not (target.exists() and _same(path, target)):
            with atomic_write(target) as temporary:
                _link_or_copy(path.resolve(), temporary)
        shutil.rmtree(output / "tiles" / "terraformed" / name, ignore_errors=True)
    return [{"cog": f"{MOSAICS}/{name}.tif", **grid.described()} for name, grid in grids.items()]


def block_grid(mosaic: Path) -> TileGrid:
    """Take the blocks of a cloud-optimised GeoTIFF and of its overviews as tiles.

    Raises
    ------
    InputError
        It is no such file.
    """
    with raster.opened(mosaic) as dataset:
        axes = DegreeWindows(dataset)
        height, width = dataset.block_shapes[0]
        overviews = dataset.overviews(1)
        layout = dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT")
        bands = dataset.count, dataset.dtypes[0]
    if layout != "COG" or height != width or overviews != [2 << level for level in range(len(overviews))]:
        raise InputError(
            f"{mosaic} is no cloud-optimised GeoTIFF with square blocks and overviews of half the size each: leave out "
            "--from-cog, or draw it with `generate`"
        )
    if bands != (3, "uint8"):
        raise InputError(f"{mosaic} has {bands[0]} bands of {bands[1]}, expected 3 of uint8")
    return TileGrid(
        axes.west_deg, axes.north_deg, axes.pixel_deg, axes.width, axes.height, width, 1 + len(overviews)
    )  # fmt: skip


def _same(one: Path, other: Path) -> bool:
    sizes = [(path.stat().st_size, path.stat().st_mtime_ns) for path in (one, other)]
    return sizes[0] == sizes[1]


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)

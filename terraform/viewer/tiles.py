"""Write the tiles of a picture: in parallel, in bounded memory, resumed where a run was stopped."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from terraform.mosaic.output.overviews import downsample_2x
from terraform.storage.atomic_write import atomic_write, remove_file, remove_stale, write_text
from terraform.viewer.grid import TileGrid
from terraform.viewer.pictures import Picture, Planes

_BLOCK_LEVELS = 2
"""Levels that are made from one read: a block is at most 2^2 tiles wide, 17 MB."""
_STAMP = "tiles.json"
_FORMAT = 2
_QUALITY = 85
_EFFORT = 0
"""Of WebP's encoder: at 0 it is 3.5 times as fast as at its default, the tiles hardly larger (docs/viewer.md)."""


def write_pyramid(picture: Picture, place: str, output: Path) -> dict[str, Any]:
    """Write the tiles of a picture into a folder of the viewer and describe them to the page; see `write_tiles`.

    Returns
    -------
    dict
        The grid, `path` and the names of the `transparent` tiles, `<level>/<column>/<row>`.
    """
    write_tiles(picture, output / place)
    return {"path": place, **picture.grid.described(), "transparent": sorted(_tiles(output / place, "webp"))}


def write_tiles(picture: Picture, folder: Path, workers: int | None = None) -> int:
    """Write `<level>/<column>/<row>` into a folder; those that are there and of this picture are kept.

    A tile is a JPEG, `.jpg`, which is written several times as fast as WebP; one that is transparent in places is a
    WebP, `.webp`.

    Parameters
    ----------
    picture : Picture
    folder : Path
        Holds the tiles of nothing else. Tiles of another picture are removed first.
    workers : int, optional
        Threads; one a core by default.

    Returns
    -------
    int
        How many tiles were written.

    Raises
    ------
    InputError
        The picture cannot be read.
    ResourceError
        The disk is full, or the folder cannot be written.
    """
    stamp = _stamp(picture)
    if _read(folder / _STAMP) == {**stamp, "complete": True}:
        return 0
    if {**_read(folder / _STAMP), "complete": False} == stamp:
        for column in folder.glob("*/*/"):
            remove_stale(column)
    else:
        # The stamp goes first: it must not call complete what a kill leaves of the others.
        remove_file(folder / _STAMP)
        shutil.rmtree(folder, ignore_errors=True)
        write_text(folder / _STAMP, json.dumps(stamp))
    there = set(_tiles(folder, "jpg")) | set(_tiles(folder, "webp"))
    with ThreadPoolExecutor(workers or _cores()) as pool:
        written = sum(pool.map(_block_writer(picture, folder, there), _blocks(picture.grid)))
    write_text(folder / _STAMP, json.dumps({**stamp, "complete": True}))
    return written


def _tiles(folder: Path, ending: str) -> Iterator[str]:
    for path in folder.glob(f"*/*/*.{ending}"):
        yield f"{path.parent.parent.name}/{path.parent.name}/{path.stem}"


def _stamp(picture: Picture) -> dict[str, object]:
    text = json.dumps([_FORMAT, _QUALITY, picture.version, picture.grid.described()])
    return {"picture": hashlib.sha256(text.encode()).hexdigest(), "complete": False}


def _read(path: Path) -> dict[str, object]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _blocks(grid: TileGrid) -> Iterator[tuple[int, int, int]]:
    """Finest level, row and column of each block, in units of its side."""
    side = 1 << _BLOCK_LEVELS
    for finest in range(grid.levels - 1, -1, -_BLOCK_LEVELS - 1):
        rows, columns = grid.tiles(finest)
        for row in range(-(-rows // side)):
            for column in range(-(-columns // side)):
                yield finest, row, column


def _block_writer(picture: Picture, folder: Path, there: set[str]) -> Callable[[tuple[int, int, int]], int]:
    def write(block: tuple[int, int, int]) -> int:
        wanted = set(_names(picture.grid, block)) - there
        if wanted:
            _write_block(picture, folder, block, wanted)
        return len(wanted)

    return write


def _levels(grid: TileGrid, finest: int) -> range:
    return range(finest, max(-1, finest - _BLOCK_LEVELS - 1), -1)


def _names(grid: TileGrid, block: tuple[int, int, int]) -> Iterator[str]:
    finest, row, column = block
    for level in _levels(grid, finest):
        side = 1 << (_BLOCK_LEVELS - finest + level)
        rows, columns = grid.tiles(level)
        for y in range(row * side, min((row + 1) * side, rows)):
            for x in range(column * side, min((column + 1) * side, columns)):
                yield f"{level}/{x}/{y}"


def _write_block(picture: Picture, folder: Path, block: tuple[int, int, int], wanted: set[str]) -> None:
    grid, (finest, row, column) = picture.grid, block
    side = grid.tile_px << _BLOCK_LEVELS
    height, width = grid.size_px(finest)
    rows = row * side, min((row + 1) * side, height)
    columns = column * side, min((column + 1) * side, width)
    with picture.reader() as read:
        planes = read(rows, columns, grid.factor(finest))
    for level, image in zip(_levels(grid, finest), _halved(planes), strict=False):
        first = 1 << (_BLOCK_LEVELS - finest + level)
        for y, x, box in _cut(image, grid.tile_px):
            name = f"{level}/{column * first + x}/{row * first + y}"
            if name in wanted:
                _write(_filled(image.crop(box), grid.tile_px), folder, name)


def _halved(planes: Planes) -> Iterator[Image.Image]:
    """Yield a block with its own pixels, then with half as many each way, and so on.

    Where all of it is known, Pillow halves it, six times as fast and to the same levels as `downsample_2x`.
    """
    if planes[3].min() == 255:
        image = Image.merge("RGB", [Image.fromarray(np.ascontiguousarray(band)) for band in planes[:3]])
        while True:
            yield image
            image = image.reduce(2)
    while True:
        yield Image.merge("RGBA", [Image.fromarray(np.ascontiguousarray(band)) for band in planes])
        planes = downsample_2x(planes)


def _cut(image: Image.Image, side: int) -> Iterator[tuple[int, int, tuple[int, int, int, int]]]:
    """Row, column and box of each tile: left, top, right and bottom pixel."""
    for top in range(0, image.height, side):
        for left in range(0, image.width, side):
            box = (left, top, min(left + side, image.width), min(top + side, image.height))
            yield top // side, left // side, box


def _filled(tile: Image.Image, side: int) -> Image.Image:
    """Make a tile at the picture's edge as large as others by more of its last pixels, of which the page shows none."""
    if tile.size != (side, side):
        around = ((0, side - tile.height), (0, side - tile.width), (0, 0))
        tile = Image.fromarray(np.pad(np.asarray(tile), around, mode="edge"))
    opaque = tile.mode == "RGBA" and tile.getchannel("A").getextrema() == (255, 255)
    return tile.convert("RGB") if opaque else tile


def _write(tile: Image.Image, folder: Path, name: str) -> None:
    """Publish a tile."""
    if tile.mode == "RGB":
        with atomic_write(folder / f"{name}.jpg", durable=False) as temporary:
            tile.save(temporary, "JPEG", quality=_QUALITY)
    else:
        with atomic_write(folder / f"{name}.webp", durable=False) as temporary:
            tile.save(temporary, "WEBP", quality=_QUALITY, method=_EFFORT)

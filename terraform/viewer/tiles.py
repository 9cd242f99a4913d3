"""Write the tiles of a picture: in parallel, in bounded memory, resumed where a run was stopped."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from terraform.mosaic.output.overviews import downsample_2x
from terraform.storage.atomic_write import atomic_write, remove_file, remove_stale, write_text
from terraform.viewer.grid import TileGrid
from terraform.viewer.pictures import Picture, Planes

_BLOCK_LEVELS = 3
"""Levels that are made from one read: a block is at most 2^3 tiles wide, 17 MB."""
_STAMP = "tiles.json"
_FORMAT = 1
_QUALITY = 85
_EFFORT = 0
"""Of the encoder: at 0 it is 3.5 times as fast as at its default and the tiles are hardly larger (docs/viewer.md)."""


def write_tiles(picture: Picture, folder: Path, workers: int | None = None) -> int:
    """Write `<level>/<column>/<row>.webp` into a folder; those that are there and of this picture are kept.

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
    with ThreadPoolExecutor(workers or _cores()) as pool:
        written = sum(pool.map(_block_writer(picture, folder), _blocks(picture.grid)))
    write_text(folder / _STAMP, json.dumps({**stamp, "complete": True}))
    return written


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


def _block_writer(picture: Picture, folder: Path) -> Callable[[tuple[int, int, int]], int]:
    def write(block: tuple[int, int, int]) -> int:
        wanted = list(_missing(picture.grid, folder, block))
        return _write_block(picture, folder, block, wanted) if wanted else 0

    return write


def _levels(grid: TileGrid, finest: int) -> range:
    return range(finest, max(-1, finest - _BLOCK_LEVELS - 1), -1)


def _missing(grid: TileGrid, folder: Path, block: tuple[int, int, int]) -> Iterator[Path]:
    finest, row, column = block
    for level in _levels(grid, finest):
        side = 1 << (_BLOCK_LEVELS - finest + level)
        rows, columns = grid.tiles(level)
        for y in range(row * side, min((row + 1) * side, rows)):
            for x in range(column * side, min((column + 1) * side, columns)):
                path = _path(folder, level, y, x)
                if not path.exists():
                    yield path


def _path(folder: Path, level: int, row: int, column: int) -> Path:
    return folder / str(level) / str(column) / f"{row}.webp"


def _write_block(picture: Picture, folder: Path, block: tuple[int, int, int], wanted: list[Path]) -> int:
    grid, (finest, row, column) = picture.grid, block
    side = grid.tile_px << _BLOCK_LEVELS
    height, width = grid.size_px(finest)
    rows = row * side, min((row + 1) * side, height)
    columns = column * side, min((column + 1) * side, width)
    with picture.reader() as read:
        planes = read(rows, columns, grid.factor(finest))
    todo, written = set(wanted), 0
    for level, image in zip(_levels(grid, finest), _halved(planes), strict=False):
        first = 1 << (_BLOCK_LEVELS - finest + level)
        for y, x, box in _cut(image, grid.tile_px):
            path = _path(folder, level, row * first + y, column * first + x)
            if path in todo:
                _write(_filled(image.crop(box), grid.tile_px), path)
                written += 1
    return written


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
    """Make a tile at the picture's edge as large as others; the page would stretch it."""
    if tile.size != (side, side):
        # The colours go on under what is transparent: the encoder mixes neighbours.
        pixels = np.asarray(tile.convert("RGBA"))
        around = ((0, side - tile.height), (0, side - tile.width), (0, 0))
        padded = np.pad(pixels, around, mode="edge")
        padded[tile.height :, :, 3] = padded[:, tile.width :, 3] = 0
        return Image.fromarray(padded)
    opaque = tile.mode == "RGBA" and tile.getchannel("A").getextrema() == (255, 255)
    return tile.convert("RGB") if opaque else tile


def _write(tile: Image.Image, path: Path) -> None:
    """Publish a tile; where the picture has nothing it is transparent."""
    with atomic_write(path, durable=False) as temporary:
        tile.save(temporary, "WEBP", quality=_QUALITY, method=_EFFORT)

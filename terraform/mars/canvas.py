"""A drawn strip on disk, and what a mosaic's rows see of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from terraform.errors import ResourceError
from terraform.mars.bands import Band, Cap, Globe, cubic_taps
from terraform.mars.generate import Block

Span = tuple[int, int]
Float = NDArray[np.float32]

_CHUNK_COLUMNS = 2048


@dataclass(frozen=True)
class Canvas:
    """The pixels of a part of a strip, in a file without a name that goes when nobody uses it any more.

    Attributes
    ----------
    rows, columns : Span
        The part, in the strip's pixels.
    rgba : (H, W, 4) uint8, memory-mapped
    """

    rows: Span
    columns: Span
    rgba: NDArray[np.uint8]

    def fill(self, blocks: Iterable[Block]) -> None:
        """Put blocks where they belong; what lies outside is cut off."""
        for block in blocks:
            top, left = block.top - self.rows[0], block.left - self.columns[0]
            height, width = block.rgba.shape[:2]
            inside = block.rgba[max(0, -top) : len(self.rgba) - top, max(0, -left) : self.rgba.shape[1] - left]
            self.rgba[max(0, top) : top + height, max(0, left) : left + width] = inside


def blank(rows: Span, columns: Span, folder: Path) -> Canvas:
    """A canvas with nothing on it, its file in `folder`.

    Raises
    ------
    ResourceError
        The disk is full.
    """
    shape = (rows[1] - rows[0], columns[1] - columns[0], 4)
    with TemporaryFile(dir=folder) as file:
        try:
            file.truncate(shape[0] * shape[1] * shape[2])
            return Canvas(rows, columns, np.memmap(file, np.uint8, "r+", shape=shape))
        except OSError as error:
            raise ResourceError(f"{folder}: no room for {shape[0] * shape[1] * 4 / 1e9:.1f} GB ({error})") from None


@dataclass(frozen=True)
class BandView:
    """A drawn band as columns of the planet-wide grid see it: its rows are theirs, its columns are interpolated."""

    band: Band
    canvas: Canvas
    columns: Span

    @cached_property
    def _taps(self) -> tuple[NDArray[np.int64], Float]:
        target = self.band.globe.longitudes.part(*self.columns)
        round_the_planet = self.canvas.columns == (0, self.band.columns)
        found = cubic_taps(self.band.longitudes.part(*self.canvas.columns), target, wrap=round_the_planet)
        return found.index, found.weight

    def rgba(self, rows: Span) -> Float:
        """(h, w, 4) float32, 0..255, for rows of the planet-wide grid."""
        index, weight = self._taps
        first, last = max(rows[0], self.canvas.rows[0]), min(rows[1], self.canvas.rows[1])
        picture = np.zeros((rows[1] - rows[0], len(index), 4), np.float32)
        drawn = np.asarray(self.canvas.rgba[first - self.canvas.rows[0] : last - self.canvas.rows[0]])
        inside = picture[first - rows[0] : last - rows[0]]
        for k in range(index.shape[1]):
            inside += np.take(drawn, index[:, k], axis=1) * weight[:, k, None]
        return picture


@dataclass(frozen=True)
class CapView:
    """A drawn cap as columns of the planet-wide grid see it."""

    cap: Cap
    canvas: Canvas
    columns: Span

    def rgba(self, rows: Span) -> Float:
        """(h, w, 4) float32, 0..255, for rows of the planet-wide grid."""
        starts = range(*self.columns, _CHUNK_COLUMNS)
        parts = [self._chunk(rows, (start, min(start + _CHUNK_COLUMNS, self.columns[1]))) for start in starts]
        return np.concatenate(parts, axis=1)

    def _chunk(self, rows: Span, columns: Span) -> Float:
        x, y = cap_pixels(self.cap, rows, columns)
        x, y = x - self.canvas.columns[0], y - self.canvas.rows[0]
        height, width = self.canvas.rgba.shape[:2]
        left, right = _clipped(x, width)
        top, bottom = _clipped(y, height)
        if left >= right or top >= bottom:
            return np.zeros((*x.shape, 4), np.float32)
        box = torch.from_numpy(np.array(self.canvas.rgba[top:bottom, left:right])).permute(2, 0, 1)[None].float()
        # grid_sample counts -1 to 1 from edge to edge of the box.
        place = np.stack([(x - left) * 2 / (right - left) - 1, (y - top) * 2 / (bottom - top) - 1], -1)
        grid = torch.from_numpy(place.astype(np.float32))[None]
        picture = F.grid_sample(box, grid, mode="bicubic", padding_mode="border", align_corners=False)
        return picture[0].permute(1, 2, 0).numpy()


def cap_pixels(cap: Cap, rows: Span, columns: Span) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns and rows on a cap of the centres of pixels of the planet-wide grid."""
    globe: Globe = cap.globe
    longitudes = globe.longitudes.part(*columns).centres()
    latitudes = globe.latitudes.part(*rows).centres()
    return cap.to_pixels(longitudes[None, :], latitudes[:, None])


def _clipped(places: NDArray[np.float64], count: int) -> Span:
    return max(0, int(places.min()) - 3), min(count, int(places.max()) + 4)

"""The pair sheet: relief in Turbo colours beside imagery, for people to look at."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from terraform.config import Sheet as Settings
from terraform.geo.heights import unpack
from terraform.pairs.colormap import turbo
from terraform.pairs.store import Pairs, open_pairs
from terraform.storage.atomic_write import atomic_write

_SIDE = 160
_GAP = 6
_PER_LINE = 4
_FOOTER = 22


def draw(folder: Path, output: Path, settings: Settings) -> None:
    """Draw a region's pairs, spread evenly, as one JPEG.

    Parameters
    ----------
    folder : Path
        A region's pairs.
    output : Path
        The picture.
    """
    pairs = open_pairs(folder)
    chosen = np.unique(np.linspace(0, len(pairs) - 1, min(settings.pairs, len(pairs))).round().astype(int))
    lines = -(-len(chosen) // _PER_LINE)
    cell = 2 * _SIDE + _GAP + 2
    page = Image.new("RGB", (_PER_LINE * cell + _GAP, lines * (_SIDE + _GAP) + _GAP + _FOOTER), "white")
    for place, number in enumerate(chosen):
        line, column = divmod(place, _PER_LINE)
        left, top = _GAP + column * cell, _GAP + line * (_SIDE + _GAP)
        page.paste(_small(relief(pairs, int(number), settings)), (left, top))
        page.paste(_small(pairs.imagery[number]), (left + _SIDE + 2, top))
    ImageDraw.Draw(page).text((_GAP, page.height - _FOOTER + 4), caption(pairs, settings), "black")
    with atomic_write(output) as temporary:
        page.save(temporary, quality=88)


def relief(pairs: Pairs, number: int, settings: Settings) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Colour the relief of one pair, Turbo colours, (tile_px, tile_px, 3) uint8."""
    heights = unpack(pairs.elevation[number][pairs.spec.inner, pairs.spec.inner])
    return turbo(heights.metres, heights.sea | heights.void, settings.low_m, settings.high_m)


def caption(pairs: Pairs, settings: Settings) -> str:
    """Say what the sheet shows, in one line."""
    kind = "SYNTHETIC WORLD, not an observation. " if pairs.provenance.synthetic else ""
    return (
        f"{pairs.region}: {len(pairs)} pairs of {pairs.spec.tile_m / 1000:.1f} km, relief in Turbo {settings.low_m:g}-"
        f"{settings.high_m:g} m. {kind}{pairs.provenance.licence}: {pairs.provenance.attribution}"
    )


def _small(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels)).resize((_SIDE, _SIDE), Image.Resampling.BOX)

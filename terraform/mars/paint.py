"""Painting a view of a planet: strips drawn one after the other, cross-faded while the picture is written."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terraform.learn.weights import Trained
from terraform.mars import cog
from terraform.mars.bands import Band, Cap, strips
from terraform.mars.canvas import BandView, CapView, blank, cap_pixels
from terraform.mars.generate import draw
from terraform.mars.terrain import BandTerrain, CapTerrain, Relief
from terraform.mars.view import View
from terraform.provenance import Provenance

Span = tuple[int, int]

STRIPE_ROWS = 256


def paint(
    trained: Trained, relief: Relief, view: View, output: Path, window_px: int, compression: str, made: Provenance
) -> None:
    """Draw a view and publish it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    stripes = _stripes(trained, relief, view, output.parent, window_px)
    cog.write(output, view.frame, stripes, compression, made.tags())


def _stripes(trained: Trained, relief: Relief, view: View, folder: Path, window_px: int) -> Iterator[NDArray[np.uint8]]:
    """The view from north to south. A strip is drawn when the first row needs it, and forgotten after the last."""
    every = strips(view.globe, trained.stride)
    pictures: dict[int, BandView | CapView] = {}
    for top in range(*view.rows, STRIPE_ROWS):
        rows = (top, min(top + STRIPE_ROWS, view.rows[1]))
        numbers = np.arange(*rows)
        mixed = np.zeros((len(numbers), view.columns[1] - view.columns[0], 4), np.float32)
        for number, strip in enumerate(every):
            share = strip.weights(numbers).astype(np.float32)
            if not share.any():
                pictures.pop(number, None)
                continue
            if number not in pictures:
                pictures[number] = _drawn(trained, relief, strip, view, folder, window_px)
            mixed += pictures[number].rgba(rows) * share[:, None, None]
        yield _finished(mixed, view.outside(rows))


def _finished(mixed: NDArray[np.float32], outside: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    # What is void was drawn as 0, so that colours beside it are divided by how much of them was drawn.
    share = np.maximum(mixed[..., 3:], 127.5) / 255
    levels = np.clip(np.rint(mixed / share), 0, 255).astype(np.uint8)
    masked = mixed[..., 3] < 127.5
    if outside is not None:
        masked |= outside
    levels[..., 3] = 255
    levels[masked] = 0
    return levels


def _drawn(
    trained: Trained, relief: Relief, strip: Band | Cap, view: View, folder: Path, window_px: int
) -> BandView | CapView:
    rows = max(strip.first, view.rows[0]), min(strip.last, view.rows[1])
    device = str(next(iter(trained.network.parameters())).device)
    if isinstance(strip, Band):
        columns = _band_columns(strip, view)
        canvas = blank(rows, columns, folder)
        spare = 4 * window_px
        terrain = BandTerrain(relief, strip, (columns[0] - spare, columns[1] + spare))
        canvas.fill(draw(trained, terrain, rows, columns, window_px, device))
        return BandView(strip, canvas, view.columns)
    rows, columns = _cap_part(strip, rows, view.columns)
    canvas = blank(rows, columns, folder)
    canvas.fill(draw(trained, CapTerrain(relief, strip, view.shown), rows, columns, window_px, device))
    return CapView(strip, canvas, view.columns)


def _band_columns(band: Band, view: View) -> Span:
    """The columns of a band under those of a view, with two more on each side for the interpolation."""
    if view.columns[1] - view.columns[0] == view.globe.columns and view.columns[0] == 0:
        return 0, band.columns
    (west, east), _ = view.shown
    return band.longitudes.covering(west, east, 2)


def _cap_part(cap: Cap, rows: Span, columns: Span) -> tuple[Span, Span]:
    """Rows and columns of a cap under those of a view, with three more on each side for the interpolation."""
    along = np.unique(np.append(np.arange(*columns, 8), columns[1] - 1))
    edges = [cap_pixels(cap, (row, row + 1), (0, cap.globe.columns)) for row in (rows[0], rows[1] - 1)]
    x, y = (np.concatenate([part[axis][0][along % cap.globe.columns] for part in edges]) for axis in (0, 1))
    spare = 12
    return (int(y.min()) - spare, int(y.max()) + spare), (int(x.min()) - spare, int(x.max()) + spare)

"""Painting a view of a planet: strips are drawn one after the other, while what is complete is written already.

Four things go on at the same time: the heights of the next window are read, the network draws a window, finished
strips are blended into stripes of the mosaic, and the stripes are compressed on all cores.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from terraform.config import Mosaics
from terraform.mosaic import compose
from terraform.mosaic.bands import Band, Cap, strips
from terraform.mosaic.base.air_map import AirMap
from terraform.mosaic.base.base_map import BaseMap
from terraform.mosaic.checkpoint import Checkpoint, NothingVisible, Part, StripBuffer, is_drawn
from terraform.mosaic.compose import StripImage
from terraform.mosaic.inference import Predictor, draw
from terraform.mosaic.output import cog
from terraform.mosaic.output_grid import GridWindow, OutputGrid
from terraform.mosaic.terrain import BandTerrain, CapTerrain, ElevationModel, Terrain
from terraform.mosaic.windows import grid_px
from terraform.progress import progress
from terraform.storage.atomic_write import require_space

Span = tuple[int, int]


@dataclass(frozen=True)
class StripRenderer:
    """Who draws, and from what; with base colours and the climate where the generator needs them."""

    predictor: Predictor
    relief: ElevationModel
    base: BaseMap | None = None
    air: AirMap | None = None

    def fill(self, strip: Band | Cap, canvas: StripBuffer, view: GridWindow, stopped: Event) -> None:
        """Draw a strip onto its canvas."""
        terrain: Terrain
        spec = self.predictor.trained.spec
        if isinstance(strip, Band):
            terrain = BandTerrain(self.relief, strip, self.base, self.air, spec)
        else:
            terrain = CapTerrain(self.relief, strip, view.extent_deg, self.base, self.air, spec)
        for block in draw(self.predictor, terrain, canvas.rows, canvas.columns):
            if stopped.is_set():
                raise InterruptedError("the drawing was stopped")
            canvas.write(block)


def render(
    renderer: StripRenderer,
    target: GridWindow | OutputGrid,
    output: Path,
    settings: Mosaics,
    tags: Mapping[str, str],
    kept: Checkpoint,
    part: Part | None = None,
) -> None:
    """Draw a view or a chart and publish it with its tags; of a part, only draw its strips.

    Raises
    ------
    ResourceError
        The disk has no room for the strips and the mosaic.
    """
    view = target.view if isinstance(target, OutputGrid) else target
    every = strips(view.globe, grid_px(renderer.predictor.trained))
    parts = {number: _part(strip, view) for number, strip in enumerate(every)}
    canvases = {number: kept.canvas(number, *part) for number, part in parts.items() if part is not None}
    if part is not None:
        canvases = {n: canvases[n] for n in part.of({n: canvas.size_bytes for n, canvas in canvases.items()})}
    strips_bytes = sum(canvas.size_bytes for canvas in canvases.values() if not is_drawn(canvas))
    require_space(output.parent, strips_bytes + (cog.needed_bytes(target.frame) if part is None else 0))
    with _drawing(renderer, view, every, canvases, kept) as drawn:
        if part is not None:
            for canvas in drawn.values():
                canvas.result()
            return

        def fetch(number: int) -> StripImage:
            return StripImage(every[number], drawn[number].result())

        if isinstance(target, OutputGrid):
            stripes = compose.composite_projected(target, every, fetch)
        else:
            stripes = compose.composite_global(target, every, fetch)
        cog.write(output, target.frame, _not_all_void(stripes, output), settings.compression, tags)


def _not_all_void(stripes: Iterable[NDArray[np.uint8]], output: Path) -> Iterator[NDArray[np.uint8]]:
    """Pass stripes on, and refuse a picture of which nothing is visible."""
    seen = False
    for stripe in stripes:
        seen = seen or bool(stripe[3].any())
        yield stripe
    if not seen:
        raise NothingVisible(
            f"{output} would be empty: every pixel is void: the relief is one pixel or smaller than one of 200 m, or "
            "all of it is missing; give more of it, or say which value is missing"
        )


@contextmanager
def _drawing(
    renderer: StripRenderer,
    view: GridWindow,
    every: Sequence[Band | Cap],
    canvases: dict[int, StripBuffer],
    kept: Checkpoint,
) -> Iterator[dict[int, Future[StripBuffer]]]:
    """Draw the strips in the background from north to south; leaving the block ends that."""
    stopped, finished = Event(), count(1)
    # Bands follow each other southwards, so that what one read serves the next.
    following = replace(renderer, relief=renderer.relief.with_source(renderer.relief.source.with_row_cache()))

    def drawn(number: int, canvas: StripBuffer) -> StripBuffer:
        strip, before, start = every[number], is_drawn(canvas), monotonic()
        predictor = following if isinstance(strip, Band) else renderer
        kept.draw(canvas, lambda blank: predictor.fill(strip, blank, view, stopped))
        ready(next(finished))
        _say(number, len(every), strip, "drawn before" if before else f"{monotonic() - start:.1f} s")
        return canvas

    with progress("strips", len(canvases)) as ready, ThreadPoolExecutor(1) as pool:
        try:
            yield {number: pool.submit(drawn, number, canvas) for number, canvas in canvases.items()}
        finally:
            stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _say(number: int, count: int, strip: Band | Cap, what: str) -> None:
    north, south = (90 - strip.globe.pixel_deg * row for row in (strip.top, strip.bottom))
    print(f"strip {number + 1} of {count}, latitude {north:.1f} to {south:.1f}: {what}", flush=True)


def _part(strip: Band | Cap, view: GridWindow) -> tuple[Span, Span] | None:
    """Rows and columns of a strip that a view shows, in the strip's pixels."""
    rows = max(strip.first, view.rows[0]), min(strip.last, view.rows[1])
    if rows[0] >= rows[1]:
        return None
    if isinstance(strip, Band):
        return rows, _band_columns(strip, view)
    return _cap_part(strip, rows, view.columns)


def _band_columns(band: Band, view: GridWindow) -> Span:
    """Find the columns of a band under those of a view, with two more on each side for the interpolation."""
    if view.columns[1] - view.columns[0] == view.globe.columns and view.columns[0] == 0:
        return 0, band.columns
    (west, east), _ = view.extent_deg
    return band.longitudes.covering(west, east, 2)


def _cap_part(cap: Cap, rows: Span, columns: Span) -> tuple[Span, Span]:
    """Rows and columns of a cap under those of a view, with three more on each side for the interpolation."""
    along = np.unique(np.append(np.arange(*columns, 8), columns[1] - 1)) % cap.globe.columns
    longitudes = cap.globe.longitudes.centres()[along][None, :]
    latitudes = cap.globe.latitudes.part(*rows).centres()[[0, -1], None]
    x, y = cap.to_pixels(longitudes, latitudes)
    return _grown(y, 12), _grown(x, 12)


def _grown(places: NDArray[np.float64], spare: int) -> Span:
    return int(places.min()) - spare, int(places.max()) + spare

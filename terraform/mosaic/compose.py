"""A mosaic's rows from drawn strips, north to south, a stripe at a time."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform.mosaic import blend as fade
from terraform.mosaic.bands import Band, Cap
from terraform.mosaic.grid_window import View
from terraform.mosaic.layers import Drawn, Layer
from terraform.mosaic.output_grid import Chart

Span = tuple[int, int]
Planes = NDArray[np.uint8]

_STRIPE_ROWS = 256
_CHUNK_COLUMNS = 8192
_CHART_COLUMNS = 1024

Strips = Sequence[Band | Cap]
Fetch = Callable[[int], Drawn]


def on_grid(view: View, every: Strips, drawn: Fetch) -> Iterator[Planes]:
    """(4, h, W) of a window of the planet-wide grid: red, green, blue and 255 where valid."""
    # Stretches of rows in which the same strips take part; a cross-fade is one of them.
    for rows in _stretches(view, every):
        shares = {number: strip.weights(np.arange(*rows)) for number, strip in enumerate(every)}
        parts = [(drawn(number), share) for number, share in shares.items() if share.any()]
        chunks = [_on_grid(view, parts, rows, columns) for columns in _chunks(view.columns)]
        yield _masked(np.concatenate(chunks, axis=2), view.outside(rows))


def _stretches(view: View, every: Strips) -> Iterator[Span]:
    ends = {end for strip in every for end in (strip.first, strip.last, strip.top + strip.fade_above,
                                               strip.bottom - strip.fade_below)}  # fmt: skip
    edges = sorted({*view.rows, *(end for end in ends if view.rows[0] < end < view.rows[1])})
    for top, bottom in pairwise(edges):
        for row in range(top, bottom, _STRIPE_ROWS):
            yield row, min(row + _STRIPE_ROWS, bottom)


def _on_grid(view: View, parts: Sequence[tuple[Drawn, NDArray[np.float64]]], rows: Span, columns: Span) -> Planes:
    spare = fade.REACH_PX if len(parts) > 1 else 0
    first, last = max(columns[0] - spare, view.columns[0]), min(columns[1] + spare, view.columns[1])
    layers = [drawn.on_grid(rows, (first, last)) for drawn, _ in parts]
    shares = [torch.from_numpy(share.astype(np.float32))[:, None] for _, share in parts]
    planes = _finished(fade.mixed(layers, shares))
    return planes[:, :, columns[0] - first : columns[1] - first]


def _chunks(columns: Span) -> Iterator[Span]:
    for first in range(*columns, _CHUNK_COLUMNS):
        yield first, min(first + _CHUNK_COLUMNS, columns[1])


def on_chart(chart: Chart, every: Strips, drawn: Fetch) -> Iterator[Planes]:
    """(4, h, W) of any other map: red, green, blue and 255 where valid."""
    height, width = chart.frame.height, chart.frame.width
    for top in range(0, height, _STRIPE_ROWS):
        rows = (top, min(top + _STRIPE_ROWS, height))
        spans = [(left, min(left + _CHART_COLUMNS, width)) for left in range(0, width, _CHART_COLUMNS)]
        yield np.concatenate([_on_chart(chart, every, drawn, rows, columns) for columns in spans], axis=2)


def _on_chart(chart: Chart, every: Strips, drawn: Fetch, rows: Span, columns: Span) -> Planes:
    """A pixel that is coarser than what was drawn is the average of several places in it."""
    spare = -(-fade.REACH_PX // chart.parts)
    grown = ((rows[0] - spare, rows[1] + spare), (columns[0] - spare, columns[1] + spare))
    longitude, latitude = chart.degrees(*grown)
    layer = _at(chart, every, drawn, longitude, latitude)
    planes = _finished(_averaged(layer, chart.parts))[:, spare:-spare, spare:-spare]
    middle = chart.degrees(rows, columns, parts=1)
    return _masked(np.ascontiguousarray(planes), chart.outside(*middle))


def _at(chart: Chart, every: Strips, drawn: Fetch, longitude: NDArray[np.float64],
        latitude: NDArray[np.float64]) -> Layer:  # fmt: skip
    view = chart.view
    row = (90 - latitude) / view.globe.pixel_deg
    seen = np.isfinite(row) & (row >= view.rows[0] - 1) & (row <= view.rows[1] + 1)
    if not seen.any():
        return Layer(torch.zeros(3, *row.shape), torch.zeros(row.shape))
    # What lies off the body, or beyond what was drawn, takes the place of something that does not, and is then void.
    place = np.unravel_index(int(seen.argmax()), seen.shape)
    longitude, latitude = (np.where(seen, part, part[place]) for part in (longitude, latitude))
    row = np.clip((90 - latitude) / view.globe.pixel_deg, *view.rows) - 0.5
    shares = {number: _share(strip, row) for number, strip in enumerate(every)}
    parts = [(drawn(number), share) for number, share in shares.items() if share.any()]
    layer = fade.mixed([part.at(longitude, latitude) for part, _ in parts], [share for _, share in parts])
    known = torch.from_numpy(seen.astype(np.float32))
    return Layer(layer.colours * known, known if layer.known is None else layer.known * known)


def _share(strip: Band | Cap, row: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(strip.weights(row).astype(np.float32))


def _averaged(layer: Layer, parts: int) -> Layer:
    if parts == 1:
        return layer
    colours = torch.nn.functional.avg_pool2d(layer.colours[None], parts)[0]
    known = None if layer.known is None else torch.nn.functional.avg_pool2d(layer.known[None], parts)[0]
    return Layer(colours, known)


def _finished(layer: Layer) -> Planes:
    """(4, h, w); colours beside a void are divided by how much of them was drawn."""
    if layer.known is None:
        levels = layer.colours.round().clamp(0, 255).to(torch.uint8).numpy()
        return np.concatenate([levels, np.full((1, *levels.shape[1:]), 255, np.uint8)])
    mixed = (layer.colours / layer.known.clamp_min(0.5)).round().clamp(0, 255).to(torch.uint8)
    valid = (layer.known >= 0.5).to(torch.uint8)
    return np.concatenate([(mixed * valid).numpy(), valid[None].numpy() * np.uint8(255)])


def _masked(planes: Planes, outside: NDArray[np.bool_] | None) -> Planes:
    if outside is not None:
        planes[:, outside] = 0
    return planes

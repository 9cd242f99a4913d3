"""A mosaic's rows from rendered strips, north to south.

Each strip is interpolated to the mosaic's pixels (cubic, Keys 1981) and neighbouring strips are blended.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from terraform.geo.resample import cubic_taps
from terraform.geo.resample_torch import resample_last_axis
from terraform.mosaic import blend as fade
from terraform.mosaic.bands import Band, Cap
from terraform.mosaic.blend import Layer
from terraform.mosaic.checkpoint import StripBuffer
from terraform.mosaic.output_grid import GridWindow, OutputGrid

Span = tuple[int, int]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class StripImage:
    """A strip that has been drawn."""

    strip: Band | Cap
    canvas: StripBuffer

    @property
    def wraps(self) -> bool:
        """It goes round the planet."""
        return isinstance(self.strip, Band) and self.canvas.columns == (0, self.strip.columns)

    def read_window(self, rows: Span, columns: Span) -> Layer:
        """Its part in rows and columns of the planet-wide grid; the rows lie on the strip."""
        if isinstance(self.strip, Band):
            return self._across(self.strip, rows, columns)
        globe = self.strip.globe
        longitudes, latitudes = globe.longitudes.part(*columns), globe.latitudes.part(*rows)
        return self.sample(longitudes.centres()[None, :], latitudes.centres()[:, None])

    def _across(self, band: Band, rows: Span, columns: Span) -> Layer:
        target = band.globe.longitudes.part(*columns)
        first, last = band.longitudes.covering(target.origin, target.end, 3)
        planes = self.canvas.read(rows, (first, last), self.wraps)
        taps = cubic_taps(band.longitudes.part(first, last), target)
        return _layer(resample_last_axis(torch.from_numpy(_needed(planes)).float(), taps))

    def sample(self, longitude_deg: Doubles, latitude_deg: Doubles) -> Layer:
        """Its part at places that broadcast to (h, w)."""
        x, y = self.to_pixels(longitude_deg, latitude_deg)
        (left, right), (top, bottom) = _box(x), _box(y)
        top, bottom = max(top, self.canvas.rows[0]), min(bottom, self.canvas.rows[1])
        if not self.wraps:
            left, right = max(left, self.canvas.columns[0]), min(right, self.canvas.columns[1])
        if left >= right or top >= bottom:
            return Layer(torch.zeros(3, *x.shape), torch.zeros(x.shape))
        box = torch.from_numpy(_needed(self.canvas.read((top, bottom), (left, right), self.wraps)))[None].float()
        # grid_sample counts -1 to 1 from edge to edge of the box.
        place = np.stack([(x - left) * 2 / (right - left) - 1, (y - top) * 2 / (bottom - top) - 1], -1)
        grid = torch.from_numpy(place.astype(np.float32))[None]
        return _layer(F.grid_sample(box, grid, mode="bicubic", padding_mode="border", align_corners=False)[0])

    def to_pixels(self, longitude_deg: Doubles, latitude_deg: Doubles) -> tuple[Doubles, Doubles]:
        """Column and row of places on the strip, columns without a break; pixel i covers i to i + 1."""
        if isinstance(self.strip, Cap):
            return self.strip.to_pixels(longitude_deg, latitude_deg)
        column = (longitude_deg + 180) * self.strip.columns / 360
        row = (90 - latitude_deg) / self.strip.globe.pixel_deg
        around, middle = self.strip.columns, float(np.median(column)) if self.wraps else sum(self.canvas.columns) / 2
        column = middle + (column - middle + around / 2) % around - around / 2
        x, y = np.broadcast_arrays(column, row)
        return x, y


def _needed(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the plane of voids where there is none; 1 in it is what was drawn."""
    if not planes[3].any():
        return planes[:3]
    planes[3] = 1 - planes[3]
    return planes


def _layer(planes: Tensor) -> Layer:
    return Layer(planes[:3], planes[3] if len(planes) > 3 else None)


def _box(places: Doubles) -> Span:
    """Bound the pixels that cubic interpolation needs."""
    return int(np.floor(places.min())) - 3, int(np.ceil(places.max())) + 4


Planes = NDArray[np.uint8]

_STRIPE_ROWS = 256
_CHUNK_COLUMNS = 8192
_CHART_COLUMNS = 1024

Strips = Sequence[Band | Cap]
Fetch = Callable[[int], StripImage]


def composite_global(view: GridWindow, every: Strips, drawn: Fetch) -> Iterator[Planes]:
    """(4, h, W) of a window of the planet-wide grid: red, green, blue and 255 where valid."""
    # Stretches of rows in which the same strips take part; a cross-fade is one of them.
    for rows in _stretches(view, every):
        shares = {number: strip.weights(np.arange(*rows)) for number, strip in enumerate(every)}
        parts = [(drawn(number), share) for number, share in shares.items() if share.any()]
        chunks = [_composite_global(view, parts, rows, columns) for columns in _chunks(view.columns)]
        yield _masked(np.concatenate(chunks, axis=2), view.mask_outside(rows))


def _stretches(view: GridWindow, every: Strips) -> Iterator[Span]:
    ends = {end for strip in every for end in (strip.first, strip.last, strip.top + strip.fade_above,
                                               strip.bottom - strip.fade_below)}  # fmt: skip
    edges = sorted({*view.rows, *(end for end in ends if view.rows[0] < end < view.rows[1])})
    for top, bottom in pairwise(edges):
        for row in range(top, bottom, _STRIPE_ROWS):
            yield row, min(row + _STRIPE_ROWS, bottom)


def _composite_global(
    view: GridWindow, parts: Sequence[tuple[StripImage, NDArray[np.float64]]], rows: Span, columns: Span
) -> Planes:
    spare = fade.REACH_PX if len(parts) > 1 else 0
    first, last = max(columns[0] - spare, view.columns[0]), min(columns[1] + spare, view.columns[1])
    layers = [drawn.read_window(rows, (first, last)) for drawn, _ in parts]
    shares = [torch.from_numpy(share.astype(np.float32))[:, None] for _, share in parts]
    planes = _finished(fade.blend(layers, shares))
    return planes[:, :, columns[0] - first : columns[1] - first]


def _chunks(columns: Span) -> Iterator[Span]:
    for first in range(*columns, _CHUNK_COLUMNS):
        yield first, min(first + _CHUNK_COLUMNS, columns[1])


def composite_projected(chart: OutputGrid, every: Strips, drawn: Fetch) -> Iterator[Planes]:
    """(4, h, W) of any other map: red, green, blue and 255 where valid."""
    height, width = chart.frame.height, chart.frame.width
    for top in range(0, height, _STRIPE_ROWS):
        rows = (top, min(top + _STRIPE_ROWS, height))
        spans = [(left, min(left + _CHART_COLUMNS, width)) for left in range(0, width, _CHART_COLUMNS)]
        yield np.concatenate([_composite_projected(chart, every, drawn, rows, columns) for columns in spans], axis=2)


def _composite_projected(chart: OutputGrid, every: Strips, drawn: Fetch, rows: Span, columns: Span) -> Planes:
    """Compose a map; a pixel that is coarser than what was drawn is the average of several places in it."""
    spare = -(-fade.REACH_PX // chart.parts)
    grown = ((rows[0] - spare, rows[1] + spare), (columns[0] - spare, columns[1] + spare))
    longitude, latitude = chart.degrees(*grown)
    layer = _at(chart, every, drawn, longitude, latitude)
    planes = _finished(_averaged(layer, chart.parts))[:, spare:-spare, spare:-spare]
    middle = chart.degrees(rows, columns, parts=1)
    return _masked(np.ascontiguousarray(planes), chart.mask_outside(*middle))


def _at(chart: OutputGrid, every: Strips, drawn: Fetch, longitude: NDArray[np.float64],
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
    layer = fade.blend([part.sample(longitude, latitude) for part, _ in parts], [share for _, share in parts])
    known = torch.from_numpy(seen.astype(np.float32))
    return Layer(layer.colours * known, known if layer.coverage is None else layer.coverage * known)


def _share(strip: Band | Cap, row: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(strip.weights(row).astype(np.float32))


def _averaged(layer: Layer, parts: int) -> Layer:
    if parts == 1:
        return layer
    colours = torch.nn.functional.avg_pool2d(layer.colours[None], parts)[0]
    known = None if layer.coverage is None else torch.nn.functional.avg_pool2d(layer.coverage[None], parts)[0]
    return Layer(colours, known)


def _finished(layer: Layer) -> Planes:
    """(4, h, w); colours beside a void are divided by how much of them was drawn."""
    if layer.coverage is None:
        levels = layer.colours.round().clamp(0, 255).to(torch.uint8).numpy()
        return np.concatenate([levels, np.full((1, *levels.shape[1:]), 255, np.uint8)])
    mixed = (layer.colours / layer.coverage.clamp_min(0.5)).round().clamp(0, 255).to(torch.uint8)
    valid = (layer.coverage >= 0.5).to(torch.uint8)
    return np.concatenate([(mixed * valid).numpy(), valid[None].numpy() * np.uint8(255)])


def _masked(planes: Planes, outside: NDArray[np.bool_] | None) -> Planes:
    if outside is not None:
        planes[:, outside] = 0
    return planes

"""What a mosaic's pixels see of a drawn strip: its colours, interpolated to where the pixels lie.

On the planet-wide grid a band shares the rows, so that only its columns are interpolated; a cap, and every strip on
another map, is interpolated in both directions. Both are cubic (Keys 1981).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from terraform.mosaic.bands import Band, Cap, cubic_taps
from terraform.mosaic.resample import resampled
from terraform.mosaic.strip_buffer import Canvas

Span = tuple[int, int]
Doubles = NDArray[np.float64]


class Layer(NamedTuple):
    """A strip's part in some pixels.

    Attributes
    ----------
    colours : (3, h, w) float32
        0 to 255; 0 where nothing was drawn.
    known : (h, w) float32 or None
        How much of each pixel was drawn, 0 to 1; None where all of it was.
    """

    colours: Tensor
    known: Tensor | None


@dataclass(frozen=True)
class Drawn:
    """A strip that has been drawn."""

    strip: Band | Cap
    canvas: Canvas

    @property
    def closes(self) -> bool:
        """It goes round the planet."""
        return isinstance(self.strip, Band) and self.canvas.columns == (0, self.strip.columns)

    def on_grid(self, rows: Span, columns: Span) -> Layer:
        """Its part in rows and columns of the planet-wide grid; the rows lie on the strip."""
        if isinstance(self.strip, Band):
            return self._across(self.strip, rows, columns)
        globe = self.strip.globe
        longitudes, latitudes = globe.longitudes.part(*columns), globe.latitudes.part(*rows)
        return self.at(longitudes.centres()[None, :], latitudes.centres()[:, None])

    def _across(self, band: Band, rows: Span, columns: Span) -> Layer:
        target = band.globe.longitudes.part(*columns)
        first, last = band.longitudes.covering(target.origin, target.end, 3)
        planes = self.canvas.read(rows, (first, last), self.closes)
        taps = cubic_taps(band.longitudes.part(first, last), target)
        return _layer(resampled(torch.from_numpy(_needed(planes)).float(), taps))

    def at(self, longitude_deg: Doubles, latitude_deg: Doubles) -> Layer:
        """Its part at places that broadcast to (h, w)."""
        x, y = self.places(longitude_deg, latitude_deg)
        (left, right), (top, bottom) = _box(x), _box(y)
        top, bottom = max(top, self.canvas.rows[0]), min(bottom, self.canvas.rows[1])
        if not self.closes:
            left, right = max(left, self.canvas.columns[0]), min(right, self.canvas.columns[1])
        if left >= right or top >= bottom:
            return Layer(torch.zeros(3, *x.shape), torch.zeros(x.shape))
        box = torch.from_numpy(_needed(self.canvas.read((top, bottom), (left, right), self.closes)))[None].float()
        # grid_sample counts -1 to 1 from edge to edge of the box.
        place = np.stack([(x - left) * 2 / (right - left) - 1, (y - top) * 2 / (bottom - top) - 1], -1)
        grid = torch.from_numpy(place.astype(np.float32))[None]
        return _layer(F.grid_sample(box, grid, mode="bicubic", padding_mode="border", align_corners=False)[0])

    def places(self, longitude_deg: Doubles, latitude_deg: Doubles) -> tuple[Doubles, Doubles]:
        """Column and row of places on the strip, columns without a break; pixel i covers i to i + 1."""
        if isinstance(self.strip, Cap):
            return self.strip.to_pixels(longitude_deg, latitude_deg)
        column = (longitude_deg + 180) * self.strip.columns / 360
        row = (90 - latitude_deg) / self.strip.globe.pixel_deg
        around, middle = self.strip.columns, float(np.median(column)) if self.closes else sum(self.canvas.columns) / 2
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
    """The pixels that cubic interpolation needs."""
    return int(np.floor(places.min())) - 3, int(np.ceil(places.max())) + 4

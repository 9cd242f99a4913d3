"""Fields on a whole body as smooth functions of place: cubic B-splines through the cells of a plate carree raster.

A cubic B-spline has continuous curvature, so that no lattice of the cells shows in what is drawn with it, and never
leaves the range of its cells (Unser 1999). It blurs by 0.58 of a cell. Towards a pole, where the columns crowd, cells
are averaged along the parallel first, and beyond a pole lies the other side of the body: the field is a function of
place alone.

Imports numpy and torch only.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from terraform.geo.planet_grid import over_the_poles
from terraform.geo.resample import Axis, spline_taps
from terraform.geo.resample_torch import resample_last_axis

_GHOST = 2
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class SphericalSpline:
    """A field of one or more channels on a whole body.

    Attributes
    ----------
    cells : (H, 2 H, C) uint8 or float32
        Plate carree, row 0 north, column 0 from 180 W.
    """

    cells: NDArray[Any]

    @property
    def latitudes(self) -> Axis:
        """The rows, degrees, with `_GHOST` more beyond each pole."""
        step = 180 / self.cells.shape[0]
        return Axis(90 + _GHOST * step, -step, self.cells.shape[0] + 2 * _GHOST)

    @property
    def longitudes(self) -> Axis:
        """The columns, degrees, with `_GHOST` more beyond the antimeridian on both sides."""
        step = 360 / self.cells.shape[1]
        return Axis(-180 - _GHOST * step, step, self.cells.shape[1] + 2 * _GHOST)

    @cached_property
    def _round(self) -> NDArray[Any]:
        """The cells, isotropic near the poles, and their neighbours beyond the poles and the antimeridian."""
        over = np.moveaxis(over_the_poles(np.moveaxis(isotropic(self.cells), -1, 0), _GHOST), 0, -1)
        return np.concatenate([over[:, -_GHOST:], over, over[:, :_GHOST]], axis=1)

    def on_axes(self, latitudes: Axis, longitudes: Axis) -> Tensor:
        """Sample where rows are parallels and columns are meridians.

        Parameters
        ----------
        latitudes, longitudes : Axis
            Degrees; latitudes beyond a pole count as the pole, longitudes modulo 360. The columns may run on for at
            most one turn beyond the map.

        Returns
        -------
        (C, h, w) float32
            In the unit of the cells.
        """
        down = spline_taps(self.latitudes, np.clip(latitudes.centres(), -90, 90))
        count = self.cells.shape[1]
        across = spline_taps(Axis(-180.0, 360 / count, count), longitudes.centres())
        first, last = int(across.index.min()), int(across.index.max()) + 1
        top, bottom = int(down.index.min()), int(down.index.max()) + 1
        columns = np.arange(first, last) % count + _GHOST
        cells = torch.from_numpy(self._round[top:bottom][:, columns]).permute(2, 0, 1).float()
        wide = resample_last_axis(cells, across.shifted(-first))
        return resample_last_axis(wide.transpose(1, 2).contiguous(), down.shifted(-top)).transpose(1, 2)

    def at_points(self, longitude_deg: Doubles, latitude_deg: Doubles) -> Tensor:
        """Sample at any points.

        The four by four cells of a point are weighed with four bilinear samples (Sigg and Hadwiger 2005).

        Parameters
        ----------
        longitude_deg, latitude_deg : (h, w) float64
            Degrees; longitudes count modulo 360.

        Returns
        -------
        (C, h, w) float32
            In the unit of the cells.
        """
        column = ((longitude_deg + 180) % 360 - 180 - self.longitudes.origin) / self.longitudes.step - 0.5
        row = (np.clip(latitude_deg, -90, 90) - self.latitudes.origin) / self.latitudes.step - 0.5
        top, bottom = int(np.floor(row.min())) - 1, int(np.floor(row.max())) + 3
        box = torch.from_numpy(self._round[top:bottom]).permute(2, 0, 1)[None].float()
        total = torch.zeros(self.cells.shape[2], *row.shape)
        for y, share_y in _pairs(row - top):
            for x, share_x in _pairs(column):
                total += (share_y * share_x) * _bilinear(box, x, y)
        return total


def isotropic(cells: NDArray[Any]) -> NDArray[Any]:
    """Average cells along their parallel over the width that a cell has on the equator.

    At latitude phi that is (pi / 2) / cos(phi) - (pi / 2 - 1) cells: one on the equator, and in the row at a pole half
    of the parallel, so that at the pole itself all meridians give the same colour.

    Parameters
    ----------
    cells : (H, W, C)
        Plate carree over a whole body.

    Returns
    -------
    (H, W, C)
        The same dtype; integers are rounded.
    """
    height, width = cells.shape[:2]
    cosine = np.cos(np.radians(90 - (np.arange(height) + 0.5) * 180 / height))
    widths = np.minimum((np.pi / 2) / cosine - (np.pi / 2 - 1), width / 2)
    result = np.empty_like(cells)
    for row, wide in enumerate(widths):
        mean = _averaged(cells[row], float(wide))
        result[row] = np.rint(mean) if cells.dtype.kind in "iu" else mean
    return result


def _averaged(row: NDArray[Any], cells: float) -> Doubles:
    """Average round a parallel, (W, C), over a width that need not be whole."""
    width, reach = len(row), int(np.ceil(cells / 2)) + 1
    padded = np.concatenate([row[-reach:], row, row[:reach]]).astype(np.float64)
    sums = np.concatenate([np.zeros((1, row.shape[1])), padded.cumsum(axis=0)])

    def until(place: NDArray[Any]) -> Doubles:
        whole = np.floor(place).astype(np.intp)
        return np.asarray(sums[whole] + (place - whole)[:, None] * padded[np.minimum(whole, len(padded) - 1)])

    middle = np.arange(width) + reach + 0.5
    return (until(middle + cells / 2) - until(middle - cells / 2)) / cells


def _pairs(place: Doubles) -> list[tuple[Tensor, Tensor]]:
    """Where to sample between the first two and the last two of four neighbours, and the weight of each pair."""
    whole = np.floor(place)
    t = place - whole
    w0, w1, w3 = (1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, t**3 / 6
    first, last = w0 + w1, 1 - w0 - w1
    found = (whole - 1 + w1 / first, first), (whole + 1 + w3 / last, last)
    return [(torch.from_numpy(at), torch.from_numpy(share.astype(np.float32))) for at, share in found]


def _bilinear(box: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample (1, C, H, W) at columns and rows (h, w) that count from the middle of the first cell."""
    size_y, size_x = box.shape[2] - 1, box.shape[3] - 1
    grid = torch.stack([x * (2 / size_x) - 1, y * (2 / size_y) - 1], -1)[None].float()
    return F.grid_sample(box, grid, mode="bilinear", padding_mode="border", align_corners=True)[0]

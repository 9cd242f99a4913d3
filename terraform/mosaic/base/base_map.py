"""Base colours at the pixels of a strip: smooth curves through the cells of a body's base map.

A cubic B-spline has continuous curvature, so that no lattice of the cells shows in a mosaic, and never leaves the range
of its cells (Unser 1999). It blurs by 0.58 of a cell. Towards a pole, where the columns crowd, cells are averaged along
the parallel first, and beyond a pole lies the other side of the body: the colours are a function of place alone.

Imports numpy and torch only.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from terraform.errors import InputError
from terraform.geo.bodies import Body
from terraform.geo.resample import Axis, spline_taps
from terraform.geo.resample_torch import resample_last_axis
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.elevation import ElevationRaster
from terraform.pairs.context import Context
from terraform.provenance import Provenance

_GHOST = 2
BANDS = 6
"""Red, green and blue of land, then of sea."""
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class BaseMap:
    """The base colours of a whole body.

    Attributes
    ----------
    levels : (H, 2 H, 6) uint8
        Red, green and blue of each cell as land, then as sea; plate carree, row 0 north, column 0 from 180 W.
    """

    levels: NDArray[np.uint8]

    @property
    def latitudes(self) -> Axis:
        """The rows, degrees, with `_GHOST` more beyond each pole."""
        step = 180 / self.levels.shape[0]
        return Axis(90 + _GHOST * step, -step, self.levels.shape[0] + 2 * _GHOST)

    @property
    def longitudes(self) -> Axis:
        """The columns, degrees, with `_GHOST` more beyond the antimeridian on both sides."""
        step = 360 / self.levels.shape[1]
        return Axis(-180 - _GHOST * step, step, self.levels.shape[1] + 2 * _GHOST)

    @cached_property
    def _round(self) -> NDArray[np.uint8]:
        """The cells, isotropic near the poles, and their neighbours beyond the poles and the antimeridian."""
        over = over_the_poles(isotropic(self.levels), _GHOST)
        return np.concatenate([over[:, -_GHOST:], over, over[:, :_GHOST]], axis=1)

    def on_axes(self, latitudes: Axis, longitudes: Axis) -> Context:
        """Sample where rows are parallels and columns are meridians.

        Parameters
        ----------
        latitudes, longitudes : Axis
            Degrees; latitudes beyond a pole count as the pole, longitudes modulo 360. The columns may run on for at
            most one turn beyond the map.

        Returns
        -------
        Context
            (1, 3, h, w) of land and of sea, -1 to 1.
        """
        down = spline_taps(self.latitudes, np.clip(latitudes.centres(), -90, 90))
        count = self.levels.shape[1]
        across = spline_taps(Axis(-180.0, 360 / count, count), longitudes.centres())
        first, last = int(across.index.min()), int(across.index.max()) + 1
        top, bottom = int(down.index.min()), int(down.index.max()) + 1
        columns = np.arange(first, last) % count + _GHOST
        cells = torch.from_numpy(self._round[top:bottom][:, columns]).permute(2, 0, 1).float()
        wide = resample_last_axis(cells, across.shifted(-first))
        tall = resample_last_axis(wide.transpose(1, 2).contiguous(), down.shifted(-top)).transpose(1, 2)
        return _window(tall)

    def at_points(self, longitude_deg: Doubles, latitude_deg: Doubles) -> Context:
        """Sample at any points.

        The four by four cells of a point are weighed with four bilinear samples (Sigg and Hadwiger 2005).

        Parameters
        ----------
        longitude_deg, latitude_deg : (h, w) float64
            Degrees; longitudes count modulo 360.

        Returns
        -------
        Context
            (1, 3, h, w) of land and of sea, -1 to 1.
        """
        column = ((longitude_deg + 180) % 360 - 180 - self.longitudes.origin) / self.longitudes.step - 0.5
        row = (np.clip(latitude_deg, -90, 90) - self.latitudes.origin) / self.latitudes.step - 0.5
        top, bottom = int(np.floor(row.min())) - 1, int(np.floor(row.max())) + 3
        box = torch.from_numpy(self._round[top:bottom]).permute(2, 0, 1)[None].float()
        total = torch.zeros(BANDS, *row.shape)
        for y, share_y in _pairs(row - top):
            for x, share_x in _pairs(column):
                total += (share_y * share_x) * _bilinear(box, x, y)
        return _window(total)


def colour_map(colour: str) -> BaseMap:
    """Make a base map of one colour, such as `#7a6a4f`, for land and sea.

    Raises
    ------
    InputError
        It is no such colour.
    """
    if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        raise InputError(f"{colour} is no colour: give six hexadecimal digits, such as #7a6a4f")
    return BaseMap(np.tile(np.frombuffer(bytes.fromhex(colour[1:]), np.uint8), (4, 8, 2)))


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


def over_the_poles(levels: NDArray[np.uint8], rows: int) -> NDArray[np.uint8]:
    """Add rows beyond both poles, where the other side of the body lies: (H, W, C) to (H + 2 rows, W, C)."""
    half = levels.shape[1] // 2
    north, south = np.roll(levels[:rows][::-1], half, axis=1), np.roll(levels[-rows:][::-1], half, axis=1)
    return np.concatenate([north, levels, south])


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


def _window(levels: Tensor) -> Context:
    """Levels (6, h, w) as colours from -1 to 1."""
    colours = levels.div(127.5).sub_(1).clamp_(-1, 1)
    return Context(colours[None, :3], colours[None, 3:])


class ChosenBase(NamedTuple):
    """Base colours and where they come from.

    Attributes
    ----------
    make : callable
        From the heights that are drawn and their shoreline, metres, to the base map; only a zonal one depends on them.
    origin : str
        For people.
    version : list
        What strips depend on besides the heights: the version of a file, or a colour.
    provenance : Provenance or None
        Whose colours they are: the licence goes into the mosaic. None for a colour.
    """

    make: Callable[[ElevationRaster, float], BaseMap]
    origin: str
    version: list[Any]
    provenance: Provenance | None

    @classmethod
    def of(cls, base: BaseMap, origin: str, version: list[Any], made: Provenance | None) -> "ChosenBase":
        """Choose a base map that is there already."""
        return cls(lambda source, shoreline_m: base, origin, version, made)


BaseChoice = Callable[[TrainedGenerator, Body], ChosenBase | None]
"""From weights and the body to its base colours; None where the weights know none."""

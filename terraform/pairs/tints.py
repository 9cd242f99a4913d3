"""Hypsometric tints: the colours that land of a climate has by height, laid over base colours.

Base colours are those of cells of ten kilometres. Within a cell a valley is warmer and a summit colder than its mean,
and the base model, which learnt on the whole Earth what land of a climate looks like, says what colour each then has:
where forest ends, where snow begins. (Cartography calls colours by height hypsometric tints, and those that follow the
climate cross-blended: Patterson and Jenny 2011.)

Imports numpy and torch only.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from terraform.geo.resample import Axis
from terraform.geo.spherical_spline import Doubles, SphericalSpline
from terraform.geo.tile_spec import TileSpec
from terraform.pairs.smoothing import smooth
from terraform.provenance import Provenance

FULL_WIDTH_M = 10_000.0
"""Tints are laid over base colours without their mean over a Gaussian of this full width at half maximum, metres: it
fits into the margin of a tile, and leaves the colour of a place that of its base."""
CELL_PX = TileSpec.BASE_CELL_PX
_RGB = 3


class Tints(NamedTuple):
    """Tints of the pixels of windows.

    Attributes
    ----------
    cells : (N, 3, L, h, w) float32, [-1, 1]
        Colours of land at L heights, on cells of a few kilometres.
    levels_m : (N, L) float32
        Those heights above the datum, metres, rising; beyond them the colours stay.
    y, x : (N, H) and (N, W) float32
        Where the window's rows and columns lie among the cells, in the [-1, 1] of grid_sample.
    rise_m : Tensor
        What is added to the heights that the generator sees; broadcasts to (N, 1, H, W), metres.
    stretch : Tensor
        What they are divided by first; broadcasts to (N, 1, H, W).
    """

    cells: Tensor
    levels_m: Tensor
    y: Tensor
    x: Tensor
    rise_m: Tensor
    stretch: Tensor

    def lifted(self, rise_m: NDArray[np.float32]) -> "Tints":
        """Tell how much higher the ground is than the generator is told: (H, W) metres."""
        return self._replace(rise_m=torch.from_numpy(rise_m)[None, None])

    def to(self, device: str | torch.device) -> "Tints":
        """Move to a device."""
        return Tints(*(part.to(device) for part in self))

    def at(self, metres: Tensor) -> Tensor:
        """Give land its colours by height.

        Parameters
        ----------
        metres : (N, 1, H, W) float32
            Heights that the generator sees.

        Returns
        -------
        (N, 3, H, W) float32, [-1, 1]
        """
        heights = (metres / self.stretch + self.rise_m)[:, 0].contiguous()  # (N, H, W)
        depth = torch.stack([_place(one, levels) for one, levels in zip(heights, self.levels_m, strict=True)])
        x, y = self.x[:, None, :].expand_as(depth), self.y[:, :, None].expand_as(depth)
        where = torch.stack([x, y, depth], 3)[:, None]  # (N, 1, H, W, 3)
        return F.grid_sample(self.cells, where, padding_mode="border", align_corners=False)[:, :, 0]

    def relief(self, metres: Tensor, pixel_m: float) -> Tensor:
        """Give what the tints of heights, (N, 1, H, W), add to the mean colour of their surroundings."""
        tinted = self.at(metres)
        return tinted - smooth(tinted, FULL_WIDTH_M / pixel_m)


def _place(heights: Tensor, levels: Tensor) -> Tensor:
    """Find where heights lie among rising levels, in the [-1, 1] of grid_sample."""
    below = (torch.bucketize(heights, levels) - 1).clamp(0, len(levels) - 2)
    share = ((heights - levels[below]) / (levels[below + 1] - levels[below])).clamp(0, 1)
    return (2 * (below + share) + 1) / len(levels) - 1


@dataclass(frozen=True)
class TintMap:
    """The tints of a whole body.

    Attributes
    ----------
    colours : (H, 2 H, 3 L) uint8
        Red, green and blue of land at the first height, then at the next; plate carree, row 0 north, column 0 from
        180 W.
    levels_m : (L,) float32
        Heights above `shoreline_m`, metres, rising.
    shoreline_m : float
        Above the body's datum, metres.
    provenance : Provenance, optional
        Whose colours they are: the licence goes into what learns with them.
    """

    colours: NDArray[np.uint8]
    levels_m: NDArray[np.float32]
    shoreline_m: float = 0.0
    provenance: Provenance | None = None

    @cached_property
    def digest(self) -> str:
        """The sha256 of what they are."""
        parts = [self.colours.tobytes(), self.levels_m.tobytes(), repr(self.shoreline_m).encode()]
        return hashlib.sha256(b"".join(parts)).hexdigest()

    @property
    def above_datum_m(self) -> NDArray[np.float32]:
        """The heights above the body's datum, (L,) metres."""
        return self.levels_m + np.float32(self.shoreline_m)

    @cached_property
    def _spline(self) -> SphericalSpline:
        return SphericalSpline(self.colours)

    def sample(self, tile: Any, spec: TileSpec) -> NDArray[np.uint8]:
        """Sample at the cells of a tile's base colours and their margins.

        Parameters
        ----------
        tile : structured
            A record of `terraform.pairs.store.TILE`.
        spec : TileSpec
            The size of tiles.

        Returns
        -------
        (3, L, 20, 20) uint8, for a tile of the default size
        """
        side, margin = spec.base_side_cells, spec.BASE_MARGIN_CELLS
        high, wide = ((tile[a] - tile[b]) / (side - 2 * margin) for a, b in (("north", "south"), ("east", "west")))
        rows = Axis(tile["north"] + margin * high, -high, side)
        columns = Axis(tile["west"] - margin * wide, wide, side)
        levels = self._volume(self._spline.on_axes(rows, columns)).round().to(torch.uint8)
        return np.ascontiguousarray(levels.numpy())

    def on_axes(self, latitudes: Axis, longitudes: Axis) -> Tints:
        """Sample a window whose rows are parallels and whose columns are meridians, degrees.

        Returns
        -------
        Tints
            For heights above the body's datum.
        """
        down, across = _coarse(latitudes), _coarse(longitudes)
        return self._tints(self._spline.on_axes(down, across), latitudes.count, longitudes.count)

    def at_points(self, longitude_deg: Doubles, latitude_deg: Doubles) -> Tints:
        """Sample a window of any map, (H, W) pixels; see `on_axes`."""
        at = np.ix_(*(_middles(size) for size in longitude_deg.shape))
        return self._tints(self._spline.at_points(longitude_deg[at], latitude_deg[at]), *longitude_deg.shape)

    def _tints(self, sampled: Tensor, height: int, width: int) -> Tints:
        cells = self._volume(sampled)[None] / 127.5 - 1
        y, x = (_among_cells(size, count) for size, count in zip((height, width), cells.shape[3:], strict=True))
        levels_m = torch.from_numpy(self.above_datum_m)[None]
        return Tints(cells, levels_m, y, x, torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1))

    def _volume(self, sampled: Tensor) -> Tensor:
        """Order bands of float32, (3 L, h, w), as (3, L, h, w)."""
        return sampled.clamp(0, 255).view(-1, _RGB, *sampled.shape[1:]).transpose(0, 1)


def _coarse(axis: Axis) -> Axis:
    """Take every 16th place of an axis, and one beyond its end."""
    return Axis(axis.origin, axis.step * CELL_PX, -(-axis.count // CELL_PX))


def _middles(size: int) -> NDArray[np.int64]:
    """Middles of runs of 16 pixels."""
    return np.minimum(np.arange(0, size, CELL_PX) + CELL_PX // 2, size - 1)


def _among_cells(size: int, count: int) -> Tensor:
    """Find where pixels lie among the cells, (1, size), in the [-1, 1] of grid_sample."""
    return (((torch.arange(size) + 0.5) / CELL_PX) / count * 2 - 1)[None]

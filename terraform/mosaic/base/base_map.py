"""Base colours at the pixels of a strip: smooth curves through the cells of a body's base map.

No lattice of the cells shows in a mosaic, and the colours are a function of place alone: see
`terraform.geo.spherical_spline`.

Imports numpy and torch only.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform.errors import InputError
from terraform.geo.bodies import Body
from terraform.geo.resample import Axis
from terraform.geo.spherical_spline import Doubles, SphericalSpline
from terraform.geo.tile_spec import TileSpec
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.elevation import ElevationRaster
from terraform.pairs.context import Context
from terraform.pairs.tints import TintMap
from terraform.provenance import Provenance

BANDS = 6
"""Red, green and blue of land, then of sea."""


@dataclass(frozen=True)
class BaseMap:
    """The base colours of a whole body.

    Attributes
    ----------
    levels : (H, 2 H, 6) uint8
        Red, green and blue of each cell as land, then as sea; plate carree, row 0 north, column 0 from 180 W.
    tints : TintMap, optional
        What land's colours follow within a cell, for a generator that knows them.
    """

    levels: NDArray[np.uint8]
    tints: TintMap | None = None

    @cached_property
    def _spline(self) -> SphericalSpline:
        return SphericalSpline(self.levels)

    def on_axes(self, latitudes: Axis, longitudes: Axis) -> Context:
        """Sample where rows are parallels and columns are meridians; see `SphericalSpline.on_axes`.

        Returns
        -------
        Context
            (1, 3, h, w) of land and of sea, -1 to 1.
        """
        return _window(self._spline.on_axes(latitudes, longitudes))

    def at_points(self, longitude_deg: Doubles, latitude_deg: Doubles) -> Context:
        """Sample at any points; see `SphericalSpline.at_points`.

        Returns
        -------
        Context
            (1, 3, h, w) of land and of sea, -1 to 1.
        """
        return _window(self._spline.at_points(longitude_deg, latitude_deg))

    def sample(self, tiles: NDArray[Any], spec: TileSpec) -> NDArray[np.uint8]:
        """Sample at the cells of tiles: what a mosaic has, in place of the imagery's own smooth colours.

        Parameters
        ----------
        tiles : (N,) structured
            Records of tiles, `terraform.pairs.store.TILE`.
        spec : TileSpec
            Their size.

        Returns
        -------
        (N, 2, 20, 20, 3) uint8, for tiles of the default size
            Land and sea, as pairs hold them (`terraform.pairs.base_colours`).
        """
        return np.stack([self._cells(tile, spec) for tile in tiles])

    def _cells(self, tile: Any, spec: TileSpec) -> NDArray[np.uint8]:
        side, margin = spec.base_side_cells, spec.BASE_MARGIN_CELLS
        high, wide = ((tile[a] - tile[b]) / (side - 2 * margin) for a, b in (("north", "south"), ("east", "west")))
        rows = Axis(tile["north"] + margin * high, -high, side)
        columns = Axis(tile["west"] - margin * wide, wide, side)
        levels = self._spline.on_axes(rows, columns).round().clamp(0, 255).to(torch.uint8)
        return np.ascontiguousarray(levels.view(2, 3, side, side).permute(0, 2, 3, 1).numpy())


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

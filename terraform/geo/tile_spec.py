"""The size of a tile, one value from the cut to the mosaic: the configuration sets it and weights carry it."""

from dataclasses import dataclass
from typing import ClassVar

from terraform.config.tile import Tile


@dataclass(frozen=True)
class TileSpec:
    """The size of a tile.

    Attributes
    ----------
    tile_px : int
        Side of a tile, pixels.
    pixel_m : float
        Side of a pixel on the ground, metres.
    margin_px : int
        Pixels of elevation kept beyond every side of a tile, so that what a channel looks at around it is there.
    """

    tile_px: int = 256
    pixel_m: float = 200.0
    margin_px: int = 64

    BASE_CELL_PX: ClassVar[int] = 16
    """Side of a cell of a tile's base colours, pixels."""
    BASE_MARGIN_CELLS: ClassVar[int] = 2
    """Cells of base colours kept beyond every side of a tile, which bicubic enlargement needs."""

    @classmethod
    def of(cls, settings: Tile) -> "TileSpec":
        """Take the size from the settings."""
        return cls(settings.tile_px, settings.pixel_m, settings.margin_px)

    @property
    def tile_m(self) -> float:
        """Side of a tile on the ground, metres."""
        return self.tile_px * self.pixel_m

    @property
    def side_px(self) -> int:
        """Side of a tile with its margins, pixels."""
        return self.tile_px + 2 * self.margin_px

    @property
    def inner(self) -> slice:
        """The rows, or columns, of a tile without its margins."""
        return slice(self.margin_px, self.margin_px + self.tile_px)

    @property
    def jitter_px(self) -> int:
        """How far a jittered crop can move, pixels: 286 - 256 of 256, as pix2pix resizes before it crops."""
        return self.tile_px * 30 // 256

    @property
    def base_side_cells(self) -> int:
        """Side of a tile's base colours, margins included, cells."""
        return self.tile_px // self.BASE_CELL_PX + 2 * self.BASE_MARGIN_CELLS

    @property
    def base_shape(self) -> tuple[int, int, int, int]:
        """Base colours of a tile: land and sea, cells with their margins, RGB."""
        return 2, self.base_side_cells, self.base_side_cells, 3


DEFAULT_TILE = TileSpec()
"""256 pixels of 200 m: 51.2 km."""

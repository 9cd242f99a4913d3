"""How a picture is cut into tiles: levels of half the size each, the finest with the picture's own pixels."""

import math
from dataclasses import dataclass
from typing import Any

_TILE_PX = 512
_SMALLEST_TILE_PX, _LARGEST_TILE_PX = 128, 384


@dataclass(frozen=True)
class TileGrid:
    """A pyramid of tiles in degrees.

    Attributes
    ----------
    west_deg, north_deg : float
        Its upper left corner; longitudes count to the east.
    pixel_deg : (float, float)
        Width and height of a pixel of the finest level, degrees.
    width, height : int
        Pixels of the finest level.
    tile_px : int
        Side of a tile.
    levels : int
        The coarsest level is 0, the finest `levels - 1`.
    wraps : bool
        It goes round the body: its tiles fill 360 degrees exactly at every level.
    """

    west_deg: float
    north_deg: float
    pixel_deg: tuple[float, float]
    width: int
    height: int
    tile_px: int
    levels: int
    wraps: bool = False

    def factor(self, level: int) -> int:
        """Pixels of the finest level along one of this level's."""
        return 1 << (self.levels - 1 - level)

    def size_px(self, level: int) -> tuple[int, int]:
        """Height and width of a level, pixels; an odd last row or column is half outside."""
        factor = self.factor(level)
        return -(-self.height // factor), -(-self.width // factor)

    def tiles(self, level: int) -> tuple[int, int]:
        """Rows and columns of tiles of a level."""
        height, width = self.size_px(level)
        return -(-height // self.tile_px), -(-width // self.tile_px)

    def bounds_deg(self, rows: tuple[int, int], columns: tuple[int, int], factor: int) -> tuple[float, ...]:
        """West, south, east and north of a box of pixels, each `factor` of the finest wide, degrees."""
        across, down = (size * factor for size in self.pixel_deg)
        west, north = self.west_deg + columns[0] * across, self.north_deg - rows[0] * down
        return (
            west,
            north - (rows[1] - rows[0]) * down,
            west + (columns[1] - columns[0]) * across,
            north,
        )

    def described(self) -> dict[str, Any]:
        """Describe it to the page, as values that JSON holds."""
        return {
            "west": self.west_deg, "north": self.north_deg, "pixel": list(self.pixel_deg), "width": self.width,
            "height": self.height, "tile": self.tile_px, "levels": self.levels, "wraps": self.wraps,
        }  # fmt: skip


def regional_grid(
    west_deg: float, north_deg: float, pixel_deg: tuple[float, float], width: int, height: int
) -> TileGrid:
    """Cut a picture of a part of a body; the coarsest level is one tile."""
    levels = 1 + max(0, math.ceil(math.log2(max(width, height) / _TILE_PX)))
    return TileGrid(west_deg, north_deg, pixel_deg, width, height, _TILE_PX, levels)


def planet_grid(width: int) -> TileGrid:
    """Cut a picture of a whole body, `width` pixels round the equator.

    The tiles of every level fill the equator exactly. Where no side of a tile does that with the picture's own pixels,
    they are stretched a little.
    """
    sides = [(round(width / 2 / 2**n), n) for n in range(24)]
    fitting = [(side, n) for side, n in sides if _SMALLEST_TILE_PX <= side <= _LARGEST_TILE_PX] or [(_TILE_PX, 0)]
    side, finest = min(fitting, key=lambda found: (abs(found[0] * 2 ** (found[1] + 1) - width), abs(found[0] - 256)))
    across = side * 2 ** (finest + 1)
    pixel = 360 / across
    return TileGrid(-180.0, 90.0, (pixel, pixel), across, across // 2, side, finest + 1, True)

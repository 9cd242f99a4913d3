"""The size of a tile, known to every part."""

TILE_M = 51_200.0
"""Side of a tile on the ground, metres."""
TILE_PX = 256
"""Side of a tile, pixels."""
PIXEL_M = TILE_M / TILE_PX
"""Side of a pixel on the ground, metres."""
MARGIN_PX = 64
"""Pixels of elevation kept beyond every side of a tile, so that what a channel looks at around it is there."""
BASE_CELL_PX = 16
"""Side of a cell of a tile's base colours, pixels."""
BASE_MARGIN_CELLS = 2
"""Cells of base colours kept beyond every side of a tile, which bicubic enlargement needs."""
BASE_SIDE_CELLS = TILE_PX // BASE_CELL_PX + 2 * BASE_MARGIN_CELLS
"""Side of a tile's base colours, margins included, cells."""

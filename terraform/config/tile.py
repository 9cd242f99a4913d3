"""The size of a tile."""

from pydantic import Field, model_validator

from terraform.config.section import Section

_WIDEST_CHANNEL_M = 10_000.0
"""How far the relief channels look around a pixel, metres: 3 standard deviations of 6 km and of the resolution."""


class Tile(Section):
    """The size of a tile: of pairs, of what the generator draws, and of its mosaics' pixels."""

    tile_px: int = Field(256, ge=64, le=1024, multiple_of=32)
    """Side of a tile, pixels; a multiple of 32, for `unet256` of 256."""
    pixel_m: float = Field(200.0, ge=10, le=20_000)
    """Side of a pixel on the ground, metres."""
    margin_px: int = Field(64, ge=8, le=512)
    """Pixels of elevation kept beyond every side of a tile; at least 10 km, which the relief channels look at."""

    @model_validator(mode="after")
    def _holds_what_channels_see(self) -> "Tile":
        if self.margin_px * self.pixel_m < _WIDEST_CHANNEL_M:
            raise ValueError(
                f"tile: a margin of {self.margin_px} pixels of {self.pixel_m:g} m is {self.margin_px * self.pixel_m:g} "
                f"m wide, the relief channels look {_WIDEST_CHANNEL_M:g} m around a pixel: raise tile.margin_px"
            )
        return self

"""Sizes of a tile that no network or channel could take are refused."""

import pytest

from terraform.config import parse
from terraform.errors import ConfigError


@pytest.mark.parametrize(
    ("tile", "said"),
    [
        ({"tile_px": 100}, "multiple of 32"),
        ({"margin_px": 20}, "raise tile.margin_px"),
        ({"tile_px": 128, "margin_px": 64}, "unet256 halves its input eight times"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tile, said):
    with pytest.raises(ConfigError, match=said):
        parse({"tile": tile, "train": {"network": "unet256"}})

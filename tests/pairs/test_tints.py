"""Hypsometric tints: colours by the pixel's own height, which leave the mean colour of a place."""

import numpy as np
import pytest
import torch
from exact import MADE

from terraform.geo.resample import Axis
from terraform.geo.tile_spec import TileSpec
from terraform.pairs.tints import FULL_WIDTH_M, TintMap, Tints

LEVELS_M = np.array([0, 500, 1500, 4000], np.float32)


def shades(lon, lat):
    """Colours at each height, smooth on the sphere, (..., 12): brighter by height, by another factor everywhere."""
    lon, lat = np.radians(lon), np.radians(lat)
    x, z = np.cos(lat) * np.cos(lon), np.sin(lat) + 0 * lon
    rise = (8 + 3 * np.sin(2 * x + 1) + 2 * np.cos(3 * z))[..., None, None]
    colours = 40 + rise * LEVELS_M[:, None] / 500 + np.array([0.0, 20.0, 40.0])
    return colours.reshape(*colours.shape[:-2], -1)


def whole_body(cells=2, shoreline_m=0.0):
    lon, lat = (np.arange(360 * cells) + 0.5) / cells - 180, 90 - (np.arange(180 * cells) + 0.5) / cells
    return TintMap(np.rint(shades(lon[None], lat[:, None])).astype(np.uint8), LEVELS_M, shoreline_m, MADE)


def between(lon, lat, metres):
    """What `shades` are at any height, (3, H, W) levels."""
    table = shades(lon, lat).reshape(*np.broadcast(lon, lat).shape, 4, 3)
    at = np.clip(np.interp(metres, LEVELS_M, np.arange(4)), 0, 3 - 1e-9)
    below = at.astype(int)
    share = (at - below)[..., None]
    rows, columns = np.indices(at.shape)
    return np.moveaxis(table[rows, columns, below] * (1 - share) + table[rows, columns, below + 1] * share, -1, 0)


@pytest.mark.parametrize("origin", [(47.0, 8.0), (-33.0, 178.0), (0.1, -181.0), (80.0, 20.0)])
def test_a_pixel_has_the_colour_of_its_place_and_height(origin):
    latitudes, longitudes = Axis(origin[0], -0.002, 400), Axis(origin[1], 0.003, 300)
    lon, lat = np.meshgrid(longitudes.centres(), latitudes.centres())
    metres = np.random.default_rng(0).uniform(-500, 5000, lon.shape).astype(np.float32)
    for tints in (whole_body().on_axes(latitudes, longitudes), whole_body().at_points(lon, lat)):
        found = (tints.at(torch.from_numpy(metres)[None, None])[0].numpy() + 1) * 127.5
        assert np.abs(found - between(lon, lat, metres)).max() < 1.0


def test_heights_count_from_the_shoreline_of_the_tints():
    latitudes, longitudes = Axis(10.0, -0.002, 64), Axis(10.0, 0.002, 64)
    metres = torch.linspace(-3000, 3000, 64 * 64).view(1, 1, 64, 64)
    plain, low = (whole_body(2, shore).on_axes(latitudes, longitudes) for shore in (0.0, -2500.0))
    assert torch.allclose(plain.at(metres + 2500), low.at(metres), atol=1e-6)
    told = low.lifted(np.full((64, 64), 700, np.float32))
    assert torch.allclose(told.at(metres - 700), low.at(metres), atol=1e-6)


def flat(side=200, colours=None):
    """Tints of one place, for windows of any pixels."""
    colours = np.linspace(-0.6, 0.8, 4, dtype=np.float32) if colours is None else colours
    cells = torch.from_numpy(colours).view(1, 1, 4, 1, 1).expand(1, 3, 4, 2, 2).contiguous()
    nowhere, nothing, one = torch.zeros(1, side), torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1)
    return Tints(cells, torch.from_numpy(LEVELS_M)[None], nowhere, nowhere, nothing, one)


def test_flat_land_and_even_slopes_keep_their_base_colours():
    side = 200
    east = torch.arange(side, dtype=torch.float32).expand(1, 1, side, side)
    inner = slice(70, -70)
    for metres in (torch.full((1, 1, side, side), 812.0), 500 + 5 * east):  # between two of the heights
        added = flat(side).relief(metres, 200.0)
        assert added[..., inner, inner].abs().max() < 1e-5


def test_a_summit_is_brighter_and_a_valley_darker_and_the_mean_stays():
    side = 300
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    metres = (1000 + 800 * torch.sin(x / 6.0) * torch.sin(y / 6.0))[None, None]
    added = flat(side, np.array([-0.6, -0.5, -0.3, 0.2], np.float32)).relief(metres, 200.0)[0, 0, 80:-80, 80:-80]
    seen = metres[0, 0, 80:-80, 80:-80]
    assert added[seen > 1700].min() > 0.1 and added[seen < 300].max() < -0.1
    assert added.mean().abs() < 0.02
    assert FULL_WIDTH_M / 200 < 64, "the Gaussian has to fit into the margin of a tile"


def test_tiles_hold_what_windows_see():
    """The cells of a tile's record are those of the same ground in a mosaic, rounded."""
    spec = TileSpec()
    tile = {"north": 46.3, "south": 45.84, "west": 9.0, "east": 9.66}
    stored = whole_body().sample(tile, spec)
    assert stored.shape == (3, 4, 20, 20) and stored.dtype == np.uint8
    high, wide = 0.46 / 16, 0.66 / 16
    rows, columns = Axis(46.3 + 2 * high, -high, 20), Axis(9.0 - 2 * wide, wide, 20)
    expected = shades(*np.meshgrid(columns.centres(), rows.centres())).reshape(20, 20, 4, 3)
    assert np.abs(stored - expected.transpose(3, 2, 0, 1)).max() < 1.5


def test_what_they_are_is_their_digest():
    other = whole_body()
    other.colours[5, 5, 5] += 1
    digests = {whole_body().digest, other.digest, whole_body(2, 1.0).digest}
    assert len(digests) == 3 and whole_body().digest in digests

"""Mars without truth: tiles sampled where they lie, Earth matched to them, distances beside their floors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from damaged_pictures import DAMAGES, land

from terraform.commands.learn import _mars
from terraform.errors import ConfigError
from terraform.evaluation.comparison import Judges
from terraform.evaluation.judges.encoder import Encoder
from terraform.evaluation.judges.learning import Lesson
from terraform.evaluation.judges.recoverability import ReliefReader
from terraform.evaluation.mars.judge import _add_colours, _of_relief, matched
from terraform.evaluation.mars.tiles import MarsTiles, Mosaic, sample
from terraform.geo import raster
from terraform.geo.bodies import MARS
from terraform.geo.grid import RasterGrid
from terraform.geo.resample import Axis
from terraform.geo.tile_spec import TileSpec


def test_the_nearest_is_matched_and_none_twice():
    offered = np.arange(10.0)[:, None]
    assert matched(np.array([[2.1], [7.2]]), offered).tolist() == [2, 7]
    assert sorted(matched(np.array([[2.1], [2.0]]), offered).tolist()) in ([1, 2], [2, 3])
    assert matched(np.array([[2.1], [7.2]]), offered, without=np.array([2, 7])).tolist() == [3, 8]


@pytest.fixture(scope="module")
def mosaic(tmp_path_factory):
    """A mosaic in degrees whose red is its latitude and green its longitude, over heights that rise eastwards."""
    folder = tmp_path_factory.mktemp("mosaic") / "crater"
    folder.mkdir()
    step = 200.0 / MARS.metres_per_degree
    grid = RasterGrid(MARS, Axis(62.0, -step, 900), Axis(10.0, 2 * step, 900))  # at 60 degrees a pixel is square
    lon, lat = np.meshgrid(grid.longitudes.centres(), grid.latitudes.centres())
    colours = np.stack([20 * (lat - 56), 10 * (lon - 8), np.full_like(lat, 50)], 2).round().astype(np.uint8)
    raster.write_strips(folder / "terraformed.tif", grid, [colours], 3, "uint8", {})
    heights = (1000 * (lon - 12)).round().astype(np.int16)
    raster.write_strips(folder / "elevation.tif", grid, [heights], 1, "int16", {})
    return Mosaic("crater", folder / "terraformed.tif", folder / "elevation.tif")


def test_tiles_are_sampled_where_they_lie(mosaic):
    found = sample([mosaic], None, TileSpec(), 4, 0)
    assert found.tiles.imagery.shape == (4, 256, 256, 3) and found.tiles.land.all()
    for tile, metres, (longitude, latitude) in zip(found.tiles.imagery, found.tiles.metres, found.places, strict=True):
        assert tile[127:129, 127:129, 0].float().mean() == pytest.approx(20 * (latitude - 56), abs=1)
        assert tile[127:129, 127:129, 1].float().mean() == pytest.approx(10 * (longitude - 8), abs=1)
        assert metres[128, 128] == pytest.approx(1000 * (longitude - 12), abs=10)
        wide = 51_200 / MARS.metres_per_degree
        assert tile[0, 0, 0] - tile[255, 0, 0] == pytest.approx(20 * wide, abs=1)  # north is up
        across = wide / np.cos(np.radians(latitude))
        assert tile[0, 255, 1].int() - tile[0, 0, 1].int() == pytest.approx(10 * across, abs=1)


def test_the_sea_is_no_land_and_mostly_sea_is_no_tile(mosaic):
    everywhere, mostly_sea = (sample([mosaic], shoreline_m, TileSpec(), 100, 0) for shoreline_m in (None, 1300.0))
    found = sample([mosaic], 500.0, TileSpec(), 100, 0)
    assert len(mostly_sea.places) < len(everywhere.places)
    assert 0.2 <= found.tiles.land.float().mean((1, 2)).min() < 1
    assert (found.tiles.metres[~found.tiles.land] == 0).all()
    assert sample([mosaic], 1e5, TileSpec(), 100, 0) is None  # all of it sea: nothing to judge
    again = sample([mosaic], 500.0, TileSpec(), 100, 0)
    assert torch.equal(again.tiles.imagery, found.tiles.imagery)


@pytest.fixture(scope="module")
def earth():
    imagery = ((land(12, 3, 128) + 1) * 127.5).byte().permute(0, 2, 3, 1)
    metres = (500 * torch.rand(12, 128, 128, generator=torch.Generator().manual_seed(0))).short()
    return Lesson(imagery, metres, torch.ones(12, 128, 128, dtype=torch.bool))


def on_mars(earth, damage=None, strength=1):
    """Four tiles of Earth's kind, perhaps damaged."""
    pictures = land(4, 4, 128)
    pictures = DAMAGES[damage](pictures, strength) if damage else pictures
    imagery = ((pictures.clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1)
    tiles = Lesson(imagery, earth.metres[:4] + 3, earth.land[:4])
    return MarsTiles(tiles, np.zeros((4, 2)), np.arange(4))


@pytest.mark.parametrize("damage", ["recolour", "blur"])
def test_the_worse_the_further_from_earth(earth, damage):
    torch.manual_seed(0)
    encoder = Encoder()
    encoder.standardise(earth.imagery.permute(0, 3, 1, 2) / 127.5 - 1)
    judges = Judges(encoder.eval(), ReliefReader().eval())
    found = [
        _of_relief(on_mars(earth, damage, strength), earth, judges, 200.0) for strength in (1, 3)
    ]  # fmt: skip
    near, far = (one["generated"]["kernel_distance"].value for one in found)
    assert near < far
    assert found[0]["real"]["kernel_distance"].value == found[1]["real"]["kernel_distance"].value


def test_colours_are_compared_with_those_of_like_climate(earth):
    there = np.full((4, 2), 5.0)
    here = np.stack([np.linspace(-20, 30, 12), np.full(12, 5.0)], 1)
    red = earth._replace(imagery=earth.imagery.clone())
    cold = here[:, 0] < 0
    red.imagery[torch.from_numpy(cold)] = torch.tensor([250, 0, 0], dtype=torch.uint8)
    found = []
    for climate in (there, there - [25, 0]):
        statistics = {"generated": {}, "real": {}}
        _add_colours(statistics, on_mars(earth), red, (climate, here))
        found.append(statistics["generated"]["colour_given_climate"].value)
    assert found[0] < 0.5 * found[1]


def test_every_mosaic_has_its_heights_and_every_body_its_climate():
    one, other = Path("one.tif"), Path("other.tif")
    assert _mars([], [], None, None) is None
    with pytest.raises(ConfigError, match="1 --mosaic and 0 --relief"):
        _mars([one], [], None, None)
    with pytest.raises(ConfigError, match="neither"):
        _mars([one], [other], one, None)

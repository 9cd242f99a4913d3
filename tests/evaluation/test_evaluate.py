"""Judging: what is measured of a generator and its baselines, with real and with predicted base colours."""

import numpy as np
import pytest
import torch
from small_world import config, few_pairs, make_world, run

from terraform.evaluation import schema
from terraform.evaluation.evaluate import evaluate
from terraform.geo import raster
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import SEA
from terraform.geo.resample import Axis
from terraform.geo.tile_spec import TileSpec
from terraform.learn import baseline, metrics
from terraform.mosaic.base.reading import read_base
from terraform.pairs.store import TILE


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A run with base colours and what is said of it, with the pairs' base colours and with those of a grey planet."""
    root = tmp_path_factory.mktemp("judged")
    world, settings = make_world(root), config(base="added", total_images=4)
    heights = np.load(world["validation"][0] / "elevation.npy", mmap_mode="r+")
    heights[:, :, :150] = SEA
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        run(world, root / "run", settings)
    planet = read_base(planet_raster(root / "base.tif", lambda lon, lat: np.full((6, *lon.shape), 128)), EARTH)
    said, shown = {}, {}
    for name, base in (("own", None), ("planet", planet)):
        shown[name] = {}
        evaluate(root / "run" / "weights.safetensors", world, root / name, settings, shown[name].__setitem__, base)
        found = schema.read(root / name / "metrics.json").roles["validation"].scores
        said[name] = {
            pictures: {key: score.value for key, score in scores.items()} for pictures, scores in found.items()
        }
    return said, shown


def planet_raster(path, colours):
    """A planet in cells of 2 degrees; `colours` are (bands, H, W) of longitude and latitude."""
    grid = RasterGrid(EARTH, Axis(90, -2, 90), Axis(-180, 2, 180))
    lon, lat = np.meshgrid(grid.longitudes.centres(), grid.latitudes.centres())
    values = np.moveaxis(colours(lon, lat), 0, 2).round().astype(np.uint8)
    raster.write_strips(path, grid, [values], values.shape[2], "uint8", {})
    return path


def test_baselines_stand_beside_the_generator(judged):
    said, _ = judged
    assert {"generated", "table", "base", "base_hillshade", "real"} <= set(said["own"])
    assert said["own"]["base"]["base_drift"] == 0
    assert said["own"]["generated"]["base_drift"] > 0 and said["own"]["real"]["base_drift"] > 0


def test_predicted_base_colours_take_the_place_of_the_pairs_own(judged):
    said, shown = judged
    base = shown["planet"]["validation"].pictures["base"]
    assert torch.allclose(base, torch.full_like(base, 128 / 127.5 - 1), atol=1e-4)
    assert said["planet"]["base"]["l1"] != said["own"]["base"]["l1"]
    assert said["planet"]["table"] == {**said["own"]["table"], "base_drift": said["planet"]["table"]["base_drift"]}


def test_the_sea_is_judged_in_its_base_colours_as_mosaics_show_it(judged):
    _, shown = judged
    evaluated = shown["own"]["validation"]
    sea = evaluated.sea.expand(-1, 3, -1, -1)
    assert 0.01 < sea.float().mean() < 0.99
    generated, base = evaluated.pictures["generated"], evaluated.pictures["base"]
    assert torch.equal(generated[sea], base[sea])
    assert not torch.equal(generated[~sea], base[~sea])


def test_a_planet_is_sampled_where_tiles_are(tmp_path):
    path = planet_raster(
        tmp_path / "base.tif", lambda lon, lat: np.stack([lat + 90, lat + 90, lat + 90, *[lon / 2 + 90] * 3])
    )
    tiles = np.array([(0, 0, 0, 0, 10.5, 20.0, 10.0, 21.0, 11.0), (0, 0, 0, 0, 0.0, 179.5, 0.0, 180.5, 1.0)], TILE)
    base = read_base(path, EARTH).sample(tiles, TileSpec())
    assert base.shape == (2, 2, 20, 20, 3)
    assert np.abs(base[0, 0, 2:18].mean((1, 2)) - np.linspace(100.97, 100.03, 16)).max() < 1
    assert np.abs(base[0, 1].mean() - 100.25) < 1
    assert set(np.unique(base[1, 1])) <= set(range(181))  # across the antimeridian, where west meets east


def test_drift_is_of_smooth_colours_only():
    torch.manual_seed(0)
    base = torch.rand(1, 3, 1, 1).expand(1, 3, 256, 256) - 0.5
    sea, valid = torch.zeros(1, 1, 256, 256, dtype=torch.bool), torch.ones(1, 1, 256, 256)
    grain = torch.randn(1, 3, 256, 256) / 4
    assert metrics.base_drift(base + grain, base, sea, valid, 200.0) < 1
    assert metrics.base_drift(base + 0.1, base, sea, valid, 200.0) == pytest.approx(12.75, rel=1e-3)
    sea[..., 128:] = True
    assert metrics.base_drift(base + torch.where(sea, 0.1, -0.1), base, sea, valid, 200.0) == pytest.approx(
        12.75, rel=1e-2
    )


def test_slopes_towards_the_sun_are_brighter_and_plains_keep_their_base():
    base = torch.full((1, 3, 1, 3), -0.5)
    shaded = baseline.shade(base, torch.tensor([-0.5, 0.0, 0.5]).view(1, 1, 1, 3))[0, 0, 0]
    assert shaded[0] < shaded[1] == -0.5 < shaded[2]

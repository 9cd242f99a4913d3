"""Judging: what is measured of a generator and its baselines, with real and with predicted base colours."""

import numpy as np
import pytest
import torch
from exact import no_tints
from small_world import config, few_pairs, make_world, run

from benchmarks.world import make_pairs
from terraform.config import overlay, parse
from terraform.errors import ConfigError
from terraform.evaluation import schema
from terraform.evaluation.colour import terrain_classes
from terraform.evaluation.evaluate import _ranked, evaluate
from terraform.evaluation.straw_men import other_region, shade
from terraform.geo import raster
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import SEA
from terraform.geo.resample import Axis
from terraform.geo.tile_spec import TileSpec
from terraform.learn import weights
from terraform.learn.data.dataset import StoredPairs, collect
from terraform.mosaic.base.reading import read_base
from terraform.pairs.store import TILE


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Where it is judged."""
    return tmp_path_factory.mktemp("judged")


@pytest.fixture(scope="module")
def judged(root):
    """A run with base colours and what is said of it, with the pairs' base colours and with those of a grey planet."""
    world, settings = make_world(root), config(base="added", total_images=4)
    heights = np.load(world["validation"][0] / "elevation.npy", mmap_mode="r+")
    heights[:, :, :150] = SEA
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        run(world, root / "run", settings)
    rivals = {"rivals": {"twin": str(root / "run" / "weights.safetensors")}, "judge_steps": 2}
    rivals["seeds"] = [str(of_another_seed(root / "run" / "weights.safetensors"))]
    settings = parse(overlay(settings.model_dump(), {"evaluation": rivals}))
    planet = read_base(planet_raster(root / "base.tif", lambda lon, lat: np.full((6, *lon.shape), 128)), EARTH)
    said, shown = {}, {}

    def keep(name):
        return lambda role, board: shown[name].__setitem__(f"{role}-{board.name}", board)

    for name, base in (("own", None), ("planet", planet)):
        shown[name] = {}
        evaluate(root / "run" / "weights.safetensors", world, root / name, settings, keep(name), base)
        found = schema.read(root / name / "metrics.json").roles["validation"].scores
        said[name] = {
            pictures: {key: score.value for key, score in scores.items()} for pictures, scores in found.items()
        }
    return said, shown


def of_another_seed(path):
    """Write what another seed could have taught."""
    trained, other = weights.load(path), path.with_name("other.safetensors")
    trained.network.last.bias.data += 0.05
    weights.save(
        other, trained.network, trained.condition, trained.sheet, trained.settings, trained.provenance, images=4
    )
    return other


def planet_raster(path, colours):
    """A planet in cells of 2 degrees; `colours` are (bands, H, W) of longitude and latitude."""
    grid = RasterGrid(EARTH, Axis(90, -2, 90), Axis(-180, 2, 180))
    lon, lat = np.meshgrid(grid.longitudes.centres(), grid.latitudes.centres())
    values = np.moveaxis(colours(lon, lat), 0, 2).round().astype(np.uint8)
    raster.write_strips(path, grid, [values], values.shape[2], "uint8", {})
    return path


def test_baselines_stand_beside_the_generator(judged):
    said, _ = judged
    assert {"generated", "twin", "other_region", "table", "base", "base_hillshade", "real"} == set(said["own"])
    assert said["own"]["base"]["base_drift"] == 0
    assert said["own"]["generated"]["base_drift"] > 0 and said["own"]["real"]["base_drift"] > 0


def test_trainings_of_several_seeds_are_judged_by_their_mean(judged, root):
    said, document = judged[0]["own"], schema.read(root / "own" / "metrics.json")
    assert (document.seeds, document.weights.images) == (2, 4)
    found = document.roles["validation"].scores["generated"]
    for metric in ("l1", "swd", "spectrum_db", "colour_given_relief"):
        own, other = found[metric].seeds
        assert own == said["twin"][metric] != other
        assert found[metric].value == pytest.approx((own + other) / 2)
    assert document.roles["validation"].scores["twin"]["l1"].seeds is None


def test_other_seeds_are_other_weights_of_the_same_recipe(judged, root):
    file = root / "run" / "weights.safetensors"
    trained = weights.load(file)
    other = root / "wider.safetensors"
    wider = trained.settings.model_copy(update={"lambda_l1": 1.0})
    weights.save(other, trained.network, trained.condition, trained.sheet, wider, trained.provenance)
    for seed, said in ((file, "holds the weights of"), (other, "other settings")):
        settings = parse({"evaluation": {"seeds": [str(seed)]}})
        with pytest.raises(ConfigError, match=said):
            evaluate(file, {}, root / "never", settings, lambda role, board: None)


def test_predicted_base_colours_take_the_place_of_the_pairs_own(judged):
    said, shown = judged
    base = shown["planet"]["validation-fixed"].pictures["base"]
    assert torch.allclose(base, torch.full_like(base, 128 / 127.5 - 1), atol=1e-4)
    assert said["planet"]["base"]["l1"] != said["own"]["base"]["l1"]
    assert said["planet"]["table"] == {**said["own"]["table"], "base_drift": said["planet"]["table"]["base_drift"]}


def test_the_sea_is_judged_in_its_base_colours_as_mosaics_show_it(judged):
    _, shown = judged
    board = shown["own"]["validation-fixed"]
    sea = (board.stored.elevation[:, board.stored.inner, board.stored.inner] == SEA)[:, None].expand(-1, 3, -1, -1)
    assert 0.01 < sea.float().mean() < 0.99
    generated, base = board.pictures["generated"], board.pictures["base"]
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


def test_slopes_towards_the_sun_are_brighter_and_plains_keep_their_base():
    base = torch.full((1, 3, 1, 3), -0.5)
    shaded = shade(base, torch.tensor([-0.5, 0.0, 0.5]).view(1, 1, 1, 3))[0, 0, 0]
    assert shaded[0] < shaded[1] == -0.5 < shaded[2]


def test_kinds_of_terrain_are_told_by_height_steepness_and_knowledge():
    elevation = np.zeros((1, 384, 384), np.int16)
    elevation[:, :, 192:] = 3000
    elevation[:, :, 100:110] = -32768
    imagery, base = np.full((1, 256, 256, 3), 9, np.uint8), np.zeros((1, *TileSpec().base_shape), np.uint8)
    stored = StoredPairs(
        *(torch.from_numpy(part) for part in (elevation, imagery, base)),
        torch.full((1, 384), 45.0), torch.zeros(1, 0, 0), torch.zeros(1), *no_tints(1),
    )  # fmt: skip
    kinds = terrain_classes(stored, 200.0)
    assert kinds.shape == (1, 256, 256)
    low, cliff, high = kinds[0, 9, 120], kinds[0, 9, 127], kinds[0, 9, 140]
    assert len({int(kind) for kind in (low, cliff, high)}) == 3
    assert (kinds[:, :, 36:46] == -1).all() and (kinds[:, :, 48:] >= 0).all()


def test_tiles_are_shown_by_rank_and_fixed_ones_beside_them(judged):
    _, shown = judged
    boards = shown["own"]
    assert {name.removeprefix("validation-") for name in boards} == {
        "fixed", "l1", "swd", "spectrum_db", "colour_given_relief",
    }  # fmt: skip
    fixed = boards["validation-fixed"]
    assert len(fixed.captions) == len(fixed.stored.imagery) == len(fixed.pictures["generated"]) == 2


def test_the_best_comes_first_and_the_worst_last():
    rows = _ranked(np.array([5.0, 1.0, 3.0, 2.0, 4.0, 9.0, 8.0, 7.0, 6.0]))
    assert list(rows.items()) == [
        (1, "best: 1"), (3, "best: 2"), (2, "best: 3"), (4, "median: 4"), (0, "median: 5"), (8, "median: 6"),
        (5, "worst: 9"), (6, "worst: 8"), (7, "worst: 7"),
    ]  # fmt: skip


def test_real_imagery_of_elsewhere_is_repeated_where_there_is_little(tmp_path):
    training = collect([make_pairs(tmp_path / "one", 2)])
    pictures = other_region(training, 5, 0)
    assert pictures.shape == (5, 3, 256, 256)
    assert torch.equal(pictures[0], pictures[2]) and not torch.equal(pictures[0], pictures[1])

"""Another stage with tiles of another size is cut, learns, is judged and draws, and never mixes with the default."""

from dataclasses import asdict

import numpy as np
import pytest
import rasterio
from exact import colours, hills, small_planet
from small_world import few_pairs, run

from terraform import provenance
from terraform.config import Mosaics, Pairs, parse
from terraform.errors import InputError
from terraform.evaluation.evaluate import evaluate
from terraform.geo.bodies import EARTH
from terraform.geo.grid import download_grid
from terraform.geo.raster import write_strips
from terraform.geo.regions import Region, rectangle
from terraform.geo.tile_spec import TileSpec
from terraform.learn import weights
from terraform.learn.data.dataset import collect
from terraform.mosaic.any_raster import render_raster
from terraform.pairs.cut import cut
from terraform.provenance import Credit, Provenance

COARSE = TileSpec(128, 400.0, 32)
TRAIN = {
    "width": 4, "discriminator_width": 4, "total_images": 4, "batch": 2, "checkpoint_every": 2, "validate_every": 2,
    "validation_pairs": 2, "workers": 0, "base": "added", "lambda_colour": 1.0,
}  # fmt: skip


def cut_out(folder, name, west, spec):
    """Pairs of a region whose heights and colours are known functions of place."""
    folder.mkdir(exist_ok=True)
    region = Region(name, EARTH, "train", name, rectangle(west, 45, west + 1.9, 46))
    grid = download_grid(region, spec)
    lon, lat = grid.longitudes.centres()[None, :], grid.latitudes.centres()[:, None]
    paths = folder / f"{name}-elevation.tif", folder / f"{name}-imagery.tif"
    rgb = np.rint(colours(lon, lat)[..., :3]).astype(np.uint8)
    write_strips(paths[0], grid, [np.rint(hills(lon, lat)).astype(np.int16)], 1, "int16", {})
    write_strips(paths[1], grid, [rgb], 3, "uint8", {})
    for path in paths:
        provenance.write(Provenance((Credit("sample", "CC0-1.0", "a test", True),)), provenance.beside(path))
    cut(region, *paths, folder / name, Pairs(max_cloud=1), spec)
    return folder / name


def settings(spec, **train):
    return parse({"tile": asdict(spec), "train": {**TRAIN, **train}, "evaluation": {"judge_steps": 2}})


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coarse")
    return {"train": [cut_out(folder, "one", 10, COARSE)], "validation": [cut_out(folder, "two", 20, COARSE)]}


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory):
    output = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        run(world, output, settings(COARSE))
    return output / "weights.safetensors"


def test_weights_carry_the_size_of_their_tiles(trained):
    assert weights.load(trained).spec == COARSE


@pytest.mark.parametrize("jitter", ["resize", "mirror", "none"])
def test_batches_have_the_tiles_pixels(world, jitter):
    from terraform.learn.data.loader import BatchLoader
    from terraform.learn.trainer import torch

    loader = BatchLoader(collect(world["train"]), settings(COARSE, jitter=jitter), torch.device("cpu"))
    batch = loader.maker.make(collect(world["train"]).read([0]), 0, jitter)
    assert batch.condition.shape == (1, 9, 128, 128) and batch.imagery.shape == (1, 3, 128, 128)
    assert batch.noise.shape == (1, 3, 128, 128) and batch.valid.all()
    # Base colours, the last three channels, are those of the place: smooth colours, which the imagery has too.
    drift = (batch.condition[:, -3:] - batch.imagery).abs().mean() * 127.5
    assert drift < 4


def test_what_was_learnt_is_judged_and_drawn_with_its_own_pixels(world, trained, tmp_path, capsys):
    evaluate(trained, world, tmp_path, settings(COARSE), lambda role, shown: None)
    assert (tmp_path / "metrics.json").exists()
    relief = small_planet(tmp_path / "relief.tif", step=1.0)
    made = tmp_path / "made.tif"
    render_raster(trained, relief, made, Mosaics(device="cpu", window_px=256), base="#7a6a4f")
    with rasterio.open(made) as dataset:
        assert dataset.transform.a == pytest.approx(400, rel=0.01)
        assert dataset.dataset_mask().mean() > 200
    assert "128 pixels of 400 m: what it draws has pixels of 400 m" in capsys.readouterr().out


def test_a_plane_is_drawn_with_the_weights_pixels(trained, tmp_path):
    np.save(tmp_path / "plane.npy", np.full((160, 200), 900, np.float32))
    made = tmp_path / "made.npy"
    render_raster(trained, tmp_path / "plane.npy", made, Mosaics(device="cpu"), 200.0, 10.0, base="#7a6a4f")
    assert np.load(made).shape == (80, 100, 4)


def test_sizes_never_mix(world, trained, tmp_path):
    fine = cut_out(tmp_path / "fine", "three", 30, TileSpec())
    with pytest.raises(InputError, match=r"tiles of several sizes \(one: 128 pixels of 400 m, three: 256"):
        collect([*world["train"], fine])
    with pytest.raises(InputError, match=r"one were cut as TileSpec\(tile_px=128.*cut them again, or set `tile`"):
        run(world, tmp_path / "run", settings(TileSpec()))
    with pytest.raises(InputError, match="judge it on pairs that were cut alike"):
        evaluate(trained, {"train": [fine], "validation": world["validation"]}, tmp_path, settings(TileSpec()), print)

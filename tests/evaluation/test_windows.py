"""Windows: what is safe to tile agrees wherever windows fall, what is not does not; a seam is seen."""

import numpy as np
import pytest
import torch
from small_world import config

from benchmarks.world import make_pairs
from terraform.config import Condition, Train
from terraform.evaluation.straw_men import Judged
from terraform.evaluation.windows import TileStrip, _steps, neighbours, windows
from terraform.learn.data.dataset import collect
from terraform.learn.models.generators import build_generator
from terraform.learn.weights import TrainedGenerator, input_channels


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    collection = collect([make_pairs(tmp_path_factory.mktemp("windows") / "one", 3)])
    return Judged(collection, np.arange(3), None)


def generator(judged, **settings):
    """An untrained network as it would be deployed."""
    torch.manual_seed(0)
    train, condition = Train(width=4, **settings), Condition(channels=["elevation", "slope", "sea"])
    network = build_generator(train, input_channels(condition, train)).eval()
    kind = type(network)
    made = judged.collection.provenance
    return TrainedGenerator(
        network, condition, config().sheet, train, made, kind.stride, kind.halo_px, kind.tile_safe
    )  # fmt: skip


def test_a_generator_that_is_safe_to_tile_draws_the_same_in_other_windows(judged):
    found = windows(generator(judged, network="unet_fc", base="added"), judged)
    assert found.tile_invariance <= 1
    assert found.seam == pytest.approx(1, abs=0.2)


def test_one_that_is_not_does_not(judged):
    found = windows(generator(judged, network="unet256"), judged)
    assert found.tile_invariance > 1


def test_neighbours_lie_beside_each_other(judged):
    assert set(neighbours(judged)) == {(0, 1), (1, 2)}


def test_a_strip_is_two_tiles_side_by_side(judged):
    stored = judged.read(np.array([0, 1]))
    strip = TileStrip.of(stored, generator(judged, network="unet_fc", base="added"))
    patch = strip.patch((0, 256), (0, 512))
    west, east = stored.elevation[:, 64:-64, 64:-64].numpy()
    assert np.array_equal(patch.metres, np.concatenate([west, east], 1))
    far = strip.patch((-80, 0), (0, 512))
    assert far.void[:16].all() and not far.void[16:].any()
    assert np.allclose(strip.patch((-64, 320), (0, 1)).latitude_deg[:, 0], stored.latitude_deg[0], atol=1e-4)


def test_a_step_at_a_border_is_a_seam():
    torch.manual_seed(0)
    picture = np.random.default_rng(0).integers(100, 110, (64, 256, 3)).astype(np.uint8)
    assert np.divide(*_steps(picture, [128])) == pytest.approx(1, abs=0.1)
    found = []
    for step in (5, 10, 20):
        stepped = picture.copy()
        stepped[:, 128:] += step
        found.append(np.divide(*_steps(stepped, [128])))
    assert 1.2 < found[0] < found[1] < found[2]

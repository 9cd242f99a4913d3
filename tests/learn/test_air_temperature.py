"""The channel of the air's temperature: the law that training and drawing share, at the pixel's own height."""

import numpy as np
import pytest
import torch
from exact import no_tints
from small_world import config, few_pairs, make_world, run

from terraform.config import Condition, Sheet, Train
from terraform.errors import InputError
from terraform.learn import weights
from terraform.learn.data.augment import no_augmentation, prepare
from terraform.learn.data.dataset import StoredPairs, by_role
from terraform.learn.data.sampling import augmentation_params
from terraform.learn.fingerprint import run_fingerprint
from terraform.pairs.context import Air
from terraform.pairs.relief import ReliefBatch, encode, sun_at

CONDITION = Condition(channels=["elevation", "air_temperature"], resolution_m=0)
SETTINGS = Train(noise=0)
LAPSE = 5.0


def slope(count=2):
    """Ground that rises eastwards from 0 to 3,840 m; at height 0 a tile warms southwards by 3 K, eastwards by 2 K."""
    cells = (np.arange(-2, 18) + 0.5) / 16
    shoreline = 8 + 3 * cells[:, None] + 2 * cells[None]
    metres = np.broadcast_to(np.arange(384) * 10, (384, 384))
    arrays = metres.astype(np.int16), np.full((256, 256, 3), 90, np.uint8), np.zeros((2, 20, 20, 3), np.uint8)
    arrays = [torch.from_numpy(np.stack([a] * count)) for a in arrays]
    cold = torch.from_numpy(np.stack([shoreline] * count).astype(np.float32))
    return StoredPairs(*arrays, torch.full((count, 384), 45.0), cold, torch.full((count,), LAPSE), *no_tints(count))


def celsius(batch):
    return torch.atanh(batch.condition[:, 1].double()) * 5


def metres_of(batch):
    return batch.condition[:, 0] ** 2 * 9000


def test_it_is_that_of_the_place_less_the_lapse_rate_times_the_height():
    batch = prepare(slope(), no_augmentation(2), "none", SETTINGS, CONDITION, Sheet())
    along = np.arange(256)
    at_height_0 = 8 + (3 * (along[:, None] + 0.5) + 2 * (along[None] + 0.5)) / 256
    expected = at_height_0 - LAPSE * (along[None] + 64) * 10 / 1000
    assert np.abs(celsius(batch).numpy() - expected).max() < 0.02  # of the bicubic enlargement


@pytest.mark.parametrize("jitter", ["mirror", "resize"])
def test_it_is_jittered_with_the_relief(jitter):
    params = augmentation_params(3, 0, 4)
    assert len(set(params.mirror.tolist())) == 2
    batch = prepare(slope(4), params, jitter, SETTINGS, CONDITION, Sheet())
    at_height_0 = celsius(batch) + LAPSE * metres_of(batch) / 1000
    moved = (params.top, params.left) if jitter == "resize" else (np.zeros(4), np.zeros(4))
    scale = 256 / 286 if jitter == "resize" else 1
    y, x = ((corner[:, None] + np.arange(256) + 0.5) * scale / 256 for corner in moved)
    x = np.where(params.mirror[:, None], x[:, ::-1], x)
    expected = 8 + 3 * y[:, :, None] + 2 * x[:, None, :]
    assert np.abs(at_height_0.numpy() - expected).max() < 0.05


def seen(celsius, metres):
    heights = torch.full((1, 1, 200, 200), metres)
    nowhere, latitude = torch.zeros_like(heights, dtype=torch.bool), torch.full((1, 1, 1, 1), 45.0)
    air = Air(torch.full((1, 1, 1, 1), celsius), torch.full((1, 1, 1, 1), LAPSE))
    relief = ReliefBatch(heights, nowhere, nowhere, 200.0, latitude, sun_at(latitude, 10.5), air)
    return float(encode(relief, CONDITION, Sheet())[0, 1].mean())


@pytest.mark.parametrize(("celsius", "metres", "level"), [(0, 0, 0), (5, 0, 0.7616), (20, 4000, 0), (-30, 8000, -1)])
def test_what_lies_around_freezing_is_told_apart(celsius, metres, level):
    assert seen(float(celsius), float(metres)) == pytest.approx(level, abs=1e-4)


def test_without_a_climate_it_is_refused_by_name():
    heights = torch.zeros(1, 1, 200, 200)
    nowhere, latitude = torch.zeros_like(heights, dtype=torch.bool), torch.full((1, 1, 1, 1), 45.0)
    with pytest.raises(InputError, match="--climate"):
        encode(ReliefBatch(heights, nowhere, nowhere, 200.0, latitude, sun_at(latitude, 10.5)), CONDITION, Sheet())


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        yield make_world(tmp_path_factory.mktemp("pairs"))


def test_weights_carry_it_with_its_credit(world, tmp_path):
    run(world, tmp_path, config({"channels": ["elevation", "air_temperature"]}, base="added", total_images=2))
    trained = weights.load(tmp_path / "weights.safetensors")
    assert trained.condition.needs_climate and trained.channels == 2 + 3 + 3
    assert "a climate" in trained.provenance.attribution
    plain = by_role(world)
    assert "a climate" not in plain["train"].provenance.attribution


def test_a_run_does_not_resume_with_another_climate(world):
    settings = config({"channels": ["elevation", "air_temperature"]})
    with_climate, without = (run_fingerprint(settings, by_role(world, climate))["pairs"] for climate in (True, False))
    assert with_climate != without

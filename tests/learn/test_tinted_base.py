"""Tints in pairs: the base follows the height of each pixel, through jitter and mirror, and weights say so."""

import numpy as np
import pytest
import torch
from exact import MADE
from small_world import config, few_pairs, make_world, run

from terraform.config import Condition, Sheet, Train, parse
from terraform.errors import ConfigError, InputError
from terraform.learn import weights
from terraform.learn.data.augment import no_augmentation, prepare
from terraform.learn.data.dataset import StoredPairs, by_role
from terraform.learn.data.sampling import augmentation_params
from terraform.learn.fingerprint import run_fingerprint
from terraform.pairs.tints import TintMap
from terraform.show import cards

TINTED, PLAIN = (Condition(channels=["elevation"], resolution_m=0, tints=known) for known in (True, False))
SETTINGS = Train(noise=0, base="added", recolour=0)
LEVELS_M = np.array([0, 2000, 4000], np.float32)
SHADES = np.array([0, 60, 200], np.uint8)


def ridges(count=2, stretch=1.0):
    """Ridges and valleys two kilometres apart, base colours of one grey, imagery of another."""
    y, x = np.mgrid[0:384, 0:384]
    metres = (2000 + 1500 * np.sin(x / 3.2) * np.cos(y / 4.1)) * stretch
    tints = np.broadcast_to(SHADES[None, :, None, None], (3, 3, 20, 20))
    parts = (
        metres.round().astype(np.int16),
        np.full((256, 256, 3), 90, np.uint8),
        np.full((2, 20, 20, 3), 120, np.uint8),
    )
    arrays = [torch.from_numpy(np.stack([part] * count)) for part in parts]
    known = torch.from_numpy(np.stack([tints] * count)), torch.from_numpy(np.stack([LEVELS_M] * count))
    return StoredPairs(*arrays, torch.full((count, 384), 45.0), torch.zeros(count, 0, 0), torch.zeros(count), *known)


def base_of(batch):
    return (batch.condition[:, -3:] + 1) * 127.5


def heights_of(batch):
    return batch.condition[:, 0] ** 2 * 9000


def test_the_base_is_that_of_the_place_and_what_the_tint_of_a_height_adds():
    batch = prepare(ridges(1), no_augmentation(1), "none", SETTINGS, TINTED, Sheet())
    tint = np.interp(heights_of(batch)[0].numpy(), LEVELS_M, SHADES)
    added = base_of(batch)[0, 0].numpy() - 120
    # Ridges this near are level after ten kilometres: what is taken away is their mean.
    assert np.abs(added - (tint - tint.mean())).max() < 6
    assert np.ptp(added) > 100
    plain = prepare(ridges(1), no_augmentation(1), "none", SETTINGS, PLAIN, Sheet())
    assert (base_of(plain) - 120).abs().max() < 0.01


@pytest.mark.parametrize("jitter", ["mirror", "resize"])
def test_it_is_jittered_with_the_relief(jitter):
    params = augmentation_params(3, 0, 4)
    assert len(set(params.mirror.tolist())) == 2
    pairs = ridges(4)
    # Tints are weak in the west of a tile and strong in its east.
    strength = (torch.arange(20) + 0.5) / 20
    pairs = pairs._replace(tints=(pairs.tints * strength).round().to(torch.uint8))
    batch = prepare(pairs, params, jitter, SETTINGS, TINTED, Sheet())
    added = (base_of(batch)[:, 0] - 120).abs().mean(1).numpy()  # (4, 256), by column
    west, east = added[:, :64].mean(1), added[:, -64:].mean(1)
    assert ((west > 2 * east) == params.mirror).all() and ((east > 2 * west) == ~params.mirror).all()


def test_a_mountain_that_is_drawn_higher_keeps_its_colours():
    drawn = no_augmentation(2)._replace(stretch=np.array([1.0, -0.5]))
    jittered = SETTINGS.model_copy(update={"vertical_jitter": 0.3})
    before, after = (prepare(ridges(), p, "none", jittered, TINTED, Sheet()) for p in (no_augmentation(2), drawn))
    assert (heights_of(after)[0] / heights_of(before)[0]).mean() == pytest.approx(1.3, abs=0.01)
    assert (base_of(after) - base_of(before)).abs().max() < 0.5


def test_without_tints_a_generator_that_knows_them_is_refused():
    bare = ridges()._replace(tints=torch.zeros(2, 0, 0, 0, 0, dtype=torch.uint8), tint_levels_m=torch.zeros(2, 0))
    with pytest.raises(InputError, match="--tints"):
        prepare(bare, no_augmentation(2), "none", SETTINGS, TINTED, Sheet())


def test_tints_need_base_colours():
    with pytest.raises(ConfigError, match=r"tints are laid over base colours, and train.base is none"):
        parse({"condition": {"tints": True}})


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        yield make_world(tmp_path_factory.mktemp("pairs"))


def of_the_earth(brighter=0):
    return TintMap(np.full((90, 180, 9), 100 + brighter, np.uint8), LEVELS_M, 0.0, MADE)


def test_weights_know_of_them_and_carry_their_credit(world, tmp_path):
    settings = config({"channels": ["elevation"], "tints": True}, base="added", total_images=2)
    state = run(world, tmp_path, settings, tints=of_the_earth())
    trained = weights.load(tmp_path / "weights.safetensors")
    assert trained.condition.tints and "a test" in trained.provenance.attribution
    cards.write(tmp_path / "card.md", tmp_path / "weights.safetensors", state, settings)
    assert "base colours: `added`, with tints;" in (tmp_path / "card.md").read_text()
    assert "a test" not in by_role(world)["train"].provenance.attribution


def test_a_run_does_not_resume_with_other_tints(world):
    settings = config({"channels": ["elevation"], "tints": True}, base="added")
    first, same, other = (
        run_fingerprint(settings, by_role(world, tints=of_the_earth(brighter))) for brighter in (0, 0, 1)
    )
    assert first == same != other
    assert "tints" not in run_fingerprint(config(), by_role(world))
    assert "tints" not in run_fingerprint(config(), by_role(world))["condition"]

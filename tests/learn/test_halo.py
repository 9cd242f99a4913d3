"""A generator that learns with a halo: what it is shown around a tile, and what is kept of its picture."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from exact import no_tints
from small_world import config, few_pairs, make_world, outcome, run

from terraform.config import Condition, Sheet, Train, parse
from terraform.errors import ConfigError
from terraform.learn import weights
from terraform.learn.data.augment import no_augmentation, prepare
from terraform.learn.data.dataset import StoredPairs
from terraform.learn.data.sampling import augmentation_params
from terraform.learn.models.generators import build_generator

CONDITION = Condition(channels=["elevation", "slope", "sea"])
DISTANT = Condition(channels=["elevation", "sea_distance"])
PLAIN = Train(width=4, base="added")
WIDE = PLAIN.model_copy(update={"halo_px": 32})


def stored(count=2):
    """Smooth hills, any colours."""
    draw = np.random.default_rng(1)
    y, x = np.mgrid[0:384, 0:384] / 40.0
    heights = [np.rint(1500 + 900 * np.sin(y + a) * np.cos(x)).astype(np.int16) for a in range(count)]
    imagery = draw.integers(1, 255, (count, 256, 256, 3)).astype(np.uint8)
    base = draw.integers(1, 255, (count, 2, 20, 20, 3)).astype(np.uint8)
    return StoredPairs(
        torch.from_numpy(np.stack(heights)), torch.from_numpy(imagery), torch.from_numpy(base),
        torch.full((count, 384), 30.0), torch.zeros(count, 0, 0), torch.zeros(count), *no_tints(count),
    )  # fmt: skip


@pytest.mark.parametrize("jitter", ["none", "mirror", "resize"])
def test_the_tile_itself_is_the_same_with_and_without_a_halo(jitter):
    params = no_augmentation(2) if jitter == "none" else augmentation_params(3, 0, 2)
    plain, wide = (prepare(stored(), params, jitter, s, CONDITION, Sheet()) for s in (PLAIN, WIDE))
    assert wide.condition.shape[-2:] == wide.noise.shape[-2:] == (320, 320)
    assert torch.allclose(wide.tile_condition, plain.condition, atol=1e-4)
    assert torch.allclose(wide.without_halo(wide.noise), plain.noise, atol=1e-4)
    assert torch.equal(wide.imagery, plain.imagery) and torch.equal(wide.valid, plain.valid)


def test_far_from_the_halos_own_border_the_picture_is_that_of_an_endless_raster():
    """Zeros around a tile change its picture; with a halo far less of them arrives."""
    torch.manual_seed(0)
    generator = build_generator(WIDE, 3 + 3 + 3).eval()
    generator.initialise()
    plain, wide = (prepare(stored(), no_augmentation(2), "none", s, CONDITION, Sheet()) for s in (PLAIN, WIDE))
    with torch.no_grad():
        alone = generator(plain.generator_input)
        within = wide.without_halo(generator(wide.generator_input))
    border, middle = ((alone - within).abs()[..., rows, 128].mean() for rows in (slice(0, 4), slice(120, 136)))
    assert border > 3 * middle


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("halo")
    world = make_world(folder)
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        for name, halo_px in (("plain", 0), ("wide", 16)):
            run(world, folder / name, config(total_images=4, validate_every=4, halo_px=halo_px))
    return folder


def test_what_was_learnt_differs_and_says_how_it_learnt(trained):
    assert outcome(trained / "plain")[0].keys() == outcome(trained / "wide")[0].keys()
    kept = [weights.load(trained / name / "weights.safetensors") for name in ("plain", "wide")]
    assert [one.settings.halo_px for one in kept] == [0, 16]
    first, second = (next(iter(one.network.state_dict().values())) for one in kept)
    assert first.shape == second.shape and not torch.equal(first, second)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"train": {"halo_px": 16, "network": "cnn"}}, "cnn draws tiles alone"),
        ({"train": {"halo_px": 32}, "tile": {"margin_px": 32, "pixel_m": 400}}, "at most 16"),
        ({"train": {"halo_px": 16}, "condition": {"channels": ["elevation", "sea_distance"]}}, "sea_distance"),
        ({"train": {"halo_px": 20}}, "multiple of 16"),
        ({"train": {"halo_px": 48}}, "32"),
    ],
)
def test_a_halo_that_cannot_be_had_is_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        parse(settings)


def test_pairs_are_judged_as_mosaics_are_drawn(trained):
    """With a halo, whether they were learnt with one or not; not where a channel needs the whole margin."""
    for name in ("plain", "wide"):
        assert weights.load(trained / name / "weights.safetensors").settings_of_pairs.halo_px == 32
    distant = replace(weights.load(trained / "wide" / "weights.safetensors"), condition=DISTANT)
    assert distant.settings_of_pairs.halo_px == 0
    assert replace(distant, condition=CONDITION, tile_safe=False).settings_of_pairs.halo_px == 0

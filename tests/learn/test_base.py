"""A generator that adds detail to base colours: what it sees, what it adds, and what follows the base."""

import numpy as np
import pytest
import torch
from exact import no_tints

from terraform.config import Condition, Sheet, Train
from terraform.errors import ConfigError
from terraform.geo.heights import SEA
from terraform.learn.data.augment import no_augmentation, prepare
from terraform.learn.data.dataset import StoredPairs
from terraform.learn.data.sampling import augmentation_params
from terraform.learn.models.generators import add_residual, build_generator

CONDITION = Condition(channels=["elevation", "sea"])
ADDED = Train(width=8, noise=1, base="added")


def ramp(count=2):
    """Pairs whose imagery is a plane of colours on land and flat in the sea of the south, and their base colours."""
    y, x = (np.arange(-32, 288, 16) + 8.0) / 256, (np.arange(-32, 288, 16) + 8.0) / 256  # cells' centres
    cells = 60 + 100 * x[None, :, None] + 40 * y[:, None, None] + np.zeros(3)
    base = np.stack([cells, np.full_like(cells, 20)]).round().astype(np.uint8)
    along = (np.arange(256) + 0.5) / 256
    land = 60 + 100 * along[None, :, None] + 40 * along[:, None, None] + np.zeros(3)
    imagery = land.round().astype(np.uint8)
    imagery[200:] = 20
    elevation = np.full((384, 384), 100, np.int16)
    elevation[64 + 200 :] = SEA
    arrays = (elevation, imagery, base)
    arrays = [torch.from_numpy(np.stack([a] * count)) for a in arrays]
    return StoredPairs(
        *arrays, torch.full((count, 384), 30.0), torch.zeros(count, 0, 0), torch.zeros(count), *no_tints(count)
    )


def away_from_the_coast(values):
    return torch.cat([values[..., :180, :].flatten(2), values[..., 235:, :].flatten(2)], 2)


@pytest.mark.parametrize("jitter", ["none", "mirror", "resize"])
def test_base_and_imagery_are_jittered_and_recoloured_together(jitter):
    settings = ADDED.model_copy(update={"recolour": 0.04})
    params = no_augmentation(2) if jitter == "none" else augmentation_params(3, 0, 2)
    batch = prepare(ramp(), params, jitter, settings, CONDITION, Sheet())
    base = batch.condition[:, -3:]
    assert batch.condition.shape[1] == 5
    apart = away_from_the_coast((base - batch.imagery).abs()) * 127.5
    assert apart.max() < 1.6
    plain = prepare(ramp(), no_augmentation(2), "none", settings, CONDITION, Sheet())
    assert (jitter == "none") == torch.equal(plain.imagery, batch.imagery)


def test_recolouring_can_be_left_out():
    still = augmentation_params(3, 0, 2)._replace(recolour=np.zeros((2, 3)))
    plain, none = (
        prepare(ramp(), params, "mirror", ADDED.model_copy(update={"recolour": share}), CONDITION, Sheet())
        for params, share in ((still, 0.04), (augmentation_params(3, 0, 2), 0.0))
    )
    assert torch.equal(plain.imagery, none.imagery) and torch.equal(plain.condition, none.condition)


def test_a_residual_of_nothing_gives_the_base():
    base = torch.linspace(-1, 1, 511).view(1, 1, 1, -1).expand(1, 3, 1, -1)
    assert torch.allclose(add_residual(base, torch.zeros_like(base)), base, atol=1e-6)
    assert (add_residual(base, torch.full_like(base, 0.1)) > base).all()
    assert add_residual(base, torch.full_like(base, -9.0)).max() <= -1  # there is a way from white to black


def test_a_silent_generator_draws_its_base_and_a_new_one_is_near_it():
    torch.manual_seed(0)
    network = build_generator(ADDED, 2 + 3 + 1).eval()
    seen = torch.rand(1, 6, 64, 64) * 2 - 1
    with torch.no_grad():
        assert (network(seen) - seen[:, 2:5]).abs().mean() < 0.25
        for last in (network.last, network.colours):
            last.weight.zero_(), last.bias.zero_()
        assert torch.allclose(network(seen), seen[:, 2:5], atol=1e-6)


def test_what_is_shown_stays_in_the_range():
    network = build_generator(ADDED, 6)
    network.last.bias.data.fill_(9.0)
    seen = torch.rand(1, 6, 64, 64)
    assert network.train()(seen).max() > 1 >= network.eval()(seen).max()


@pytest.mark.parametrize("name", ["cnn", "unet256"])
def test_the_others_have_no_place_for_it(name):
    with pytest.raises(ConfigError, match="use unet_fc, or base none"):
        build_generator(Train(network=name, norm="batch", base="added"), 8)

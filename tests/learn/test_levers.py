"""Levers of learning that are off by default: what each promises."""

import numpy as np
import pytest
import torch
from exact import no_tints
from small_world import config

from terraform.config import Condition, Sheet, Train
from terraform.geo.tile_spec import TileSpec
from terraform.learn.data.augment import no_augmentation, prepare
from terraform.learn.data.dataset import StoredPairs
from terraform.learn.models.diffaugment import Geometry
from terraform.learn.models.layers import BatchRenorm2d
from terraform.learn.trainer import Trainer


def test_renorm_begins_as_batch_norm():
    torch.manual_seed(0)
    x = torch.randn(3, 4, 8, 8) * 5 + 2
    renorm, plain = BatchRenorm2d(4), torch.nn.BatchNorm2d(4)
    assert torch.allclose(renorm(x), plain(x), atol=1e-5)


def test_renorm_ends_as_what_it_evaluates():
    """Grown up, training mode draws what eval mode draws, though the batch is one odd picture."""
    torch.manual_seed(0)
    renorm, plain = BatchRenorm2d(4), torch.nn.BatchNorm2d(4)
    for _ in range(800):
        x = torch.randn(2, 4, 8, 8)
        renorm(x), plain(x)
    odd = torch.randn(1, 4, 8, 8) * 1.5 + 0.5
    gaps = []
    for layer in (renorm, plain):
        in_training = layer.train()(odd)
        gaps.append(float((in_training - layer.eval()(odd)).abs().mean().detach()))
    assert gaps[0] < 0.1 < 0.3 < gaps[1]


def test_diffaugment_moves_both_alike_and_keeps_colours():
    torch.manual_seed(0)
    x = torch.rand(4, 5, 64, 64) + 1
    geometry = Geometry(x)
    seen, again = geometry(x), geometry(x * 2)
    assert torch.equal(seen * 2, again)
    assert not torch.equal(seen, x)
    assert set(seen.unique().tolist()) <= {0.0, *x.unique().tolist()}
    assert 0.5 < float((seen != 0).float().mean()) < 0.95


def test_diffaugment_lets_gradients_through():
    x = torch.rand(2, 3, 32, 32, requires_grad=True)
    Geometry(x)(x).sum().backward()
    assert set(x.grad.unique().tolist()) == {0.0, 1.0}


def test_vertical_jitter_stretches_heights_and_nothing_else():
    draw = np.random.default_rng(0)
    stored = StoredPairs(
        torch.from_numpy(draw.integers(100, 3000, (2, 384, 384)).astype(np.int16)),
        torch.from_numpy(draw.integers(1, 255, (2, 256, 256, 3)).astype(np.uint8)),
        torch.zeros(2, *TileSpec().base_shape, dtype=torch.uint8),
        torch.full((2, 384), 40.0),
        torch.full((2, 20, 20), 20.0),
        torch.full((2,), 6.5),
        *no_tints(2),
    )
    condition = Condition(channels=["elevation", "latitude", "air_temperature"])
    plain, settings = no_augmentation(2), Train(noise=0, vertical_jitter=0.3)
    stretched = plain._replace(stretch=np.array([1.0, -0.5]))
    before, after = (prepare(stored, d, "none", settings, condition, Sheet()) for d in (plain, stretched))
    ratio = (after.condition[:, 0] / before.condition[:, 0]).square().mean((1, 2))
    assert ratio.tolist() == pytest.approx([1.3, 0.85], rel=1e-3)
    assert torch.equal(before.imagery, after.imagery)
    warmth = [batch.condition[:, 2] for batch in (before, after)]
    assert torch.allclose(*warmth, atol=1e-5), "a mountain drawn higher is as cold as it is"
    assert torch.equal(before.condition[:, 1], after.condition[:, 1])


@pytest.mark.parametrize(
    "over",
    [
        {"norm": "renorm"},
        {"norm": "instance", "network": "unet256"},
        {"diffaugment": True},
        {"adversarial": "least_squares", "discriminator": "patch70"},
        {"precision": "bf16"},
    ],
)
def test_each_lever_learns(over):
    """Four steps of one batch bring the colours nearer."""
    settings = config(width=8, learning_rate=2e-3, noise=1, batch=2, lambda_texture=3, **over).train
    trainer = Trainer(settings, 2, 0, torch.device("cpu"))
    torch.manual_seed(0)
    from terraform.learn.data.augment import Batch

    target = torch.full((2, 3, 256, 256), 0.4)
    batch = Batch(torch.rand(2, 2, 256, 256), torch.rand(2, 1, 256, 256), target, torch.ones(2, 1, 256, 256))
    losses = []
    for _ in range(5):
        trainer.step(batch, 0.0)
        losses.append(trainer.stats.read().losses[1])
        trainer.stats.clear()
    assert losses[-1] < losses[0]
    assert trainer.stats.read().skipped == 0

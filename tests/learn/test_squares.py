"""Two levers of short trainings: pictures learnt in squares, and a discriminator that sees the detail alone."""

import pytest
import torch
from small_world import config, few_pairs, make_world, outcome, run

from terraform.config import Train, parse
from terraform.errors import ConfigError
from terraform.learn import objective
from terraform.learn.data.augment import Batch

HALO_PX = 16


def numbered(halo_px=0):
    """A batch in which every pixel of a plane is told by its place."""
    rows, columns = torch.meshgrid(*[torch.arange(-halo_px, 256.0 + halo_px)] * 2, indexing="ij")
    wide = torch.stack([rows, columns])[None].repeat(2, 1, 1, 1)
    within = wide[..., halo_px : halo_px + 256, halo_px : halo_px + 256]
    return Batch(wide, wide[:, :1], torch.cat([within, within[:, :1]], 1), within[:, :1] >= 0)


def test_squares_are_the_whole_cut_up_each_with_its_own_halo():
    batch = numbered(HALO_PX)
    squares = list(batch.squares(128))
    assert len(squares) == 4
    again = torch.cat([torch.cat([s.imagery for s in squares[i : i + 2]], 3) for i in (0, 2)], 2)
    assert torch.equal(again, batch.imagery)
    for square in squares:
        assert square.condition.shape[-1] == square.noise.shape[-1] == 128 + 2 * HALO_PX
        assert square.valid.shape[-1] == 128
        assert torch.equal(square.tile_condition, square.imagery[:, :2])


def test_no_squares_are_the_whole():
    (whole,) = numbered().squares(0)
    assert all(torch.equal(one, other) for one, other in zip(whole, numbered(), strict=True))


def test_every_square_is_a_step(tmp_path, monkeypatch):
    few_pairs(monkeypatch)
    world = make_world(tmp_path)
    state = run(world, tmp_path / "out", config(total_images=2, batch=1, validate_every=2, square_px=128))
    assert (state.images, state.steps) == (2, 8)
    assert set(outcome(tmp_path / "out")[0])


def test_the_discriminator_sees_what_a_picture_adds_to_its_base():
    torch.manual_seed(0)
    condition, imagery, valid = torch.rand(1, 5, 64, 64), torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    valid[..., :9] = 0
    batch = Batch(condition, torch.zeros(1, 0, 64, 64), imagery, valid)
    base = condition[:, 2:]
    settings = Train(base="added", discriminator_sees="detail")
    real, fake = objective.pairs_of(batch, base, settings)
    assert torch.equal(real[:, :5], condition) and torch.equal(fake[:, :5], condition)
    assert torch.allclose(real[:, 5:], 4 * (imagery - base) * valid) and not fake[:, 5:].any()
    real, fake = objective.pairs_of(batch, base, Train(base="added"))
    assert torch.equal(real[:, 5:], imagery * valid) and torch.equal(fake[:, 5:], base * valid)


def test_levers_that_are_not_used_do_not_name_a_run():
    """Runs of before them, and their saved states, stay what they are."""
    unused = {"square_px", "discriminator_sees", "halo_px", "start_from"}
    assert not unused & set(Train().of_learning())
    used = Train(square_px=128, discriminator_sees="detail", base="added").of_learning()
    assert (used["square_px"], used["discriminator_sees"]) == (128, "detail")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"train": {"discriminator_sees": "detail"}}, "base is none"),
        ({"train": {"square_px": 128, "network": "unet256"}}, "whole tiles"),
        ({"train": {"square_px": 192}}, "does not divide"),
        ({"train": {"square_px": 100}}, "multiple of 64"),
    ],
)
def test_levers_that_cannot_be_used_are_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        parse(settings)

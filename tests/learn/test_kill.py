"""SIGKILL at any step, once and several times in an epoch: what is saved at the end is the same, byte by byte."""

import os
import shutil
import signal

import pytest
from children import child_of, status_of
from small_world import config, make_world, outcome, run_in_child, same

from terraform.learn import trainer

STEPS, ROWS = 4, 2
NETWORKS = {
    "unet_fc": {"diffaugment": True, "base": "added"},
    "unet256": {"network": "unet256", "norm": "batch", "discriminator": "patch70", "lambda_feature_matching": 0},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("pairs"), pairs=5)  # an epoch and more


def small(name, **over):
    """Average, schedule and jitter are on, and what draws at random from a state: dropout, DiffAugment."""
    settings = {"total_images": 2 * STEPS, "validate_every": 4, "decay_start": 0.3, **NETWORKS[name], **over}
    return config({"channels": ["elevation", "slope", "air_temperature"]}, **settings)


def dies_in_step(step, world, output, settings):
    """Train, and die by SIGKILL in the middle of a step, before anything of it is saved."""
    real = trainer.Trainer._apply_gradients

    def move(self, which, gradients, good):
        real(self, which, gradients, good)
        if self.steps == step:
            os.kill(os.getpid(), signal.SIGKILL)

    trainer.Trainer._apply_gradients = move
    run_in_child(world, output, settings, ROWS)


def forgets(part, world, output, settings):
    """Train on from a state of which a part is dropped."""
    real = trainer.Trainer.restore

    def restore(self, tensors, steps):
        fresh = {key: value for key, value in self.tensors().items() if key.startswith(part)}
        rest = {key: value for key, value in tensors.items() if not key.startswith(part)}
        real(self, rest | fresh, steps)

    trainer.Trainer.restore = restore
    run_in_child(world, output, settings, ROWS)


def killed_in_step(world, output, settings, step):
    assert status_of(child_of(dies_in_step, step, world, output, settings)) == -signal.SIGKILL


def finished(world, output, settings):
    assert status_of(child_of(run_in_child, world, output, settings, ROWS)) == 0


@pytest.fixture(scope="module", params=NETWORKS)
def whole(request, world, tmp_path_factory):
    """The uninterrupted run."""
    output = tmp_path_factory.mktemp(request.param)
    finished(world, output, small(request.param))
    return request.param, outcome(output)


@pytest.fixture(scope="module")
def killed(whole, world, tmp_path_factory):
    """A run that died in its fourth step."""
    output = tmp_path_factory.mktemp("killed")
    killed_in_step(world, output, small(whole[0]), 3)
    return output


def test_killed_at_every_step(whole, world, tmp_path):
    name, expected = whole
    for step in range(STEPS):
        killed_in_step(world, tmp_path / str(step), small(name), step)
        finished(world, tmp_path / str(step), small(name))
        assert same(outcome(tmp_path / str(step)), expected), f"killed in step {step}"


def test_killed_several_times_in_one_epoch(whole, world, tmp_path):
    name, expected = whole
    for step in (1, 1, 2, 3):
        killed_in_step(world, tmp_path, small(name), step)
    finished(world, tmp_path, small(name))
    assert same(outcome(tmp_path), expected)


def test_killed_between_states(whole, world, tmp_path):
    """States are rarer than steps: some steps are made again."""
    name, expected = whole
    killed_in_step(world, tmp_path, small(name, checkpoint_every=4), 3)
    finished(world, tmp_path, small(name, checkpoint_every=4))
    assert same(outcome(tmp_path), expected)


@pytest.mark.parametrize("part", ["generator.", "average.", "discriminator.", "optimiser0.", "optimiser1.", "rng"])
def test_whatever_is_dropped_shows(whole, killed, world, tmp_path, part):
    """The control: a state without one of its parts gives another outcome."""
    name, expected = whole
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)

    assert status_of(child_of(forgets, part, world, tmp_path, small(name))) == 0
    assert not same(outcome(tmp_path), expected)

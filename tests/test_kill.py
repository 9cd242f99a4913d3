"""SIGKILL at any step, once and several times in an epoch: what is saved at the end is the same, byte by byte."""

import json
import os
import shutil
import signal

import pytest
import torch
from safetensors.torch import load_file
from small_world import config, make_world, run

from terraform.learn import learner, validation
from terraform.learn import train as training

STEPS = 4
NETWORKS = {
    "unet_fc": {"average": 0.9, "decay_from": 0.3},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    # A child that is forked has one thread; few pairs are enough to tell one state from another.
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_ROWS", 2)
        for name in ("_STATISTICS_IMAGES", "_GAP_PAIRS", "_BOARD_PAIRS"):
            patch.setattr(validation, name, 2)
        yield make_world(tmp_path_factory.mktemp("pairs"), pairs=5)  # an epoch and more


def small(name, **over):
    return config({"channels": ["elevation", "slope"]}, images=2 * STEPS, validate_every=4, **NETWORKS[name], **over)


def forked(work):
    """Run in a child that has torch loaded already; its exit status as `os.waitpid` tells it."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def killed_in_step(world, output, settings, step):
    """Train and die by SIGKILL in the middle of a step, before anything of it is saved."""

    def work():
        real = learner.Learner._move

        def move(self, which, good):
            real(self, which, good)
            if self.steps == step:
                os.kill(os.getpid(), signal.SIGKILL)

        learner.Learner._move = move
        run(world, output, settings)

    assert forked(work) == signal.SIGKILL


def finished(world, output, settings):
    assert forked(lambda: run(world, output, settings)) == 0


def outcome(output):
    """All tensors and counters of the last state, weights and history; without the clock."""
    state = max(output.glob("state/*/images-*.safetensors"))
    counters = json.loads(state.with_suffix(".json").read_text())
    counters.pop("sha256")
    for row in (counters, *counters["history"]):
        row.pop("seconds")
    return load_file(state), load_file(output / "weights.safetensors"), counters


def equal(one, other):
    tensors = [(a, b) for mine, theirs in zip(one[:2], other[:2], strict=True) for a, b in named_alike(mine, theirs)]
    return all(torch.equal(a.view(torch.uint8), b.view(torch.uint8)) for a, b in tensors) and one[2] == other[2]


def named_alike(mine, theirs):
    assert mine.keys() == theirs.keys()
    return [(mine[name].reshape(-1), theirs[name].reshape(-1)) for name in mine]


@pytest.fixture(scope="module", params=NETWORKS)
def whole(request, world, tmp_path_factory):
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
        assert equal(outcome(tmp_path / str(step)), expected), f"killed in step {step}"


def test_killed_several_times_in_one_epoch(whole, world, tmp_path):
    name, expected = whole
    for step in (1, 1, 2, 3):
        killed_in_step(world, tmp_path, small(name), step)
    finished(world, tmp_path, small(name))
    assert equal(outcome(tmp_path), expected)


def test_killed_between_states(whole, world, tmp_path):
    """States are rarer than steps: some steps are made again."""
    name, expected = whole
    killed_in_step(world, tmp_path, small(name, state_every=4), 3)
    finished(world, tmp_path, small(name, state_every=4))
    assert equal(outcome(tmp_path), expected)


@pytest.mark.parametrize("part", ["generator.", "average.", "discriminator.", "optimiser0.", "optimiser1."])
def test_whatever_is_dropped_shows(whole, killed, world, tmp_path, part):
    """The control: a state without one of its parts gives another outcome."""
    name, expected = whole
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)

    def forgetful():
        real = learner.Learner.restore

        def restore(self, tensors, steps):
            fresh = {key: value for key, value in self.tensors().items() if key.startswith(part)}
            rest = {key: value for key, value in tensors.items() if not key.startswith(part)}
            real(self, rest | fresh, steps)

        learner.Learner.restore = restore
        run(world, tmp_path, small(name))

    assert forked(forgetful) == 0
    assert not equal(outcome(tmp_path), expected)

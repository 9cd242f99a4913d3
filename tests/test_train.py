"""A killed run goes on exactly: the final weights equal those of the uninterrupted run, bit by bit."""

import os
import shutil
import signal

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from terraform import provenance
from terraform.config import parse
from terraform.errors import ConfigError, InputError
from terraform.learn import train as training
from terraform.learn.dataset import by_role
from terraform.learn.signals import Stopped
from terraform.pairs.store import TILE, save_array
from terraform.provenance import Credit, Provenance


def make_pairs(folder, west, count=6):
    draw = np.random.default_rng(int(west))
    folder.mkdir(parents=True)
    save_array(folder / "elevation.npy", draw.integers(0, 3000, (count, 384, 384)).astype(np.int16))
    save_array(folder / "imagery.npy", draw.integers(1, 255, (count, 256, 256, 3)).astype(np.uint8))
    tiles = [(0, i, 0, 0, 10.25, west + i / 2, 10.0, west + i / 2 + 0.5, 10.5) for i in range(count)]
    save_array(folder / "tiles.npy", np.array(tiles, TILE))
    details = {"body": "earth", "fingerprint": folder.name}
    provenance.write(Provenance((Credit("sample", "CC0-1.0", "synthetic", True),), details), folder / "provenance.json")
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    return {"train": [make_pairs(root / "one", 0.0)], "validation": [make_pairs(root / "two", 50.0, 2)]}


def config(**over):
    settings = {
        "width": 4, "discriminator_width": 4, "images": 12, "batch": 2, "state_every": 2, "validate_every": 6,
        "average": 0.9, **over,
    }  # fmt: skip
    return parse({"train": settings})


def run(world, output, settings, resume=False):
    return training.train(world, output, settings, resume, lambda counters, board: None)


class Killed(Exception):
    pass


def killed_after(monkeypatch, steps):
    """Let the process seem to die after so many steps: nothing of the run survives but its files."""
    real, made = training.Learner.step, []

    def step(self, *batch):
        if len(made) == steps:
            raise Killed
        made.append(1)
        return real(self, *batch)

    monkeypatch.setattr(training.Learner, "step", step)


@pytest.mark.parametrize("over", [{}, {"network": "unet256", "discriminator": "patch70", "batch": 1, "images": 4}])
def test_resumed_weights_are_the_uninterrupted_ones(world, tmp_path, monkeypatch, over):
    settings = config(**over)
    run(world, tmp_path / "whole", settings)
    for steps in (1, 2):
        with monkeypatch.context() as patch:
            killed_after(patch, steps)
            with pytest.raises(Killed):
                run(world, tmp_path / "killed", settings)
        torch.rand(7)
    run(world, tmp_path / "killed", settings, resume=True)
    whole, killed = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "killed"))
    assert all((whole[name] == killed[name]).all() for name in whole)
    assert losses_of(tmp_path / "whole") == losses_of(tmp_path / "killed")


def losses_of(folder):
    """The history without the clock."""
    rows = [line.split(",") for line in (folder / "history.csv").read_text().splitlines()]
    return [row[:1] + row[2:] for row in rows]


def test_a_lost_state_is_noticed(world, tmp_path, monkeypatch):
    """The control: without the optimisers' memory the weights differ."""
    run(world, tmp_path / "whole", config())
    with monkeypatch.context() as patch:
        killed_after(patch, 3)
        with pytest.raises(Killed):
            run(world, tmp_path / "killed", config())

    def forgetful(tensors):
        return {name: value * 0 if "exp_avg" in name else value for name, value in tensors.items()}

    restore = training.Learner.restore
    monkeypatch.setattr(training.Learner, "restore", lambda self, t, steps: restore(self, forgetful(t), steps))
    run(world, tmp_path / "killed", config())
    whole, killed = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "killed"))
    assert any((whole[name] != killed[name]).any() for name in whole)


def test_a_corrupt_state_falls_back_to_the_one_before(world, tmp_path, monkeypatch, capsys):
    run(world, tmp_path / "whole", config())
    with monkeypatch.context() as patch:
        killed_after(patch, 3)
        with pytest.raises(Killed):
            run(world, tmp_path / "killed", config())
    newest = max((tmp_path / "killed/state").glob("*/images-*.safetensors"))
    damaged = bytearray(newest.read_bytes())
    damaged[-100] ^= 255
    newest.write_bytes(damaged)
    run(world, tmp_path / "killed", config())
    assert "damaged" in capsys.readouterr().out
    whole, killed = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "killed"))
    assert all((whole[name] == killed[name]).all() for name in whole)


def test_sigterm_saves_and_exits_143(world, tmp_path, monkeypatch):
    real = training.Learner.step

    def step(self, *batch):
        os.kill(os.getpid(), signal.SIGTERM)
        return real(self, *batch)

    monkeypatch.setattr(training.Learner, "step", step)
    with pytest.raises(Stopped) as stopped:
        run(world, tmp_path, config(state_every=1000))
    assert stopped.value.exit_code == 143
    assert list((tmp_path / "state").glob("*/images-*.safetensors"))


def test_resume_with_other_settings_names_the_difference(world, tmp_path):
    run(world, tmp_path, config(images=2))
    with pytest.raises(ConfigError, match=r"train.width was 4 and is 8"):
        run(world, tmp_path, config(images=2, width=8), resume=True)


def test_validation_comes_when_it_is_due_though_rows_are_longer(world, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "_ROWS", 4)
    run(world, tmp_path, config(images=24, validate_every=8))
    checked = [row[0] for row in losses_of(tmp_path)[1:] if row[-1]]
    assert checked == ["12", "18", "24"]


def test_nothing_to_resume(world, tmp_path):
    with pytest.raises(InputError, match="no state"):
        run(world, tmp_path, config(), resume=True)


def test_history_has_its_columns(world, tmp_path):
    run(world, tmp_path, config())
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0].startswith("images,seconds,g_adv,g_l1,d_real,d_fake,lr,val_l1,val_swd,")
    assert lines[-1].startswith("12,")
    assert lines[-1].split(",")[-1]


def test_what_overlaps_a_held_out_tile_is_not_trained_on(tmp_path):
    train, held_out = make_pairs(tmp_path / "train", 0.0), make_pairs(tmp_path / "held", 2.0)
    roles = by_role({"train": [train], "test": [held_out]})
    assert len(roles["train"]) == 4
    shutil.rmtree(held_out)
    assert len(by_role({"train": [train]})["train"]) == 6


def test_no_validation_region(world, tmp_path):
    with pytest.raises(ConfigError, match="validation"):
        run({"train": world["train"]}, tmp_path, config())

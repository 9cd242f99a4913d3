"""A run from its settings to its history: what is resumed, what is refused, what is held out."""

import csv
import shutil
from pathlib import Path

import pytest
from small_world import config, few_pairs, make_world, outcome, run, same

from benchmarks.world import make_pairs
from terraform.errors import ConfigError, InputError
from terraform.learn import train as training
from terraform.learn.data.dataset import by_role


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    few_pairs(monkeypatch)


class Killed(Exception):
    pass


def killed_after(monkeypatch, steps):
    """Let the process seem to die after so many steps: nothing of the run survives but its files."""
    real, made = training.Trainer.step, []

    def step(self, *batch):
        if len(made) == steps:
            raise Killed
        made.append(1)
        return real(self, *batch)

    monkeypatch.setattr(training.Trainer, "step", step)


DAMAGES = {
    "a flipped bit": lambda state: state.write_bytes(state.read_bytes()[:-100] + b"!" + state.read_bytes()[-99:]),
    "cut short": lambda state: state.write_bytes(state.read_bytes()[:1000]),
    "zeros": lambda state: state.write_bytes(bytes(state.stat().st_size)),
    "gone": lambda state: state.unlink(),
    "counters gone": lambda state: state.with_suffix(".json").unlink(),
}


@pytest.fixture(scope="module")
def killed(world, tmp_path_factory):
    """An uninterrupted run, and one that died in its fourth step."""
    root = tmp_path_factory.mktemp("killed")
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        run(world, root / "whole", config(total_images=8))
        killed_after(patch, 3)
        with pytest.raises(Killed):
            run(world, root / "killed", config(total_images=8))
    return root


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_corrupt_state_falls_back_to_the_one_before(world, killed, tmp_path, capsys, damage):
    shutil.copytree(killed / "killed", tmp_path, dirs_exist_ok=True)
    DAMAGES[damage](max(tmp_path.glob("state/*/images-*.safetensors")))
    run(world, tmp_path, config(total_images=8))
    told = capsys.readouterr().out
    assert "images-000000006.safetensors is damaged" in told
    assert "4 of 8 images seen" in told
    assert same(outcome(killed / "whole"), outcome(tmp_path))


OLD_STATE = Path(__file__).parent / "files/state-format-1"
"""Written by the version before history had rows of its own: `val_l1/two` beside `val_l1`."""


def test_a_state_of_the_old_format_is_refused_by_name(world, tmp_path):
    shutil.copytree(OLD_STATE, tmp_path / "state/98bc2542adfe")
    with pytest.raises(InputError, match=r"98bc2542adfe/images-000000004 is a state of format 1, this version reads 3"):
        run(world, tmp_path, config(total_images=4), resume=True)
    assert run(world, tmp_path, config(total_images=4)).images == 4  # from scratch, in a folder of its own


def test_a_state_of_the_old_format_is_not_taken_for_a_damaged_one(world, tmp_path):
    run(world, tmp_path, config(total_images=4))
    (folder,) = (tmp_path / "state").iterdir()
    shutil.copy(OLD_STATE / "images-000000004.json", folder)
    with pytest.raises(InputError, match="is a state of format 1"):
        run(world, tmp_path, config(total_images=4))


def test_resume_with_other_settings_names_the_difference(world, tmp_path):
    run(world, tmp_path, config(total_images=2))
    with pytest.raises(ConfigError, match=r"train.width was 4 and is 8"):
        run(world, tmp_path, config(total_images=2, width=8), resume=True)


def test_validation_comes_when_it_is_due_though_rows_are_longer(world, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "_ROWS", 4)
    run(world, tmp_path, config(total_images=24, validate_every=8, checkpoint_every=24))
    checked = [row["images"] for row in csv.DictReader((tmp_path / "history.csv").open()) if row["val_swd"]]
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
    train, held_out = make_pairs(tmp_path / "train", 6), make_pairs(tmp_path / "held", 6, seed=2)
    roles = by_role({"train": [train], "test": [held_out]})
    assert len(roles["train"]) == 4
    shutil.rmtree(held_out)
    assert len(by_role({"train": [train]})["train"]) == 6


def test_no_validation_region(world, tmp_path):
    with pytest.raises(ConfigError, match="validation"):
        run({"train": world["train"]}, tmp_path, config())

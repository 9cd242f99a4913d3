"""A finished run whose number of images was raised: said, with the command that continues it."""

import json
from pathlib import Path

import pytest
from tiny_world import CORNERS, feature, write_regions

from terraform.config import parse
from terraform.workflow.longer import how_to_continue
from terraform.workflow.plan import planned


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A run of 800 images that is finished."""
    monkeypatch.chdir(tmp_path)
    write_regions(tmp_path, [feature(name, *rest) for name, rest in CORNERS.items()])
    state = tmp_path / "results/model/default/state/0123456789ab"
    state.mkdir(parents=True)
    old = parse({"train": {"total_images": 800}}).of_training()
    (state / "settings.json").write_text(json.dumps({**old, "pairs": {}, "code": "x"}))
    return state


def told(**train):
    return how_to_continue(planned(parse({"train": train})), Path(".terraform/config-1.json"))


def test_more_images_are_told_with_the_command(model):
    said = told(total_images=1600)
    assert "has weights of 800 images and train.total_images is 1,600" in said
    assert "python -m terraform train --continue --config .terraform/config-1.json" in said
    assert "--output results/model/default results/pairs/" in said


def test_several_processes_are_told_as_the_rule_starts_them(model):
    said = told(total_images=1600, gpus=2)
    assert "torchrun --standalone --nproc-per-node 2 -m terraform train --continue --config " in said


@pytest.mark.parametrize("train", [{"total_images": 800}, {"total_images": 400}, {"total_images": 1600, "width": 8}])
def test_anything_else_is_not(model, train):
    assert told(**train) is None


def test_a_longer_run_that_has_begun_is_not(model):
    begun = parse({"train": {"total_images": 1600}}).of_training()
    (model.with_name("begun")).mkdir()
    (model.with_name("begun") / "settings.json").write_text(json.dumps(begun))
    assert told(total_images=1600) is None
    (model / "settings.json").write_text("{")
    assert told(total_images=3200) is not None

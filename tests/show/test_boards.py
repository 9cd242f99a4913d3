"""What a training shows: pictures, losses by epoch and region, TensorBoard; and that none of it can end a run."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image
from small_world import config, few_pairs, make_world, run

from benchmarks.world import make_pairs
from terraform.errors import ConfigError
from terraform.learn.runtime import history
from terraform.learn.runtime.by_region import ByRegion
from terraform.learn.runtime.distributed import SINGLE
from terraform.show import boards, plots, tensorboard


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two train regions and one validation region, with everything that is shown."""
    root = tmp_path_factory.mktemp("shown")
    world = make_world(root, pairs=4)
    world["train"].append(make_pairs(root / "three", 4, seed=100))
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        watch = boards.of_training(root / "out", 9000, tensorboard=True)
        state = run(world, root / "out", config(total_images=16), watch=watch)
    return root / "out", state


def test_losses_by_region_and_epoch(trained):
    output, state = trained
    rows = list(csv.DictReader((output / "regions.csv").open()))
    assert {(row["role"], row["region"]) for row in rows} == {
        ("train", "one"), ("train", "three"), ("validation", "two"),
    }  # fmt: skip
    assert [float(row["epochs"]) for row in rows][-1] == 2
    held_out = [row["l1"] for row in rows if row["role"] == "validation"]
    whole = [f"{row.val_l1:.6g}" for row in state.history if row.val_l1 is not None]
    assert held_out == whole  # of one region, so its L1 is that of all


def test_a_regions_loss_is_that_of_its_pictures(trained):
    """Two pictures a row: where both are of one region, its L1 is the row's."""
    _, state = trained
    alone = [row for row in state.history if len(row.by_region["train"]) == 1]
    assert alone
    for row in alone:
        (of_region,) = row.by_region["train"].values()
        assert of_region == pytest.approx(row.g_l1 * 127.5, rel=1e-3)


def test_means_by_region_leave_out_what_is_no_number():
    sums = ByRegion(("a", "b", "c"), torch.device("cpu"))
    sums.add(torch.tensor([0.5, float("nan"), 0.1]), torch.tensor([0, 0, 2]))
    sums.add(torch.tensor([0.7]), torch.tensor([0]))
    sums.gather(SINGLE)
    assert sums.read() == pytest.approx({"a": 0.6 * 127.5, "c": 0.1 * 127.5})


def test_samples_show_relief_real_and_generated(trained):
    output, _ = trained
    sheet = np.asarray(Image.open(output / "samples.png").convert("RGB"))
    assert sheet.shape == (2 * 260 + 44, 3 * 260 + 4, 3)
    assert all(sheet[30:250, left + 10 : left + 240].std() > 1 for left in (4, 264, 524))
    assert Image.open(output / "losses.png").size == (990, 880)


def test_tensorboard_has_the_history_once(trained):
    pytest.importorskip("tensorboard", reason="the extra `board` is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    output, state = trained
    events = EventAccumulator(str(output / "tensorboard")).Reload()
    told = [(event.step, event.value) for event in events.Scalars("g_l1")]
    assert told == [(row.images, pytest.approx(row.g_l1)) for row in state.history]
    assert {"val_swd", "learnt_l1/one", "val_l1/two"} <= set(events.Tags()["scalars"])
    assert events.Images("generated")


def test_tensorboard_that_is_missing_is_told_before_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"terraform-planets\[board\]"):
        boards.of_training(tmp_path, 9000, tensorboard=True)


def test_what_cannot_be_drawn_does_not_end_a_run(tmp_path, monkeypatch, capsys):
    def broken(*given):
        raise RuntimeError("no fonts")

    few_pairs(monkeypatch)
    monkeypatch.setattr(plots, "sample_board", broken)
    state = run(
        make_world(tmp_path), tmp_path / "out", config(total_images=4), watch=boards.of_training(tmp_path / "out", 9000)
    )
    assert state.images == 4
    assert "not drawn at 4 images: no fonts" in capsys.readouterr().out
    assert (tmp_path / "out/history.csv").read_text() == history.as_csv(state)

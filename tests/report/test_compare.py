"""Runs side by side: table, machine formats and picture tell the same, and what does not compare is said."""

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from terraform.errors import ConfigError, InputError
from terraform.report import compare, compare_picture

METRICS = {
    "l1": {"title": "mean absolute difference", "unit": "levels", "better": "lower", "target": 15},
    "ssim": {"title": "structural similarity", "unit": "", "better": "higher", "target": None},
    "deviation": {"title": "standard $deviation_x$", "unit": "levels", "better": "near", "target": None},
}


def write(folder, name, values, regions=("italy",), pairs=128, real=40.0, sha="", **over):
    """An evaluation whose numbers are known."""
    own = {metric: {"value": value, "low": value - 1, "high": value + 1} for metric, value in values.items()}
    scores = {"generated": own, "real": {"deviation": {"value": real}}}
    document = {
        "format": 2, "run": name, "licence": "CC0-1.0", "attribution": "a test", "seeds": 1, "metrics": METRICS,
        "weights": {"sha256": sha or name, "network": "cnn", "images": None},
        "roles": {"test": {"regions": list(regions), "pairs": pairs, "blocks": 9, "scores": scores}}, **over,
    }  # fmt: skip
    path = folder / "results/evaluation" / name / "metrics.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "one", {"l1": 17.25, "ssim": 0.41, "deviation": 30.0})
    write(tmp_path, "two", {"l1": 15.5, "ssim": 0.39, "deviation": 47.0})
    return tmp_path


def read(folder, *names):
    runs = compare.read_runs(names, folder)
    return runs, compare.lines_of(runs)


def test_the_best_is_the_one_that_the_metric_means(folder):
    runs, lines = read(folder, "one", "two")
    assert {line.metric: runs[line.best].name for line in lines} == {"l1": "two", "ssim": "one", "deviation": "two"}
    assert compare.differences(runs) == []


def test_a_best_whose_interval_touches_another_is_not_set_off(folder):
    write(folder, "three", {"l1": 12.4})
    _, lines = read(folder, "one", "two")
    assert [line.apart for line in lines] == [False, False, True]  # 14.5 to 16.5 touches 16.25 to 18.25
    _, lines = read(folder, "two", "three")
    assert lines[0].apart


def test_json_and_csv_hold_the_files_numbers(folder):
    runs, lines = read(folder, "one", "two")
    document = json.loads(compare.as_json(runs, lines))
    assert document["scores"][0]["runs"] == {
        "one": {"value": 17.25, "low": 16.25, "high": 18.25}, "two": {"value": 15.5, "low": 14.5, "high": 16.5},
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(compare.as_csv(runs, lines))))
    assert [(row["metric"], row["run"], row["value"]) for row in rows][:2] == [
        ("l1", "one", "17.25"), ("l1", "two", "15.5"),
    ]  # fmt: skip
    assert len(rows) == 6


def test_what_does_not_compare_is_said(folder):
    write(folder, "other", {"l1": 9.0}, regions=["nw"], pairs=69, sha="one")
    runs, lines = read(folder, "one", "other")
    said = " ".join(compare.differences(runs))
    assert "judged on different regions" in said and "one: italy; other: nw" in said
    assert "different numbers of pairs (one: 128; other: 69)" in said
    assert "one and other have the same weights" in said
    assert [line.best for line in lines] == [1, None, None]


def test_a_role_that_one_has_not_is_said(folder):
    path = write(folder, "third", {"l1": 9.0})
    document = json.loads(path.read_text())
    document["roles"]["validation"] = document["roles"].pop("test")
    path.write_text(json.dumps(document))
    assert compare.differences(read(folder, "one", "third")[0]) == [
        "test: third has no such regions", "validation: one has no such regions",
    ]  # fmt: skip


def test_the_same_name_twice_is_told_apart_by_place(folder, tmp_path):
    path = write(tmp_path / "elsewhere", "one", {"l1": 3.0})
    runs, _ = read(folder, "one", str(path))
    assert [run.name for run in runs] == ["one", str(path.parent)]


def test_the_picture_has_a_panel_for_each_metric(folder, tmp_path):
    runs, lines = read(folder, "one", "two")
    compare_picture.draw(tmp_path / "few.png", runs, lines[:1])
    compare_picture.draw(tmp_path / "all.png", runs, lines)
    few, all_ = (np.asarray(Image.open(tmp_path / f"{name}.png").convert("L")) < 128 for name in ("few", "all"))
    assert few.shape == all_.shape and all_.sum() > 1.5 * few.sum()


def test_one_run_or_one_that_was_not_judged_is_refused(folder):
    with pytest.raises(ConfigError, match="1 run was given"):
        read(folder, "one")
    with pytest.raises(InputError, match=r"nothing/metrics\.json"):
        read(folder, "one", "nothing")


def test_the_command_prints_a_table_and_draws(folder):
    def call(*options):
        command = [sys.executable, "-m", "terraform", "compare", "one", "two", *options]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout

    table = call()
    assert "mean absolute difference, levels" in table and "15.5 (14.5 to 16.5) " in table
    assert "47.0 (46.0 to 48.0) *" in table
    assert "one: test: italy (128 pairs)" in table
    assert (folder / "results/evaluation/comparison.png").is_file()
    assert json.loads(call("--json"))["scores"][0]["best"] == "two"
    assert call("--csv").startswith("role,metric,unit,run,value,low,high,regions,pairs\ntest,l1,levels,one,17.25,")

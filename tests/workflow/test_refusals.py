"""What is refused or read before any job: on the real Snakefile, with a tiny world."""

import json
import re
import subprocess
import sys

import pytest
from tiny_world import ROOT, configure, feature, features_of, make_world, run, snakemake, write_regions


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"train": {"rat": 1}}, "train.rat: unknown setting"),
        ({"split": {"validation": ["atlantis"]}}, "region 'atlantis' is not in the regions file"),
        ({"split": {"test": ["nw"]}}, "no region has the role validation"),
        ({"regions": {"include": ["nw"]}}, "no region has the role train"),
        ({"split": {"train": ["crater"]}}, "region 'crater' lies on mars, which has no imagery"),
        ({"mosaics": {"regions": ["phobos"]}}, "mosaics.regions: region 'phobos' is not in regions.geojson"),
        ({"regions": {"file": "none.geojson"}}, "none.geojson does not exist"),
    ],
)
def test_what_cannot_work_is_refused_before_any_job(tmp_path, sections, message):
    make_world(tmp_path)
    configure(tmp_path, **sections)
    done = snakemake(tmp_path, "all")
    assert done.returncode != 0
    assert message in done.stderr
    assert not (tmp_path / "resources").exists()


def test_all_mistakes_are_shown_each_in_its_line(tmp_path):
    make_world(tmp_path)
    configure(tmp_path, train={"rat": 1, "learning_rate": "fast"}, run="../up")
    error = snakemake(tmp_path, "-n").stdout
    assert [line.split(": ")[1] for line in error.splitlines() if line.startswith("config.yaml:")] == [
        "run", "train.learning_rate", "train.rat",
    ]  # fmt: skip


def test_overlays_are_read_by_our_own_rules(tmp_path):
    make_world(tmp_path)
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("train: {learning_rate: 1e-3}\ntrain: {width: 8}\n")
    assert "'train' is set twice" in snakemake(tmp_path, "-n", "--configfile", "overlay.yaml").stdout
    overlay.write_text("train: {learning_rate: 1e-3, norm: instance}\n")
    run(tmp_path, "-n", "--configfile", "overlay.yaml", "--config", "run=7", "train={width: 8}")
    (written,) = (tmp_path / ".terraform").iterdir()
    config = json.loads(written.read_text())
    assert (config["run"], config["train"]["learning_rate"], config["train"]["width"]) == ("7", 1e-3, 8)
    assert (config["train"]["norm"], config["train"]["total_images"]) == ("instance", 8)


def test_many_regions_are_planned_region_by_region(tmp_path):
    make_world(tmp_path)
    places = [(lon, lat) for lon in range(-180, 178, 4) for lat in range(-60, 60, 8)][:150]
    many = [feature(f"r{n:03}", "earth", "train", *place) for n, place in enumerate(places)]
    write_regions(tmp_path, [*features_of(tmp_path), *many])
    counts = dict(re.findall(r"^(\w+) +(\d+)$", run(tmp_path, "all", "-n", "-q", "rules"), re.MULTILINE))
    assert {rule: int(counts[rule]) for rule in ("fetch_raster", "cut_pairs", "draw_sheet", "train_generator")} == {
        "fetch_raster": 309, "cut_pairs": 154, "draw_sheet": 154, "train_generator": 1,
    }  # fmt: skip


def lint(folder):
    command = [sys.executable, "-m", "tools.lint_workflow", "--directory", folder, "--snakefile", folder / "Snakefile"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_lint_fails_on_every_complaint_but_the_environment_that_a_rule_lacks(tmp_path):
    """Of our own rules it has none (`make lint`)."""
    make_world(tmp_path)
    with (tmp_path / "Snakefile").open("a") as file:
        file.write('rule unlogged:\n    output:\n        "unlogged.txt",\n    shell:\n        "touch {output}"\n')
    done = lint(tmp_path)
    assert done.returncode == 1
    assert re.findall(r"\* (.*)", done.stderr) == ["No log directive defined:"]


def test_from_another_folder_the_way_is_told(tmp_path):
    make_world(tmp_path / "project")
    (tmp_path / "elsewhere").mkdir()
    done = snakemake(tmp_path / "elsewhere", "-n", "-s", str(tmp_path / "project/Snakefile"))
    assert done.returncode != 0
    assert f"with --directory {tmp_path / 'project'}" in done.stderr + done.stdout


def test_a_folder_with_braces_blanks_and_quotes_in_its_name(tmp_path):
    world = tmp_path / "my {run} of 'Mars'"
    make_world(world)
    run(world, "resources/earth/nw/elevation.tif")
    assert (world / "resources/earth/nw/elevation.tif").is_file()


def test_jobs_run_with_the_python_of_snakemake_and_no_rule_names_conda(tmp_path):
    make_world(tmp_path)
    assert f"{sys.executable} -m terraform fetch" in run(tmp_path, "-n", "-p", "train")
    rules = [path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk")]
    assert rules and not any("conda" in text for text in rules)

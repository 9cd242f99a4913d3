"""How the workflow behaves when something changes: on the real Snakefile, with a tiny world."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--cores", "8"]
SIDE_DEG = 1.2
CORNERS = {
    "andes": ("earth", "train", -69, -16), "czech": ("earth", "train", 13, 48), "nw": ("earth", "validation", -120, 47),
    "italy": ("earth", "test", 10, 45), "crater": ("mars", "mosaic", -140, 15),
}  # fmt: skip
SETTINGS = {
    "run": "tiny",
    "train": {
        "network": "cnn", "width": 4, "discriminator": "none", "total_images": 8, "batch": 2, "validate_every": 8,
        "checkpoint_every": 4, "validation_pairs": 2, "device": "cpu",
    },
    "mosaics": {"regions": ["crater"], "window_px": 256},
}  # fmt: skip
AFTER_WEIGHTS = {"draw crater", "judge"}
AFTER_PAIRS = {"fit", *AFTER_WEIGHTS}


def feature(name: str, body: str, role: str, west: float, south: float) -> dict:
    east, north = west + SIDE_DEG, south + SIDE_DEG
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"name": name, "body": body, "role": role}, "geometry": geometry}


def write_regions(folder: Path, features: list[dict], **layout) -> None:
    text = json.dumps({"type": "FeatureCollection", "features": features}, **layout)
    (folder / "regions.geojson").write_text(text, encoding="utf-8")


def features_of(folder: Path) -> list[dict]:
    return json.loads((folder / "regions.geojson").read_text(encoding="utf-8"))["features"]


def make_world(folder: Path) -> None:
    """The repository's workflow and package in a folder of their own, with tiny regions and settings."""
    for name in ("workflow", "terraform", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "environment.yaml"):
        shutil.copy2(ROOT / name, folder / name)
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    write_regions(folder, [feature(name, *rest) for name, rest in CORNERS.items()])


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SNAKEMAKE, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def run(folder: Path, *arguments: str) -> str:
    done = snakemake(folder, *arguments)
    logs = "".join(f"\n== {path}\n{path.read_text()}" for path in sorted((folder / "logs").rglob("*.log")))
    assert done.returncode == 0, done.stderr + logs
    return done.stdout + done.stderr


def jobs(folder: Path, *arguments: str) -> set[str]:
    """What a dry run of everything would do, such as {"cut andes", "fit"}."""
    return jobs_in(run(folder, "-n", *(arguments or ("all",))))


def jobs_in(log: str) -> set[str]:
    blocks = re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)*)", log, re.MULTILINE)
    found = set()
    for rule, text in blocks:
        wildcards = dict(re.findall(r"(\w+)=([\w-]+)", "".join(re.findall(r"wildcards: (.*)", text))))
        found.add(" ".join([rule, *filter(None, [wildcards.get("region"), wildcards.get("what")])]))
    return found - {"all", "train", "pairs", "mosaics", "evaluate"}


def all_of(region: str) -> set[str]:
    """The jobs that make a region's pairs from nothing."""
    return {f"fetch {region} elevation", f"fetch {region} imagery", f"cut {region}", f"sheet {region}"}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def configure(folder: Path, **sections) -> None:
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    for name, section in sections.items():
        settings[name] = {**settings.get(name, {}), **section} if isinstance(section, dict) else section
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A world in which everything has been made, once for all processes that run tests."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder = shared / "finished-world"
    with (shared / "finished-world.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make_world(folder)
            (folder / "done").write_text(run(folder, "all"), encoding="utf-8")
    return folder


@pytest.fixture
def world(finished, tmp_path) -> Path:
    """One's own copy of the finished world."""
    return Path(shutil.copytree(finished, tmp_path / "world"))


def test_everything_is_made_at_the_places_promised(finished):
    for name in ("andes", "czech", "nw", "italy"):
        folder = finished / "results/pairs" / name
        for file in ("elevation.npy", "imagery.npy", "tiles.npy", "tiles.parquet", "sheet.jpg", "provenance.json"):
            assert (folder / file).stat().st_size > 0
        for what in ("elevation", "imagery"):
            assert (finished / f"resources/earth/{name}/{what}.tif").exists()
            assert (finished / f"resources/earth/{name}/{what}.json").exists()
    model = finished / "results/model/tiny"
    assert {p.name for p in model.iterdir()} >= {
        "weights.safetensors", "history.csv", "losses.png", "samples.png", "card.md", "state"
    }  # fmt: skip
    mosaic = finished / "results/mars/tiny/crater"
    assert {p.name for p in mosaic.iterdir()} >= {"terraformed.tif", "preview.jpg", "item.json"}
    assert (finished / "results/evaluation/tiny/metrics.json").exists()
    assert not (finished / "resources/mars/crater/imagery.tif").exists()


def test_nothing_temporary_stays(finished):
    assert [str(path) for path in finished.rglob(".*.part-*")] == []


def test_nothing_changed_is_no_job(world):
    assert jobs(world) == set()


def test_after_a_retrain_that_failed_the_earlier_settings_give_the_earlier_weights_at_once(world):
    model = world / "results/model/tiny"
    before = (model / "weights.safetensors").read_bytes()
    pairs = world / "results/pairs/andes/elevation.npy"
    whole, times = pairs.read_bytes(), pairs.stat()
    pairs.write_bytes(whole[:-1000])
    os.utime(pairs, ns=(times.st_atime_ns, times.st_mtime_ns))
    settings = (world / "config.yaml").read_text()
    configure(world, train={"learning_rate": 0.01})
    failed = snakemake(world, "train")
    assert failed.returncode != 0
    assert "elevation.npy is damaged" in (world / "logs/train/tiny.log").read_text()
    pairs.write_bytes(whole)
    os.utime(pairs, ns=(times.st_atime_ns, times.st_mtime_ns))
    (world / "config.yaml").write_text(settings)
    run(world, "train")
    assert "8 of 8 images seen" in (world / "logs/train/tiny.log").read_text()
    assert before == (model / "weights.safetensors").read_bytes()


def test_touched_or_reformatted_regions_are_no_job(world):
    features = features_of(world)
    write_regions(world, features[::-1], indent=3, sort_keys=True)
    assert jobs(world) == set()


def test_a_region_added_is_its_jobs_and_what_follows(world):
    write_regions(world, [*features_of(world), feature("tanzania", "earth", "train", 36, -3)])
    assert jobs(world) == all_of("tanzania") | AFTER_PAIRS


def test_a_region_of_mars_added_is_drawn_alone(world):
    write_regions(world, [*features_of(world), feature("plain", "mars", "mosaic", 100, 20)])
    assert jobs(world) == set()
    configure(world, mosaics={"regions": ["crater", "plain"]})
    assert jobs(world) == {"fetch plain elevation", "draw plain"}


def test_an_edited_polygon_is_that_region_and_what_follows(world):
    features = features_of(world)
    features[0] = feature("andes", "earth", "train", -69.3, -16)
    write_regions(world, features)
    assert jobs(world) == all_of("andes") | AFTER_PAIRS


def test_a_region_removed_is_gone_from_training_and_prunable(world):
    write_regions(world, [f for f in features_of(world) if f["properties"]["name"] != "czech"])
    assert jobs(world) == AFTER_PAIRS
    prune = [sys.executable, "-m", "terraform", "prune"]
    listed = subprocess.run(prune, cwd=world, capture_output=True, text=True, check=True).stdout
    assert "results/pairs/czech" in listed
    assert (world / "results/pairs/czech").exists()
    subprocess.run([*prune, "--yes"], cwd=world, check=True, capture_output=True)
    assert not (world / "results/pairs/czech").exists()
    assert not (world / "resources/earth/czech").exists()
    assert (world / "results/pairs/andes/provenance.json").exists()


def test_a_role_changed_retrains_and_cuts_nothing(world):
    configure(world, split={"validation": ["italy"], "test": ["nw"]})
    assert jobs(world) == AFTER_PAIRS


@pytest.mark.parametrize(
    "sections",
    [
        {"train": {"learning_rate": 1e-3}},
        {"condition": {"resolution_m": 2000}},
        {"condition": {"channels": ["elevation"]}},
    ],
)
def test_a_training_or_encoding_setting_never_cuts(world, sections):
    configure(world, **sections)
    assert jobs(world) == AFTER_PAIRS


def test_a_setting_of_how_to_compute_is_no_job(world):
    configure(world, train={"device": "auto", "checkpoint_every": 7})
    assert jobs(world) == set()


def test_a_colormap_setting_is_pair_sheets(world):
    configure(world, sheet={"high_m": 8000})
    assert jobs(world) == {f"sheet {name}" for name in ("andes", "czech", "nw", "italy")}


def test_a_colormap_setting_retrains_where_turbo_is_the_encoding(world):
    configure(world, condition={"encoding": "turbo"})
    run(world, "--touch", "all")  # as if it had been trained so
    assert jobs(world) == set()
    configure(world, sheet={"high_m": 8000})
    assert jobs(world) == {f"sheet {name}" for name in ("andes", "czech", "nw", "italy")} | AFTER_PAIRS


def test_a_setting_of_the_pairs_cuts_and_what_follows(world):
    configure(world, pairs={"max_sea": 0.7})
    assert jobs(world) == {f"{job} {name}" for job in ("cut", "sheet") for name in list(CORNERS)[:4]} | AFTER_PAIRS


@pytest.mark.parametrize(
    "knob",
    [
        {"elevation": {"policy": "quantile", "shoreline_m": -2000}},
        {"climate": {"latitude_shift_deg": 10, "sun_azimuth_deg": 90}},
        {"grid": "input", "compression": "webp"},
    ],
    ids=lambda knob: next(iter(knob)),
)
def test_a_mosaic_setting_draws_alone(world, knob):
    configure(world, mosaics=knob)
    assert jobs(world) == {"draw crater"}


def test_another_run_is_another_model_and_keeps_the_first(world):
    assert jobs(world, "all", "--config", "run=second") == AFTER_PAIRS
    assert (world / "results/model/tiny/weights.safetensors").exists()


def test_a_comment_in_the_package_is_no_job(world):
    for path in (world / "terraform").rglob("*.py"):
        path.write_text(path.read_text(encoding="utf-8") + "\n# A remark.\n", encoding="utf-8")
    assert jobs(world) == set()


def test_a_real_edit_of_the_cut_cuts_and_what_follows(world):
    edit(world / "terraform/pairs/cut.py", "_BLOCK = 8", "_BLOCK = 16")
    assert jobs(world) >= {f"cut {name}" for name in list(CORNERS)[:4]} | AFTER_PAIRS
    assert not any(job.startswith("fetch") for job in jobs(world))


def test_a_real_edit_of_the_encoding_retrains_and_cuts_nothing(world):
    (world / "terraform/pairs/relief.py").open("a").write("\n_EDITED = 1\n")
    assert jobs(world) == AFTER_PAIRS


def test_a_real_edit_in_show_does_not_retrain(world):
    for path in (world / "terraform/show").glob("*.py"):
        path.write_text(path.read_text(encoding="utf-8") + "\n_EDITED = 1\n", encoding="utf-8")
    assert not jobs(world) & {"fit", "draw crater", *(f"cut {name}" for name in CORNERS)}


def test_an_edit_of_a_shell_line_is_no_job(world):
    edit(world / "workflow/rules/pairs.smk", "> {log:q} 2>&1", ">> {log:q} 2>&1")
    assert jobs(world) == set()


def test_an_edited_polygon_is_noticed_without_snakemakes_records(world):
    shutil.rmtree(world / ".snakemake")
    assert jobs(world) == set()
    features = features_of(world)
    features[0] = feature("andes", "earth", "train", -69.3, -16)
    write_regions(world, features)
    assert jobs(world) == all_of("andes") | AFTER_PAIRS
    assert (world / "results/pairs/andes/provenance.json").exists(), "a dry run must remove nothing"
    run(world, "results/pairs/andes/provenance.json")
    assert not jobs(world) & (all_of("andes") - {"sheet andes"})


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


def test_a_newer_raster_of_ones_own_is_fetched_again(world):
    raster = shutil.copy(world / "resources/earth/andes/elevation.tif", world / "own.tif")
    own = {"source": "files", "path": "own.tif"}
    configure(world, sources={"earth": {"elevation": own}})
    run(world, "resources/earth/andes/elevation.tif")
    assert jobs(world, "resources/earth/andes/elevation.tif") == set()
    time.sleep(1.1)
    Path(raster).touch()
    assert jobs(world, "resources/earth/andes/elevation.tif") == {"fetch andes elevation"}


def started(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (folder / "snakemake.log").open("wb") as log:
        return subprocess.Popen(
            [*SNAKEMAKE, *arguments], cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def wait_for(found: Callable[[], object], running: subprocess.Popen[bytes], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert running.poll() is None, "it ended too early"
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def workers(folder: Path, command: str) -> Iterator[int]:
    """Processes of the package's command that work in a folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[1:4] == [b"-m", b"terraform", command.encode()] and (process / "cwd").resolve() == folder:
                yield int(process.name)
        except OSError:
            continue


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds the job's process in /proc")
def test_a_killed_job_is_tried_again_and_nothing_is_half_written(world):
    write_regions(world, [*features_of(world), feature("tanzania", "earth", "train", 36, -3)])
    target = "resources/earth/tanzania/imagery.tif"
    running = started(world, target)
    wait_for(lambda: list((world / target).parent.glob(".*.part-*")), running)
    assert not (world / target).exists()
    for process in workers(world.resolve(), "fetch"):
        os.kill(process, signal.SIGKILL)
    assert running.wait(120) == 0, (world / "snakemake.log").read_text()
    assert "Trying to restart job" in (world / "snakemake.log").read_text()
    assert json.loads((world / target).with_suffix(".json").read_text())["details"]["region"] == "tanzania"
    assert list((world / target).parent.glob(".*.part-*")) == []


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds the job's process in /proc")
def test_after_snakemake_is_killed_exactly_the_rest_is_done(world):
    write_regions(world, [*features_of(world), feature("tanzania", "earth", "train", 36, -3)])
    running = started(world, "all")
    wait_for((world / "resources/earth/tanzania/elevation.json").exists, running)
    wait_for(lambda: list(workers(world.resolve(), "cut")), running)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    for process in workers(world.resolve(), "cut"):
        os.kill(process, signal.SIGKILL)
    assert not (world / "results/pairs/tanzania/provenance.json").exists()
    refused = snakemake(world, "all")
    assert refused.returncode != 0
    assert "lock" in refused.stderr.lower()
    run(world, "--unlock")
    rest = {"cut tanzania", "sheet tanzania"} | AFTER_PAIRS
    assert jobs(world) == rest
    assert jobs_in(run(world, "all")) == rest
    assert jobs(world) == set()


def test_a_killed_training_goes_on_and_what_was_made_stays(world):
    configure(world, train={"total_images": 4000})
    running = started(world, "train")
    state = world / "results/model/tiny/state"
    old = set(state.rglob("*"))
    wait_for(lambda: [p for p in set(state.rglob("*")) - old if p.is_file() and ".part-" not in p.name], running)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    for process in workers(world.resolve(), "train"):
        os.kill(process, signal.SIGKILL)
    assert not (world / "results/model/tiny/weights.safetensors").exists()
    run(world, "--unlock")
    assert jobs(world) == AFTER_PAIRS


def test_a_thousand_regions_are_planned_quickly(tmp_path):
    make_world(tmp_path)
    places = [(lon, lat) for lon in range(-180, 178, 4) for lat in range(-60, 60, 8)][:1000]
    many = [feature(f"r{n:04}", "earth", "train", *place) for n, place in enumerate(places)]
    write_regions(tmp_path, [*features_of(tmp_path), *many])
    start = time.process_time(), time.monotonic()
    done = run(tmp_path, "-n", "-q", "rules", "all")
    assert len(many) == 1000
    assert re.search(r"cut\s+1004", done)
    assert time.monotonic() - start[1] < 15 * max(1.0, (os.getloadavg()[0] + 1) / (os.cpu_count() or 1))


def test_lint_and_format_are_clean(tmp_path):
    make_world(tmp_path)
    assert "good condition" in run(tmp_path, "--lint")
    subprocess.run([sys.executable, "-m", "snakefmt", "--check", "Snakefile", "workflow"], cwd=ROOT, check=True)

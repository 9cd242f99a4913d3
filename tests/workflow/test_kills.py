"""Jobs and workflows that are killed: on the real Snakefile, with a tiny world."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tiny_world import (
    AFTER_PAIRS,
    SNAKEMAKE,
    configure,
    feature,
    features_of,
    jobs,
    jobs_in,
    run,
    write_regions,
)


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
    assert list((world / ".snakemake/locks").glob("*.lock"))
    rest = {"cut pairs of tanzania", "draw sheet of tanzania"} | AFTER_PAIRS
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
    assert jobs(world) == AFTER_PAIRS

"""The whole workflow through sbatch, on a SLURM of one machine: from regions to a mosaic of Mars."""

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.slurm import Slurm, slurm
from tiny_world import CORNERS, configure, feature, make_world, write_regions

ROOT = Path(__file__).parents[2]
REGIONS = ("andes", "nw", "crater")
# Without a database of accounts sacct has nothing to tell.
ASKED = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"]
SOON = ["--seconds-between-status-checks", "1", "--latency-wait", "5"]
SNAKEMAKE = [
    sys.executable,
    "-m",
    "snakemake",
    "--workflow-profile",
    "profiles/slurm",
    "--cores",
    "2",
    *ASKED,
    "--seconds-between-status-checks",
    "1",
]
SECONDS = 1500  # on a busy machine; on an idle one it takes two minutes


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Slurm]:
    with slurm(tmp_path / "slurm") as running:
        yield running


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Three regions, two processes that train, two jobs that draw, each of them on a GPU."""
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        tell = pytest.fail if os.environ.get("TERRAFORM_REQUIRE_SERVERS") else pytest.skip
        tell("the extra is not installed: pip install -e '.[slurm]'")
    folder = tmp_path / "world"
    folder.mkdir()
    make_world(folder)
    write_regions(folder, [feature(name, *CORNERS[name]) for name in REGIONS])
    configure(folder, train={"gpus": 2}, mosaics={"jobs": 2})
    return folder


def cancel_first(cluster: Slurm, rule: str, running: "subprocess.Popen[bytes]") -> str:
    """Cancel a rule's first job as soon as it runs, and give its number."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and running.poll() is None:
        for job in cluster.jobs():
            if f"rule_{rule}" in job["Comment"] and job["JobState"] == "RUNNING":
                cluster.ask("scancel", job["JobId"])
                return job["JobId"]
        time.sleep(0.2)
    pytest.fail(f"no job of {rule} ran")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def drawn_in_one_job(world: Path) -> str:
    """The digest of the same mosaic, drawn by one process."""
    (configuration,) = (world / ".terraform").glob("config-*.json")
    command = [sys.executable, "-m", "terraform", "generate", "--config", str(configuration), "--region", "crater"]
    files = [
        "--weights",
        "results/model/tiny/weights.safetensors",
        "--elevation",
        "resources/mars/crater/elevation.tif",
    ]
    subprocess.run([*command, *files, "--output", "alone"], cwd=world, check=True, capture_output=True)
    return digest(world / "alone/terraformed.tif")


@pytest.mark.minutes
@pytest.mark.slurm
@pytest.mark.timeout(SECONDS + 300)
def test_from_regions_to_mars_through_sbatch(cluster: Slurm, world: Path) -> None:
    mosaic = "results/mars/tiny/crater/terraformed.tif"
    # The package beside the Snakefile is that of the jobs; `PATH` leads to the same Python.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    with (world / "snakemake.log").open("wb") as log:
        running = subprocess.Popen(
            cluster.inside([*SNAKEMAKE, mosaic], world), stdout=log, stderr=subprocess.STDOUT, env=environment
        )
        cancelled = cancel_first(cluster, "draw_strips", running)
        code = running.wait(SECONDS)
    said = (world / "snakemake.log").read_text()
    logs = "".join(path.read_text() for path in sorted((world / "logs").rglob("*.log")))
    assert code == 0, said + logs + cluster.said()

    by_id = {job["JobId"]: job for job in cluster.jobs()}
    assert by_id[cancelled]["JobState"] == "CANCELLED" and "Trying to restart job" in said
    comments = [job["Comment"] for job in by_id.values()]
    # Fetching and cutting of all regions is one job, and no job of a tile or of a region is another.
    assert sum("fetch_raster" in comment for comment in comments) == 1, comments
    assert len(comments) == 1 + 1 + 3 + 1, comments  # regions, training, two parts and one of them again, joining
    with_gpu = {job["Comment"].split("_wildcards")[0] for job in by_id.values() if "gpu" in str(job)}
    assert with_gpu == {"rule_draw_strips"}
    assert "2 processes" in (world / "logs/train_generator/tiny.log").read_text()
    assert digest(world / mosaic) == drawn_in_one_job(world)
    assert not list((world / mosaic).parent.glob(".*"))

"""A tiny world in a folder of its own: the real Snakefile and package, small regions and settings."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import snakemake_server
import yaml

ROOT = Path(__file__).parents[1]
CORES = ["--cores", "2"]
SNAKEMAKE = [sys.executable, "-m", "snakemake", *CORES]
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
    "mosaics": {"window_px": 256},
    "sources": {body: {"planet": {"cells_per_degree": 1}} for body in ("earth", "mars")},
    "planet": {"climate_cells_per_degree": 0.5},
    "basemap": {"training": {"steps": 5, "members": 1}},
    "evaluation": {"pairs": 4, "judge_steps": 2, "mosaics": False},
}  # fmt: skip
CLIMATES = {"simulate climate of earth", "simulate climate of mars"}
BASES = {"draw base colours of earth", "draw base colours of mars"}
PAIRED = ("andes", "czech", "nw", "italy")
RUN = SETTINGS["run"]
AFTER_WEIGHTS = {"draw mosaic of crater", f"evaluate generator of run {RUN}"}
AFTER_PAIRS = {f"train generator of run {RUN}", *AFTER_WEIGHTS}


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
        # With what is compiled, but not what is being compiled in this moment.
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    shutil.copy2(ROOT / "Snakefile", folder / "Snakefile")
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    write_regions(folder, [feature(name, *rest) for name, rest in CORNERS.items()])


def snakemake(
    folder: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake: forked, or in an environment of its own a new process as users start it."""
    if environment is None:
        return snakemake_server.snakemake(folder, [*CORES, *arguments])
    command = [*SNAKEMAKE, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


def run(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    done = snakemake(folder, *arguments, environment=environment)
    logs = "".join(f"\n== {path}\n{path.read_text()}" for path in sorted((folder / "logs").rglob("*.log")))
    assert done.returncode == 0, done.stderr + logs
    return done.stdout + done.stderr


def jobs(folder: Path, *arguments: str) -> set[str]:
    """What a dry run of everything would do, in the words of the rules' messages: {"cut pairs of andes", ...}."""
    return jobs_in(run(folder, "-n", *(arguments or ("all",))))


def jobs_in(log: str) -> set[str]:
    """All but the report, which is written anew whenever anything is (tests/report/test_report_workflow.py)."""
    return {job for job in re.findall(r"^Job \d+: (.+)$", log, re.MULTILINE) if not job.startswith("write report")}


def all_of(region: str) -> set[str]:
    """The jobs that make a region's pairs from nothing."""
    return {
        f"fetch elevation of {region}",
        f"fetch imagery of {region}",
        f"cut pairs of {region}",
        f"draw sheet of {region}",
    }


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def configure(folder: Path, **sections) -> None:
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    for name, section in sections.items():
        settings[name] = {**settings.get(name, {}), **section} if isinstance(section, dict) else section
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def pairs_of(region: str) -> set[str]:
    """The jobs that make a region's pairs from its downloads."""
    return {f"cut pairs of {region}", f"draw sheet of {region}"}

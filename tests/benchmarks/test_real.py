"""The run on real rasters: what its judge says, and a small version of it through the real workflow."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks import real

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
GOOD = {
    "test: L1, levels of 255, generated": 30.0, "test: L1, levels of 255, table": 29.0,
    "test: spectrum, dB, generated": 4.0, "test: spectrum, dB, table": 8.0, "italy: tiles, kept": 89.0,
}  # fmt: skip


def test_a_generator_that_loses_against_the_table_is_told():
    assert real.lost(GOOD) == []
    assert len(real.lost(GOOD | {"test: spectrum, dB, generated": 8.1})) == 1
    assert len(real.lost(GOOD | {"test: L1, levels of 255, generated": 32.0})) == 1


def test_numbers_that_strayed_are_told():
    assert real.strayed(GOOD, GOOD) == []
    assert real.strayed(GOOD | {"italy: tiles, kept": 81.0}, GOOD) == []
    assert real.strayed(GOOD | {"italy: tiles, kept": 80.0}, GOOD) == ["italy: tiles, kept: 80, documented 89"]
    assert len(real.strayed({}, GOOD)) == len(real.strayed(GOOD, {})) == len(GOOD)


def test_documented_numbers_are_read_back():
    assert real.documented(f"{real._START}\n{real._table(GOOD)}\n{real._END}") == GOOD


@pytest.mark.minutes
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real rasters (../shared/data) are not on this machine")
def test_a_small_run_on_real_rasters(tmp_path):
    """Regions cut down to some tiles each, planets to coarse cells; what is left out is the size alone."""
    for name in ("workflow", "terraform", "profiles"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "environment.yaml", "config.yaml"):
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "regions.geojson").write_text(json.dumps(smaller(ROOT / "regions.geojson")))
    small = {
        "train": {
            "total_images": 16,
            "validate_every": 16,
            "width": 4,
            "discriminator_width": 4,
            "validation_pairs": 4,
        },
        "mosaics": {"regions": ["korolev"]},
        "evaluation": {"pairs": 4, "judge_steps": 2},
        "planet": {"climate_cells_per_degree": 0.5},
        "basemap": {"cells_per_degree": 2, "training": {"steps": 30, "members": 1}},
        "sources": {body: {"planet": {"cells_per_degree": 2}} for body in ("earth", "mars")},
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(small))
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "evaluate", "mosaics", "--configfile", *real.OVERLAYS]
    done = subprocess.run(
        [*command, "small.yaml", "--config", f"rasters={SHARED}"], cwd=tmp_path, capture_output=True, text=True
    )
    logs = "".join(path.read_text() for path in (tmp_path / "logs").rglob("*.log"))
    assert done.returncode == 0, done.stderr + logs
    numbers = real.numbers_of(tmp_path / "results")
    assert numbers["italy: tiles, kept"] >= 4
    assert numbers["test: L1, levels of 255, generated"] < 80
    assert re.search("NC-SA", (tmp_path / "results/mars/real/korolev/item.json").read_text())


def smaller(regions):
    """Every Earth region's middle 1.7 degrees, of Mars the rim of Korolev alone."""
    document = json.loads(regions.read_text())
    for feature in document["features"]:
        ring = feature["geometry"]["coordinates"][0]
        west, south, east, north = (f(p[i] for p in ring) for f in (min, max) for i in (0, 1))
        half = 0.5 if feature["properties"]["body"] == "mars" else 0.85
        x, y = (west + east) / 2, (south + north) / 2
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
        feature["geometry"]["coordinates"] = [[[x + half * a, y + half * b] for a, b in corners]]
    return document

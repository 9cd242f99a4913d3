"""The plan before a run: what each service will be asked for, told without asking it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from terraform.config import parse
from terraform.errors import ConfigError
from terraform.geo.bodies import BODIES
from terraform.geo.regions import Region, rectangle
from terraform.sources import estimate as estimates
from terraform.sources import source_named
from terraform.workflow import cleanup as tidy
from terraform.workflow.plan import planned

ROOT = Path(__file__).parents[2]
EARTH = ["--config", str(ROOT / "config.yaml"), "--config", str(ROOT / "workflow/config/earth.yaml")]


def plan(here: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    (here / "regions.geojson").write_bytes((ROOT / "regions.geojson").read_bytes())
    # No network is needed: a proxy that does not exist would break any request.
    return subprocess.run(
        [sys.executable, "-m", "terraform", "plan", *more], cwd=here, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(here)},
    )  # fmt: skip


def test_what_earth_and_mars_would_take(tmp_path: Path) -> None:
    done = plan(tmp_path, *EARTH, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    services = {of["service"]: of for of in told["services"]}
    assert set(services) == {"opentopography", "s2cloudless", "mola", "terrarium", "worldclim"}
    assert all(of["requests"] > 0 and of["bytes"] > 1e5 and not of["exact"] for of in services.values())
    assert told["earth_engine_requests"] == 0
    assert {(of["region"], of["kind"]) for of in told["rasters"]} >= {("cali", "imagery"), ("korolev", "elevation")}
    assert not (tmp_path / "resources").exists()


def test_the_share_of_earth_engine(tmp_path: Path) -> None:
    done = plan(tmp_path, *EARTH, "--config", str(ROOT / "workflow/config/earthengine.yaml"))
    assert done.returncode == 0, done.stderr
    share, total = re.findall(r"by Earth Engine: ([\d,]+) of ([\d,]+) requests", done.stdout)[0]
    assert 0 < int(share.replace(",", "")) < int(total.replace(",", ""))


def test_the_sample_world_needs_nothing(tmp_path: Path) -> None:
    done = plan(tmp_path, "--config", str(ROOT / "config.yaml"))
    assert done.returncode == 0 and "nothing to fetch" in done.stdout
    assert "by Earth Engine: nothing" in done.stdout


def test_what_is_there_is_not_planned_again(tmp_path: Path) -> None:
    there = tmp_path / "resources/mars/korolev/elevation.tif"
    there.parent.mkdir(parents=True)
    there.touch()
    done = plan(tmp_path, *EARTH)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("korolev")]
    assert line.endswith("is there")


@pytest.mark.parametrize(
    "section",
    ["imagery: {source: opentopography}", "imagery: {source: copernicus}", "imagery: {source: terrarium}",
     "imagery: {source: mola}", "elevation: {source: s2cloudless}", "elevation: {source: s2mosaic120}"],
)  # fmt: skip
def test_what_a_source_does_not_have_is_told(tmp_path: Path, section: str) -> None:
    extra = tmp_path / "extra.yaml"
    extra.write_text(f"sources: {{earth: {{{section}}}}}\n")
    done = plan(tmp_path, *EARTH, "--config", str(extra))
    assert done.returncode == 2 and done.stderr.startswith("error: ") and "Traceback" not in done.stderr


def test_the_cache_is_no_leftover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("resources/cache/mola", "resources/earth/gone", "resources/earth/here"):
        (tmp_path / folder).mkdir(parents=True)
    assert tidy.orphans({"here": "earth"}) == [Path("resources/earth/gone")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("italy", "region 'italy' is for validation or test, nothing may be learnt from it: remove it"),
        ("korolev", "'korolev' is no region of Earth"),
        ("atlantis", "'atlantis' is no region of Earth"),
    ],
)
def test_colours_are_matched_to_regions_that_may_be_learnt_from(name: str, said: str) -> None:
    settings = {"regions": {"file": str(ROOT / "regions.geojson")}, "split": {"validation": ["nw"], "test": ["italy"]}}
    assert planned(parse({**settings, "basemap": {"match": ["cali"]}})).config.basemap.match == ["cali"]
    with pytest.raises(ConfigError, match=rf"basemap\.match: {said}"):
        planned(parse({**settings, "basemap": {"match": [name]}}))


def test_a_folder_whose_name_snakemake_would_take_for_a_wildcard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which Snakemake reads as a wildcard"):
        planned(parse({"rasters": "/data/we {x}", "regions": {"file": str(ROOT / "regions.geojson")}}))


def test_a_source_is_built_once_for_all_regions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each asks for proxies, which took most of the plan of many regions."""
    built: list[str] = []

    def counted(name: str, *rest: Any) -> Any:
        built.append(name)
        return source_named(name, *rest)

    monkeypatch.setattr(estimates, "source_named", counted)
    config = parse({"sources": {"earth": {"elevation": {"source": "copernicus"}}}})
    places = [Region(f"r{west}", BODIES["earth"], "train", "", rectangle(west, 40, west + 1, 41)) for west in range(5)]
    made = estimates.estimate(config, [(place, "elevation") for place in places], tmp_path)
    assert built == ["copernicus"] and len({item.region for item in made}) == 5

"""A table of edits, and what each makes anew: stages of the workflow, a saved state, strips of an unfinished mosaic."""

import shutil
from pathlib import Path

import edits
import pytest

from terraform import digest
from terraform.config import Config, parse
from terraform.digest import STAGES, modules_of, stage_digest
from terraform.learn.fingerprint import run_fingerprint
from terraform.workflow.stages import relevant_source, source_code

PACKAGE = Path(digest.__file__).parent
LEARNT = {"train", "state"}
DRAWN = {"mosaic", "raster"}
PLANET = {"climate", "base model", "base colours"}
USES_GENERATOR = {"evaluate", *DRAWN}
FETCHES = {f"fetch {name}" for name in ("sample", "mola", "s2cloudless", "files")}

NOTHING = [
    "version.py", "errors.py", "provenance.py", "digest.py", "config", "storage", "learn/runtime", "mosaic/output",
    "planet/pictures.py", "show", "commands", "workflow", "doctor", "__main__.py", "__init__.py",
]  # fmt: skip
REAL = [
    ("learn/models/losses.py", LEARNT),
    ("learn/models/generators.py", LEARNT | USES_GENERATOR),
    ("learn/models/discriminators.py", LEARNT),
    ("learn/metrics.py", LEARNT | {"evaluate"}),
    ("evaluation/evaluate.py", {"evaluate"}),
    ("pairs/relief.py", LEARNT | USES_GENERATOR),
    ("pairs/cut.py", {"cut"}),
    ("pairs/sheet.py", {"sheet"}),
    ("climate/rain.py", {"climate"}),
    ("climate/monthly.py", {"evaluate", "temperature", "climate", "base model", "base colours", "raster"}),
    ("planet/temperature.py", {"temperature", "raster"}),
    ("basemap/fitting.py", {"base model"}),
    ("basemap/model.py", {"base model", "base colours", "raster"}),
    ("basemap/sea.py", {"base colours", "raster"}),
    ("mosaic/blend.py", DRAWN),
    ("mosaic/bands.py", DRAWN | {"evaluate"}),
    ("geo/tile_spec.py", LEARNT | USES_GENERATOR | FETCHES | PLANET | {"cut", "temperature", "sheet"}),
    ("sources/catalog/mola.py", {"fetch mola"}),
    ("sources/catalog/sample.py", {"fetch sample"}),
    ("sample_world/craters.py", {"fetch sample"}),
    ("sources/catalog/files.py", {"fetch files"}),
    ("sources/remote/client.py", FETCHES),
    ("sources/raster/pds3.py", {"fetch files", "fetch mola", "raster"}),
    ("mosaic/any_raster.py", {"raster"}),
]


@pytest.fixture
def package(tmp_path, monkeypatch):
    copy = shutil.copytree(PACKAGE, tmp_path / "terraform", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(digest, "_ROOT", copy)
    return copy


def test_a_mosaic_depends_on_no_source():
    assert [name for name in modules_of([STAGES["mosaic"]]) if name.startswith("terraform.sources")] == []


def digests():
    """Everything that decides what is made anew, by name."""
    found = {stage: stage_digest(stage) for stage in STAGES}
    mars = {"mola": {"source": "mola"}, "files": {"source": "files", "path": "a.tif"}, "sample": {"source": "sample"}}
    for name, source in mars.items():
        config = parse({"sources": {"mars": {"elevation": source}}})
        found[f"fetch {name}"] = source_code(config, "mars", "elevation")
    config = parse({"sources": {"earth": {"imagery": {"source": "s2cloudless"}}}})
    found["fetch s2cloudless"] = source_code(config, "earth", "imagery")
    found["state"] = run_fingerprint(Config(), {})["code"]
    return found


def changed(before):
    after = digests()
    return {name for name in after if after[name] != before[name]}


@pytest.mark.parametrize("place", NOTHING)
def test_what_reports_saves_or_shows_changes_nothing(package, place):
    before = digests()
    edits.add_statement(package / place)
    assert changed(before) == set()


@pytest.mark.parametrize("place", ["sources", "learn", "mosaic", "pairs", "geo"])
def test_other_words_change_nothing(package, place):
    before = digests()
    assert edits.reword(package / place) > 0
    assert changed(before) == set()


@pytest.mark.parametrize(("place", "follows"), REAL, ids=[place for place, _ in REAL])
def test_a_real_edit_changes_exactly_what_follows(package, place, follows):
    before = digests()
    edits.add_statement(package / place)
    assert changed(before) == follows


@pytest.mark.parametrize("edit", [{"connections": 9}, {"base_url": "https://else.where"}, {"hosts": ["else.where"]}])
def test_how_a_source_is_asked_changes_nothing(edit):
    source = {"source": "mola"}
    one, other = (parse({"sources": {"mars": {"elevation": settings}}}) for settings in (source, source | edit))
    assert relevant_source(one, "mars", "elevation") == relevant_source(other, "mars", "elevation")

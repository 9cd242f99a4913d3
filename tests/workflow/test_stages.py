"""Each knob of the drawing reaches the drawing alone."""

import pytest
from tiny_world import PAIRED, make_world, run

from terraform.config import Config, overlay, parse
from terraform.workflow import stages

KNOBS = [
    {"elevation": {"policy": "quantile"}},
    {"elevation": {"shoreline_m": 300}},
    {"elevation": {"top_m": 5000}},
    {"climate": {"latitude_shift_deg": 10}},
    {"climate": {"latitude_scale": 0.5}},
    {"climate": {"sun_azimuth_deg": 90}},
    {"grid": "polar"},
    {"window_px": 512},
    {"precision": "bf16"},
    {"compression": "jpeg"},
]


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: str(knob).strip("{}"))
def test_a_knob_redraws_and_nothing_else(knob):
    before = Config()
    after = parse(overlay(before.model_dump(), {"mosaics": knob}))
    for stage in ("cut", "sheet", "train", "evaluate"):
        assert stages.relevant(before, stage) == stages.relevant(after, stage)
    assert stages.relevant(before, "mosaic") != stages.relevant(after, "mosaic")
    for body, what in (("earth", "elevation"), ("earth", "imagery"), ("mars", "elevation")):
        assert stages.relevant_source(before, body, what) == stages.relevant_source(after, body, what)


def test_where_it_is_drawn_and_which_regions_redraw_nothing():
    after = parse({"mosaics": {"device": "cpu", "regions": ["argyre"]}})
    assert stages.relevant(Config(), "mosaic") == stages.relevant(after, "mosaic")


PROBE = """
import atexit
atexit.register(lambda: print("asked", source_code.cache_info().misses, source_settings.cache_info().misses))
print("heavy", sorted({"torch", "rasterio", "geopandas"} & set(sys.modules)))
"""


def test_planning_imports_nothing_heavy_and_asks_once_for_each_source(tmp_path):
    """Every process of Snakemake reads the Snakefile, those inside jobs too: torch alone took four CPU seconds."""
    make_world(tmp_path)
    rules = tmp_path / "workflow/rules/viewer.smk"
    rules.write_text(rules.read_text() + PROBE)
    said = run(tmp_path, "-n", "pairs")
    assert said.count("Job ") >= len(PAIRED) and "heavy []" in said
    assert "asked 2 2" in said  # elevation and imagery of Earth, however many regions there are

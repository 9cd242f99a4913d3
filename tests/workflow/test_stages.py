"""Each knob of the drawing reaches the drawing alone."""

import pytest
from tiny_world import make_world, run

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


def test_planning_imports_nothing_heavy(tmp_path):
    """Every process of Snakemake reads the Snakefile, those inside jobs too: torch alone took four CPU seconds."""
    make_world(tmp_path)
    rules = tmp_path / "workflow/rules/viewer.smk"
    rules.write_text(f"{rules.read_text()}\nprint('heavy', sorted({{'torch', 'rasterio'}} & set(sys.modules)))\n")
    assert "heavy []" in run(tmp_path, "-n", "pairs")

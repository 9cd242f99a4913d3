"""The files as they are shipped: a region that is drawn in regions.geojson takes part, and nothing else changes."""

import shutil

import pytest
from tiny_world import ROOT, all_of, configure, feature, features_of, jobs, make_world, run, snakemake, write_regions


@pytest.fixture
def shipped(tmp_path):
    make_world(tmp_path)
    for name in ("config.yaml", "regions.geojson"):
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_polygon_added_to_the_shipped_files_is_exactly_its_jobs(shipped):
    before = jobs(shipped)
    added = [feature("alps", "earth", "train", 9, 46), feature("elysium", "mars", "mosaic", 146, 24)]
    write_regions(shipped, [*features_of(shipped), *added])
    own = all_of("alps") | {"fetch elevation of elysium", "draw mosaic of elysium"}
    assert not own & before
    assert jobs(shipped) == before | own


def test_the_shipped_run_stays_small(shipped):
    found = jobs(shipped)
    assert {job for job in found if job.startswith("cut pairs")} == {f"cut pairs of {n}" for n in SMALL}
    assert {job for job in found if job.startswith("draw mosaic")} == {
        "draw mosaic of olympus", "draw mosaic of korolev",
    }  # fmt: skip


SMALL = ("cali", "czech", "nepal", "nw")


def test_regions_are_still_listed_as_before_with_one_line(tmp_path):
    make_world(tmp_path)
    configure(tmp_path, regions={"include": ["andes", "nw", "crater"]})
    log = run(tmp_path, "-n", "all")
    assert log.count("regions.include is read in this version only") == 1
    assert "regions: {exclude: [czech, italy]}" in log
    assert "cut pairs of czech" not in log and "draw mosaic of crater" in log


def test_a_region_that_is_left_out_and_gone_is_told(tmp_path):
    make_world(tmp_path)
    configure(tmp_path, regions={"exclude": ["czech", "atlantis"]})
    done = snakemake(tmp_path, "-n", "all")
    assert done.returncode == 0
    assert "regions.exclude names atlantis, not in regions.geojson" in done.stderr
    assert "czech" not in done.stdout

"""What runs again when something changes: on the real Snakefile, with a tiny world."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_world import (
    AFTER_PAIRS,
    BASES,
    CLIMATES,
    PAIRED,
    all_of,
    configure,
    feature,
    features_of,
    jobs,
    pairs_of,
    run,
    snakemake,
    write_regions,
)


def test_everything_is_made_at_the_places_promised(finished):
    for name in PAIRED:
        folder = finished / "results/pairs" / name
        for file in (
            "elevation.npy",
            "imagery.npy",
            "base.npy",
            "tiles.npy",
            "tiles.parquet",
            "sheet.jpg",
            "card.md",
            "provenance.json",
        ):
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
    assert "<h1>tiny</h1>" in (finished / "results/report.html").read_text()
    assert (finished / "logs/cut_pairs/andes.tsv").read_text().startswith("s\t")


def test_nothing_temporary_stays(finished):
    assert [str(path) for path in finished.rglob(".*.part-*")] == []


def test_nothing_changed_is_no_job(world):
    assert "Nothing to be done" in run(world, "-n", "all")


def test_the_report_alone_follows_a_setting_that_changes_no_result(world):
    configure(world, train={"checkpoint_every": 8})
    assert "write report of run tiny" in run(world, "-n", "all")
    assert jobs(world) == set()


def test_what_was_made_before_jobs_were_timed_stays(world):
    for path in (world / "logs").rglob("*.tsv"):
        path.unlink()
    assert "Nothing to be done" in run(world, "-n", "all")


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
    assert "elevation.npy is damaged" in (world / "logs/train_generator/tiny.log").read_text()
    pairs.write_bytes(whole)
    os.utime(pairs, ns=(times.st_atime_ns, times.st_mtime_ns))
    (world / "config.yaml").write_text(settings)
    run(world, "train")
    assert "8 of 8 images seen" in (world / "logs/train_generator/tiny.log").read_text()
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
    assert jobs(world) == {"fetch elevation of plain", "draw mosaic of plain"}
    configure(world, regions={"exclude": ["plain"]})
    assert jobs(world) == set()
    configure(world, mosaics={"regions": ["crater", "plain"]})
    assert jobs(world) == {"fetch elevation of plain", "draw mosaic of plain"}


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
    assert jobs(world) == {f"draw sheet of {name}" for name in PAIRED}


def test_a_colormap_setting_retrains_where_turbo_is_the_encoding(world):
    configure(world, condition={"encoding": "turbo"})
    run(world, "--touch", "all")  # as if it had been trained so
    assert jobs(world) == set()
    configure(world, sheet={"high_m": 8000})
    assert jobs(world) == {f"draw sheet of {name}" for name in PAIRED} | AFTER_PAIRS


def test_a_setting_of_the_pairs_cuts_and_what_follows(world):
    configure(world, pairs={"max_sea": 0.7})
    assert jobs(world) == set().union(*map(pairs_of, PAIRED)) | AFTER_PAIRS


@pytest.mark.parametrize(
    "knob",
    [
        {"elevation": {"policy": "quantile"}},
        {"climate": {"latitude_shift_deg": 10, "sun_azimuth_deg": 90}},
        {"grid": "input", "compression": "webp"},
    ],
    ids=lambda knob: next(iter(knob)),
)
def test_a_mosaic_setting_draws_alone(world, knob):
    configure(world, mosaics=knob)
    assert jobs(world) == {"draw mosaic of crater"}


@pytest.mark.parametrize(
    ("sections", "follows"),
    [
        ({"basemap": {"month": 7}}, BASES),
        ({"climate": {"mars": {"mean_temperature_c": 20}}}, {"simulate climate of mars", "draw base colours of mars"}),
        ({"mosaics": {"elevation": {"shoreline_m": -1000}}},
         {"simulate climate of mars", "draw base colours of mars", "draw mosaic of crater"}),
        ({"basemap": {"training": {"steps": 6, "members": 1}}}, {"fit base model of run tiny", *BASES}),
    ],
    ids=["a season", "a temperature", "a shoreline", "the base model"],
)  # fmt: skip
def test_a_knob_of_the_planet_is_its_climate_and_colours_and_never_pairs_or_the_generator(world, sections, follows):
    configure(world, **sections)
    assert jobs(world) == follows


def test_mosaics_and_evaluation_follow_base_colours_where_the_generator_adds_to_them(world):
    configure(world, train={"network": "unet_fc", "base": "added"})
    run(world, "--touch", "all")  # as if it had been trained so
    assert jobs(world) == set()
    configure(world, basemap={"month": 7})
    assert jobs(world) == BASES | {"draw mosaic of crater", "evaluate generator of run tiny"}


def test_a_generator_that_knows_tints_follows_those_of_the_earth_and_mosaics_those_of_mars(world):
    configure(world, train={"network": "unet_fc", "base": "added"}, condition={"tints": True})
    run(world, "--touch", "all")  # as if it had been trained so
    assert jobs(world) == set()
    configure(world, climate={"mars": {"mean_temperature_c": 20}})
    mars = {"simulate climate of mars", "draw base colours of mars", "draw mosaic of crater"}
    assert jobs(world) == mars
    configure(world, basemap={"month": 7})
    assert {"train generator of run tiny", "draw mosaic of crater"} < jobs(world)


def test_the_temperature_of_places_is_added_to_pairs_and_cuts_nothing(world):
    configure(world, condition={"channels": ["elevation", "air_temperature"]})
    added = {f"add temperature to pairs of {name}" for name in PAIRED}
    assert jobs(world) == added | AFTER_PAIRS
    run(world, "--touch", "all")
    run(world, "results/pairs/andes/temperature.npy", "--force")
    assert (world / "results/pairs/andes/temperature.json").exists()
    run(world, "--touch", "all")  # as if it had been trained so
    assert jobs(world) == set()
    configure(world, climate={"mars": {"mean_temperature_c": 20}, "earth": {"shoreline_m": 5.0}})
    assert jobs(world) >= {*CLIMATES, "draw mosaic of crater"}
    assert not jobs(world) & (added | AFTER_PAIRS - {"draw mosaic of crater"})


def test_pairs_need_an_observed_climate_for_the_temperature_of_their_places(world):
    planet = {"cells_per_degree": 1, "temperature": None, "precipitation": None}
    configure(world, condition={"channels": ["air_temperature"]}, sources={"earth": {"planet": planet}})
    refused = snakemake(world, "train", "--dry-run")
    assert refused.returncode != 0 and "name a source for it, such as worldclim" in refused.stdout + refused.stderr


def test_another_run_is_another_model_and_keeps_the_first(world):
    made = AFTER_PAIRS | CLIMATES | BASES | {"fit base model of run tiny"}
    follows = {job.replace("run tiny", "run second") for job in made}
    assert jobs(world, "all", "--config", "run=second") == follows
    assert (world / "results/model/tiny/weights.safetensors").exists()


def test_an_edited_polygon_is_noticed_without_snakemakes_records(world):
    shutil.rmtree(world / ".snakemake")
    assert jobs(world) == set()
    features = features_of(world)
    features[0] = feature("andes", "earth", "train", -69.3, -16)
    write_regions(world, features)
    assert jobs(world) == all_of("andes") | AFTER_PAIRS
    assert (world / "results/pairs/andes/provenance.json").exists(), "a dry run must remove nothing"
    run(world, "results/pairs/andes/provenance.json")
    assert not jobs(world) & (all_of("andes") - {"draw sheet of andes"})


def test_a_newer_raster_of_ones_own_is_fetched_again(world):
    raster = shutil.copy(world / "resources/earth/andes/elevation.tif", world / "own.tif")
    own = {"source": "files", "path": "own.tif"}
    configure(world, sources={"earth": {"elevation": own}})
    run(world, "resources/earth/andes/elevation.tif")
    assert jobs(world, "resources/earth/andes/elevation.tif") == set()
    time.sleep(1.1)
    Path(raster).touch()
    assert jobs(world, "resources/earth/andes/elevation.tif") == {"fetch elevation of andes"}

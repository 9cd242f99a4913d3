"""A small run whose names are hostile: trained for seconds, judged by numbers that are known, drawn by hand."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from servers.browser import chromium
from small_world import config, few_pairs, make_world, run

from terraform import provenance
from terraform.config import Config, Split
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.regions import Region, rectangle
from terraform.planet.pictures import write_picture
from terraform.provenance import Credit, Provenance
from terraform.report.files import RunFiles
from terraform.report.page import write_report
from terraform.show import boards

EVIL = "</title><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>\"'&{{ 7*7 }}"
METRICS = {
    "l1": {"title": f"mean absolute difference {EVIL}", "unit": "levels", "better": "lower", "target": 15},
    "ssim": {"title": "structural similarity", "unit": "", "better": "higher", "target": None},
    "deviation": {"title": "standard deviation", "unit": "levels", "better": "near", "target": None},
    "swd": {"title": "sliced Wasserstein distance", "unit": "x 1000", "better": "lower", "target": 120},
}
LEVELS = {"generated": 1.0, "real": 0.37, "table": 2.13, "base": 1.71, EVIL: 1.31}


def scores(seed):
    """Numbers with many digits; real imagery has no L1 against itself."""
    draw = np.random.default_rng(seed)
    found = {}
    for pictures, level in LEVELS.items():
        own = {name: float(level * draw.uniform(0.5, 40)) for name in METRICS}
        found[pictures] = {
            name: {"value": value, **({} if name == "ssim" else {"low": value * 0.93, "high": value * 1.09})}
            for name, value in own.items()
            if not (pictures == "real" and name == "l1")
        }
    return found


def metrics(name="tiny", regions=("two",), pairs=2):
    return {
        "format": 2, "run": name, "licence": "CC0-1.0", "attribution": EVIL,
        "weights": {"sha256": "ab" * 32, "network": "unet_fc", "images": 16}, "seeds": 1, "metrics": METRICS,
        "roles": {"validation": {"regions": list(regions), "pairs": pairs, "blocks": 2, "scores": scores(1)}},
        "mars": {"regions": ["dune"], "tiles": 9, "scores": {"generated": scores(2)["generated"]},
                 "outside": {"climate": 0.3125, "relief": 0.0625, "map": "mars-outside.png"}},
    }  # fmt: skip


def picture(seed, height=120, width=240):
    return (
        np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    )


def _draw(folder):
    """Climates, base colours, a mosaic, boards, benchmarks: files as their stages name them."""
    planet = folder / "results/planet/tiny/mars"
    for number, name in enumerate(("preview.jpg", "temperature.jpg", "precipitation.jpg", "koeppen.png")):
        write_picture(planet / name, picture(number), "a caption")
    skill = {"unit": "levels of 255", "cells": {"learnt_from": 1234, "two": 56}}
    skill |= {who: {"learnt_from": 6.5 + k, "two": 7.25 + k} for k, who in
              enumerate(("base_model", "height_and_latitude", "one_colour"))}  # fmt: skip
    (planet.parent / "skill.json").write_text(json.dumps(skill))
    mosaic = folder / "results/mars/tiny/dune"
    write_picture(mosaic / "preview.jpg", picture(9), "a caption")
    properties = {
        "gsd": 200.00085, "license": "CC0-1.0", "attribution": EVIL, "terraform:synthetic_relief": True,
        "terraform:relief_pixel_m": 463.1, "proj:shape": [321, 654],
    }  # fmt: skip
    (mosaic / "item.json").write_text(json.dumps({"properties": properties}))
    heights = folder / "resources/mars/dune"
    heights.mkdir(parents=True)
    provenance.write(Provenance((Credit("files", "CC-BY-4.0", f"heights of {EVIL}"),)), heights / "elevation.json")
    boards_ = folder / "results/evaluation/tiny/boards"
    boards_.mkdir(parents=True)
    for number, name in enumerate(("validation", "worst-l1")):
        Image.fromarray(picture(20 + number)).save(boards_ / f"{name}.png")
    Image.fromarray(picture(30)).save(boards_.parent / "mars-outside.png")
    (boards_.parent / "metrics.json").write_text(json.dumps(metrics()))
    for region, seconds in (("one", "12.5"), ("two", "3.25")):
        path = folder / "logs/cut_pairs" / f"{region}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:00:12\t123.45\t7.5\n")


def _regions():
    return {
        "one": Region("one", EARTH, "train", f"One {EVIL}", rectangle(0, 10, 3, 10.5)),
        "two": Region("two", EARTH, "validation", "Two", rectangle(50, 10, 51, 10.5)),
        "dune": Region("dune", MARS, "mosaic", f"Dune {EVIL}", rectangle(-137, 18, -134, 20)),
    }


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The working folder of a run in which everything was made."""
    root = tmp_path_factory.mktemp("run")
    world = make_world(root / "made", pairs=4)
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        output = root / "results/model/tiny"
        run(world, output, config(total_images=16), watch=boards.of_training(output, 9000))
    (root / "results/pairs").mkdir(parents=True)
    for name in ("one", "two"):
        shutil.move(root / "made" / name, root / "results/pairs" / name)
        Image.fromarray(picture(40)).save(root / "results/pairs" / name / "sheet.jpg")
    _draw(root)
    return root


@pytest.fixture(scope="session")
def run_files(folder):
    """The run as the command reads it."""
    split = Split(train=["one"], validation=["two"])
    settings = Config(run="tiny", split=split, rasters=str(folder / "rasters"))
    command = f"snakemake --cores 8 all --configfile {folder}/{EVIL}.yaml"
    return RunFiles(settings, _regions(), ("one", "two"), ("dune",), command, folder)


@pytest.fixture(scope="session")
def report(run_files, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(run_files, path)
    return path


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started

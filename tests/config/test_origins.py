"""The merged configuration with where each value comes from; one value changed in its file, comments and all."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from terraform.config import load
from terraform.config.origins import set_value, told
from terraform.errors import ConfigError

ROOT = Path(__file__).parents[2]
TEXT = """# What a run does.
run: mine # its name

train: # small
  width: 24 # filters
  total_images: 800
mosaics:
  climate: {latitude_scale: 0.6} # warmer
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return path


def test_every_value_says_where_it_comes_from(file, tmp_path):
    over = tmp_path / "over.yaml"
    over.write_text("train: {width: 32}\n")
    text = told([file, over])
    assert "run: mine  # config.yaml\n" in text
    assert "  width: 32  # over.yaml\n" in text and "  batch: 4  # default\n" in text
    assert "    latitude_scale: 0.6  # config.yaml\n" in text
    assert yaml.safe_load(text) == load(file, over).model_dump(mode="json")
    assert told([file], "train.width") == "train.width: 24  # config.yaml\n"
    assert told([file], "mosaics.climate").startswith("latitude_shift_deg: 0.0  # default\n")
    with pytest.raises(ConfigError, match=r"train\.widht is no setting: do you mean width"):
        told([file], "train.widht")


@pytest.mark.parametrize(
    ("assignment", "old", "new"),
    [
        ("train.width=48", "width: 24 # filters", "width: 48 # filters"),
        ("train.images=5", "total_images: 800", "total_images: 5"),
        ("train.batch=2", "train: # small\n", "train: # small\n  batch: 2\n"),
        ("mosaics.climate.latitude_scale=1e-1", "latitude_scale: 0.6}", "latitude_scale: 0.1}"),
        ("mosaics.climate.sun_azimuth_deg=315", "{latitude_scale", "{sun_azimuth_deg: 315, latitude_scale"),
        ("mosaics.regions=[a, b]", "mosaics:\n", "mosaics:\n  regions: [a, b]\n"),
    ],
)
def test_one_value_is_changed_and_the_rest_stays(file, assignment, old, new):
    set_value(file, assignment)
    assert file.read_text() == TEXT.replace(old, new, 1)


def test_a_section_that_is_not_there_is_added(file, tmp_path):
    set_value(file, "condition.resolution_m=500")
    assert file.read_text() == TEXT + "\ncondition:\n  resolution_m: 500\n"
    set_value(tmp_path / "new.yaml", "sources.mars.planet.cells_per_degree=4")
    assert load(tmp_path / "new.yaml").sources.mars.planet.cells_per_degree == 4


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("train.widht=5", "do you mean width"), ("train.width=many", "train.width: given 'many'"),
        ("train.width", "is no assignment"), ("train..width=5", "is no assignment"), ("run.name=x", "run"),
    ],
)  # fmt: skip
def test_what_is_wrong_changes_nothing(file, assignment, said):
    with pytest.raises(ConfigError, match=said):
        set_value(file, assignment)
    assert file.read_text() == TEXT


def test_the_commands(tmp_path):
    for name in ("config.yaml", "regions.geojson"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())

    def call(*arguments):
        command = [sys.executable, "-m", "terraform", "config", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "total_images: 800  # config.yaml" in call("show", "train").stdout
    assert "draws: korolev, olympus" in call("validate").stdout
    assert call("set", "train.total_images=5", "run=other").returncode == 0
    assert load(tmp_path / "config.yaml").train.total_images == 5
    done = call("set", "train.total_imges=5")
    assert done.returncode == 2 and "do you mean total_images?" in done.stderr

"""The base model's file, and what it draws beyond its experience."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from terraform.basemap.features import FEATURES
from terraform.basemap.fitting import Cells
from terraform.basemap.model import FORMAT, BaseModel, held, load, save
from terraform.errors import InputError


def test_round_trip(model: BaseModel, cells: Cells, tmp_path: Path):
    path = tmp_path / "base.safetensors"
    save(path, model)
    again = load(path)
    assert (again.months, again.features, dict(again.texts)) == ((7,), FEATURES, {"LICENCE": "CC0-1.0"})
    np.testing.assert_array_equal(again.colours(cells.features), model.colours(cells.features))
    assert path.stat().st_size < 200_000


@pytest.mark.parametrize("at", [0, 40, 3000, -10])
def test_damaged_files_are_refused(model: BaseModel, tmp_path: Path, at: int):
    path = tmp_path / "base.safetensors"
    save(path, model)
    content = path.read_bytes()
    path.write_bytes(content[:at])
    with pytest.raises(InputError, match="base"):
        load(path)


def test_missing_and_foreign_files_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no base model"):
        load(tmp_path / "missing.safetensors")
    save_file({"x": np.zeros(3, np.float32)}, tmp_path / "other.safetensors", {"base_model": '{"format": "2"}'})
    with pytest.raises(InputError, match="format '2'"):
        load(tmp_path / "other.safetensors")


def test_a_file_without_its_weights_is_refused(tmp_path: Path):
    described = {"format": FORMAT, "months": [7], "features": [list(feature) for feature in FEATURES], "texts": {}}
    save_file({"low": np.zeros(3, np.float32)}, tmp_path / "bare.safetensors", {"base_model": json.dumps(described)})
    with pytest.raises(InputError, match="damaged"):
        load(tmp_path / "bare.safetensors")


def test_features_are_held_within_the_range_seen():
    low, high = np.array([-1.0], np.float32), np.array([2.0], np.float32)
    x = np.linspace(-50, 50, 20_001, dtype=np.float32)[:, None]
    y = held(x, low, high)
    inside = (x >= low) & (x <= high)
    np.testing.assert_array_equal(y[inside], x[inside])
    assert y.min() >= -1.11
    assert y.max() <= 2.11
    assert (np.diff(y[:, 0]) >= 0).all()
    assert np.diff(y[:, 0]).max() <= 0.0051


def test_far_beyond_experience_colours_stay_sane(model: BaseModel, cells: Cells):
    extreme = np.random.default_rng(0).normal(0, 100, (1000, len(FEATURES))).astype(np.float32)
    drawn = model.colours(extreme)
    assert np.isfinite(drawn).all()
    assert (drawn >= 0).all()
    assert (drawn <= 1).all()


def test_no_colour_of_land_is_pink(model, features):
    drawn = model.colours(np.random.default_rng(4).uniform(-9, 9, (4000, features.shape[-1])).astype(np.float32))
    assert (drawn[:, 1] >= (drawn[:, 0] + drawn[:, 2]) / 2 - 2 / 255 - 1e-6).all()

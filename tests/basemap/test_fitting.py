"""The base model learns the law of a planet, the same each time, and nothing of what was held out."""

from pathlib import Path

import numpy as np
import pytest

from terraform.basemap.fitting import Cells, cells_of, fit, outside
from terraform.basemap.model import BaseModel, save
from terraform.basemap.render import Ground
from terraform.config.basemap import BaseTraining
from terraform.errors import InputError
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid

BOX = (30.0, -20.0, 60.0, 40.0)


def test_learns_a_lawful_planet(model: BaseModel, cells: Cells):
    drawn = model.colours(cells.features)
    one_colour = np.abs(cells.colours - cells.colours.mean(axis=0)).mean()
    assert np.abs(drawn - cells.colours).mean() < 0.35 * one_colour


def test_same_seed_same_bytes(cells: Cells, settings: BaseTraining, model: BaseModel, tmp_path: Path):
    save(tmp_path / "a.safetensors", model)
    save(tmp_path / "b.safetensors", fit(cells, settings, 3, {"LICENCE": "CC0-1.0"}))
    save(tmp_path / "c.safetensors", fit(cells, settings, 4, {"LICENCE": "CC0-1.0"}))
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert (tmp_path / "a.safetensors").read_bytes() != (tmp_path / "c.safetensors").read_bytes()


def test_held_out_boxes_contribute_nothing(
    features: np.ndarray, colours: np.ndarray, ground: Ground, grid: PlanetGrid, settings: BaseTraining, tmp_path: Path
):
    short = settings.model_copy(update={"steps": 10})
    use = (ground.land > 0) & outside(grid, [BOX])
    changed = colours.copy()
    inside = ~outside(grid, [BOX], margin_deg=0.99)
    assert (inside & (ground.land > 0)).any()
    changed[inside] = 1 - changed[inside]
    for name, target in (("a", colours), ("b", changed)):
        save(tmp_path / name, fit(cells_of(features, target, use, grid), short, 1))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_boxes_across_180_degrees_and_whole_belts():
    grid = PlanetGrid(EARTH, 1)
    free = outside(grid, [(170.0, -10.0, -170.0, 10.0)])
    across = (np.abs(grid.longitude_deg) > 169) & (np.abs(grid.latitude_deg) < 11)[:, None]
    np.testing.assert_array_equal(free, ~across)
    belt = outside(grid, [(-180.0, 0.0, 180.0, 10.0)])
    np.testing.assert_array_equal(belt.all(axis=1), (grid.latitude_deg < -1) | (grid.latitude_deg > 11))
    assert not belt[85].any()


def test_weights_are_shares(cells: Cells):
    both = cells.scaled_to(1.0) + cells.scaled_to(0.25)
    assert len(both.features) == 2 * len(cells.features)
    np.testing.assert_allclose(both.weight.sum(dtype=float), 1.25, rtol=1e-4)


def test_cells_that_cannot_be_learnt_from_are_refused(cells: Cells, settings: BaseTraining):
    with pytest.raises(InputError, match="at least 16"):
        fit(Cells(cells.features[:3], cells.colours[:3], cells.weight[:3]), settings, 0)
    with pytest.raises(InputError, match="not finite"):
        fit(Cells(cells.features, cells.colours * np.float32("nan"), cells.weight), settings, 0)

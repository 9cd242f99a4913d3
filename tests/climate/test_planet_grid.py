"""The planet grid: cells, areas, and the way between resolutions."""

import numpy as np
import pytest

from terraform.errors import ConfigError, InputError
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.planet_grid import PlanetGrid, over_the_poles


def unit_vectors(grid):
    latitude, longitude = np.radians(grid.latitude_deg)[:, None], np.radians(grid.longitude_deg)[None]
    east = np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude)
    return np.stack([*east, np.broadcast_to(np.sin(latitude), grid.shape)])


def test_cells_begin_in_the_north_west():
    grid = PlanetGrid(MARS, 0.5)
    assert grid.shape == (90, 180)
    assert (grid.latitude_deg[0], grid.latitude_deg[-1]) == (89, -89)
    assert (grid.longitude_deg[0], grid.longitude_deg[-1]) == (-179, 179)


def test_areas_cover_the_sphere():
    grid = PlanetGrid(EARTH, 0.2)
    assert grid.mean(np.ones(grid.shape)) == pytest.approx(1)
    assert grid.mean(unit_vectors(grid)[2] ** 2) == pytest.approx(1 / 3, rel=5e-3)


@pytest.mark.parametrize("cells", [0.0, 0.01, 0.35, -1.0])
def test_cells_that_do_not_fill_the_body_are_refused(cells):
    with pytest.raises(ConfigError, match="even number of rows"):
        PlanetGrid(EARTH, cells)


def test_averaging_keeps_the_mean():
    fine, coarse = PlanetGrid(EARTH, 1), PlanetGrid(EARTH, 0.2)
    values = np.random.default_rng(1).normal(size=(2, *fine.shape)).astype(np.float32)
    assert coarse.mean(fine.coarsened(values, coarse)) == pytest.approx(fine.mean(values), abs=1e-6)


def test_a_coarser_grid_has_whole_blocks():
    fine = PlanetGrid(EARTH, 12)
    assert fine.coarser(0.5).cells_per_degree == 0.5
    assert fine.coarser(0.7).cells_per_degree <= 0.7
    assert PlanetGrid(EARTH, 0.2).coarser(0.5).cells_per_degree == 0.2


def test_refinement_is_smooth_over_the_seam_and_the_poles():
    coarse, fine = PlanetGrid(EARTH, 0.2), PlanetGrid(EARTH, 1)
    made = coarse.refined(unit_vectors(coarse), fine)
    assert np.abs(made - unit_vectors(fine)).max() < 0.01
    across = np.abs(made[..., 0] - made[..., -1]).max()
    assert across <= np.abs(np.diff(made, axis=-1)).max() * 1.01


def test_refinement_stays_within_the_range():
    coarse, fine = PlanetGrid(EARTH, 0.2), PlanetGrid(EARTH, 2)
    values = (np.random.default_rng(2).random(coarse.shape) > 0.9).astype(np.float32)
    made = coarse.refined(values, fine)
    assert made.min() >= 0
    assert made.max() <= 1


def test_refinement_turns_with_the_planet():
    coarse, fine = PlanetGrid(EARTH, 0.2), PlanetGrid(EARTH, 1)
    values = np.random.default_rng(3).random(coarse.shape).astype(np.float32)
    turned = coarse.refined(np.roll(values, 7, -1), fine)
    np.testing.assert_allclose(turned, np.roll(coarse.refined(values, fine), 35, -1), atol=1e-6)


def test_beyond_a_pole_lies_the_other_side():
    values = np.arange(32.0).reshape(4, 8)
    tall = over_the_poles(values, 1)
    assert tall[0].tolist() == [4, 5, 6, 7, 0, 1, 2, 3]
    assert tall[-1].tolist() == [28, 29, 30, 31, 24, 25, 26, 27]


def test_arrays_of_another_shape_are_refused():
    grid = PlanetGrid(EARTH, 0.2)
    with pytest.raises(InputError, match="resample it"):
        grid.coarsened(np.zeros((10, 20)), grid)
    with pytest.raises(InputError, match="divisor"):
        grid.coarsened(np.zeros(grid.shape), PlanetGrid(EARTH, 1 / 9))

"""Where Mars lies outside what Earth taught: nowhere of a second Earth, and wherever it is warmer than any of it."""

import numpy as np
import pytest
from PIL import Image

from terraform.climate.monthly import MonthlyClimate
from terraform.evaluation.mars.outside import draw, ground_of, outside
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid
from terraform.planet.rasters import StoredClimate


def planet(seed, warmer=0.0, gravity=9.81, scale=1.0):
    """A body of land whose warmth follows latitude; the south of it may be warmer."""
    grid = PlanetGrid(EARTH, 0.5)
    draw_ = np.random.default_rng(seed)
    warmth = 30 - 0.6 * np.abs(grid.latitude_deg)[None, :, None] + draw_.normal(0, 2, (12, grid.height, grid.width))
    warmth[:, grid.height // 2 :] += warmer
    rain = np.full_like(warmth, 80) + draw_.normal(0, 5, warmth.shape)
    heights = scale * (500 + draw_.normal(0, 100, (grid.height, grid.width)))
    heights[:, :10] = -100
    climate = MonthlyClimate(warmth.astype(np.float32), rain.astype(np.float32))
    return StoredClimate(grid, climate, heights.astype(np.float32), 6.5, gravity, 0.0)


@pytest.fixture(scope="module")
def earth():
    return ground_of(planet(0))


def test_a_second_earth_lies_inside(earth):
    found = outside(ground_of(planet(1)), earth)
    assert found.climate_share < 0.05 and found.relief_share < 0.05


def test_the_warmer_the_more_lies_outside(earth):
    shares = [outside(ground_of(planet(1, warmer)), earth).climate_share for warmer in (0, 10, 20, 60)]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(0.5, abs=0.05)


def test_climate_and_relief_are_asked_apart(earth):
    warm, high = (outside(ground_of(body), earth) for body in (planet(1, 60), planet(1, scale=30)))
    assert warm.climate_share > 0.4 > 0.05 > warm.relief_share
    assert high.relief_share > 0.9 > 0.05 > high.climate_share
    assert not high.relief[:, :10].any()  # the sea


def test_a_light_body_has_higher_relief_for_the_same_look(earth):
    assert outside(ground_of(planet(1, gravity=9.81 / 30, scale=30)), earth).relief_share < 0.05


def test_the_map_shows_what_lies_outside(earth, tmp_path):
    draw(tmp_path / "map.png", outside(ground_of(planet(1, 60)), earth))
    pixels = np.asarray(Image.open(tmp_path / "map.png").convert("RGB"))
    orange = (pixels == (215, 120, 40)).all(2)
    assert orange[300:520].mean() > 0.7 > 0.1 > orange[:250].mean()

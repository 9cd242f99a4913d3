"""The synthetic planets as a whole: the ground of the fine worlds, and a climate that follows its law."""

import numpy as np
import pytest

from terraform.geo.bodies import EARTH, MARS, Body
from terraform.geo.planet_grid import PlanetGrid
from terraform.sample_world import climate, earth, mars
from terraform.sample_world.colour import SNOW, snow_line_m
from terraform.sample_world.planet import sample_climate, sample_planet


@pytest.mark.parametrize(("body", "far_m"), [(EARTH, 150.0), (MARS, 500.0)])
def test_a_planet_is_the_smooth_ground_of_its_fine_world(body: Body, far_m: float) -> None:
    grid = PlanetGrid(body, 0.5)
    planet = sample_planet(grid, 0)
    rows, columns = slice(20, 40), slice(0, 60)
    lon, lat = grid.longitude_deg[columns], grid.latitude_deg[rows]
    fine = earth.elevation(lon, lat, 0).elevation_m if body == EARTH else mars.elevation(lon, lat, 0)
    coarse = np.maximum(planet.height_m, 0) if body == EARTH else planet.height_m
    off = fine - coarse[rows, columns]
    assert np.sqrt((off**2).mean()) < far_m < 0.3 * fine.std()


def test_a_world_closes_and_depends_on_its_seed() -> None:
    grid = PlanetGrid(EARTH, 1)
    height = sample_planet(grid, 0).height_m
    across = np.abs(height[:, 0] - height[:, -1])
    along = np.abs(np.diff(height, axis=1))
    assert across.mean() < 1.5 * along.mean()
    assert not np.array_equal(height, sample_planet(grid, 1).height_m)


def test_snow_lies_where_the_law_says() -> None:
    grid = PlanetGrid(EARTH, 1)
    planet = sample_planet(grid, 0)
    assert planet.imagery is not None
    year = sample_climate(grid, 0).temperature.mean(axis=0)
    line = snow_line_m(grid.latitude_deg)[:, None]
    land = planet.height_m > 0
    expected = 0.0065 * (line - planet.height_m) - 2
    assert np.abs(year - expected)[land].max() < 1e-3
    white = (np.abs(planet.imagery.astype(int) - SNOW).max(axis=-1) < 20) & land
    assert white[land & (year < -7)].mean() > 0.95 and white[land & (year > 3)].mean() < 0.01


def test_rain_makes_green() -> None:
    grid = PlanetGrid(EARTH, 1)
    planet, rain = sample_planet(grid, 0), sample_climate(grid, 0).precipitation.sum(axis=0)
    assert planet.imagery is not None
    assert np.allclose(rain, 2600 * planet.moisture**2, rtol=1e-3, atol=0.1)
    warm = (planet.height_m > 0) & (np.abs(grid.latitude_deg)[:, None] < 35) & (planet.height_m < 1500)
    greenness = planet.imagery[..., 1].astype(int) - planet.imagery[..., 0]
    assert np.corrcoef(rain[warm], greenness[warm])[0, 1] > 0.6


def test_land_swings_more_than_the_sea_and_each_hemisphere_has_its_winter() -> None:
    grid = PlanetGrid(EARTH, 1)
    height, months = sample_planet(grid, 0).height_m, sample_climate(grid, 0).temperature
    swing = months.max(axis=0) - months.min(axis=0)
    inland = climate.sea_distance_km(grid, height < 0) > 300
    north = np.abs(grid.latitude_deg - 50)[:, None] < 5
    assert swing[north & inland].mean() > 1.5 * swing[north & (height < 0)].mean()
    assert (months[0] < months[6])[:80].all() and (months[0] > months[6])[-80:].all()


def test_the_distance_to_the_sea_is_along_great_circles_and_across_the_antimeridian() -> None:
    grid = PlanetGrid(EARTH, 1)
    sea = np.zeros(grid.shape, bool)
    sea[:, :2] = True
    distance = climate.sea_distance_km(grid, sea)
    middle = grid.height // 2
    assert distance[middle, -20] == pytest.approx(20 * 111.2, rel=0.12)
    assert distance[0].max() < 400
    none = climate.sea_distance_km(grid, np.zeros(grid.shape, bool))
    assert none.min() == pytest.approx(20_015, rel=0.01)

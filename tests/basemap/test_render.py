"""Base colours are a function of place: whole, band by band, rolled; finite and without bleeding."""

import numpy as np
import pytest

from terraform.basemap import features
from terraform.basemap.model import BaseModel
from terraform.basemap.render import BaseColours, Ground, composite, draw, hillshade
from terraform.climate.monthly import MonthlyClimate
from terraform.config.basemap import BaseMap, SeaLaw
from terraform.errors import InputError
from terraform.geo.planet_grid import PlanetGrid

SETTINGS = BaseMap(cells_per_degree=1, roughness_m=150_000.0, surroundings_m=400_000.0, month=7)
STRAIGHT = SETTINGS.model_copy(update={"sea": SeaLaw(ice_meander_k=0)})
"""Without meanders of the ice, which belong to places, not to climates."""


def rolled_by(ground: Ground, columns: int) -> Ground:
    return ground._replace(height_m=np.roll(ground.height_m, columns, 1), land=np.roll(ground.land, columns, 1))


@pytest.fixture(scope="module")
def whole(model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground) -> BaseColours:
    return draw(model, climate, grid, ground, SETTINGS)


def near(a: np.ndarray, b: np.ndarray) -> None:
    """Equal but for rounding: sums of another order can be a level apart."""
    difference = np.abs(a.astype(int) - b)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_bands_do_not_matter(
    model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground, whole: BaseColours, monkeypatch
):
    monkeypatch.setattr(features, "_BAND", 7)
    again = draw(model, climate, grid, ground, SETTINGS)
    near(whole.land, again.land)
    near(whole.sea, again.sea)


def test_rolling_the_planet_rolls_the_picture(
    model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground
):
    whole = draw(model, climate, grid, ground, STRAIGHT)
    moved = MonthlyClimate(np.roll(climate.temperature, 100, -1), np.roll(climate.precipitation, 100, -1))
    again = draw(model, moved, grid, rolled_by(ground, 100), STRAIGHT)
    near(np.roll(whole.land, 100, 1), again.land)
    near(np.roll(whole.sea, 100, 1), again.sea)


def test_coarse_climate_follows_the_fine_relief(
    model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground, whole: BaseColours
):
    coarse = grid.coarser(0.5)
    means = MonthlyClimate(grid.coarsened(climate.temperature, coarse), grid.coarsened(climate.precipitation, coarse))
    again = draw(model, means, coarse, ground, SETTINGS)
    assert np.abs(again.land.astype(int) - whole.land).mean() < 4


def test_a_cell_does_not_see_colours_of_the_other_kind(
    model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground, whole: BaseColours
):
    flooded = ground._replace(land=np.where(ground.height_m < 50, 0, ground.land).astype(np.float32))
    again = draw(model, climate, grid, flooded, SETTINGS)
    coast = (ground.height_m > 0) & (ground.height_m < 50)
    assert coast.any()
    far = np.abs(again.land[coast].astype(int) - whole.land[coast])
    assert far.mean() < 6


def test_a_season_half_a_year_later_in_the_other_hemisphere(
    model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground, whole: BaseColours
):
    mirrored = MonthlyClimate(
        np.roll(climate.temperature, 6, 0)[:, ::-1], np.roll(climate.precipitation, 6, 0)[:, ::-1]
    )
    other = ground._replace(height_m=ground.height_m[::-1], land=ground.land[::-1])
    again = draw(model, mirrored, grid, other, SETTINGS.model_copy(update={"month": 1}))
    near(whole.land, again.land[::-1])


def test_composite_takes_land_on_land_and_sea_at_sea(whole: BaseColours, ground: Ground):
    picture = composite(whole, ground.land)
    np.testing.assert_array_equal(picture[ground.land == 1], whole.land[ground.land == 1])
    np.testing.assert_array_equal(picture[ground.land == 0], whole.sea[ground.land == 0])


def test_hillshade_is_lit_from_the_north_west(grid: PlanetGrid, ground: Ground):
    flat = ground._replace(height_m=np.zeros(grid.shape, np.float32))
    np.testing.assert_allclose(hillshade(flat, 1.0), 1.0, atol=1e-6)
    hill = np.exp(-((grid.latitude_deg[:, None]) ** 2 + grid.longitude_deg[None] ** 2) / 200) * 5000
    shade = hillshade(ground._replace(height_m=hill.astype(np.float32)), 1.0, exaggeration=50.0)
    assert shade[80, 170] > 1.05
    assert shade[100, 190] < 0.95
    np.testing.assert_allclose(hillshade(ground, 0.0), 1.0)


def test_hillshade_has_no_streaks_at_the_poles(grid: PlanetGrid, ground: Ground):
    rough = np.random.default_rng(0).normal(1000, 100, grid.shape).astype(np.float32)
    shade = hillshade(ground._replace(height_m=rough), 1.0, exaggeration=50.0)
    assert shade[:2].std() < shade[85:95].std()


def test_wrong_shapes_are_refused(model: BaseModel, climate: MonthlyClimate, grid: PlanetGrid, ground: Ground):
    with pytest.raises(InputError, match="planet grid"):
        draw(model, climate, grid, ground._replace(land=ground.land[:10]), SETTINGS)

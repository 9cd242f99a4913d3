"""What is read from twelve months, how they move to other heights and grids, and how skill is judged."""

import numpy as np
import pytest

from terraform.climate.monthly import MonthlyClimate
from terraform.climate.skill import skill
from terraform.errors import InputError
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid

COARSE, FINE = PlanetGrid(EARTH, 0.2), PlanetGrid(EARTH, 1)


@pytest.fixture
def climate():
    season = -12 * np.cos(2 * np.pi * (np.arange(12) + 0.5) / 12)[:, None, None]
    sine = np.sin(np.radians(COARSE.latitude_deg))[:, None]
    warmth = np.broadcast_to(27 - 45 * sine**2 + season * sine, (12, *COARSE.shape))
    east = np.cos(np.radians(COARSE.longitude_deg))
    rain = np.broadcast_to(60 + 40 * east + 5 * season * sine * (1 + 0.3 * east), (12, *COARSE.shape))
    return MonthlyClimate(warmth.astype(np.float32), np.maximum(rain, 0).astype(np.float32))


def test_extremes_enclose_the_mean(climate):
    assert (climate.coldest <= climate.annual_temperature).all()
    assert (climate.annual_temperature <= climate.warmest).all()
    assert (climate.driest * 12 <= climate.annual_precipitation).all()
    assert (climate.annual_precipitation <= climate.wettest * 12 + 1e-3).all()


def test_the_warm_half_is_april_to_september_in_the_north(climate):
    warm = climate.warm_half()
    assert warm[3:9, 0].all()
    assert not warm[3:9, -1].any()
    assert warm[:3, -1].all()


def test_warmth_above_5_degrees_is_summed_over_the_year():
    flat = MonthlyClimate(np.full((12, 1, 2), 15, np.float32), np.zeros((12, 1, 2), np.float32))
    np.testing.assert_allclose(flat.growing_degree_days, 10 * 365.25, rtol=1e-5)


def test_a_kilometre_up_and_down_again(climate):
    height = np.full(COARSE.shape, 1000.0)
    up = climate.at_heights(height, 6.5)
    np.testing.assert_allclose(climate.temperature - up.temperature, 6.5, rtol=1e-5)
    np.testing.assert_allclose(up.at_sea_level(height, 6.5).temperature, climate.temperature, atol=1e-4)


def test_finer_heights_are_colder_where_they_are_higher(climate):
    hill = 2000 * np.exp(-((FINE.latitude_deg[:, None] - 40) ** 2 + FINE.longitude_deg[None] ** 2) / 200)
    fine = climate.downscaled(COARSE, np.zeros(COARSE.shape), FINE, hill, 5.0)
    plain = climate.downscaled(COARSE, np.zeros(COARSE.shape), FINE, 0 * hill, 5.0)
    np.testing.assert_allclose((plain.temperature - fine.temperature)[3], hill * 0.005, atol=1e-3)
    np.testing.assert_array_equal(fine.precipitation, plain.precipitation)


def test_twelve_maps_are_expected():
    with pytest.raises(InputError, match="twelve maps"):
        MonthlyClimate(np.zeros((11, 2, 4), np.float32), np.zeros((11, 2, 4), np.float32))
    with pytest.raises(InputError, match="twelve maps"):
        MonthlyClimate(np.zeros((12, 2, 4), np.float32), np.zeros((12, 4, 8), np.float32))


def test_a_climate_is_as_skilled_as_itself(climate):
    found = skill(climate, climate, np.ones(COARSE.shape, bool), COARSE)
    assert (found.temperature_k, found.june_k, found.rain_bias, found.koeppen) == (0, 0, 0, 1)
    assert found.rain == pytest.approx(1)
    assert found.december_rain == pytest.approx(1)


def test_skill_sees_what_is_wrong(climate):
    warmer = MonthlyClimate(climate.temperature + np.float32(3), climate.precipitation * np.float32(2))
    found = skill(warmer, climate, np.ones(COARSE.shape, bool), COARSE)
    assert found.temperature_k == pytest.approx(3, rel=1e-4)
    assert found.rain_bias == pytest.approx(np.log10(2), rel=1e-3)
    assert found.rain == pytest.approx(1, abs=1e-3)
    assert found.koeppen < 0.9


def test_only_the_chosen_land_counts_by_its_area(climate):
    north = np.zeros(COARSE.shape, bool)
    north[:2] = True
    wrong = climate.temperature.copy()
    wrong[:, 0] += 10
    found = skill(MonthlyClimate(wrong, climate.precipitation), climate, north, COARSE)
    share = COARSE.area_weight[0, 0] / (COARSE.area_weight[0, 0] + COARSE.area_weight[1, 0])
    assert found.temperature_k == pytest.approx(10 * np.sqrt(share), rel=1e-4)
    assert skill(MonthlyClimate(wrong, climate.precipitation), climate, ~north, COARSE).temperature_k == 0

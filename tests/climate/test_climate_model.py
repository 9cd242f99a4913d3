"""What any climate must obey, on planets of a few thousand cells."""

import numpy as np
import pytest

from terraform.climate.model import simulate
from terraform.climate.winds import cell_width_deg
from terraform.config.climate import MARS_CLIMATE, ClimateModel, Orbit
from terraform.errors import InputError
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.planet_grid import PlanetGrid


@pytest.fixture(scope="module")
def climate(grid, settings, continents):
    return simulate(*continents, grid, settings)


def changed(settings, **sections):
    """Settings with other values in some sections: energy={"ice_c": -99}."""
    document = settings.model_dump()
    for name, values in sections.items():
        document[name] = document[name] | values if isinstance(values, dict) else values
    return ClimateModel.model_validate(document)


def test_it_is_finite_and_never_rains_upwards(climate):
    for values in (climate.temperature, climate.precipitation):
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    assert climate.precipitation.min() >= 0
    assert -90 < climate.temperature.min() < climate.temperature.max() < 60


def test_a_turned_planet_has_the_turned_climate(climate, grid, settings, continents):
    turned = simulate(*(np.roll(a, 13, axis=1) for a in continents), grid, settings)
    np.testing.assert_allclose(turned.temperature, np.roll(climate.temperature, 13, -1), atol=0.02)
    np.testing.assert_allclose(turned.precipitation, np.roll(climate.precipitation, 13, -1), rtol=0.01, atol=0.05)


def test_a_mirrored_planet_has_the_other_season(grid, settings, continents):
    circular = changed(settings, orbit={"eccentricity": 0.0})
    straight = simulate(*continents, grid, circular)
    mirrored = simulate(*(a[::-1] for a in continents), grid, circular)
    np.testing.assert_allclose(np.roll(mirrored.temperature[:, ::-1], 6, axis=0), straight.temperature, atol=0.1)
    np.testing.assert_allclose(
        np.roll(mirrored.precipitation[:, ::-1], 6, axis=0), straight.precipitation, rtol=0.05, atol=0.5
    )


def test_without_snow_a_warmer_mean_is_exactly_that_much_warmer(grid, settings, continents):
    plain = {"ice_c": -200.0, "snow_c": -200.0, "dry_k_per_w_m2": 0.0}
    cold = simulate(*continents, grid, changed(settings, energy=plain))
    knob = settings.mean_temperature_c + 5
    warm = simulate(*continents, grid, changed(settings, energy=plain, mean_temperature_c=knob))
    np.testing.assert_allclose(warm.temperature - cold.temperature, 5, atol=0.01)


def test_snow_and_ice_make_a_warming_larger(climate, grid, settings, continents):
    warm = simulate(*continents, grid, changed(settings, mean_temperature_c=settings.mean_temperature_c + 5))
    rise = warm.annual_temperature - climate.annual_temperature
    assert 5 <= grid.mean(rise) < 9
    assert rise.min() > 2


def test_a_sea_everywhere_has_a_zonal_climate(grid, settings):
    made = simulate(np.zeros(grid.shape), np.ones(grid.shape, bool), grid, settings)
    assert made.temperature.std(axis=-1).max() < 0.01
    assert (made.precipitation.std(axis=-1) <= 1e-3 * made.precipitation.mean(axis=-1) + 1e-3).all()


def test_land_swings_more_than_sea(climate, continents):
    swing = climate.warmest - climate.coldest
    sea = continents[1]
    rows = slice(7, 11)
    assert swing[rows][~sea[rows]].mean() > 1.7 * swing[rows][sea[rows]].mean()


def test_higher_is_colder_by_the_lapse_rate(settings, continents, grid):
    fine = PlanetGrid(EARTH, 1)
    height, sea = (np.kron(a, np.ones((5, 5), a.dtype)).astype(a.dtype) for a in continents)
    steps = 500 * (-1.0) ** np.add.outer(np.arange(fine.height), np.arange(fine.width)) * ~sea
    rough, smooth = (simulate(h, sea, fine, settings) for h in (height + steps, height))
    expected = -steps * settings.lapse_rate_k_per_km / 1000
    np.testing.assert_allclose((rough.temperature - smooth.temperature).mean(axis=0), expected, atol=0.3)


def test_a_ridge_across_the_wind_has_a_wet_and_a_dry_side(grid, settings):
    latitude, longitude = np.meshgrid(grid.latitude_deg, grid.longitude_deg, indexing="ij")
    land = (np.abs(latitude - 47) < 15) & (np.abs(longitude) < 40)
    ridge = 3000 * np.exp(-(((longitude + 25) / 5) ** 2)) * land
    made = simulate(ridge, ~land, grid, settings).annual_precipitation
    flat = simulate(0 * ridge, ~land, grid, settings).annual_precipitation
    row = np.abs(grid.latitude_deg - 47) < 6
    west, east = (row[:, None] & (np.abs(grid.longitude_deg - at) < 6) for at in (-32, -12))
    assert made[west].mean() / made[east].mean() > 1.3 * flat[west].mean() / flat[east].mean()


def test_a_wetter_planet_rains_more(climate, grid, settings, continents):
    wet = simulate(*continents, grid, changed(settings, wetness=1.5))
    assert grid.mean(wet.annual_precipitation) > 1.1 * grid.mean(climate.annual_precipitation)


def test_heated_land_draws_the_rain_in_summer(climate, grid, continents):
    latitude = np.broadcast_to(grid.latitude_deg[:, None], grid.shape)
    place = ~continents[1] & (latitude > 8) & (latitude < 20)
    rain = climate.precipitation[:, place].mean(axis=1)
    assert rain[6:9].mean() > 2 * rain[[11, 0, 1, 2]].mean()


def test_a_planet_may_be_all_land(climate, grid, settings):
    made = simulate(np.zeros(grid.shape), np.zeros(grid.shape, bool), grid, settings)
    assert np.isfinite(made.temperature).all()
    assert grid.mean(made.annual_precipitation) < 0.3 * grid.mean(climate.annual_precipitation)


def test_mars_is_alive():
    grid = PlanetGrid(MARS, 0.2)
    latitude, longitude = np.meshgrid(np.radians(grid.latitude_deg), np.radians(grid.longitude_deg), indexing="ij")
    height = -2500 - 1500 * np.sin(latitude) + 1500 * np.cos(2 * longitude) * np.cos(latitude)
    made = simulate(height, height <= -2500, grid, changed(MARS_CLIMATE, cells_per_degree=0.2))
    assert np.isfinite(made.temperature).all()
    assert np.isfinite(made.precipitation).all()
    assert made.annual_temperature[17:19].mean() > 15 > 0 > made.annual_temperature[[0, -1]].mean()


def test_belts_widen_on_slow_and_small_bodies_up_to_a_limit(settings):
    earth, mars = PlanetGrid(EARTH, 0.2), PlanetGrid(MARS, 0.2)
    assert cell_width_deg(earth, settings) < cell_width_deg(mars, MARS_CLIMATE) <= settings.wind.widest_cell_deg
    slow = changed(settings, orbit=Orbit(rotation_s=1e7).model_dump())
    assert cell_width_deg(earth, slow) == settings.wind.widest_cell_deg


def test_arrays_must_be_on_the_grid(grid, settings):
    with pytest.raises(InputError, match="planet grid"):
        simulate(np.zeros((3, 6)), np.zeros((3, 6), bool), grid, settings)


def test_an_ice_sheet_keeps_its_summer_cold_and_needs_a_cold_year(climate, grid, settings, continents):
    heights, sea = continents
    iced = simulate(heights, sea, grid, changed(settings, ice_sheet_c=2.0))
    warmer = climate.warmest - iced.warmest
    latitude = np.broadcast_to(grid.latitude_deg[:, None], grid.shape)
    assert warmer[~sea & (latitude > 65)].min() > 6, "snow outlasts the summer"
    assert warmer[~sea & (abs(latitude) < 15)].max() < 1.5, "where the year is warm there is none"
    never = simulate(heights, sea, grid, changed(settings, ice_sheet_c=-300.0))
    np.testing.assert_array_equal(never.temperature, climate.temperature)


def test_scattered_rain_keeps_its_amount_and_changes_no_temperature(climate, grid, settings, continents):
    scattered = simulate(*continents, grid, changed(settings, rain_scatter=0.3))
    np.testing.assert_array_equal(scattered.temperature, climate.temperature)
    factor = scattered.precipitation / np.maximum(climate.precipitation, 1e-6)
    np.testing.assert_allclose(factor, np.broadcast_to(factor[:1], factor.shape), rtol=1e-3)
    assert np.log(factor[0]).std() == pytest.approx(0.3, rel=0.3)
    assert np.average(factor[0], weights=np.broadcast_to(grid.area_weight, grid.shape)) == pytest.approx(1, abs=0.1)

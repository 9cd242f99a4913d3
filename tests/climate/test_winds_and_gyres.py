"""Winds blow into heated land and turn with the body; gyres run polewards, fast and warm, along western shores."""

import numpy as np
import pytest

from terraform.climate.ground import Ground
from terraform.climate.gyres import Stress, currents, sea_anomaly, stream_function
from terraform.climate.rain import slope_rate
from terraform.climate.sphere import divergence
from terraform.climate.winds import Winds, belt_pressure, monthly_winds
from terraform.config.climate import EARTH_CLIMATE
from terraform.geo.bodies import EARTH
from terraform.geo.planet_grid import PlanetGrid

GRID = PlanetGrid(EARTH, 0.2)
LATITUDE, LONGITUDE = np.meshgrid(GRID.latitude_deg, GRID.longitude_deg, indexing="ij")


@pytest.fixture(scope="module")
def basin():
    """One sea from 60 S to 60 N, 80 degrees wide."""
    return ((np.abs(LATITUDE) < 60) & (np.abs(LONGITUDE) < 40)).astype(np.float32)


@pytest.fixture(scope="module")
def belts():
    """Trade winds and westerlies, the same all year."""
    east = -8 * np.cos(np.radians(4 * LATITUDE)) * np.cos(np.radians(LATITUDE))
    twelve = np.broadcast_to(east, (12, *GRID.shape)).astype(np.float32)
    return Winds(twelve, 0 * twelve, twelve, 0 * twelve)


def heated_at(latitude, longitude):
    distance = np.hypot(LATITUDE - latitude, LONGITUDE - longitude)
    return np.broadcast_to(15 + 20 * np.exp(-((distance / 15) ** 2)), (12, *GRID.shape)).astype(np.float32)


def test_air_flows_into_heated_land_and_turns_left_in_the_south():
    ground = Ground(*np.zeros((2, *GRID.shape), np.float32))
    plain = monthly_winds(np.full((12, *GRID.shape), 15, np.float32), ground, GRID, EARTH_CLIMATE)
    for latitude, turning in ((32, 1), (-32, -1)):
        made = monthly_winds(heated_at(latitude, 2), ground, GRID, EARTH_CLIMATE)
        row, column = (np.abs(GRID.latitude_deg - latitude).argmin(), np.abs(GRID.longitude_deg - 2).argmin())
        east, north = (a - b for a, b in zip(made[:2], plain[:2], strict=True))
        assert (divergence(east, north, GRID)[:, row, column] < 0).all()
        assert (turning * north[:, row, column + 2] > 0).all()
        assert (turning * north[:, row, column - 2] < 0).all()


def test_belts_follow_the_sun_and_are_low_near_the_equator():
    pressure = belt_pressure(GRID, EARTH_CLIMATE)
    tropics = np.abs(GRID.latitude_deg) < 25
    lowest = GRID.latitude_deg[tropics][pressure[:, tropics].argmin(axis=1)]
    assert lowest[7] > 0 > lowest[1]
    warmer = belt_pressure(GRID, EARTH_CLIMATE, 8.0)
    assert GRID.latitude_deg[tropics][warmer[:, tropics].argmin(axis=1)].mean() > lowest.mean() + 3


def test_the_western_shore_has_the_strong_poleward_current(basin, belts):
    stress = Stress(*(np.float32(0.02) * a[0] for a in belts[:2]))
    warmth = 28 - 40 * np.sin(np.radians(GRID.latitude_deg)) ** 2
    stream = stream_function(warmth, stress, basin, GRID, EARTH_CLIMATE)
    assert (stream[basin == 0] == 0).all()
    east, north = currents(stream, GRID)
    assert (east[np.abs(GRID.latitude_deg) - 37.5 == 0][:, 34:40] > 0).all()
    for latitude, polewards in ((27.5, 1), (-27.5, -1)):
        across = polewards * north[np.abs(GRID.latitude_deg - latitude).argmin(), 28:44]
        assert across.argmax() <= 2
        assert across.max() > -2 * across[6:14].min() > 0
        assert across[6:14].mean() < 0


def test_gyres_alone_warm_the_west_of_the_subtropics(basin, belts):
    sea = EARTH_CLIMATE.sea.model_copy(update={"sinking_per_s": 0.0, "deep_colder_k": 0.0})
    settings = EARTH_CLIMATE.model_copy(update={"sea": sea})
    warmth = 28 - 40 * np.sin(np.radians(GRID.latitude_deg)) ** 2
    made = sea_anomaly(warmth, belts, Ground(1 - basin, 0 * basin), GRID, settings)
    row = np.abs(GRID.latitude_deg - 32.5).argmin()
    assert made[row, 29:33].mean() > made[row, 38:43].mean() + 0.3


def test_slopes_that_face_the_wind_lift_moist_air(belts):
    ridge = (2000 * np.exp(-((LONGITUDE / 12) ** 2))).astype(np.float32)
    lifted = slope_rate(belts, ridge, GRID, EARTH_CLIMATE.moisture, 2400.0)[0]
    westerly = np.abs(GRID.latitude_deg - 42.5).argmin()
    before, behind = (lifted[westerly, np.abs(GRID.longitude_deg - at).argmin()] for at in (-7.5, 7.5))
    assert before > 10 * behind > 0
    assert lifted[np.abs(GRID.latitude_deg - 2.5).argmin(), 34] < lifted[np.abs(GRID.latitude_deg - 2.5).argmin(), 37]


def test_without_sea_there_are_no_currents(belts):
    land = Ground(np.ones(GRID.shape, np.float32), np.zeros(GRID.shape, np.float32))
    assert not sea_anomaly(np.zeros(GRID.height), belts, land, GRID, EARTH_CLIMATE).any()

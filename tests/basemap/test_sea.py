"""The law of the sea: darker with depth, ice where it is cold."""

import numpy as np
import pytest

from terraform.basemap.sea import Place, depth_from_distance_m, distance_to_land_m, sea_colours
from terraform.config.basemap import SeaLaw
from terraform.geo.planet_grid import PlanetGrid

LAW = SeaLaw()
HERE = Place(np.float64(60.0), np.float64(20.0), 3_396_190.0)


def at(depth_m, annual_c=15.0, month_c=15.0) -> np.ndarray:
    depth = np.asarray(depth_m, np.float32)
    return sea_colours(depth, np.full_like(depth, annual_c), np.full_like(depth, month_c), LAW, HERE)


@pytest.mark.parametrize("warmth", [-10.0, 5.0, 20.0, 30.0])
def test_never_brighter_in_deeper_water(warmth: float):
    depth = np.concatenate([np.linspace(0, 300, 601), np.linspace(300, 11_000, 100)])
    assert (np.diff(at(depth, warmth), axis=0) <= 1e-6).all()


def test_warm_shallows_are_turquoise():
    red, green, blue = at([5.0], 28.0, 28.0)[0]
    assert green > 1.3 * red
    assert blue > 1.3 * red


def test_ice_where_it_is_cold():
    cold, mild = at([500.0], -10.0, -20.0)[0], at([500.0], 3.0, 2.0)[0]
    np.testing.assert_allclose(cold * 255, LAW.ice, atol=1)
    assert mild.max() < 0.3
    month = np.linspace(-20, 10, 200, dtype=np.float32)
    green = sea_colours(np.full_like(month, 100), np.zeros_like(month), month, LAW, HERE)[:, 1]
    assert (np.diff(green) <= 1e-6).all()


def test_the_edge_of_the_ice_is_no_parallel():
    """Air that is as warm as its latitude: the edge meanders by some degrees, and not at all without meanders."""
    latitude, longitude = np.arange(45, 75, 0.1), np.arange(-180, 180, 1.0)
    place = Place(latitude[:, None], longitude, 3_396_190.0)
    air = np.broadcast_to((LAW.ice_c - (latitude - 60) / 4).astype(np.float32)[:, None], (300, 360))
    spread = []
    for law in (LAW, LAW.model_copy(update={"ice_meander_k": 0.0})):
        green = sea_colours(np.full_like(air, 1000), air, air, law, place)[..., 1]
        assert green.min() < 0.2 and green.max() > 0.9
        spread.append(float(np.std((green > 0.5).sum(0) * 0.1)))
    assert 1.5 < spread[0] < 6
    assert spread[1] == 0


def test_distance_off_a_straight_coast(grid: PlanetGrid):
    fine = PlanetGrid(grid.body, 4)
    land = np.broadcast_to(np.abs(fine.longitude_deg) < 60, fine.shape).astype(np.float32)
    equator = distance_to_land_m(land, fine)[fine.height // 2]
    away = (np.abs(fine.longitude_deg) - 60) * grid.body.metres_per_degree
    near = (away > 0) & (away < 300_000)
    np.testing.assert_allclose(equator[near], away[near], rtol=0.1, atol=8_000)
    assert (equator[away < -50_000] == 0).all()


def test_depth_grows_with_distance():
    distance = np.linspace(0, 500_000, 1000, dtype=np.float32)
    depth = depth_from_distance_m(distance, LAW)
    assert depth[0] == 0
    assert (np.diff(depth) > 0).all()
    np.testing.assert_allclose(np.interp(LAW.shelf_m / LAW.shelf_slope, distance, depth), LAW.shelf_m, rtol=0.1)

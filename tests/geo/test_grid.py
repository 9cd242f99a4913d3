"""The Haversine grid: squares of 51.2 km wherever they lie, each place in one pixel, and rows that cover a region."""

import itertools
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from terraform.errors import ConfigError
from terraform.geo import grid
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.regions import Region, load_regions, rectangle
from terraform.geo.tile_spec import TileSpec

REGIONS = load_regions(Path(__file__).parents[2] / "regions.geojson")
SIX = ("cali", "italy", "nw", "andes", "tanzania", "nepal")

MARS_ELLIPSOID = pyproj.Geod(a=3396190.0, b=3376200.0)  # IAU 2015
bodies = st.sampled_from([EARTH, MARS])
TILE_M = TileSpec().tile_m
SPECS = [TileSpec(), TileSpec(128, 400.0, 32), TileSpec(64, 5000.0, 8)]
specs = st.sampled_from(SPECS)


def region(west, south, east, north, body=EARTH, role="train"):
    return Region("r", body, role, "r", rectangle(west, south, east, north))


@st.composite
def regions(draw):
    """Rectangles of any place between the latitudes that have tiles; some cross the antimeridian."""
    south = draw(st.floats(-78, 76))
    west = draw(st.floats(-180, 179))
    height, width = draw(st.floats(0.5, 4)), draw(st.floats(0.5, 20))
    return region(west, south, west + width, min(south + height, 78.5), draw(bodies))


def test_a_tile_is_51_2_km_unless_another_is_asked_for():
    assert TileSpec().tile_m == 51_200
    assert grid.tile_height_deg(EARTH) == grid.tile_height_deg(EARTH, TileSpec(128, 400.0, 32))


@given(bodies, st.floats(-80, 80), specs)
def test_a_tile_has_its_side_on_its_middle_parallel_and_meridian(body, middle, spec):
    width = grid.tile_width_deg(body, middle, spec)
    assert grid.haversine_m(body, 7, middle, 7 + width, middle) == pytest.approx(spec.tile_m, rel=1e-9)
    half = grid.tile_height_deg(body, spec) / 2
    assert grid.haversine_m(body, 7, middle - half, 7, middle + half) == pytest.approx(spec.tile_m, rel=1e-9)


@pytest.mark.parametrize(("middle", "share"), [(60, 0.007), (-60, 0.007), (80, 0.023), (-80, 0.023), (0, 1e-5)])
def test_northern_and_southern_edges_are_off_by_what_is_documented(middle, share):
    width, half = grid.tile_width_deg(EARTH, middle), grid.tile_height_deg(EARTH) / 2
    off = [
        grid.haversine_m(EARTH, 0, middle + sign * half, width, middle + sign * half) / TILE_M - 1 for sign in (-1, 1)
    ]
    assert share * 0.9 < max(map(abs, off)) < share * 1.05 or (share < 1e-4 and max(map(abs, off)) < share * 10)


@given(st.floats(-80, 80))
def test_on_the_ellipsoids_sides_are_within_0_6_and_1_2_percent(middle):
    for body, geod, most in ((EARTH, pyproj.Geod(ellps="WGS84"), 0.006), (MARS, MARS_ELLIPSOID, 0.012)):
        width, half = grid.tile_width_deg(body, middle), grid.tile_height_deg(body) / 2
        across = geod.inv(0, middle, width, middle)[2]
        along = geod.inv(0, middle - half, 0, middle + half)[2]
        assert abs(across / TILE_M - 1) < most and abs(along / TILE_M - 1) < most


def test_beyond_80_degrees_there_are_no_tiles():
    for place in ((0, 79, 5, 82), (0, -85, 5, -82)):
        with pytest.raises(ConfigError, match="beyond 80"):
            grid.rows_of(region(*place))


@given(regions(), specs, st.data())
def test_pixel_to_ground_to_pixel_is_the_identity(place, spec, data):
    row = data.draw(st.sampled_from(grid.rows_of(place, spec)))
    y, x = (data.draw(st.integers(0, spec.tile_px - 1)) for _ in range(2))
    column = data.draw(st.integers(0, row.columns - 1))
    assert row.pixel_at(*row.pixel_centre(column, y, x)) == (column, y, x)
    west, south, east, north = row.tile_bounds(column)
    lon, lat = row.pixel_centre(column, y, x)
    assert west < lon < east and south < lat < north
    assert row.longitudes().centres()[column * spec.tile_px + x] == pytest.approx(lon, abs=1e-9)
    assert row.latitudes(spec.margin_px).centres()[spec.margin_px + y] == pytest.approx(lat, abs=1e-9)


@given(regions())
def test_rows_follow_one_another_and_their_tiles_touch_without_overlap(place):
    rows = grid.rows_of(place)
    west, south, east, north = place.bounds
    assert rows[0].south == south
    assert rows[-1].north >= north - 1e-6 > rows[-1].south - 1e-6
    for below, above in itertools.pairwise(rows):
        assert above.south == pytest.approx(below.north, abs=1e-9)
    for row in rows:
        assert row.west == west
        edges = [row.tile_bounds(column) for column in range(row.columns)]
        assert all(a.east == pytest.approx(b.west, abs=1e-9) for a, b in itertools.pairwise(edges))
        assert edges[-1].east >= east - 1e-6
        assert row.columns * row.tile_width_deg < 360 + 1e-9


@given(regions())
@settings(deadline=None)
def test_the_tiles_of_a_region_are_those_whose_centre_it_holds(place):
    for row in grid.rows_of(place):
        inside = grid.columns_inside(row, place)
        for column in range(row.columns):
            centre = shapely.Point(row.tile_centre(column))
            assume(place.geometry.boundary.distance(centre) > 1e-9)
            assert (column in inside) == place.geometry.contains(centre)


@given(st.floats(-75, 75), st.floats(0.3, 0.7))
def test_crossing_the_antimeridian_changes_nothing_but_the_longitude(south, height):
    across, beside = region(178, south, 183, south + height), region(10, south, 15, south + height)
    for one, other in zip(grid.rows_of(across), grid.rows_of(beside), strict=True):
        assert (one.columns, one.tile_width_deg, one.south) == (other.columns, other.tile_width_deg, other.south)
        assert grid.columns_inside(one, across) == grid.columns_inside(other, beside)


def test_the_six_regions_have_1085_tiles():
    assert sum(grid.tile_count(REGIONS[name]) for name in SIX) == 1085


def test_each_row_has_its_own_width():
    rows = grid.rows_of(REGIONS["nw"])
    widths = [row.tile_width_deg for row in rows]
    assert widths == sorted(widths) and widths[-1] > 1.1 * widths[0]


@pytest.mark.parametrize("body", [EARTH, MARS])
def test_a_row_round_the_planet_holds_whole_tiles_and_says_what_is_left_over(body):
    whole = region(-180, -10, 180, 10, body)
    for row in grid.rows_of(whole):
        left = grid.left_over_deg(row, whole)
        assert 0 <= left < row.tile_width_deg
        assert row.columns * row.tile_width_deg + left == pytest.approx(360)


@given(regions(), specs)
def test_a_download_holds_every_tile_with_its_margin(place, spec):
    raster, needed = grid.download_grid(place, spec), grid.extent(place, spec)
    slack = 1e-6
    assert raster.longitudes.origin <= needed.west + slack and raster.longitudes.end >= needed.east - slack
    assert raster.latitudes.origin >= needed.north - slack and raster.latitudes.end <= needed.south + slack
    for row in grid.rows_of(place, spec):
        assert needed.south <= max(-90, row.south - spec.margin_px * row.pixel_height_deg) + slack
        assert needed.east >= row.longitudes(spec.margin_px).end - slack
        # No pixel of a download is wider on the ground than a tile's.
        across = np.cos(np.radians(row.middle_deg)) * raster.longitudes.step * place.body.metres_per_degree
        assert across <= spec.pixel_m * (1.03 if spec.tile_m < 100_000 else 1.25)


@given(st.floats(-89, 80), st.floats(1, 9), bodies)
def test_what_a_mosaic_sees_is_its_region_and_a_halo_and_no_more_than_the_planet(south, height, body):
    place = region(10, south, 30, min(90, south + height), body, "mosaic")
    seen = grid.mosaic_extent(place)
    assert seen.south >= -90 and seen.north <= 90 and seen.east - seen.west <= 360
    if seen.east - seen.west < 360:
        assert seen.west < 10 and seen.east > 30
    assert seen.south < south or seen.south == -90

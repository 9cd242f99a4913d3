"""Where the pixels of own rasters are: every CRS, averages, the antimeridian, whole planets."""

from pathlib import Path

import numpy as np
import pytest
from pyproj import CRS, Transformer
from rasterio.transform import Affine
from servers.own_rasters import at, degrees, fetch, region, write

from terraform.geo.bodies import EARTH, MARS, Body
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import VOID
from terraform.geo.resample import Axis

PROJECTIONS = [
    # body, CRS, centre of the raster (degrees), pixel (units of the CRS), pixel in degrees of latitude
    (EARTH, "EPSG:4326", (10.0, 45.0), 0.002),
    (EARTH, "EPSG:4326", (10.0, 45.0), 0.0003),
    (EARTH, "EPSG:32632", (11.5, 46.0), 200.0),
    (EARTH, "EPSG:32632", (11.5, 46.0), 30.0),
    (EARTH, "EPSG:3857", (-75.0, 41.0), 250.0),
    (EARTH, "EPSG:4087", (20.0, -30.0), 200.0),
    (EARTH, "EPSG:4269", (-120.0, 40.0), 0.002),
    (MARS, "IAU_2015:49900", (160.0, 40.0), 0.008),
    (MARS, "IAU_2015:49910", (-60.0, -10.0), 463.0),
    (MARS, "ESRI:103885", (137.0, -4.6), 200.0),
    (MARS, "ESRI:103885", (137.0, -4.6), 50.0),
    (MARS, "IAU_2015:49930", (164.6, 72.8), 200.0),
]


@pytest.mark.parametrize(("body", "crs", "centre", "pixel"), PROJECTIONS)
def test_every_crs_is_placed_to_a_tenth_of_a_pixel(
    tmp_path: Path, body: Body, crs: str, centre: tuple[float, float], pixel: float
) -> None:
    definition = CRS.from_user_input(crs)
    geodetic = "EPSG:4326" if body is EARTH else definition.geodetic_crs
    to_degrees = Transformer.from_crs(definition, geodetic, always_xy=True)
    x0, y0 = to_degrees.transform(*centre, direction="INVERSE")
    size = 300
    transform = Affine(pixel, 0, x0 - size / 2 * pixel, 0, -pixel, y0 + size / 2 * pixel)
    columns, rows = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    lon, lat = to_degrees.transform(transform.c + pixel * columns, transform.f - pixel * rows)
    per_degree = 4000 / (lat.max() - lat.min())
    ground = 2500 + per_degree * ((lat - centre[1]) + 0.5 * (lon - centre[0]) * np.cos(np.radians(centre[1])))
    path = write(tmp_path / "in.tif", ground.astype(np.float32), definition.to_wkt(), transform)
    half_lat = (lat.max() - lat.min()) / 8
    half_lon = half_lat / np.cos(np.radians(centre[1]))
    asked = region(body, centre[0] - half_lon, centre[1] - half_lat, centre[0] + half_lon, centre[1] + half_lat)
    window = RasterGrid(body, Axis(asked.bounds[3], -half_lat / 40, 80), Axis(asked.bounds[0], half_lon / 40, 80))
    values, grid = fetch(asked, tmp_path / "out.tif", path, window=window)
    out_lon, out_lat = np.meshgrid(grid.longitudes.centres(), grid.latitudes.centres())
    expected = 2500 + per_degree * ((out_lat - centre[1]) + 0.5 * (out_lon - centre[0]) * np.cos(np.radians(centre[1])))
    per_pixel = per_degree * (lat.max() - lat.min()) / size
    assert not (values == VOID).any()
    assert np.abs(values - expected).max() < 0.6 + 0.1 * per_pixel


def test_coarse_pixels_in_degrees_are_copied_unchanged(tmp_path: Path) -> None:
    ground = np.random.default_rng(0).integers(0, 3000, (200, 200)).astype(np.int16)
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, 0.002, ground)
    values, grid = fetch(region(EARTH, 10.1, 44.7, 10.3, 44.9), tmp_path / "out.tif", path)
    y, x = round((45.0 - grid.latitudes.origin) / 0.002), round((grid.longitudes.origin - 10.0) / 0.002)
    inside = values[max(0, -y) : 200 - y, max(0, -x) : 200 - x]
    assert np.array_equal(inside, ground[max(0, y) : y + len(values), max(0, x) : x + values.shape[1]])
    assert (values == VOID).sum() == values.size - inside.size


def test_fine_pixels_are_averaged_by_a_whole_number(tmp_path: Path) -> None:
    step = 1 / 3600
    noise = np.random.default_rng(0).integers(0, 3000, (1800, 1800)).astype(np.int16)
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, step, noise)
    window = RasterGrid(EARTH, Axis(44.9, -0.002, 100), Axis(10.1, 0.002, 100))
    values, grid = fetch(region(EARTH, 10.1, 44.7, 10.3, 44.9), tmp_path / "out.tif", path, window=window)
    assert grid.latitudes.step == pytest.approx(-3 * step)
    assert grid.longitudes.step == pytest.approx(4 * step)
    assert values.std() < noise.std() / 2
    assert values.mean() == pytest.approx(1500, abs=15)


def test_south_up_rasters_are_turned(tmp_path: Path) -> None:
    ground = np.arange(100, dtype=np.float32)[:, None] * np.ones(100, np.float32)
    path = write(tmp_path / "in.tif", ground, "EPSG:4326", Affine(0.01, 0, 10, 0, 0.01, 44))
    window = RasterGrid(EARTH, Axis(44.8, -0.01, 60), Axis(10.2, 0.01, 60))
    values, grid = fetch(region(EARTH, 10.2, 44.2, 10.8, 44.8), tmp_path / "out.tif", path, window=window)
    assert grid.latitudes.step < 0
    assert at(values, grid, 10.5, 44.605) == 60


@pytest.mark.parametrize("west", [170.0, -190.0])
def test_windows_across_the_antimeridian_are_continuous(tmp_path: Path, west: float) -> None:
    ground = np.tile(np.arange(2000, dtype=np.int16), (400, 1))
    path = degrees(tmp_path / "in.tif", west, 2.0, 0.01, ground)
    window = RasterGrid(EARTH, Axis(1.0, -0.01, 100), Axis(175.0, 0.01, 1000))
    values, grid = fetch(region(EARTH, 175, 0, 185, 1), tmp_path / "out.tif", path, window=window)
    assert grid.longitudes.end > 180
    assert at(values, grid, 180.005, 0.5) == 1000
    assert (np.diff(values[50].astype(int)) == 1).all()


@pytest.mark.parametrize("origin", [0.0, -180.0])
def test_global_rasters_join_at_their_own_edges(tmp_path: Path, origin: float) -> None:
    lon = origin + 0.25 + 0.5 * np.arange(720)
    ground = np.tile(1000 * np.cos(np.radians(lon)), (360, 1)).astype(np.float32)
    path = degrees(tmp_path / "in.tif", origin, 90.0, 0.5, ground, crs="IAU_2015:49900")
    for west in (-5.0, 175.0, 355.0):
        window = RasterGrid(MARS, Axis(5.0, -0.5, 20), Axis(west, 0.5, 20))
        values, grid = fetch(region(MARS, west, -5, west + 10, 5), tmp_path / "out.tif", path, window=window)
        expected = 1000 * np.cos(np.radians(grid.longitudes.centres()))
        assert np.abs(values[10] - expected).max() <= 0.5


def test_a_window_round_the_planet_closes(tmp_path: Path) -> None:
    ground = np.tile(np.arange(720, dtype=np.int16), (360, 1))
    path = degrees(tmp_path / "in.tif", 0.0, 90.0, 0.5, ground, crs="IAU_2015:49900")
    window = RasterGrid(MARS, Axis(90.0, -1.0, 180), Axis(-180.0, 1.0, 360))
    values, grid = fetch(region(MARS, -180, -90, 180, 90), tmp_path / "out.tif", path, window=window)
    assert grid.wraps
    assert not (values == VOID).any()
    assert at(values, grid, -179.75, 0.0) == 360

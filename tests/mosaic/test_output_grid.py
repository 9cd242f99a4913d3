"""Other maps than the planet-wide grid, and what the generator is told of climate and sun."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from exact import (
    CLIP,
    SMALL_M,
    Hills,
    Same,
    download,
    hills,
    level,
    picture,
    read,
    region_of,
    small_planet,
    trained,
    write_raster,
)
from pyproj import Transformer
from rasterio.crs import CRS
from rasterio.transform import Affine
from shapely.geometry import box

from terraform.config import Climate, Condition, Mosaics
from terraform.errors import InputError
from terraform.mosaic import any_raster
from terraform.mosaic.inference import ignored_climate_settings
from terraform.mosaic.region import render_region

POLAR = CLIP.model_copy(update={"grid": "polar"})
OWN = CLIP.model_copy(update={"grid": "input"})


pytestmark = pytest.mark.usefixtures("same_network")


def places(path, geographic):
    """Longitude and latitude of every pixel."""
    with rasterio.open(path) as dataset:
        columns, rows = np.meshgrid(np.arange(dataset.width) + 0.5, np.arange(dataset.height) + 0.5)
        x, y = dataset.transform @ (columns, rows)
        return Transformer.from_crs(dataset.crs.to_wkt(), geographic, always_xy=True).transform(x, y)


@pytest.mark.parametrize(
    ("bounds", "code"),
    [((161, 69.5, 165, 71), "IAU_2015:49930"), ((176, -67, 183, -64), "IAU_2015:49935")],
    ids=["north", "south across the antimeridian"],
)
def test_a_polar_region_is_right_in_its_polar_crs(tmp_path, bounds, code):
    region = region_of(box(*bounds))
    render_region(Path("w"), download(tmp_path / "e.tif", region), region, tmp_path / "out", POLAR)
    picture, valid = read(tmp_path / "out/terraformed.tif")
    with rasterio.open(tmp_path / "out/terraformed.tif") as dataset:
        assert dataset.transform.a == pytest.approx(200.00085, abs=1e-5)
        same = Transformer.from_crs(dataset.crs.to_wkt(), code, always_xy=True).transform(150_000, -640_000)
        assert same == pytest.approx((150_000, -640_000), abs=1e-3)
    lon, lat = places(tmp_path / "out/terraformed.tif", "IAU_2015:49900")
    lon = bounds[0] + (lon - bounds[0]) % 360
    inside = (lon > bounds[0]) & (lon < bounds[2]) & (lat > bounds[1]) & (lat < bounds[3])
    assert (inside != valid).mean() < 1e-3 and inside.sum() > 20_000
    assert np.abs(picture[..., 0] - level(hills(lon, lat)))[valid].max() <= 1.2
    assert f'"{code}"' in (tmp_path / "out/item.json").read_text()


def test_a_polar_map_holds_its_pole_and_is_not_smeared(tmp_path):
    """All of a small planet's north, the pole in the middle."""
    columns, rows = 900, 112
    lon, lat = -180 + 0.4 * (np.arange(columns) + 0.5), 90 - 0.4 * (np.arange(rows) + 0.5)
    values = hills(lon[None, :], lat[:, None]).astype(np.float32)
    crs = CRS.from_user_input(f"+proj=longlat +R={SMALL_M} +no_defs")
    write_raster(tmp_path / "e.tif", values, Affine(0.4, 0, -180, 0, -0.4, 90), crs)
    any_raster.render_raster(Path("w"), tmp_path / "e.tif", tmp_path / "out.tif", POLAR)
    picture, valid = read(tmp_path / "out.tif")
    lon, lat = places(tmp_path / "out.tif", crs.to_wkt())
    assert lat.max() > 89.5 and valid[lat > 46].all()
    error = np.abs(picture[..., 0] - level(hills(lon, lat)))
    assert error[lat > 46].max() <= 2 and error[lat > 88].max() <= 1.5


def test_a_polar_map_of_the_tropics_is_refused(tmp_path):
    region = region_of(box(10, 20, 10.3, 20.3))
    with pytest.raises(InputError, match="beyond 45"):
        render_region(Path("w"), download(tmp_path / "e.tif", region), region, tmp_path / "out", POLAR)


@pytest.mark.parametrize("pixel_m", [150, 900])
def test_the_rasters_own_grid(tmp_path, pixel_m):
    """In a rotated polar projection, with a void that stays void; coarse pixels are averages, not samples."""
    crs = CRS.from_user_input("+proj=stere +lat_0=90 +lon_0=40 +R=3396190")
    transform = Affine(pixel_m, 0, -200_000, 0, -pixel_m, -900_000)
    columns, rows = np.meshgrid(np.arange(160) + 0.5, np.arange(120) + 0.5)
    geographic = "+proj=longlat +R=3396190 +no_defs"
    lon, lat = Transformer.from_crs(crs.to_wkt(), geographic, always_xy=True).transform(*(transform @ (columns, rows)))
    values = hills(lon, lat).astype(np.float32)
    values[40:60, 50:90] = -9999
    write_raster(tmp_path / "e.tif", values, transform, crs, -9999)
    any_raster.render_raster(Path("w"), tmp_path / "e.tif", tmp_path / "out.tif", OWN)
    picture, valid = read(tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as dataset:
        assert dataset.transform == transform and dataset.shape == (120, 160)
    assert not valid[43:57, 53:87].any() and valid[4:36, 4:-4].all() and valid[64:-4, 4:-4].all()
    away = np.zeros_like(valid)
    away[4:36, 4:-4] = away[64:-4, 4:-4] = True
    assert np.abs(picture[..., 0] - level(hills(lon, lat)))[away].max() <= 2


def test_a_regions_own_grid_is_its_download(tmp_path):
    region = region_of(box(10, 20, 10.4, 20.3))
    path = download(tmp_path / "e.tif", region)
    render_region(Path("w"), path, region, tmp_path / "out", OWN)
    with rasterio.open(path) as asked, rasterio.open(tmp_path / "out/terraformed.tif") as made:
        assert (made.shape, made.transform, made.crs) == (asked.shape, asked.transform, asked.crs)
        inside = made.dataset_mask() > 0
    lon, lat = places(path, "IAU_2015:49900")
    np.testing.assert_array_equal(inside, (lon > 10) & (lon < 10.4) & (lat > 20) & (lat < 20.3))


@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (15, 1), (-30, 1), (0, 0.5), (70, 1.4)])
def test_the_climate_is_a_latitude_that_the_generator_is_told(shift, scale):
    seen = trained(Same(), Condition(channels=["latitude"], resolution_m=0))
    climate = Climate(latitude_shift_deg=shift, latitude_scale=scale)
    drawn = picture(seen, Hills(), (0, 100), (0, 60), 256, Mosaics(climate=climate))
    told = np.clip((40 - 0.003 * np.arange(100)) * scale + shift, -90, 90)
    expected = (np.sin(np.radians(told)) + 1) * 127.5
    assert np.abs(drawn[..., 0] - expected[:, None]).max() <= 0.6


def test_the_climate_moves_no_shadow():
    seen = trained(Same(), Condition(channels=["hillshade"], resolution_m=0))
    pictures = [
        picture(seen, Hills(), (0, 100), (0, 60), 256, Mosaics(climate=Climate(latitude_shift_deg=shift)))
        for shift in (0, 30)
    ]
    np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize(
    ("encoding", "channels", "climate", "told"),
    [
        ("relief", ["elevation"], {"latitude_scale": 0.5}, ["latitude_scale"]),
        ("relief", ["elevation", "temperature"], {"latitude_scale": 0.5, "latitude_shift_deg": 3}, []),
        ("relief", ["elevation"], {"sun_azimuth_deg": 9, "latitude_scale": 2}, ["latitude_scale", "sun_azimuth_deg"]),
        ("relief", ["hillshade"], {"sun_azimuth_deg": 90}, []),
        ("turbo", ["latitude"], {"latitude_shift_deg": 2}, ["latitude_shift_deg"]),
        ("relief", ["elevation"], {}, []),
    ],
)  # fmt: skip
def test_a_climate_that_the_generator_cannot_hear_of_is_told(encoding, channels, climate, told):
    condition = Condition(channels=channels, encoding=encoding)
    names = [line.split()[0] for line in ignored_climate_settings(condition, Climate(**climate))]
    assert names == [f"mosaics.climate.{name}" for name in told]


@pytest.mark.parametrize("azimuth", [0, 90, 180, 270])
def test_the_sun_stands_where_it_is_put(azimuth):
    """Slopes that face the sun are brighter than those that turn away."""
    seen = trained(Same(), Condition(channels=["hillshade"], resolution_m=0))
    drawn = picture(seen, Hills(), (0, 160), (0, 160), 256, Mosaics(climate=Climate(sun_azimuth_deg=azimuth)))
    metres = Hills().patch((0, 160), (0, 160)).metres
    north, east = np.gradient(metres, -1, 1)
    towards = -(east * np.sin(np.radians(azimuth)) + north * np.cos(np.radians(azimuth)))
    land = Hills().patch((0, 160), (0, 160)).metres > 50
    assert np.corrcoef(towards[land], drawn[..., 0][land])[0, 1] > 0.6


def test_the_moon_and_phobos_have_the_climate_of_their_own_latitudes(tmp_path):
    for radius_m, step in ((1_737_400.0, None), (11_100.0, 1.0)):
        crs = f"+proj=longlat +R={radius_m} +no_defs"
        if step:
            path = small_planet(tmp_path / "e.tif", step, crs=crs)
        else:
            values = np.full((60, 60), 1500, np.float32)
            path = write_raster(tmp_path / "e.tif", values, Affine(0.01, 0, 5, 0, -0.01, 5), CRS.from_user_input(crs))
        any_raster.render_raster(Path("w"), path, tmp_path / "out.tif", CLIP)
        with rasterio.open(tmp_path / "out.tif") as dataset:
            assert dataset.crs.to_dict()["R"] == radius_m and dataset.read(1).std() >= 0
        assert read(tmp_path / "out.tif")[1].mean() > 0.99

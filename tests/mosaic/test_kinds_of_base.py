"""What may be a base: a colour, a picture, the published map, latitude and height; and what is none."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from exact import (
    CLIP,
    SMALL,
    SMALL_M,
    adding,
    base_raster,
    colours,
    download,
    levels_of,
    read,
    region_of,
    small_planet,
)
from rasterio.crs import CRS
from rasterio.transform import from_origin
from shapely.geometry import box

from terraform.basemap.features import FEATURES
from terraform.basemap.model import BaseModel, Networks, save
from terraform.config import Elevation
from terraform.config.climate import MARS_CLIMATE
from terraform.errors import InputError
from terraform.geo.bodies import MARS, Body
from terraform.geo.crs import transformer
from terraform.geo.planet_grid import PlanetGrid
from terraform.mosaic import any_raster
from terraform.mosaic.base import choice
from terraform.mosaic.base.reading import read_base
from terraform.mosaic.base.zonal import zonal_climate
from terraform.mosaic.region import render_region

MARS_DEGREES = "IAU_2015:49900"


pytestmark = pytest.mark.usefixtures("base_network")


def test_a_colour_is_a_base(tmp_path, capsys):
    planet = small_planet(tmp_path / "e.tif", 0.4)
    any_raster.render_raster(Path("w"), planet, tmp_path / "out.tif", CLIP, base="#7a6A4f")
    assert np.abs(read(tmp_path / "out.tif")[0] - [0x7A, 0x6A, 0x4F]).max() <= 1
    assert "base colours: the colour #7a6A4f" in capsys.readouterr().err
    np.save(tmp_path / "e.npy", np.full((70, 80), 900.0))
    any_raster.render_raster(Path("w"), tmp_path / "e.npy", tmp_path / "out.npy", CLIP, 200.0, 40.0, base="#7a6a4f")
    assert np.abs(np.load(tmp_path / "out.npy")[..., :3].astype(int) - [0x7A, 0x6A, 0x4F]).max() <= 1


def test_the_published_base_map_serves_where_none_is_named(tmp_path, capsys):
    region = region_of(box(10, 20, 10.2, 20.2))
    elevation = download(tmp_path / "e.tif", region)
    with pytest.raises(InputError, match="mars has no published base map"):
        render_region(Path("w"), elevation, region, tmp_path / "out", CLIP, base=choice.chooser(None))
    (tmp_path / "models").mkdir()
    base_raster(tmp_path / "models/mars-base.tif", MARS_DEGREES, 1)
    render_region(Path("w"), elevation, region, tmp_path / "out", CLIP, base=choice.chooser(None))
    assert "the published base map" in capsys.readouterr().err
    assert np.abs(read(tmp_path / "out/terraformed.tif")[0] - colours(10.1, 20.1)[:3]).max() < 3


@pytest.fixture
def base_model(tmp_path):
    """Networks that have learnt nothing: their colours are some function of climate and relief."""
    networks = Networks([len(FEATURES), 8, 3], 1)
    networks.reset(torch.Generator().manual_seed(0))
    range_ = np.full(len(FEATURES), 3, np.float32)
    (tmp_path / "models").mkdir()
    save(tmp_path / "models/base-model.safetensors", BaseModel(networks.eval(), (0,), -range_, range_))


def test_latitude_and_height_serve_where_there_is_only_a_base_model(tmp_path, base_model, capsys):
    """Around a region nothing is known: there the colours are those of belts; in it mountains differ from lowland."""
    region = region_of(box(10, 20, 14, 24))

    def steep(lon, lat):
        return np.where(lon < 12, 0, 9000) + 0 * lat

    settings = CLIP.model_copy(update={"elevation": Elevation(policy="sea_level", shoreline_m=-500)})
    render_region(
        Path("w"),
        download(tmp_path / "e.tif", region, steep),
        region,
        tmp_path / "out",
        settings,
        base=choice.chooser(None),
    )
    assert "base colours: zonal, from latitude and height" in capsys.readouterr().err
    picture, valid = read(tmp_path / "out/terraformed.tif")
    assert valid.all()
    middle = picture[len(picture) // 2]
    assert np.abs(middle[60] - middle[-60]).max() > 8
    assert np.abs(picture[60, 60] - picture[-60, 60]).max() < np.abs(middle[60] - middle[-60]).max()
    version = choice.choose_base(None, adding(), MARS).version
    assert version[0] == "zonal" and len(version) == 4


def test_a_zonal_climate_has_cold_poles_dry_belts_and_wet_summers():
    grid = PlanetGrid(MARS, 1)
    climate = zonal_climate(grid, MARS_CLIMATE)
    year, rain = climate.annual_temperature[:, 0], climate.annual_precipitation[:, 0]
    assert year[90] > 20 > year[45] > year[10] and year[0] < -10
    assert rain[90] > 1500 and rain[62] < 700 and rain[0] < 120
    assert climate.precipitation[6, 72, 0] > 3 * climate.precipitation[0, 72, 0]
    assert climate.precipitation[0, 107, 0] > 3 * climate.precipitation[6, 107, 0]
    assert climate.precipitation.min() >= 0 and np.ptp(climate.temperature, axis=2).max() == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [("#12", "no colour"), ("none.tif", "neither a colour"), ("e.tif", "1 band"), ("earth.tif", "is on earth")],
)
def test_what_is_no_base_is_refused(tmp_path, name, said):
    region = region_of(box(10, 20, 10.2, 20.2))
    elevation = download(tmp_path / "e.tif", region)
    base_raster(tmp_path / "earth.tif", "EPSG:4326", 1)
    with pytest.raises(InputError, match=said):
        render_region(Path("w"), elevation, region, tmp_path / "out", CLIP, base=choice.chooser(name))
    assert not (tmp_path / "out/terraformed.tif").exists()


def painted(lon, lat):
    return colours(lon, lat)[..., :3]


def test_any_picture_of_a_body_is_a_base(tmp_path):
    """Of a whole body, or of a part: what is missing is then like its surroundings."""
    small = Body("small", SMALL_M, SMALL, f"+proj=eqc +R={SMALL_M}", -np.inf, np.inf)
    made = read_base(base_raster(tmp_path / "rgb.tif", SMALL, 4, painted), small)
    lon, lat = np.meshgrid(np.linspace(-179.9, 179.9, 50), np.linspace(-85, 85, 40))
    found = levels_of(made.at_points(lon, lat))
    assert np.abs(found[:3] - np.moveaxis(painted(lon, lat), -1, 0)).max() < 3
    assert (found[:3] == found[3:]).all()

    def part(lon, lat):
        return np.where((np.abs(lat - 20) < 10)[..., None], painted(lon, lat), 0)

    made = read_base(base_raster(tmp_path / "part.tif", SMALL, 4, part), small)
    inside = (lat > 12) & (lat < 28)
    assert (
        np.abs(
            levels_of(made.at_points(lon, lat))[:3][:, inside] - np.moveaxis(painted(lon, lat), -1, 0)[:, inside]
        ).max()
        < 3
    )
    assert made.levels.min() > 10
    with pytest.raises(InputError, match="every pixel is missing"):
        read_base(base_raster(tmp_path / "black.tif", SMALL, 1, lambda lon, lat: 0 * painted(lon, lat)), small)


def test_an_rgb_raster_in_another_projection(tmp_path):
    crs = CRS.from_user_input("+proj=stere +lat_0=90 +lon_0=0 +R=3396190")
    x, y = np.meshgrid(np.arange(400) * 5e3 - 1e6 + 2.5e3, 1e6 - 2.5e3 - np.arange(400) * 5e3)
    lon, lat = transformer(crs, CRS.from_user_input(MARS_DEGREES)).transform(x, y)
    with rasterio.open(tmp_path / "p.tif", "w", driver="GTiff", height=400, width=400, count=3, dtype="uint8", crs=crs,
                       transform=from_origin(-1e6, 1e6, 5e3, 5e3)) as dataset:  # fmt: skip
        dataset.write(np.rint(np.moveaxis(painted(np.array(lon), np.array(lat)), -1, 0)).astype(np.uint8))
    made = read_base(tmp_path / "p.tif", MARS)
    lon, lat = np.meshgrid(np.linspace(-179, 179, 30), np.linspace(76, 89.9, 20))
    assert np.abs(levels_of(made.at_points(lon, lat))[:3] - np.moveaxis(painted(lon, lat), -1, 0)).max() < 3

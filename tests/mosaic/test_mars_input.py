"""What is given wrongly to the drawing: one clear error each, and no file."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from exact import CLIP, MADE, PLAIN, Same, download, hills, region_of, trained, write_raster
from rasterio.crs import CRS
from rasterio.transform import Affine
from safetensors.torch import load_file, save_file
from shapely.geometry import box

from terraform.config import Sheet, Train
from terraform.errors import InputError
from terraform.geo.bodies import EARTH
from terraform.geo.grid import download_grid
from terraform.geo.raster import write_strips
from terraform.geo.regions import Region
from terraform.learn import weights
from terraform.learn.models.generators import build_generator
from terraform.mosaic import any_raster, inputs
from terraform.mosaic.region import render_region

MARS_DEGREES = "IAU_2015:49900"
TRANSFORM = Affine(0.01, 0, 5, 0, -0.01, 5)


@pytest.fixture
def known(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("w").write_bytes(b"an exact answer")
    monkeypatch.setattr(inputs, "load_generator", lambda weights, settings: trained(Same(), stride=4, halo_px=4))
    return tmp_path


def raster(folder, values, crs=MARS_DEGREES, transform=TRANSFORM, nodata=None):
    crs = CRS.from_user_input(crs) if crs else None
    return write_raster(folder / "e.tif", np.asarray(values), transform, crs, nodata)


def refused(path, match):
    with pytest.raises(InputError, match=match):
        any_raster.render_raster(Path("w"), path, Path("out.tif"), CLIP)
    assert not Path("out.tif").exists() and not Path(".out.strips").exists()


@pytest.mark.parametrize("metres", [3_389_500.0, -20_000.0, 40_000.0], ids=["radius", "too deep", "another unit"])
def test_heights_that_are_none(known, metres):
    refused(raster(known, np.full((30, 30), metres, np.float32)), "less another radius|like a radius|feet")


def test_one_pixel_that_is_a_radius_is_not_overlooked(known):
    values = np.full((40, 40), 500, np.float32)
    values[37, 2] = 3_389_500
    refused(raster(known, values), "radius")


def test_no_crs(known):
    refused(raster(known, np.full((30, 30), 500, np.int16), crs=None), "CRS")


def test_a_crs_that_lies_on_no_body(known):
    local = 'LOCAL_CS["a wall",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'
    with rasterio.open(
        known / "e.tif", "w", driver="GTiff", height=9, width=9, count=1, dtype="int16", crs=CRS.from_wkt(local),
        transform=TRANSFORM,
    ) as dataset:  # fmt: skip
        dataset.write(np.ones((1, 9, 9), np.int16))
    refused(known / "e.tif", "CRS|longitudes")


@pytest.mark.parametrize("crs", ["IAU_2015:49901", "IAU_2015:49911"])
def test_planetographic_latitudes(known, crs):
    """On Mars they are up to 0.34 degrees, 20 km, from what would be taken for them."""
    degrees = not CRS.from_user_input(crs).is_projected
    transform = TRANSFORM if degrees else Affine(600, 0, 300_000, 0, -600, 2_400_000)
    refused(raster(known, np.full((30, 30), 500, np.float32), crs, transform), "planetographic .*warp it to")


def test_earth_under_a_region_of_mars_and_the_other_way_round(known):
    region = region_of(box(10, 20, 10.3, 20.3))
    earth = Region("somewhere", EARTH, "mosaic", "Somewhere", region.geometry)
    grid = download_grid(earth)
    lon, lat = grid.longitudes.centres()[None, :], grid.latitudes.centres()[:, None]
    write_strips(known / "earth.tif", grid, [np.rint(hills(lon, lat)).astype(np.int16)], 1, "int16", {})
    with pytest.raises(InputError, match="is on earth, region 'somewhere' on mars"):
        render_region(Path("w"), known / "earth.tif", region, known / "out", CLIP)
    with pytest.raises(InputError, match="is on mars, region 'somewhere' on earth"):
        render_region(Path("w"), download(known / "mars.tif", region), earth, known / "out", CLIP)
    assert not list((known).glob("out/*.tif"))


def test_not_a_number_everywhere_and_three_bands(known):
    refused(raster(known, np.full((30, 30), np.nan, np.float32)), "every pixel is missing")
    with rasterio.open(
        known / "rgb.tif", "w", driver="GTiff", height=9, width=9, count=3, dtype="uint8",
        crs=CRS.from_user_input(MARS_DEGREES), transform=TRANSFORM,
    ) as dataset:  # fmt: skip
        dataset.write(np.ones((3, 9, 9), np.uint8))
    refused(known / "rgb.tif", "3 bands")


def saved(path, **changed):
    train = Train(network="unet_fc", width=4, noise=0)
    weights.save(path, build_generator(train, 1), PLAIN, Sheet(), train, MADE)
    with __import__("safetensors").safe_open(path, "pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(path)
    save_file(tensors, path, {**metadata, **changed})
    return path


def test_weights_of_a_newer_format_or_another_encoding(tmp_path):
    with pytest.raises(InputError, match="weights of format 99"):
        weights.load(saved(tmp_path / "new.safetensors", format="99"))
    three = PLAIN.model_copy(update={"channels": ["elevation", "slope", "sea"]}).model_dump_json()
    with pytest.raises(InputError, match="does not hold the network"):
        weights.load(saved(tmp_path / "other.safetensors", condition=three))
    unknown = three.replace("slope", "colour_of_the_sky")
    with pytest.raises(InputError, match="not one of our weights files"):
        weights.load(saved(tmp_path / "unknown.safetensors", condition=unknown))
    (tmp_path / "half.safetensors").write_bytes(saved(tmp_path / "whole.safetensors").read_bytes()[:5000])
    with pytest.raises(InputError, match="truncated"):
        weights.load(tmp_path / "half.safetensors")

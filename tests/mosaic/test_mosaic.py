"""Mosaics: the right place, no seams, nodata, tags, and any raster of any body.

A network that repeats the elevation channel has an exact answer: the picture is a known function of longitude and
latitude, whatever strips and windows it was drawn in.
"""

import json
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from exact import CLIP, SMALL_M, centres, download, hills, level, read, region_of, small_planet
from rasterio.crs import CRS
from shapely.geometry import Polygon, box

from terraform.config import Elevation
from terraform.errors import InputError
from terraform.geo.bodies import MARS
from terraform.geo.heights import SEA, VOID
from terraform.geo.resample import Axis
from terraform.mosaic import any_raster
from terraform.mosaic.bands import GlobalGrid
from terraform.mosaic.elevation import from_array
from terraform.mosaic.output_grid import GridWindow
from terraform.mosaic.policy import low_pass
from terraform.mosaic.region import render_region

pytestmark = pytest.mark.usefixtures("same_network")


@pytest.mark.parametrize("west", [-180.0, 0.0])
def test_a_whole_planet_is_right_at_every_pixel(tmp_path, west):
    """Bands, cross-fades, caps, poles and the antimeridian, on a body of 1,256 x 628 pixels."""
    any_raster.render_raster(
        Path("w"), small_planet(tmp_path / "e.tif", west=west), tmp_path / "out.tif", CLIP, None, None
    )
    picture, valid = read(tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as dataset:
        lon, lat = centres(dataset, SMALL_M)
    globe = GlobalGrid(SMALL_M)
    assert picture.shape == (globe.rows, globe.columns, 3) and valid.all()
    error = np.abs(picture - level(hills(lon, lat))[..., None])
    assert error.max() <= 1.6
    around = np.abs(picture[:, 0] - picture[:, -1]).max()
    assert around <= np.abs(np.diff(picture, axis=1)).max() + 1


@pytest.mark.parametrize("window_px", [256, 1024])
@pytest.mark.parametrize(
    "bounds", [(178.5, 63.8, 181.5, 65.9), (20, -66, 22, -64.2), (-3, 44.5, -1, 47.5)], ids=["dateline", "south", "mid"]
)
def test_a_region_is_right_across_strips(tmp_path, bounds, window_px):
    region = region_of(box(*bounds))
    settings = CLIP.model_copy(update={"window_px": window_px})
    render_region(Path("w"), download(tmp_path / "e.tif", region), region, tmp_path / "out", settings)
    picture, valid = read(tmp_path / "out/terraformed.tif")
    with rasterio.open(tmp_path / "out/terraformed.tif") as dataset:
        lon, lat = centres(dataset, MARS.radius_m)
        assert CRS.from_user_input("IAU_2015:49910") == dataset.crs
    assert np.abs(picture - level(hills(lon, lat))[..., None]).max() <= 1.1
    globe = GlobalGrid(MARS.radius_m)
    assert valid.shape == pytest.approx(
        ((bounds[3] - bounds[1]) / globe.pixel_deg, (bounds[2] - bounds[0]) / globe.pixel_deg), abs=2
    )
    assert valid[2:-2, 2:-2].all()


def test_a_region_is_a_window_of_the_planet():
    """Two regions that overlap share their pixels' corners."""
    one, two = (GridWindow.of(MARS, bounds, None) for bounds in ((10, 0, 20, 5), (12.3, -4, 30, 3)))
    columns = (two.frame.transform.c - one.frame.transform.c) / one.frame.transform.a
    rows = (two.frame.transform.f - one.frame.transform.f) / one.frame.transform.e
    assert columns == pytest.approx(round(columns), abs=1e-6) and rows == pytest.approx(round(rows), abs=1e-6)
    whole = GridWindow.of(MARS, (-180, -90, 180, 90), None)
    assert (whole.frame.height, whole.frame.width) == (53_347, 106_694)
    assert whole.frame.transform.a == pytest.approx(200.00085, abs=1e-5)


def test_two_overlapping_regions_agree(tmp_path):
    pictures = []
    for number, bounds in enumerate([(10, 40, 12, 41.5), (11, 40.7, 12.6, 42)]):
        region = region_of(box(*bounds), f"r{number}")
        render_region(Path("w"), download(tmp_path / f"{number}.tif", region), region, tmp_path / str(number), CLIP)
        with rasterio.open(tmp_path / f"{number}/terraformed.tif") as dataset:
            pictures.append((dataset.transform, dataset.read(1).astype(int)))
    (t, a), (u, b) = pictures
    right, down = round((u.c - t.c) / t.a), round((u.f - t.f) / t.e)
    assert down < 0
    shared = a[: len(b) + down, right:]
    assert shared.size > 50_000
    assert np.abs(shared - b[-down : len(a) - down, : shared.shape[1]]).max() <= 1


def test_only_the_polygon_and_where_there_is_relief(tmp_path):
    triangle = Polygon([(10, 20), (12, 20), (12, 22)])
    region = region_of(triangle)

    def with_hole(lon, lat):
        return np.where(np.hypot(lon - 11.5, lat - 20.7) < 0.2, VOID, hills(lon, lat))

    render_region(Path("w"), download(tmp_path / "e.tif", region, with_hole), region, tmp_path / "out", CLIP)
    picture, valid = read(tmp_path / "out/terraformed.tif")
    with rasterio.open(tmp_path / "out/terraformed.tif") as dataset:
        lon, lat = centres(dataset, MARS.radius_m)
    expected = (lat - 20 < lon - 10) & (np.hypot(lon - 11.5, lat - 20.7) >= 0.2)
    assert (expected != valid).mean() < 0.005
    assert (picture[~valid] == 0).all()
    assert np.abs(picture[valid][:, 0] - level(hills(lon, lat))[valid]).max() <= 1.1


def test_sea_is_sea_and_the_shoreline_floods(tmp_path):
    region = region_of(box(10, 20, 11, 21))

    def coast(lon, lat):
        return np.where(lon < 10.3, SEA, np.where(lon < 10.6, -1000, 2000 + 0 * lat))

    settings = CLIP.model_copy(update={"elevation": Elevation(policy="sea_level", shoreline_m=0)})
    render_region(Path("w"), download(tmp_path / "e.tif", region, coast), region, tmp_path / "out", settings)
    picture, valid = read(tmp_path / "out/terraformed.tif")
    row = picture[len(picture) // 2, :, 0]
    assert valid.all() and len(set(row[5 : len(row) // 2])) == 1
    assert row[10] == pytest.approx(127.5, abs=1) and row[-10] == pytest.approx(level(2000), abs=1)


def test_what_the_files_say(tmp_path):
    region = region_of(box(10, 20, 10.4, 20.3))
    render_region(Path("w"), download(tmp_path / "e.tif", region), region, tmp_path / "out", CLIP)
    from rio_cogeo import cog_validate

    assert cog_validate(tmp_path / "out/terraformed.tif", strict=True)[0]
    with rasterio.open(tmp_path / "out/terraformed.tif") as dataset:
        tags = dataset.tags()
    assert "plausible, not predicted" in tags["DESCRIPTION"] and "not an observation" in tags["DESCRIPTION"]
    assert tags["LICENCE"] == "CC-BY-4.0" and "a survey" in tags["ATTRIBUTION"] and tags["SYNTHETIC_INPUT"] == "true"
    document = json.loads((tmp_path / "out/item.json").read_text())
    item = pystac.Item.from_dict(document)
    assert document["geometry"] is None and item.properties["ssys:targets"] == ["Mars"]
    assert item.properties["proj:code"] == "IAU_2015:49910" and item.properties["license"] == "CC-BY-4.0"
    assert (tmp_path / "out" / item.assets["mosaic"].href).is_file()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["item.json", "preview.jpg", "terraformed.tif"]


@pytest.mark.parametrize("compression", ["zstd", "deflate", "jpeg", "webp"])
def test_every_compression(tmp_path, compression):
    region = region_of(box(10, 20, 10.2, 20.2))
    settings = CLIP.model_copy(update={"compression": compression})
    render_region(Path("w"), download(tmp_path / "e.tif", region), region, tmp_path / "out", settings)
    with rasterio.open(tmp_path / "out/terraformed.tif") as dataset:
        assert dataset.compression.name.lower().startswith(compression[:4])


def test_elevation_of_another_body_or_unit_is_refused(tmp_path):
    region = region_of(box(10, 20, 10.2, 20.2))
    with pytest.raises(InputError, match="radius"):
        deep = download(tmp_path / "radius.tif", region, lambda lon, lat: -20_000 + 0 * lon * lat)
        render_region(Path("w"), deep, region, tmp_path / "out", CLIP)
    assert not (tmp_path / "out/terraformed.tif").exists()
    nothing = small_planet(tmp_path / "void.tif", 2, heights=lambda lon, lat: lon * lat * np.nan)
    with pytest.raises(InputError, match="every pixel is missing"):
        any_raster.render_raster(Path("w"), nothing, tmp_path / "o.tif", CLIP)
    with pytest.raises(InputError, match="does not exist"):
        any_raster.render_raster(Path("w"), tmp_path / "absent.tif", tmp_path / "o.tif", CLIP)
    assert not list(tmp_path.glob("o.tif"))


@pytest.mark.parametrize("policy", ["affine", "quantile", "relief"])
def test_policies_leave_no_seam(tmp_path, policy):
    settings = CLIP.model_copy(update={"elevation": Elevation(policy=policy, shoreline_m=-1e4)})
    pictures = []
    for window_px in (256, 1024):
        path = small_planet(tmp_path / "e.tif", 0.4)
        any_raster.render_raster(
            Path("w"), path, tmp_path / "out.tif", settings.model_copy(update={"window_px": window_px})
        )
        pictures.append(read(tmp_path / "out.tif")[0])
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    assert pictures[0].std() > 2


def test_the_broad_average_is_broad_and_goes_round():
    lat, lon = Axis(90, -0.5, 360), Axis(-180, 0.5, 720)
    wave = 100 * np.cos(np.radians(lon.centres()))[None] * np.cos(np.radians(lat.centres()))[:, None]
    noise = np.random.default_rng(0).normal(0, 300, wave.shape)
    nothing = np.zeros(wave.shape, bool)
    from terraform.geo.heights import Heights

    heights = Heights((wave + noise).astype(np.float32), nothing, nothing)
    broad = low_pass(from_array(heights, lat, lon, MARS.metres_per_degree))
    found = broad.at_points(np.array([[-179.9, 179.9, 0.0]]), np.array([[0.3, 0.3, 0.3]]), 200.0).metres[0]
    assert found[0] == pytest.approx(found[1], abs=15)
    assert found == pytest.approx([-100, -100, 100], abs=120)

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
from exact import (
    CLIP,
    SMALL_M,
    Same,
    download,
    hills,
    level,
    read,
    region_of,
    small_planet,
    trained,
    write_raster,
)
from pyproj import CRS as ProjCRS
from rasterio.crs import CRS
from rasterio.transform import Affine
from shapely.geometry import Polygon, box

from terraform.config import Elevation
from terraform.errors import InputError
from terraform.geo.bodies import MARS
from terraform.geo.crs import degrees_crs, transformer
from terraform.geo.heights import SEA, VOID
from terraform.geo.resample import Axis
from terraform.mosaic import any_raster, inputs
from terraform.mosaic.bands import GlobalGrid
from terraform.mosaic.elevation import from_array, points
from terraform.mosaic.output_grid import GridWindow
from terraform.mosaic.policy import low_pass
from terraform.mosaic.region import render_region
from terraform.sources.raster.georeference import body_of_crs

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def _known_network(monkeypatch, tmp_path):
    """A network with an exact answer instead of a weights file."""
    monkeypatch.chdir(tmp_path)
    Path("w").write_bytes(b"an exact answer")
    monkeypatch.setattr(inputs, "load_generator", lambda weights, settings: trained(Same(), stride=4, halo_px=4))


def centres(dataset, radius_m):
    """Longitudes and latitudes of the pixels of an equirectangular mosaic."""
    per_degree = np.radians(radius_m)
    t = dataset.transform
    x = t.c + t.a * (np.arange(dataset.width) + 0.5)
    y = t.f + t.e * (np.arange(dataset.height) + 0.5)
    return (x / per_degree)[None, :], (y / per_degree)[:, None]


def crs_of(path):
    with rasterio.open(path) as dataset:
        return dataset.crs


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


@pytest.mark.parametrize("name", ["utm", "mercator", "stereographic", "europa"])
def test_any_projection_lands_in_its_place(tmp_path, name):
    crs, radius, place = {
        "utm": ("EPSG:32633", 6_378_137.0, (14.2, 47.1)),
        "mercator": ("EPSG:3857", 6_378_137.0, (-70.3, -33.2)),
        "stereographic": ("+proj=stere +lat_0=90 +lon_0=0 +R=3396190", 3_396_190.0, (164.0, 72.0)),
        "europa": ("+proj=eqc +R=1560800", 1_560_800.0, (30.0, 8.0)),
    }[name]
    crs = CRS.from_user_input(crs)
    geographic = degrees_crs(crs, body_of_crs(crs, name))
    x, y = transformer(geographic, crs).transform(*place)
    transform = Affine(150, 0, x - 22_500, 0, -150, y + 18_000)
    columns, rows = np.meshgrid(np.arange(300) + 0.5, np.arange(240) + 0.5)
    lon, lat = transformer(crs, geographic).transform(transform.c + 150 * columns, transform.f - 150 * rows)
    write_raster(tmp_path / "e.tif", hills(40 * lon, lat).astype(np.float32), transform, crs)
    any_raster.render_raster(Path("w"), tmp_path / "e.tif", tmp_path / "out.tif", CLIP, None, None)
    picture, valid = read(tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as dataset:
        assert abs(ProjCRS.from_wkt(dataset.crs.to_wkt()).ellipsoid.semi_major_metre / radius - 1) < 1e-6
        lon, lat = centres(dataset, ProjCRS.from_wkt(dataset.crs.to_wkt()).ellipsoid.semi_major_metre)
    inside = valid & ~(~valid).any()
    inside = valid.copy()
    for _ in range(3):
        inside[1:-1, 1:-1] &= inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    inside[[0, 1, 2, -1, -2, -3]] = False
    inside[:, [0, 1, 2, -1, -2, -3]] = False
    assert inside.mean() > 0.5
    assert np.abs(picture[..., 0] - level(hills(40 * lon, lat)))[inside].max() <= 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 2), (257, 31)])
@pytest.mark.parametrize("nodata", [None, -9999.0])
def test_rasters_smaller_than_a_window(tmp_path, shape, nodata):
    values = np.full(shape, 1500, np.float32)
    transform = Affine(0.004, 0, 5, 0, -0.004, 5)
    path = write_raster(tmp_path / "e.tif", values, transform, CRS.from_user_input("IAU_2015:49900"), nodata)
    any_raster.render_raster(Path("w"), path, tmp_path / "out.tif", CLIP, None, None)
    picture, valid = read(tmp_path / "out.tif")
    assert valid.any() and np.abs(picture[valid] - level(1500)).max() <= 1


def test_missing_values_of_every_kind_stay_missing(tmp_path):
    crs = CRS.from_user_input("IAU_2015:49900")
    transform = Affine(0.005, 0, 5, 0, -0.005, 5)
    for number, (dtype, value, declared) in enumerate(
        [("int16", -32768, None), ("int16", -32767, -32767), ("float32", np.nan, None), ("float32", -3.4e38, -3.4e38)]
    ):
        values = np.full((60, 60), 1500, dtype)
        values[20:40, 20:40] = value
        path = write_raster(tmp_path / f"{number}.tif", values, transform, crs, declared)
        any_raster.render_raster(Path("w"), path, tmp_path / "out.tif", CLIP, None, None)
        _, valid = read(tmp_path / "out.tif")
        assert (~valid).mean() == pytest.approx(1 / 9, abs=0.03)
        assert not valid[len(valid) // 2, valid.shape[1] // 2]


@pytest.mark.parametrize("suffix", [".npy", ".png", ".tif"])
def test_an_array_needs_a_size_and_a_latitude(tmp_path, suffix):
    columns = np.arange(300) * 100.0
    heights = 1000 + columns[None] / 20 + np.zeros((200, 1))
    heights[:20, :20] = np.nan
    np.save(tmp_path / "e.npy", heights)
    with pytest.raises(InputError, match="pixel size"):
        any_raster.render_raster(Path("w"), tmp_path / "e.npy", tmp_path / f"out{suffix}", CLIP, 100.0, None)
    any_raster.render_raster(Path("w"), tmp_path / "e.npy", tmp_path / f"out{suffix}", CLIP, 100.0, 40.0)
    if suffix == ".npy":
        picture = np.load(tmp_path / "out.npy")
        assert (
            picture.shape == (100, 150, 4) and (picture[:10, :10, 3] == 0).all() and (picture[12:, :, 3] == 255).all()
        )
        expected = level(1000 + (np.arange(150) * 200 + 50) / 20)
        assert np.abs(picture[50, 1:-1, 0] - expected[1:-1]).max() <= 1


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
    found = points(broad, np.array([[-179.9, 179.9, 0.0]]), np.array([[0.3, 0.3, 0.3]]), 200.0).metres[0]
    assert found[0] == pytest.approx(found[1], abs=15)
    assert found == pytest.approx([-100, -100, 100], abs=120)


@pytest.mark.parametrize(
    ("name", "target", "refused"),
    [
        ("fixtures/Phobos_ME_HRSC_DEM_Global_2ppd.tiff", "Phobos", None),
        ("fixtures/rio_tiler_cog_nonearth.tif", "Europa", None),
        ("fixtures/mmgis_gale_missionDEM_esri103885.tif", "Mars", None),
        ("fixtures/N46E008.tif", "Earth", None),
        ("fixtures/S46W066.hgt.gz", "Earth", None),
        ("mars/korolev_mola128_elevation.tif", "Mars", None),
        ("mars/korolev_200m_polar.tif", "Mars", None),
        ("mars/korolev_mola128_radius.tif", "", "radius"),
        ("fixtures/rio_tiler_cog_hirise_mars.tif", "", "3 bands"),
    ],
)
def test_real_rasters(tmp_path, name, target, refused):
    if not (SHARED / name).is_file():
        pytest.skip(f"shared/data/{name} is not there")
    if refused:
        with pytest.raises(InputError, match=refused):
            any_raster.render_raster(Path("w"), SHARED / name, tmp_path / "out.tif", CLIP, None, None)
        return
    any_raster.render_raster(Path("w"), SHARED / name, tmp_path / "out.tif", CLIP, None, None)
    picture, valid = read(tmp_path / "out.tif")
    assert valid.mean() > 0.05 and np.isfinite(picture).all()
    assert {path.name for path in tmp_path.iterdir()} == {"w", "out.tif", "out.item.json"}
    item = pystac.Item.from_dict(json.loads((tmp_path / "out.item.json").read_text()))
    assert item.properties["ssys:targets"] == [target] and item.assets["mosaic"].href == "out.tif"
    assert item.geometry is None and CRS.from_wkt(item.properties["proj:wkt2"]) == crs_of(tmp_path / "out.tif")


def test_korolev_agrees_in_two_projections(tmp_path):
    """The same ground from a raster in degrees and one in polar stereographic."""
    if not (SHARED / "mars").is_dir():
        pytest.skip("shared/data/mars is not there")
    found = []
    for name in ("korolev_mola128_elevation", "korolev_200m_polar"):
        any_raster.render_raster(Path("w"), SHARED / f"mars/{name}.tif", tmp_path / f"{name}.tif", CLIP)
        with rasterio.open(tmp_path / f"{name}.tif") as dataset:
            t, globe = dataset.transform, GlobalGrid(MARS.radius_m)
            left, top = round(t.c / globe.pixel_m), round(t.f / globe.pixel_m)
            found.append((left, top, dataset.read(1).astype(float), dataset.dataset_mask() > 0))
    (l1, t1, a, ma), (l2, t2, b, mb) = found
    left, top = max(l1, l2), min(t1, t2)
    height = min(a.shape[0] - (t1 - top), b.shape[0] - (t2 - top))
    width = min(a.shape[1] - (left - l1), b.shape[1] - (left - l2))
    a, ma = (part[t1 - top :, left - l1 :][:height, :width] for part in (a, ma))
    b, mb = (part[t2 - top :, left - l2 :][:height, :width] for part in (b, mb))
    both = ma & mb
    assert both.sum() > 200_000
    assert np.corrcoef(a[both], b[both])[0, 1] > 0.99

"""Mosaics of rasters as people bring them: other projections, odd sizes, holes, arrays, real files."""

import json
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from exact import CLIP, centres, hills, level, read, write_raster
from pyproj import CRS as ProjCRS
from rasterio.crs import CRS
from rasterio.transform import Affine

from terraform.errors import InputError
from terraform.geo.bodies import MARS
from terraform.geo.crs import degrees_crs, transformer
from terraform.mosaic import any_raster
from terraform.mosaic.bands import GlobalGrid
from terraform.sources.raster.georeference import body_of_crs

SHARED = Path(__file__).parents[3] / "shared" / "data"


pytestmark = pytest.mark.usefixtures("same_network")


def crs_of(path):
    with rasterio.open(path) as dataset:
        return dataset.crs


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
    with pytest.raises(InputError, match="give --pixel-size"):
        any_raster.render_raster(Path("w"), tmp_path / "e.npy", tmp_path / f"out{suffix}", CLIP, 100.0, None)
    any_raster.render_raster(Path("w"), tmp_path / "e.npy", tmp_path / f"out{suffix}", CLIP, 100.0, 40.0)
    if suffix == ".npy":
        picture = np.load(tmp_path / "out.npy")
        assert (
            picture.shape == (100, 150, 4) and (picture[:10, :10, 3] == 0).all() and (picture[12:, :, 3] == 255).all()
        )
        expected = level(1000 + (np.arange(150) * 200 + 50) / 20)
        assert np.abs(picture[50, 1:-1, 0] - expected[1:-1]).max() <= 1


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

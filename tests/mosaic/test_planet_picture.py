"""A picture of a whole body: right colours on land and sea, light from the north-west, no step at the antimeridian."""

import numpy as np
import pytest
import rasterio
from exact import SMALL, base_raster, colours, hills, small_planet, write_raster
from PIL import Image
from rasterio.transform import Affine
from typer.testing import CliRunner

from terraform.__main__ import app
from terraform.errors import InputError
from terraform.mosaic.picture.ground import read_relief
from terraform.mosaic.picture.planet import render_planet
from terraform.mosaic.picture.shading import shade

LON = (np.arange(4320)[None] + 0.5) / 12 - 180
LAT = 90 - (np.arange(2160)[:, None] + 0.5) / 12


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planet")
    base = base_raster(folder / "base.tif", SMALL, 2)
    heights = small_planet(folder / "e.tif", 0.25)
    render_planet(str(base), heights, folder / "flat.tif", 1900.0, strength=0.0)
    return folder


def test_land_and_sea_have_their_base_colours(drawn):
    with rasterio.open(drawn / "flat.tif") as dataset:
        picture = np.moveaxis(dataset.read(), 0, -1).astype(float)
        assert dataset.bounds[:] == pytest.approx((-180, -90, 180, 90)) and dataset.dataset_mask().min() == 255
    height = hills(LON, LAT)
    land, deep = height > 1960, height < 1900 - 600
    assert np.abs(picture - colours(LON, LAT)[..., :3])[land].max() < 2
    assert np.abs(picture - colours(LON, LAT)[..., 3:])[deep].max() < 25
    assert np.abs(picture[:, 0] - picture[:, -1]).max() <= np.abs(np.diff(picture, axis=1)).max()


def test_a_coast_is_as_sharp_as_a_cell_and_no_staircase(drawn):
    relief = read_relief(drawn / "e.tif", 1900.0, 12)
    height = hills(LON, LAT)
    far = np.abs(height - 1900) > 60
    assert (relief.land[far] == (height > 1900)[far]).all()
    between = (relief.land > 0.02) & (relief.land < 0.98)
    assert 0.002 < between.mean() < 0.05
    assert np.abs(relief.height_m - np.maximum(height - 1900, 0)).max() < 25
    assert (relief.depth_m[relief.land == 1] == 0).all() and relief.depth_m.max() == pytest.approx(
        1900 - height.min(), abs=25
    )


def test_light_comes_from_the_north_west_and_level_ground_keeps_its_colour(drawn):
    grid = read_relief(drawn / "e.tif", 0.0, 12).grid
    cone = np.maximum(3000 - 100 * np.hypot((LON - 20) * np.cos(np.radians(10)), LAT - 10) * 2, 0).astype(np.float32)
    light = shade(cone, grid, 0.75)
    row, column = 960, 2400
    assert light[row - 40, column - 40] > 1.1 and light[row + 40, column + 40] < 0.9
    assert np.abs(light[:400] - 1).max() < 0.02
    assert light.min() > 0.2 and light.max() < 1.6


def test_no_lattice_of_coarse_heights_in_the_light(tmp_path):
    """Heights of half a degree, six cells of the picture: shading straight lines between them would show facets."""
    relief = read_relief(small_planet(tmp_path / "e.tif", 0.5), 0.0, 12)
    light = shade(relief.height_m, relief.grid, 1.0)[600:1500]
    kinks = np.abs(np.diff(light, n=2, axis=1)).mean(axis=0)
    by_phase = kinks[: len(kinks) // 6 * 6].reshape(-1, 6).mean(axis=0)
    assert by_phase.max() / by_phase.mean() < 1.25


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_command(drawn, suffix):
    output = drawn / f"planet{suffix}"
    done = CliRunner().invoke(
        app,
        ["render-planet", "--base", "#7a6a4f", "--elevation", str(drawn / "e.tif"), "--output", str(output),
         "--shoreline", "1900"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    with Image.open(output) as picture:
        assert picture.size == (4320, 2160)


def test_a_configuration_about_mars_says_nothing_of_earths_shoreline(tmp_path, monkeypatch):
    """Nor does one that nobody named say anything at all."""
    monkeypatch.chdir(tmp_path)
    heights = np.full((90, 180), -100, np.int16)
    write_raster(tmp_path / "e.tif", heights, Affine(2, 0, -180, 0, -2, 90), "EPSG:4326")
    asked = ["render-planet", "--base", "#7a6a4f", "--elevation", "e.tif", "--output"]
    for more in ([], ["--config", "config.yaml"]):
        (tmp_path / "config.yaml").write_text("mosaics: {elevation: {shoreline_m: -4500}}\n")
        assert CliRunner().invoke(app, [*asked, "here.png", *more]).exit_code == 0
        (tmp_path / "config.yaml").write_text("{}\n")
        assert CliRunner().invoke(app, [*asked, "there.png", *more]).exit_code == 0
        assert (tmp_path / "here.png").read_bytes() == (tmp_path / "there.png").read_bytes()


@pytest.mark.parametrize(
    ("metres", "options", "said"),
    [
        (3_390_000, [], "the radius of mars is 3396190 m: these look like a radius"),
        (2, ["--body", "pluto", "--crs", "EPSG:4326"], "--crs says the body too: leave out --body pluto"),
        (2, [], "if these are kilometres, say so with --unit km"),
    ],
)
def test_what_is_asked_of_a_raster_is_an_option_of_this_command(tmp_path, monkeypatch, metres, options, said):
    monkeypatch.chdir(tmp_path)
    heights = np.full((90, 180), metres, np.float32)
    heights[0] += 1
    write_raster(tmp_path / "e.tif", heights, Affine(2, 0, -180, 0, -2, 90), "IAU_2015:49900")
    asked = ["render-planet", "--base", "#7a6a4f", "--elevation", "e.tif", "--output", "o.png", *options]
    done = CliRunner().invoke(app, asked)
    assert said in done.output + str(done.exception)


def test_what_is_no_picture_is_refused(drawn):
    with pytest.raises(InputError, match=r"\.jpg, \.png or \.tif"):
        render_planet("#7a6a4f", drawn / "e.tif", drawn / "out.gif", 0.0)
    with pytest.raises(InputError, match="6 bands"):
        render_planet("#7a6a4f", drawn / "base.tif", drawn / "out.png", 0.0)

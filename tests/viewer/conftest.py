"""A small viewer whose colours are functions of place, and a browser that looks at it."""

import json

import numpy as np
import pytest
import rasterio
from exact import base_raster, colours, ripples, small_planet
from rasterio.crs import CRS
from rasterio.transform import Affine
from servers.browser import chromium

from terraform.geo.bodies import EARTH, MARS
from terraform.geo.geobox import GeoBox
from terraform.geo.regions import Region, rectangle
from terraform.mosaic.output import cog
from terraform.viewer.export import ViewerInputs, export_viewer

MARS_PIXEL_M = 2 * np.pi * MARS.radius_m / 106_694
BLOCK_PX = 16
EVIL = "</script><img src=x onerror='window.hacked=1'>"


def squares(height, width, seed=0):
    """Squares of one colour each: (4, H, W) uint8, as a mosaic is written."""
    rows, columns = -(-height // BLOCK_PX), -(-width // BLOCK_PX)
    colours = np.random.default_rng(seed).integers(30, 226, (3, rows, columns), np.uint8)
    pixels = colours.repeat(BLOCK_PX, axis=1).repeat(BLOCK_PX, axis=2)[:, :height, :width]
    return np.concatenate([pixels, np.full((1, height, width), 255, np.uint8)])


def write_mosaic(folder, west_px, north_px, height, width, body=MARS, seed=0):
    """A mosaic on the planet-wide grid of pixels, counted from 180 W and 90 N."""
    pixel = 2 * np.pi * body.radius_m / 106_694
    transform = Affine(pixel, 0, (west_px - 53_347) * pixel, 0, -pixel, (26_673.5 - north_px) * pixel)
    frame = GeoBox(height, width, transform, CRS.from_user_input(body.map_crs))
    tags = {"ATTRIBUTION": f"a test {EVIL}", "LICENCE": "CC0-1.0", "SYNTHETIC_INPUT": "true"}
    cog.write(folder / "terraformed.tif", frame, [squares(height, width, seed)], "deflate", tags)
    return folder / "terraformed.tif"


def write_imagery(folder):
    """Imagery of a region of Earth in degrees, narrower to the north."""
    picture = squares(300, 400, seed=3)[:3]
    profile = {"driver": "GTiff", "height": 300, "width": 400, "count": 3, "dtype": "uint8", "crs": "EPSG:4326"}
    folder.mkdir(parents=True)
    with rasterio.open(folder / "imagery.tif", "w", **profile, transform=Affine(0.0025, 0, 10, 0, -0.0018, 45)) as file:
        file.write(picture)


def write_heights(folder):
    """Heights of a region of Mars, with a hole in its south-east."""
    step, west, north = 0.005, -137.0, 20.0
    lon, lat = west + step * (np.arange(800) + 0.5), north - step * (np.arange(600) + 0.5)
    metres = np.rint(ripples(lon[None, :], lat[:, None])).astype(np.int16)
    metres[-400:, -240:] = -32768
    folder.mkdir(parents=True)
    profile = {"driver": "GTiff", "height": 600, "width": 800, "count": 1, "dtype": "int16", "nodata": -32768}
    transform = Affine(step, 0, west, 0, -step, north)
    with rasterio.open(folder / "elevation.tif", "w", **profile, crs=MARS.geographic_crs, transform=transform) as file:
        file.write(metres, 1)


def inputs(folder):
    mars = CRS.from_user_input(MARS.geographic_crs)
    base = base_raster(folder / "base.tif", mars, 2)
    heights = small_planet(folder / "elevation.tif", 0.5, crs=mars)
    region = write_mosaic(folder / "mars" / "olympus", 13_000, 21_000, 500, 700)
    north = write_mosaic(folder / "mars" / "korolev", 102_000, 5_000, 400, 700, seed=6)
    earth = write_mosaic(folder / "earth" / "lake", 56_400, 13_350, 350, 300, EARTH, seed=4)
    write_imagery(folder / "download" / "lake")
    write_heights(folder / "download" / "olympus")
    regions = {
        "olympus": Region("olympus", MARS, "mosaic", f"Olympus {EVIL}", rectangle(-137, 18, -134, 20)),
        "lake": Region("lake", EARTH, "test", "A lake", rectangle(10, 44.5, 11, 45)),
    }
    downloads = {name: folder / "download" / name for name in ("lake", "olympus")}
    mosaics = {"olympus": region, "korolev": north, "lake": earth}
    return ViewerInputs(
        MARS, str(base), heights, None, 1900.0, mosaics, downloads, regions,
        base_raster(folder / "observed.tif", mars, 1, levels=lambda lon, lat: 255 - colours(lon, lat)[..., :3]),
    )  # fmt: skip


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    return inputs(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="session")
def viewer(sources, tmp_path_factory):
    """The folder of the viewer; nothing else lies in its parent."""
    folder = tmp_path_factory.mktemp("viewer") / "viewer"
    export_viewer(sources, folder)
    return folder


@pytest.fixture(scope="session")
def manifest(viewer):
    text = (viewer / "data" / "manifest.js").read_text()
    return json.loads(text.removeprefix('TERRAFORM.receive("manifest",').removesuffix(");\n"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def page(browser, viewer):
    """Opens the viewer from disk at an address; afterwards nothing may have complained."""

    def opened(fragment="", width=800, height=560):
        browser.open(f"{(viewer / 'index.html').as_uri()}#{fragment}", width, height)
        browser.wait("typeof TERRAFORM !== 'undefined' && TERRAFORM.globe")
        return browser

    browser.complaints()
    yield opened
    assert browser.complaints() == []

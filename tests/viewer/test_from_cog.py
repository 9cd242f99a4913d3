"""Mosaics that the page reads from their files: by byte ranges, in every compression, with masks, on every map."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from conftest import MARS_PIXEL_M
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.warp import transform as warp
from typer.testing import CliRunner

from terraform.__main__ import app
from terraform.errors import InputError
from terraform.geo.bodies import MARS
from terraform.geo.geobox import GeoBox
from terraform.mosaic.output import cog
from terraform.viewer.export import export_viewer
from terraform.viewer.mosaic_file import block_grid
from terraform.viewer.serve import RangeHandler, viewer_server

CODES = ("deflate", "zstd", "webp", "jpeg")
SIDE = 64
HEIGHT, WIDTH = 1600, 2100
FIRST = (20_000, 5_000)
"""Column and row of the first mosaic's corner on the planet-wide grid of pixels; the others lie east of it."""


HIDDEN = """
const map = TERRAFORM.map.object();
for (const layer of map.getLayers().getArray()) {
  if (layer.getSource() instanceof ol.source.ImageTile) {
    layer.setVisible(false);
  }
}
map.renderSync();
"""
"""Hides what is read from files."""


def coloured(seed):
    """Squares of one colour each with a hole, (4, H, W) uint8; noise of one level makes the file large."""
    random = np.random.default_rng(seed)
    cells = random.integers(30, 226, (3, HEIGHT // SIDE, WIDTH // SIDE + 1), np.uint8)
    pixels = cells.repeat(SIDE, axis=1).repeat(SIDE, axis=2)[:, :, :WIDTH]
    pixels = pixels + random.integers(0, 2, pixels.shape, np.uint8)
    mask = np.full((1, HEIGHT, WIDTH), 255, np.uint8)
    mask[0, 700:900, 1000:1300] = 0
    return np.concatenate([pixels, mask])


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """A mosaic in each compression, side by side near the north pole."""
    folder = tmp_path_factory.mktemp("mosaics")
    for number, code in enumerate(CODES):
        west, north = FIRST[0] + number * 3000, FIRST[1]
        place = (west - 53_347) * MARS_PIXEL_M, (26_673.5 - north) * MARS_PIXEL_M
        transform = Affine(MARS_PIXEL_M, 0, place[0], 0, -MARS_PIXEL_M, place[1])
        frame = GeoBox(HEIGHT, WIDTH, transform, CRS.from_user_input(MARS.map_crs))
        cog.write(folder / code / "terraformed.tif", frame, [coloured(number)], code, {})
    return {code: folder / code / "terraformed.tif" for code in CODES}


@pytest.fixture(scope="session")
def folder(sources, files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("from-cog") / "viewer"
    export_viewer(replace(sources, mosaics=files, downloads={}, from_cog=True), folder)
    return folder


@pytest.fixture
def served(folder, browser, monkeypatch):
    """Opens the viewer from a server that notes what it sends; afterwards nothing may have complained."""
    sent = []
    real = RangeHandler._describe

    def noted(handler, path, length):
        sent.append((path.name, handler.headers.get("Range"), length))
        real(handler, path, length)

    monkeypatch.setattr(RangeHandler, "_describe", noted)
    with viewer_server(folder, 0) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"

        def opened(fragment, width=500, height=420):
            browser.open(f"{address}#{fragment}", width, height)
            browser.wait("typeof TERRAFORM !== 'undefined' && TERRAFORM.globe")
            browser.run(
                "window.still = false; const map = TERRAFORM.map.object();"
                "map.once('rendercomplete', () => { window.still = true; }); map.render();"
            )
            browser.wait("window.still")
            return browser

        opened.address, opened.sent = address, sent
        browser.complaints()
        yield opened
        assert browser.complaints() == []
        browser.open("about:blank")
        server.shutdown()


def at_middle(browser):
    x, y = browser.middle("#map")
    return browser.picture()[y, x]


def degrees(dataset, row, column):
    (x, y) = dataset.xy(row, column, offset="ul")
    (lon,), (lat,) = warp(dataset.crs, "IAU_2015:49900", [x], [y])
    return f"lon={lon:.9f}&lat={lat:.9f}"


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("projection", ["equirectangular", "north"])
def test_a_pixel_is_that_of_the_file_and_a_hole_shows_what_lies_below(served, files, code, projection):
    with rasterio.open(files[code]) as dataset:
        pixels = dataset.read().astype(int)
        for row, column in ((352, 480), (1570, 2072)):
            browser = served(f"view=map&names=0&projection={projection}&zoom=10&{degrees(dataset, row, column)}")
            assert np.abs(at_middle(browser) - pixels[:, row, column]).max() <= 12, (row, column)
        for (row, column), changes in (((800, 1150), False), ((352, 480), True)):
            browser = served(f"view=map&names=0&projection={projection}&zoom=10&{degrees(dataset, row, column)}")
            seen = at_middle(browser)
            browser.run(HIDDEN)
            assert bool(np.abs(at_middle(browser) - seen).max() > 12) == changes, (row, column)


def test_a_view_reads_a_part_of_the_file(served, files, folder):
    with rasterio.open(files["deflate"]) as dataset:
        served(f"view=map&names=0&zoom=10&{degrees(dataset, 200, 200)}")
    asked = [(ranges, length) for name, ranges, length in served.sent if name == "deflate.tif"]
    size = (folder / "mosaics" / "deflate.tif").stat().st_size
    assert asked and all(ranges for ranges, _ in asked)
    assert sum(length for _, length in asked) < size / 2
    assert not (folder / "tiles" / "terraformed" / "deflate").exists()


def test_divider_and_link_work_on_a_file(served, files):
    with rasterio.open(files["webp"]) as dataset:
        pixels = dataset.read().astype(int)[:, 352, 480]
        place = degrees(dataset, 352, 480)
    browser = served(f"view=map&names=0&zoom=10&compare=1&a=terraformed&b=base&swipe=0.9&{place}")
    assert np.abs(at_middle(browser) - pixels).max() <= 12
    browser = served(f"view=map&names=0&zoom=10&compare=1&a=terraformed&b=base&swipe=0.1&{place}")
    other = at_middle(browser)
    assert np.abs(other - pixels).max() > 12
    browser = served(f"view=map&names=0&zoom=10&compare=1&a=base&b=terraformed&swipe=0.1&{place}")
    assert np.abs(at_middle(browser) - pixels).max() <= 12


def test_no_request_leaves_the_folder(served, files):
    with rasterio.open(files["zstd"]) as dataset:
        browser = served("view=map")
        browser.requests()
        served(f"view=map&names=0&zoom=10&{degrees(dataset, 352, 480)}")
    asked = [name for name in browser.requests() if not name.startswith(("data:", "blob:", "about:"))]
    assert asked and [name for name in asked if not name.startswith(served.address)] == []


def test_from_disk_the_page_says_what_it_needs(folder, browser):
    browser.open(f"{(folder / 'index.html').as_uri()}#view=map&lon=-110&lat=72&zoom=8", 500, 420)
    browser.wait("document.querySelector('#map .notice').checkVisibility()")
    x, y = browser.middle("#map .notice")
    assert "terraform view" in browser.run("return document.elementFromPoint(...arguments).textContent", x, y)
    assert y < 420
    browser.complaints()


def test_a_viewer_made_again_takes_a_new_mosaic_and_leaves_no_tiles(sources, files, folder, tmp_path):
    inputs = replace(sources, mosaics={"one": files["webp"]}, downloads={})
    export_viewer(inputs, tmp_path)
    assert (tmp_path / "tiles/terraformed/one").is_dir() and not (tmp_path / "mosaics").exists()
    export_viewer(replace(inputs, from_cog=True), tmp_path)
    assert not (tmp_path / "tiles/terraformed/one").exists()
    assert (tmp_path / "mosaics/one.tif").read_bytes() == files["webp"].read_bytes()
    export_viewer(replace(inputs, mosaics={"one": files["jpeg"]}, from_cog=True), tmp_path)
    assert (tmp_path / "mosaics/one.tif").read_bytes() == files["jpeg"].read_bytes()
    export_viewer(inputs, tmp_path)
    assert not (tmp_path / "mosaics").exists()


def test_a_file_that_cannot_be_read_in_blocks_is_refused(tmp_path):
    path = tmp_path / "terraformed.tif"
    profile = {"driver": "GTiff", "height": 40, "width": 40, "count": 3, "dtype": "uint8", "crs": MARS.map_crs}
    with rasterio.open(path, "w", **profile, transform=Affine(200, 0, 0, 0, -200, 0)) as file:
        file.write(np.ones((3, 40, 40), np.uint8))
    with pytest.raises(InputError, match="--from-cog"):
        block_grid(path)


@pytest.mark.parametrize(("configured", "given", "expected"), [
    ("false", [], False), ("true", [], True), ("true", ["--no-from-cog"], False), ("false", ["--from-cog"], True),
])  # fmt: skip
def test_the_command_and_the_configuration_say_which(sources, files, tmp_path, configured, given, expected):
    config = tmp_path / "config.yaml"
    config.write_text(f"viewer: {{from_cog: {configured}}}\n")
    command = ["export-viewer", "--config", str(config), "--elevation", str(sources.elevation), "--base", sources.base]
    command += ["--mosaic", str(files["webp"].parent), "--output", str(tmp_path / "viewer"), *given]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.exception
    assert (tmp_path / "viewer/mosaics/webp.tif").exists() == expected

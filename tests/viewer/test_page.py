"""The page from disk in a browser: layers, divider, coordinates, scale, links, requests, a phone's window."""

import re
from itertools import combinations

import numpy as np
import pytest
import rasterio
from exact import colours, hills, ripples
from rasterio.warp import transform as warp

PLACES = {
    "Olympus Mons": (-133.80, 18.65), "Gale": (137.80, -5.40), "Hellas Planitia": (70.50, -42.40),
    "Korolev": (164.60, 72.80), "Arsia Mons": (-120.09, -8.35),
}  # fmt: skip
"""Five places whose longitude and latitude the IAU's gazetteer gives, east positive."""

CONTROLS = """
const parts = 'header button, footer button, #panel select, #panel input, #synthetic, .ol-zoom, #place, #height,' +
  '.ol-scale-line, #legend, #title';
const shown = [...document.querySelectorAll(parts)];
return shown.filter((element) => element.checkVisibility({ visibilityProperty: true })).map((element) => {
  const box = element.getBoundingClientRect();
  return [element.id || element.className || element.textContent, box.left, box.top, box.right, box.bottom];
}).filter((box) => box[3] - box[1] > 2 && box[4] - box[2] > 2);
"""


def settled(browser, part="map"):
    """Wait until all tiles of the view are drawn."""
    browser.run(
        "window.still = false; const map = TERRAFORM[arguments[0]].object();"
        "map.once('rendercomplete', () => { window.still = true; }); map.render();",
        part,
    )
    browser.wait("window.still")


def at_middle(browser):
    x, y = browser.middle("#map")
    return browser.picture()[y, x]


def readout(browser):
    text = browser.run("return document.getElementById('place').textContent")
    lat, pole, lon = re.fullmatch(r"([\d.]+)° ([NS])  ([\d.]+)° E", text).groups()
    height = browser.run("return document.getElementById('height').textContent")
    return float(lon), float(lat) * (1 if pole == "N" else -1), height


@pytest.mark.parametrize("projection", ["equirectangular", "north", "south"])
def test_coordinates_colours_and_heights_are_those_of_the_place(page, projection):
    places = {
        "equirectangular": PLACES.values(),
        "north": [PLACES["Korolev"]],
        "south": [PLACES["Hellas Planitia"]],
    }[projection]
    for lon, lat in places:
        browser = page(f"view=map&a=base&names=0&projection={projection}&lon={lon}&lat={lat}&zoom=7", 500, 420)
        settled(browser)
        browser.wait("TERRAFORM.data.heights && Number.isFinite(TERRAFORM.planet.heightAt(0, 0))")
        x, y = browser.middle("#map")
        browser.move(x + 40, y)
        browser.move(x, y)
        east, north, height = readout(browser)
        away = np.hypot(((east - lon + 180) % 360 - 180) * np.cos(np.radians(lat)), north - lat)
        assert away < 0.02, (east, north)
        expected = colours(lon, lat)[:3] if hills(lon, lat) > 1900 else None
        if expected is not None and abs(hills(lon, lat) - 1900) > 100:
            assert np.abs(at_middle(browser) - expected).max() < 8
        assert float(height.replace(",", "").removesuffix(" m")) == pytest.approx(hills(lon, lat), abs=20)


def test_heights_of_a_region_are_those_of_its_own_raster(page):
    for lon, lat, hidden in ((-135.6, 18.7, False), (-134.5, 18.9, False), (-134.0, 17.7, True)):
        browser = page(f"view=map&names=0&lon={lon}&lat={lat}&zoom=9", 500, 420)
        settled(browser)
        browser.wait("Number.isFinite(TERRAFORM.planet.heightAt(0, 0))")
        x, y = browser.middle("#map")
        browser.move(x + 40, y)
        browser.wait("'heights-olympus' in TERRAFORM.data")
        browser.move(x, y)
        east, north, _ = readout(browser)
        browser.wait(
            f"Math.abs(TERRAFORM.planet.heightAt({lon}, {lat}) - TERRAFORM.planet.coarseHeightAt({lon}, {lat})) "
            f"{'==' if hidden else '>'} 0"
        )
        expected = hills(lon, lat) if hidden else ripples(((east + 180) % 360) - 180, north)
        height = float(readout(browser)[2].replace(",", "").removesuffix(" m"))
        assert height == pytest.approx(expected, abs=25)


def test_a_pixel_under_the_cursor_is_that_of_the_mosaic(page, sources):
    with rasterio.open(sources.mosaics["olympus"]) as dataset:
        for row, column in ((104, 232), (328, 600)):
            x, y = dataset.xy(row, column, offset="ul")
            (lon,), (lat,) = warp(dataset.crs, "IAU_2015:49900", [x], [y])
            browser = page(f"view=map&names=0&lon={lon:.9f}&lat={lat:.9f}&zoom=10.5", 500, 420)
            settled(browser)
            expected = dataset.read()[:, row, column].astype(int)
            assert np.abs(at_middle(browser) - expected).max() <= 12


def test_a_mosaic_near_a_pole_is_on_the_polar_map_and_ends_at_its_edge(page, sources):
    with rasterio.open(sources.mosaics["korolev"]) as dataset:
        mosaic = dataset.read().astype(int)
        for row, column in ((104, 232), (328, 696), (200, 760), (430, 300)):
            (lon,), (lat,) = warp(dataset.crs, "IAU_2015:49900", *([v] for v in dataset.xy(row, column, offset="ul")))
            seen = {}
            for projection in ("equirectangular", "north"):
                place = f"projection={projection}&lon={lon:.9f}&lat={lat:.9f}&zoom=9.5"
                browser = page(f"view=map&names=0&{place}", 500, 420)
                settled(browser)
                seen[projection] = at_middle(browser)
            inside = row < dataset.height and column < dataset.width
            truth = mosaic[:, row, column] if inside else seen["equirectangular"]
            assert np.abs(seen["north"] - truth).max() <= 12, (row, column)


@pytest.mark.parametrize(("lat", "km"), [(0, 59.274), (60, 29.637)])
def test_the_scale_bar_is_true(page, lat, km):
    browser = page(f"view=map&lat={lat}&lon=20&zoom=5", 700, 420)
    settled(browser)
    text, width, resolution = browser.run(
        "const bar = document.querySelector('#scale-map .ol-scale-line-inner');"
        "return [bar.textContent, parseFloat(bar.style.width), TERRAFORM.map.object().getView().getResolution()];"
    )
    length, unit = text.split()
    assert unit == "km" and float(length) / (float(width) * resolution) == pytest.approx(km, rel=0.02)


def test_the_planet_as_it_is(page):
    browser = page("view=map&a=observed&names=0&lon=-120&lat=40&zoom=6", 500, 420)
    settled(browser)
    assert np.abs(at_middle(browser) - (255 - colours(-120, 40)[:3])).max() < 8


def test_layers_switch_and_the_divider_moves(page):
    browser = page("view=map&names=0&lon=20&lat=10&zoom=3", 700, 480)
    settled(browser)
    base = browser.picture()
    browser.choose("layer-a", "hillshade")
    settled(browser)
    grey = browser.picture()
    x, y = browser.middle("#map")
    box = np.s_[y - 60 : y + 60, x - 200 : x + 60]
    assert np.ptp(grey[box], axis=2).max() <= 3 and np.ptp(base[box], axis=2).max() > 30
    browser.click("compare")
    browser.choose("layer-b", "relief")
    settled(browser)
    share = grey_share(browser, y)
    browser.drag((x, y), (x - 120, y))
    settled(browser)
    assert grey_share(browser, y) == pytest.approx(share - 120, abs=3)
    assert browser.run("return TERRAFORM.state.get.swipe") == pytest.approx(0.5 - 120 / 700, abs=0.01)
    browser.choose("opacity", 0)
    settled(browser)
    assert grey_share(browser, y) > share


def grey_share(browser, y):
    """Pixels of a row, left of the panel, that are grey."""
    row = browser.picture()[y + 40, :420]
    return int((np.ptp(row, axis=1) <= 4).sum())


def test_a_link_brings_back_what_was_shown(page):
    browser = page("view=map", 700, 480)
    settled(browser)
    browser.run(
        "TERRAFORM.state.set({ a: 'relief', b: 'base', compare: true, swipe: 0.3, opacity: 0.6, graticule: true,"
        " lon: 77.7, lat: 18.4, zoom: 4.25 }, 'test');"
    )
    settled(browser)
    browser.wait("location.hash.includes('zoom=4.25')")
    link = browser.run("return location.hash.slice(1)")
    before = browser.run("return { ...TERRAFORM.state.get }")
    settled(page(link, 700, 480))
    after = browser.run("return { ...TERRAFORM.state.get }")
    numbers = {name for name, value in before.items() if isinstance(value, float)}
    assert {name: after[name] for name in before.keys() - numbers} == {
        name: before[name] for name in before.keys() - numbers
    }
    assert [after[name] for name in numbers] == pytest.approx([before[name] for name in numbers], abs=2e-3)
    assert browser.run("const view = TERRAFORM.map.object().getView(); return view.getCenter()") == pytest.approx(
        [77.7, 18.4], abs=0.01
    )


def test_nonsense_in_a_link_changes_nothing(page):
    browser = page("view=map&a=<script>&zoom=abc&lon=99999&projection=__proto__&compare=2", 500, 400)
    settled(browser)
    state = browser.run("return TERRAFORM.state.get")
    assert (state["a"], state["projection"], state["compare"]) == ("terraformed", "equirectangular", False)
    assert abs(state["lon"]) == 180


def test_no_request_leaves_the_folder_and_names_are_text(page, viewer):
    browser = page("view=map&lon=-135.6&lat=18.9&zoom=6", 700, 480)
    browser.requests()
    settled(browser)
    browser.click("sources")
    assert browser.run("return document.getElementById('credit-list').textContent").count("onerror") >= 1
    assert browser.run("return document.getElementById('places').textContent").count("onerror") == 1
    assert browser.run("return [window.hacked, document.querySelectorAll('img').length]") == [None, 0]
    assert "Synthetic" in browser.run("return document.querySelector('footer').innerText")
    page("view=earth", 500, 400)
    asked = [address for address in browser.requests() if not address.startswith(("data:", "blob:", "about:"))]
    assert len(asked) > 10
    assert [address for address in asked if not address.startswith(f"{viewer.as_uri()}/")] == []


def test_real_and_generated_earth_lie_on_each_other(page, sources):
    browser = page("view=earth&swipe=0.5", 700, 520)
    settled(browser, "earth")
    picture = browser.picture()
    middle = browser.middle("#earth")
    imagery = sources.downloads["lake"] / "imagery.tif"
    for side, path in ((-90, imagery), (70, sources.mosaics["lake"])):
        found = 0
        for down in range(-120, 121, 17):
            x, y = middle[0] + side, middle[1] + down
            found += np.abs(picture[y, x] - colour_of_earth(browser, path, x, y)).max() <= 25
        assert found >= 10, path


def colour_of_earth(browser, path, x, y):
    """Colour that a raster has at the place under a pixel of the window."""
    lon, lat = browser.run(
        "const at = TERRAFORM.earth.object().getEventCoordinate({ clientX: arguments[0], clientY: arguments[1] });"
        "return [at[0] / TERRAFORM.planet.manifest.comparisons[0].shrink, at[1]];",
        x,
        y,
    )
    with rasterio.open(path) as dataset:
        (east,), (north,) = warp("EPSG:4326", dataset.crs, [lon], [lat])
        return next(dataset.sample([(east, north)])).astype(int)


@pytest.mark.parametrize("view", ["globe", "map", "earth"])
def test_nothing_overlaps_on_a_phone(page, view):
    browser = page(f"view={view}&turn=0&compare=1&a=relief", 390, 844)
    browser.run("TERRAFORM.readout(-133.8, 18.65)")
    for _ in range(2):
        boxes = browser.run(CONTROLS)
        assert len(boxes) >= 6
        for name, left, top, right, bottom in boxes:
            assert left >= 0 and right <= 390 and top >= 0 and bottom <= 844, name
        for one, other in combinations(boxes, 2):
            apart = one[3] <= other[1] + 1 or other[3] <= one[1] + 1 or one[4] <= other[2] + 1 or other[4] <= one[2] + 1
            assert apart, f"{one[0]} lies on {other[0]}"
        browser.click("menu")

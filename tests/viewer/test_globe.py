"""The globe: it shows the planet where it is, has no seam, and draws a frame with little work."""

import numpy as np
from exact import colours

READY = "TERRAFORM.globe.isReady() && TERRAFORM.state.get.turn === false"


def looking(browser, lon, lat):
    browser.run(
        "Object.assign(TERRAFORM.globe.eye, { lon: arguments[0], lat: arguments[1] }); TERRAFORM.globe.draw();",
        lon,
        lat,
    )
    return browser.picture()


def test_the_globe_shows_the_planet_and_its_edges_meet(page):
    browser = page("turn=0&a=base", 460, 420)
    browser.wait(READY, 60)
    x, y = browser.middle("#globe canvas")
    shown = looking(browser, 180, 0)
    disc = shown[y - 90 : y + 90, x - 90 : x + 90]
    assert disc.std(axis=(0, 1)).min() > 5
    steps = np.abs(np.diff(disc.mean(axis=0), axis=0)).max(axis=1)
    rows = np.abs(np.diff(disc, axis=1)).max(axis=(0, 2))
    assert steps[86:94].max() <= max(4, 1.5 * steps[30:80].max())
    assert rows[86:94].max() <= max(30, 1.5 * rows[30:80].max())
    # Hues are those of the place: light changes brightness, air adds a little blue.
    for lon, lat in ((60, 10), (-100, -20)):
        middle = looking(browser, lon, lat)[y - 2 : y + 3, x - 2 : x + 3].mean(axis=(0, 1))
        both = colours(lon, lat)
        hues = [part / np.linalg.norm(part) for part in (both[:3], both[3:])]
        assert max(float(hue @ middle) / np.linalg.norm(middle) for hue in hues) > 0.985
    browser.run("TERRAFORM.state.set({ a: 'hillshade' }, 'test')")
    browser.wait("TERRAFORM.data['globe-hillshade']")


def test_keys_turn_it_and_a_place_is_flown_to(page, manifest):
    browser = page("turn=0&lon=10&lat=0", 300, 280)
    browser.wait(READY, 60)
    browser.run("document.getElementById('globe').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }))")
    browser.wait("TERRAFORM.globe.eye.lon > 12")
    gale = next(k for k, place in enumerate(manifest["places"]) if place["name"] == "Gale")
    browser.choose("places", f"p{gale}")
    browser.wait("Math.abs(TERRAFORM.globe.eye.lon - 137.8) < 1 && Math.abs(TERRAFORM.globe.eye.lat + 5.4) < 1")

"""The synthetic worlds: the same pixel from every window, in range, finite, and true to their own law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terraform.errors import InputError
from terraform.sample_world import craters as sample_craters
from terraform.sample_world import earth as sample_earth
from terraform.sample_world import mars as sample_mars
from terraform.sample_world import noise
from terraform.sample_world.colour import SNOW, snow_line_m, sun_direction

PIXEL = 0.002
REGIONS = {  # west, south, east, north in degrees
    "cali": (-122, 34, -115.3, 39.5),
    "italy": (7, 41, 14.3, 46.5),
    "nw": (-125, 45, -117, 50.5),
    "andes": (-72, -20, -64.6, -13.1),
    "tanzania": (33, -5, 39.9, 1.9),
    "nepal": (80, 24, 87.6, 30.9),
    "ri": (-78, 40, -70.8, 45.5),
    "sichuan": (98, 27, 104.2, 32.5),
    "czech": (10, 46, 18, 51.5),
}

lons = st.floats(-180, 180)
lats = st.floats(-89, 89)
seeds = st.integers(0, 10_000)


def grid(west, north, columns, rows, pixel=PIXEL):
    return west + pixel * (0.5 + np.arange(columns)), north - pixel * (0.5 + np.arange(rows))


def region_axes(name, columns=60, rows=60):
    west, south, east, north = REGIONS[name]
    return np.linspace(west, east, columns), np.linspace(north, south, rows)


@settings(max_examples=8, deadline=None)
@given(lon=lons, lat=lats, seed=seeds)
def test_scene_repeats_after_a_turn(lon, lat, seed):
    columns, rows = grid(lon, lat, 24, 20)
    here = sample_earth.scene(columns, rows, seed)
    there = sample_earth.scene(columns + 360, rows, seed)
    np.testing.assert_array_equal(here.relief.elevation_m, there.relief.elevation_m)
    np.testing.assert_array_equal(here.imagery, there.imagery)


@settings(max_examples=8, deadline=None)
@given(lon=lons, lat=lats, seed=seeds, top=st.integers(0, 30), left=st.integers(0, 200))
def test_scene_is_the_same_from_every_window(lon, lat, seed, top, left):
    """The window straddles the borders of tiles (128 pixels), the crop does not, or elsewhere."""
    columns, rows = grid(lon, lat, 260, 60)
    part = slice(top, top + 29), slice(left, left + 57)
    whole = sample_earth.scene(columns, rows, seed)
    crop = sample_earth.scene(columns[part[1]], rows[part[0]], seed)
    np.testing.assert_array_equal(crop.relief.elevation_m, whole.relief.elevation_m[part])
    np.testing.assert_array_equal(crop.imagery, whole.imagery[part])


def test_single_pixel_is_the_pixel_of_the_grid():
    columns, rows = grid(101, 29, 40, 40)
    whole = sample_earth.scene(columns, rows, 0)
    one = sample_earth.scene(columns[17:18], rows[5:6], 0, pixel_deg=(PIXEL, PIXEL))
    assert one.relief.elevation_m[0, 0] == whole.relief.elevation_m[5, 17]
    np.testing.assert_array_equal(one.imagery[0, 0], whole.imagery[5, 17])


def test_elevation_agrees_with_scene():
    columns, rows = grid(101, 29, 150, 140)
    relief, scene = sample_earth.elevation(columns, rows, 3), sample_earth.scene(columns, rows, 3)
    np.testing.assert_array_equal(relief.elevation_m, scene.relief.elevation_m)
    np.testing.assert_array_equal(sample_earth.imagery(columns, rows, 3), scene.imagery)


def test_worlds_differ_by_seed_and_repeat_by_seed():
    columns, rows = region_axes("cali")
    first, again, other = (sample_earth.elevation(columns, rows, seed).elevation_m for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.5


@pytest.mark.parametrize("north", [90.0, -90.0 + 20 * PIXEL])
def test_poles_are_finite(north):
    rows = np.linspace(north, north - 20 * PIXEL, 21)
    scene = sample_earth.scene(np.linspace(-180, 180, 37), rows, 0)
    assert np.isfinite(scene.relief.elevation_m).all()
    pole = scene.relief.elevation_m[0 if north > 0 else -1]
    assert np.ptp(pole) < 1.0  # the pole is one place, whatever its longitude


@pytest.mark.parametrize("seed", [0, 5])
def test_sphere_has_land_sea_and_a_natural_range(seed):
    rng = np.random.default_rng(0)
    lon, lat = np.sort(rng.uniform(-180, 180, 80)), np.degrees(np.arcsin(np.linspace(-0.99, 0.99, 60)))
    relief = sample_earth.elevation(lon, lat, seed)
    assert relief.elevation_m.dtype == np.float32
    assert not np.isnan(relief.elevation_m).any()
    assert relief.elevation_m.min() == 0 and relief.elevation_m.max() <= 8800
    assert (relief.elevation_m[relief.sea] == 0).all()
    assert 0.45 < 1 - relief.sea.mean() < 0.8
    land = relief.elevation_m[~relief.sea]
    assert np.median(land) < 900 and np.percentile(land, 99.5) > 3500


def test_default_regions_have_land_relief_and_coasts():
    reliefs = {name: sample_earth.elevation(*region_axes(name, 40, 40), seed=0) for name in REGIONS}
    land = {name: 1 - relief.sea.mean() for name, relief in reliefs.items()}
    highest = {name: relief.elevation_m.max() for name, relief in reliefs.items()}
    assert min(land.values()) >= 0.4, land
    assert sum(share < 0.95 for share in land.values()) >= 3, land
    assert sum(height > 4000 for height in highest.values()) >= 5, highest


def test_spectrum_falls_without_lines():
    """Power falls by wavelength like real relief, about k^-2 in a profile, and no row or column stands out."""
    columns, rows = grid(12, 48, 256, 256)
    height = sample_earth.elevation(columns, rows, 0).elevation_m.astype(np.float64)
    power = np.abs(np.fft.fft2((height - height.mean()) * np.outer(np.hanning(256), np.hanning(256)))) ** 2
    along = power[:, 1:128].sum(axis=0)
    k = np.arange(1, 128)
    slope = np.polyfit(np.log(k[3:60]), np.log(along[3:60]), 1)[0]
    assert -4 < slope < -1.2, slope
    steps = np.diff(height, axis=1)
    by_column = np.abs(steps).mean(axis=0)
    assert by_column.max() < 3 * np.median(by_column)


def test_gradient_noise_is_balanced():
    table = noise.tables(0, 1)
    axes = noise.axes(noise.rounded(np.linspace(0, 300, 200)), noise.rounded(np.linspace(-80, 80, 150)))
    value = noise.gradient_noise(table, noise.locate(table, 0, 12.0, axes))
    assert abs(value.mean()) < 0.05 and 0.2 < value.std() < 0.45 and np.abs(value).max() < 1.4


def test_interpolated_slopes_are_those_of_the_surface():
    lon, lat = noise.rounded(np.linspace(10, 10.2, 801)), noise.rounded(np.linspace(40, 40.1, 11))
    x, y = noise.taps(lon), noise.taps(lat)
    field = np.add.outer(np.sin(20 * y.nodes), np.cos(30 * x.nodes)).astype(np.float32)
    value, per_lon, _ = noise.interpolate_with_slopes(field, x, y)
    np.testing.assert_allclose(value, np.add.outer(np.sin(20 * lat), np.cos(30 * lon)), atol=0.01)
    np.testing.assert_allclose(per_lon[0], -30 * np.sin(30 * lon), atol=1.5)


def test_snow_lies_above_the_snow_line_only():
    columns, rows = grid(101.3, 31.5, 300, 300)
    for name in ("italy", "andes", "nepal"):
        west, south, east, north = REGIONS[name]
        columns, rows = grid((west + east) / 2, (south + north) / 2, 300, 300, 0.004)
        scene = sample_earth.scene(columns, rows, 0)
        above = scene.relief.elevation_m - snow_line_m(rows)[:, None]
        white = scene.imagery.min(axis=-1) > 165
        assert not white[above < -900].any(), name
        assert white[above > 900].mean() > 0.6 if (above > 900).any() else True, name
    assert min(SNOW) > 200


def test_snow_line_falls_with_latitude():
    line = snow_line_m(np.array([0.0, 30, -30, 65]))
    assert line[0] == 5200 and line[1] == line[2] and line[3] == pytest.approx(600)


def test_sea_is_blue_and_land_is_not():
    columns, rows = region_axes("cali", 120, 120)
    scene = sample_earth.scene(columns, rows, 0)
    red, _, blue = (scene.imagery[..., band].astype(int) for band in range(3))
    assert (blue > red)[scene.relief.sea].all()
    assert (blue > red)[~scene.relief.sea & (scene.relief.elevation_m < 2000)].mean() < 0.1


def test_imagery_follows_relief_and_latitude():
    """A table of mean colours by height and latitude explains most of the colour: the law can be learnt."""
    groups = []
    for name in REGIONS:
        lon, lat = region_axes(name, 60, 60)
        scene = sample_earth.scene(lon, lat, 0)
        band = np.broadcast_to(np.rint(lat / 2)[:, None], scene.relief.sea.shape) + 100
        key = np.where(scene.relief.sea, 0, band * 1000 + np.rint(np.sqrt(scene.relief.elevation_m) / 3))
        groups.append((key.ravel(), scene.imagery.reshape(-1, 3).astype(float)))
    keys, colours = (np.concatenate(parts) for parts in zip(*groups, strict=True))
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(inverse, colours[:, b]) / counts for b in range(3)], axis=1)
    left = ((colours - means[inverse]) ** 2).sum() / ((colours - colours.mean(axis=0)) ** 2).sum()
    assert left < 0.35, left


def test_sun_stands_in_the_east_and_south():
    east, north, up = sun_direction(np.array([45.0]))
    assert east == pytest.approx(np.sin(np.radians(22.5)))
    assert north[0] < 0 < up[0]
    assert east**2 + north[0] ** 2 + up[0] ** 2 == pytest.approx(1)


def test_bad_axes_are_refused():
    with pytest.raises(InputError, match="1-D"):
        sample_earth.elevation(np.zeros((2, 2)), np.zeros(2), 0)
    with pytest.raises(InputError, match="swap"):
        sample_earth.elevation(np.zeros(2), np.array([90.5]), 0)
    with pytest.raises(InputError, match="pixel_deg"):
        sample_earth.scene(np.zeros(1), np.zeros(1), 0)


@settings(max_examples=6, deadline=None)
@given(lon=lons, lat=lats, seed=seeds)
def test_mars_repeats_after_a_turn(lon, lat, seed):
    columns, rows = grid(lon, lat, 24, 20, 0.004)
    np.testing.assert_array_equal(
        sample_mars.elevation(columns, rows, seed), sample_mars.elevation(columns + 360, rows, seed)
    )


@settings(max_examples=8, deadline=None)
@given(lon=lons, lat=st.floats(-88, 89), seed=seeds, top=st.integers(0, 90), left=st.integers(0, 200))
def test_mars_is_the_same_from_every_window(lon, lat, seed, top, left):
    """Craters and all: at 600 m a pixel the window shows dozens of them."""
    columns, rows = grid(lon, lat, 260, 120, 0.01)
    part = slice(top, top + 29), slice(left, left + 57)
    whole = sample_mars.elevation(columns, rows, seed)
    np.testing.assert_array_equal(sample_mars.elevation(columns[part[1]], rows[part[0]], seed), whole[part])


def test_mars_window_across_the_antimeridian():
    columns, rows = grid(179.5, 10, 100, 40, 0.01)
    whole = sample_mars.elevation(columns, rows, 0)
    np.testing.assert_array_equal(sample_mars.elevation(columns[60:] - 360, rows, 0), whole[:, 60:])


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_mars_poles_are_finite_and_one_place(pole):
    height = sample_mars.elevation(np.linspace(-180, 180, 19), np.linspace(pole, pole * 0.9999, 5), 0)
    assert np.isfinite(height).all()
    assert np.ptp(height[0]) < 1.0


def around(lon, lat, span, count=48):
    return np.linspace(lon - span, lon + span, count), np.linspace(lat + span, lat - span, count)


@pytest.mark.parametrize("seed", [0, 7])
def test_mars_reaches_its_range(seed):
    olympus = sample_mars.elevation(*around(-134, 18.6, 1.5), seed)
    hellas = sample_mars.elevation(*around(70.5, -42.4, 4), seed)
    assert olympus.dtype == np.float32
    assert 20_500 < olympus.max() <= 21_200
    assert -8_200 <= hellas.min() < -7_700


def test_mars_has_its_great_features():
    north = sample_mars.elevation(*around(30, 60, 4), 0)
    south = sample_mars.elevation(*around(10, -45, 4), 0)
    assert np.median(north) < -2500 and np.median(south) > 500
    canyon = sample_mars.elevation(np.linspace(-72, -70, 20), np.linspace(-4, -14, 120), 0)
    assert np.ptp(canyon) > 5000
    foot = sample_mars.elevation(np.array([-134.0]), np.linspace(18.6, 26, 300), 0)[:, 0]
    assert -np.diff(foot)[100:].min() > 150  # the basal scarp
    korolev = sample_mars.elevation(np.array([164.6]), np.linspace(74.5, 72.8, 80), 0)[:, 0]
    assert korolev.max() - korolev[-20:].mean() > 1200


def test_crater_sizes_fall_with_the_square():
    craters = sample_craters.scattered(0, np.array([-10.0, 10.0]), 3396.19)
    sizes = np.concatenate([part.diameter_km for part in craters if part.diameter_km.max() < 64])
    more_than = {size: (sizes > size).sum() for size in (4, 8, 16)}
    assert more_than[4] / more_than[8] == pytest.approx(4, rel=0.3)
    assert more_than[8] / more_than[16] == pytest.approx(4, rel=0.4)


@pytest.mark.parametrize("diameter_km", [3.0, 10.0, 80.0])
def test_crater_profile_has_floor_rim_and_end(diameter_km):
    distance = np.linspace(0, 3, 601).astype(np.float32)
    height = sample_craters.profile_m(distance, diameter_km, 1.0)
    rim = 1000 * sample_craters.rim_km(diameter_km)
    assert height.max() == pytest.approx(rim, rel=0.05) and abs(distance[height.argmax()] - 1) < 0.05
    assert height.min() == pytest.approx(-1000 * sample_craters.depth_km(diameter_km), rel=0.05)
    assert (height[distance > sample_craters.REACH] == 0).all()
    assert np.abs(np.diff(height)).max() < 0.1 * (height.max() - height.min())


def test_mars_bad_axes_are_refused():
    with pytest.raises(InputError, match="1-D"):
        sample_mars.elevation(np.zeros((2, 2)), np.zeros(2), 0)


def test_ejecta_end_by_themselves_not_at_the_edge_of_a_box():
    """With the most outbent outline, what a crater changes still fades to nothing inside the box it is drawn in."""
    crater = sample_craters.Craters(*(np.array([value]) for value in (20.0, 0.0, 40.0, 1.0)))
    lon, lat = np.linspace(18, 22, 401), np.linspace(2, -2, 401)
    change = sample_craters.dug((401, 401), crater, lon, lat, np.full((401, 401), -1.8, np.float32), 3396.19)
    assert np.abs(np.diff(change, axis=0)).max() < 250 and np.abs(change[:, 200][change[:, 200] != 0][0]) < 0.1
    assert np.abs(change[200][change[200] != 0][[0, -1]]).max() < 0.1

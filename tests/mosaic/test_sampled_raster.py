"""Heights of rasters in a projection, asked of the raster itself: averaged once, the same in every window."""

from contextlib import ExitStack
from functools import partial

import numpy as np
import pytest
import rasterio
from exact import write_raster
from rasterio.crs import CRS
from rasterio.transform import Affine

from terraform.geo.bodies import MARS
from terraform.geo.crs import degrees_crs, transformer
from terraform.geo.grid import Bounds, covering_grid
from terraform.geo.resample import Axis
from terraform.mosaic import inputs
from terraform.sources.raster import sampling
from terraform.sources.raster.assemble import write_heights
from terraform.sources.raster.classify import classify_heights
from terraform.sources.raster.georeference import bounds_of, georeference
from terraform.sources.raster.metadata.declared import NOTHING
from terraform.sources.raster.opening import open_raster
from terraform.sources.raster.sampling import SampledRaster

STEP_DEG = 200 / MARS.metres_per_degree
ON_MARS = "+R=3396190 +units=m +no_defs"
PLACES = {
    "skew": (f"+proj=laea +lat_0=20 +lon_0=60 {ON_MARS}", 20.0, 62.0),
    "antimeridian": (f"+proj=tmerc +lat_0=0 +lon_0=178 {ON_MARS}", -12.0, 180.0),
    "mercator": (f"+proj=merc +lon_0=30 +lat_ts=50 +k=1 {ON_MARS}", 55.0, 33.0),
}


def rough(lon, lat):
    """Hills of about 1.5 km from crest to crest, on the sphere."""
    lon, lat = np.radians(lon), np.radians(lat)
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    return 1000 + 60 * (np.sin(9000 * x) + np.sin(11000 * y) + np.sin(13000 * z))


def on_pixels(crs, lat, lon, pixel_m, size=320, heights=rough, turn_deg=0.0):
    """Heights on a raster around a place, its transform and its CRS."""
    crs = CRS.from_user_input(crs)
    geographic = degrees_crs(crs, MARS)
    x, y = transformer(geographic, crs).transform(lon, lat)
    transform = Affine.translation(x, y) @ Affine.rotation(turn_deg) @ Affine.scale(pixel_m, -pixel_m)
    transform = transform @ Affine.translation(-size / 2, -size / 2)
    columns, rows = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    lon, lat = transformer(crs, geographic).transform(
        transform.a * columns + transform.b * rows + transform.c,
        transform.d * columns + transform.e * rows + transform.f,
    )
    return heights(lon, lat).astype(np.float32), transform, crs


@pytest.fixture
def sampled(tmp_path):
    """Opens a raster as strips see it."""

    def opened(values, transform, crs, nodata=None, sea=False):
        path = write_raster(tmp_path / "e.tif", values, transform, crs, nodata)
        raster = stack.enter_context(open_raster(path, NOTHING))
        placed = georeference(raster, MARS)
        assert placed.axes is None
        return SampledRaster(placed, partial(classify_heights, body=MARS, missing_is_sea=sea))

    with ExitStack() as stack:
        yield opened


def strip(lat, lon, size=150):
    """Rows and columns of a strip around a place."""
    wide = STEP_DEG / np.cos(np.radians(lat))
    half = size / 2
    return Axis(lat + half * STEP_DEG, -STEP_DEG, size), Axis(lon - half * wide, wide, size)


@pytest.mark.parametrize("place", PLACES)
def test_what_a_band_sees_is_nearer_than_what_was_resampled_twice(tmp_path, sampled, place):
    crs, lat, lon = PLACES[place]
    raster = sampled(*on_pixels(crs, lat, lon, 160.0, turn_deg=17.0))
    latitudes, longitudes = strip(lat, lon)
    window = covering_grid(MARS, Bounds(*bounds_of(raster.placed)), STEP_DEG)
    write_heights(tmp_path / "degrees.tif", window, raster.placed, raster.classify)
    with rasterio.open(tmp_path / "degrees.tif") as dataset:
        twice = inputs.elevation_raster(dataset, MARS).on_axes(latitudes, longitudes)
    once = raster.on_axes(latitudes, longitudes)
    assert not once.void.any() and not twice.void.any()
    truth = rough(longitudes.centres()[None], latitudes.centres()[:, None])
    errors = [np.sqrt(np.square(found.metres - truth).mean()) for found in (once, twice)]
    assert errors[0] < 0.6 * errors[1]


@pytest.mark.parametrize("pixel_m", [30.0, 160.0])
def test_windows_agree(sampled, pixel_m):
    raster = sampled(*on_pixels(*PLACES["skew"], pixel_m, 600, turn_deg=30.0))
    latitudes, longitudes = strip(20.0, 62.0, 80)
    whole = raster.on_axes(latitudes, longitudes)
    part = raster.on_axes(latitudes.part(21, 60), longitudes.part(33, 70))
    inside = np.s_[21:60, 33:70]
    assert np.array_equal(part.void, whole.void[inside])
    assert np.abs(part.metres - whole.metres[inside])[1:-1, 1:-1].max() < 0.01
    assert np.abs(part.metres - whole.metres[inside]).max() < 0.5


def test_the_kernel_is_as_wide_as_the_pixels_of_the_strip(sampled):
    """A chessboard of 30 m is grey to pixels of 200 m, whole or in squares."""
    chess = np.indices((400, 400)).sum(0) % 2 * 1000.0
    _, transform, crs = on_pixels(*PLACES["skew"], 30.0, 400)
    found = sampled(chess.astype(np.float32), transform, crs).on_axes(*strip(20.0, 62.0, 40))
    assert not found.void.any() and np.abs(found.metres - 500).max() < 10


def test_places_around_a_pole(sampled):
    crs = f"+proj=stere +lat_0=90 +lon_0=0 {ON_MARS}"

    def smooth(lon, lat):
        return 1000 + 40_000 * np.cos(np.radians(lat)) * np.cos(np.radians(lon))

    raster = sampled(*on_pixels(crs, 90.0, 0.0, 160.0, heights=smooth))
    y, x = (np.indices((160, 160)) - 79.5) * 200
    lon, lat = transformer(raster.placed.raster.crs, degrees_crs(raster.placed.raster.crs, MARS)).transform(x, y)
    found = raster.at_points(lon, lat, 200.0)
    assert not found.void.any() and np.abs(found.metres - smooth(lon, lat)).max() < 0.5


@pytest.mark.parametrize("sea", [False, True])
@pytest.mark.parametrize("pixel_m", [30.0, 160.0])
def test_what_is_missing_takes_no_part(sampled, sea, pixel_m):
    values, transform, crs = on_pixels(*PLACES["skew"], pixel_m, 400, heights=lambda lon, lat: 700 + 0 * lon)
    values[:, 200:] = -9999
    found = sampled(values, transform, crs, -9999.0, sea).on_axes(*strip(20.0, 62.0, 50))
    hidden, other = (found.sea, found.void) if sea else (found.void, found.sea)
    assert not other.any() and 0.4 < hidden.mean() < 0.6
    assert np.abs(found.metres[~hidden] - 700).max() < 0.01
    assert (found.metres[hidden] == 0).all()


def test_beyond_the_raster_is_void(sampled):
    raster = sampled(*on_pixels(*PLACES["skew"], 160.0, 40))
    found = raster.on_axes(*strip(20.0, 62.0, 90))
    assert 0.05 < (~found.void).mean() < 0.25 and not found.void[45, 45]
    assert raster.on_axes(*strip(-70.0, -100.0, 5)).void.all()


def test_few_pixels_are_held_at_once(sampled, monkeypatch):
    values = on_pixels(*PLACES["skew"], 30.0, 600)
    whole = sampled(*values).on_axes(*strip(20.0, 62.0, 60))
    monkeypatch.setattr(sampling, "_MOST_PIXELS", 2000)
    raster = sampled(*values)
    asked = []
    read = SampledRaster._read
    monkeypatch.setattr(
        SampledRaster, "_read", lambda self, window, factor: asked.append(window.size) or read(self, window, factor)
    )
    parts = raster.on_axes(*strip(20.0, 62.0, 60))
    assert len(asked) > 4 and max(asked) <= 2000
    assert np.abs(parts.metres - whole.metres).max() < 0.01

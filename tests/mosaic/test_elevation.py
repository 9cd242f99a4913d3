"""Heights for bands: read in pieces from north to south, each row once."""

import numpy as np
from exact import CLIP, SMALL_M, Same, hills, trained
from hypothesis import given
from hypothesis import strategies as st

from terraform.geo import bodies
from terraform.geo.heights import Heights
from terraform.geo.resample import Axis
from terraform.mosaic.bands import Band, GlobalGrid, strips
from terraform.mosaic.elevation import ElevationRaster, from_array
from terraform.mosaic.inference import Predictor, draw
from terraform.mosaic.policy import MARS
from terraform.mosaic.terrain import BandTerrain, ElevationModel

ROWS, COLUMNS = 900, 1800


def counted() -> tuple[ElevationRaster, np.ndarray]:
    """A planet of heights, and how often each of its pixels was read."""
    lat, lon = Axis(90, -180 / ROWS, ROWS), Axis(-180, 360 / COLUMNS, COLUMNS)
    metres = np.rint(hills(lon.centres()[None, :], lat.centres()[:, None])).astype(np.float32)
    nothing = np.zeros(metres.shape, np.bool_)
    whole, times = (
        from_array(Heights(metres, nothing, nothing), lat, lon, np.pi * SMALL_M / 180),
        np.zeros((ROWS, COLUMNS), int),
    )

    def read(rows, columns):
        times[slice(*rows), slice(*columns)] += 1
        return whole.read(rows, columns)

    return ElevationRaster(read, lat, lon, whole.metres_per_degree), times


def test_all_bands_of_a_planet_read_each_height_once():
    source, times = counted()
    relief = ElevationModel(source.with_row_cache(), CLIP.elevation, MARS, None)
    predictor = Predictor(trained(Same(), stride=4, halo_px=4), CLIP)
    for band in strips(GlobalGrid(SMALL_M), 4):
        if isinstance(band, Band):
            for _ in draw(predictor, BandTerrain(relief, band), (band.first, band.last), (0, band.columns)):
                pass
    middle = times[ROWS * 25 // 180 : -ROWS * 25 // 180]  # between the caps
    assert (middle == 1).all() and times.max() == 1


@given(st.lists(st.tuples(st.integers(0, 80), st.integers(1, 20), st.integers(0, 30), st.integers(1, 10)), min_size=1))
def test_what_is_kept_is_what_would_be_read(spans):
    """In whatever order windows come."""
    metres = np.arange(100 * 40, dtype=np.float32).reshape(100, 40)
    metres[10, 5] = 0
    sea, void = metres % 7 == 1, metres % 11 == 3
    heights = Heights(np.where(sea | void, 0, metres).astype(np.float32), sea & ~void, void)
    source = from_array(heights, Axis(50, -1, 100), Axis(0, 1, 40), 1000.0)
    kept = source.with_row_cache()
    for top, height, left, width in spans:
        rows, columns = (top, top + height), (left, left + width)
        for one, other in zip(kept.read(rows, columns), source.read(rows, columns), strict=True):
            np.testing.assert_array_equal(one, other)


def test_coarse_heights_have_no_facets_and_caps_agree_with_bands():
    """Heights of a quarter of a degree, 74 pixels of a mosaic each, drawn by rows and columns and by points."""
    rough = np.random.default_rng(0).normal(0, 500, (720, 1440)).astype(np.float32)
    nothing = np.zeros(rough.shape, bool)
    source = from_array(
        Heights(rough, nothing, nothing), Axis(90, -0.25, 720), Axis(-180, 0.25, 1440), bodies.MARS.metres_per_degree
    )
    latitudes, longitudes = Axis(66, -0.25 / 50, 400), Axis(179, 0.25 / 50, 500)
    found = source.on_axes(latitudes, longitudes)
    places = np.meshgrid(longitudes.centres(), latitudes.centres())
    assert not found.void.any()
    assert np.abs(found.metres - source.at_points(*places, 200.0).metres).max() < 0.1
    bends = np.abs(np.diff(found.metres.astype(float), n=2, axis=1)).mean(axis=0)
    # Straight lines would bend in two of fifty columns alone.
    assert bends.max() < 4 * bends.mean()

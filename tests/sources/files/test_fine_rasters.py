"""Rasters with so many pixels that even a few of the result need more than are held at once: the same, in pieces."""

from itertools import pairwise

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import Affine
from servers.own_rasters import degrees

from terraform.errors import ConfigError, InputError
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.resample import Axis
from terraform.sources.catalog.files import expanded
from terraform.sources.raster import condense, formats, resample
from terraform.sources.raster.classify import MaskedPixels
from terraform.sources.raster.georeference import georeference
from terraform.sources.raster.metadata.declared import Declared
from terraform.sources.raster.opening import open_raster

SIDE = 1200
LIMIT = 20_000
STEP = {"EPSG:4326": 0.05 / 111_000, "EPSG:32632": 0.05}
PLACE = {"EPSG:4326": (9.0, 45.0), "EPSG:32632": (500_000.0, 4_982_950.4)}


class Fine:
    """A raster of 60 m with pixels of 5 cm, half of its west void, that notes how much of it is read at once."""

    def __init__(self, path, crs):
        self.most = 0
        x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
        self.metres = (800 + 300 * np.sin(x / 150) + 200 * np.cos(y / 110)).astype(np.float32)
        self.metres[y > x * 4] = -9999
        (west, north), step = PLACE[crs], STEP[crs]
        degrees(path, west, north, step, self.metres, crs=crs, nodata=-9999)
        self.path = path

    def placed(self, stack):
        raster = stack(open_raster(self.path, Declared()))
        read = raster.read

        def noted(rows, columns):
            self.most = max(self.most, (rows[1] - rows[0]) * (columns[1] - columns[0]))
            return read(rows, columns)

        return georeference(formats.Raster(**{**raster.__dict__, "read": noted}), EARTH)


def classify(pixels, raster):
    valid = pixels.values != -9999
    return MaskedPixels(np.where(valid, pixels.values, 0).astype(np.float32)[..., None], valid, np.zeros_like(valid))


def block_over(placed, cells):
    """A grid of a few cells over the raster."""
    west, north = 9.0, 45.0
    size = SIDE * STEP["EPSG:4326"]
    return RasterGrid(EARTH, Axis(north, -size / cells, cells), Axis(west, size / cells, cells))


@pytest.mark.parametrize("cells", [2, 3, 8])
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32632"])
def test_pieces_make_the_same_as_the_whole(tmp_path, monkeypatch, crs, cells):
    from contextlib import ExitStack

    fine = Fine(tmp_path / "fine.tif", crs)
    with ExitStack() as stack:
        placed = fine.placed(stack.enter_context)
        block = block_over(placed, cells)
        whole = resample.planes(placed, block, classify, 1)
        assert fine.most > 10 * LIMIT
        monkeypatch.setattr(condense, "LARGEST_WINDOW_PX", LIMIT)
        fine.most = 0
        pieces = resample.planes(placed, block, classify, 1)
    assert fine.most <= LIMIT
    assert (whole.void == pieces.void).all()
    assert np.abs(whole.valid - pieces.valid).max() < 0.02
    seen = ~whole.void
    heights = [made.total[..., 0][seen] / made.valid[seen] for made in (whole, pieces)]
    assert np.abs(heights[0] - heights[1]).max() < 3  # of 1,000 m over the raster


def test_squares_are_means_of_all_their_pixels():
    values = np.arange(7 * 9, dtype=np.float32).reshape(7, 9, 1)
    valid = values[..., 0] % 5 > 0
    known = MaskedPixels(np.where(valid[..., None], values, 0), valid, ~valid)
    made = condense.condense(lambda a, b: MaskedPixels(*(part[a:b] for part in known)), (7, 9), 3, 1)
    assert made.total.shape == (3, 3, 1)
    for row, (top, bottom) in enumerate(pairwise([0, 3, 6, 7])):
        for column, (left, right) in enumerate(pairwise([0, 3, 6, 9])):
            part = np.s_[top:bottom, left:right]
            assert made.total[row, column, 0] == pytest.approx(known.values[part].sum() / 9)
            assert made.valid[row, column] == pytest.approx(valid[part].sum() / 9)
            assert made.sea[row, column] == pytest.approx((~valid)[part].sum() / 9)


def test_few_pixels_are_not_averaged_before():
    assert condense.factor_for(condense.LARGEST_WINDOW_PX) == 1
    assert condense.factor_for(condense.LARGEST_WINDOW_PX + 1) == 2


@pytest.mark.parametrize("values", [(0, 0, 0, 0, 0, 0), (1, 1, 0, 1, 1, 0), (float("nan"), 0, 0, 0, -1, 0)])
def test_a_georeference_that_places_no_pixel_is_refused(tmp_path, values):
    with open_raster(degrees(tmp_path / "a.tif", 9, 45, 0.1, np.ones((4, 4), np.float32)), Declared()) as raster:
        broken = formats.Raster(**{**raster.__dict__, "transform": Affine(*values), "crs": CRS.from_epsg(4326)})
        with pytest.raises(InputError, match="places no pixel"):
            georeference(broken, EARTH)


@pytest.mark.parametrize("path", ["{region:{x}}", "{region!z}", "{region!r}", "{region:d}", "{region:300000000}", "{"])
def test_placeholders_that_format_are_refused(path):
    from terraform.geo.regions import Region, rectangle

    with pytest.raises(ConfigError, match=r"use \{region\} and \{rasters\}"):
        expanded(path, Region("a", EARTH, "train", "A", rectangle(0, 0, 1, 1)))

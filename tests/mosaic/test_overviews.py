"""Cloud-optimised GeoTIFFs: every overview is the mean of what is valid below it, whatever the stripes were."""

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rasterio.crs import CRS
from rasterio.transform import Affine
from rio_cogeo import cog_validate

from terraform.geo.geobox import GeoBox
from terraform.mosaic.output import cog
from terraform.mosaic.output.overviews import downsample_2x, rechunk_rows

MARS = CRS.from_user_input("IAU_2015:49910")


def masked(values):
    """(4, h, W): the colours, and what is valid."""
    colours, valid = values[:3], values[3] > 60
    return np.concatenate([colours * valid, valid[None] * np.uint8(255)])


@given(arrays(np.uint8, st.tuples(st.just(4), st.integers(1, 7), st.integers(1, 7))))
def test_halved_is_the_mean_of_what_is_valid(values):
    planes = masked(values)
    small = downsample_2x(planes)
    assert small.shape == (4, -(-planes.shape[1] // 2), -(-planes.shape[2] // 2))
    for row, column in np.ndindex(small.shape[1:]):
        below = planes[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].reshape(4, -1)
        known = below[:, below[3] > 0]
        if 2 * known.shape[1] < below.shape[1]:
            assert (small[:, row, column] == 0).all()
        else:
            assert small[3, row, column] == 255
            assert np.abs(small[:3, row, column] - known[:3].mean(1)).max() <= 0.5


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_even_stripes_are_the_same_rows(heights):
    rows = np.arange(sum(heights), dtype=np.uint8)[None, :, None].repeat(4, 0)
    stripes = list(rechunk_rows(np.split(rows, np.cumsum(heights)[:-1], axis=1), 16))
    assert [stripe.shape[1] for stripe in stripes[:-1]] == [16] * (len(stripes) - 1)
    np.testing.assert_array_equal(np.concatenate(stripes, axis=1), rows)


@pytest.mark.parametrize("compression", ["zstd", "deflate", "jpeg", "webp"])
def test_a_picture_with_its_overviews(tmp_path, compression):
    """Odd sides, stripes of odd heights, a void: each overview is the downsample_2x one above it."""
    height, width = 1301, 2057
    draw = np.random.default_rng(0)
    coarse = draw.integers(40, 220, (3, 11, 17)).repeat(128, 1).repeat(128, 2)[:, :height, :width]
    planes = np.concatenate([coarse + draw.integers(0, 30, coarse.shape), np.full((1, height, width), 255)])
    planes = planes.astype(np.uint8)
    planes[:, 300:700, 901:1500] = 0
    frame = GeoBox(height, width, Affine(200, 0, 10_000, 0, -200, 90_000), MARS)
    tags = {"LICENCE": 'CC0 <"&>'}
    cog.write(tmp_path / "out.tif", frame, np.split(planes, [1, 300, 301, 900], axis=1), compression, tags)
    assert [path.name for path in tmp_path.iterdir()] == ["out.tif"]
    assert cog_validate(tmp_path / "out.tif", strict=True) == (True, [], [])
    exact = compression in ("zstd", "deflate")
    for level in (None, 0, 1, 2):
        with rasterio.open(tmp_path / "out.tif", **({} if level is None else {"overview_level": level})) as dataset:
            found = np.concatenate([dataset.read(), dataset.dataset_mask()[None]])
            if level is None:
                assert dataset.crs == MARS and dataset.transform == frame.transform
                assert dataset.overviews(1) == [2, 4, 8] and dataset.tags()["LICENCE"] == tags["LICENCE"]
        np.testing.assert_array_equal(found[3], planes[3])
        inside = planes[3] > 0
        error = np.abs(found[:3].astype(int) - planes[:3])[:, inside]
        assert error.max() == 0 if exact else error.mean() < 8
        planes = downsample_2x(planes)


def test_a_picture_that_may_pass_four_gigabytes_is_made_a_big_tiff(tmp_path, monkeypatch):
    """The driver of the final file decides by itself only when it is told to be safe."""
    copied = {}
    copy = rasterio.shutil.copy
    monkeypatch.setattr(
        rasterio.shutil, "copy", lambda *files, **options: (copied.update(options), copy(*files, **options))
    )
    frame = GeoBox(64, 64, Affine(200, 0, 0, 0, -200, 0), MARS)
    cog.write(tmp_path / "out.tif", frame, [np.full((4, 64, 64), 255, np.uint8)], "deflate", {})
    assert copied["driver"] == "COG" and copied["bigtiff"] in ("IF_SAFER", "YES")

"""Rasters that are drawn on no map: what they say of their heights holds there too, and nothing is dropped silently."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from servers.own_rasters import write

from terraform.errors import ConfigError, InputError
from terraform.mosaic.any_raster import Stated, plane_heights
from terraform.sources.raster.metadata.declared import Declared

RISE = (100 + np.add.outer(10.0 * np.arange(20), np.arange(30))).astype(np.float32)
NOWHERE = Affine.identity()


def read(path, **said):
    heights = plane_heights(path, Declared(**said, wins=True, options=True))
    return np.where(heights.void, np.nan, heights.metres)


def tif(folder, values=RISE, crs=None, transform=NOWHERE, nodata=None, unit=None, scale=None):
    path = write(folder / "in.tif", values, crs, transform, nodata)
    with rasterio.open(path, "r+") as dataset:
        if unit:
            dataset.units = (unit,)
        if scale:
            dataset.scales = (scale,)
    return path


def test_units_and_scales_of_the_file_hold(tmp_path):
    assert read(tif(tmp_path, unit="ft")) == pytest.approx(RISE * 0.3048)
    assert read(tif(tmp_path, unit="ft"), unit="m") == pytest.approx(RISE)
    assert read(tif(tmp_path, (RISE * 10).astype(np.int16), scale=0.1)) == pytest.approx(RISE)
    compound = tif(tmp_path, RISE / 0.3048, "EPSG:32632+8228", Affine(30, 0, 5e5, 0, -30, 5e6))
    assert read(compound) == pytest.approx(RISE)


def test_masks_and_missing_values_of_the_file_hold(tmp_path):
    path = tif(tmp_path, np.where(RISE > 250, -1, RISE), nodata=-1)
    expected = np.where(RISE > 250, np.nan, RISE)
    assert np.array_equal(read(path), expected, equal_nan=True)
    write(tmp_path / "in.tif.msk", np.where(RISE < 120, 0, 255).astype(np.uint8), None, NOWHERE)
    assert np.array_equal(read(path), np.where(RISE < 120, np.nan, expected), equal_nan=True)


def test_formats_and_files_without_a_place_are_read(tmp_path):
    path = tmp_path / "in.asc"
    rows = "\n".join(" ".join(f"{value:g}" for value in row) for row in RISE)
    path.write_text(f"ncols 30\nnrows 20\nxllcorner 0\nyllcorner 0\ncellsize 30\n{rows}\n")
    assert read(path) == pytest.approx(RISE)
    np.save(tmp_path / "in.npy", RISE)
    assert read(tmp_path / "in.npy", unit="ft") == pytest.approx(RISE * 0.3048)


@pytest.mark.parametrize("suffix", [".npy", ".tif"])
@pytest.mark.parametrize(
    ("lowest", "said"),
    [(-9999.0, "--nodata -9999"), (-32768.5, "--nodata"), (3_390_000.0, "a radius"), (40_000.0, "--unit")],
)
def test_what_no_body_has_is_asked_about(tmp_path, suffix, lowest, said):
    values = np.where(RISE > 250, lowest, RISE).astype(np.float32)
    np.save(tmp_path / "in.npy", values)
    tif(tmp_path, values)
    with pytest.raises(InputError, match=said):
        read(tmp_path / f"in{suffix}")


def test_a_place_is_not_dropped_silently(tmp_path, capsys):
    read(tif(tmp_path, crs="EPSG:4326", transform=Affine(0.01, 0, 10, 0, -0.01, 45)))
    said = capsys.readouterr().err
    assert "in.tif says where it lies (EPSG:4326): --pixel-size and --latitude put it on a plane" in said


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (Stated(Declared(body="mars")), "--body"), (Stated(Declared(crs="EPSG:4326")), "--crs"),
        (Stated(missing_is_sea=True), "--nodata-means sea"), (Stated(settings={"grid": "input"}), "--grid"),
    ],
)  # fmt: skip
def test_what_means_nothing_on_a_plane_is_refused(stated, said):
    with pytest.raises(ConfigError, match=f"^{said}: heights that lie on no map"):
        stated.require_plane()
    Stated(Declared(nodata=-1, unit="ft")).require_plane()


def test_an_empty_plane_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no heights at all"):
        read(tif(tmp_path, np.full((20, 30), -1, np.float32), nodata=-1))

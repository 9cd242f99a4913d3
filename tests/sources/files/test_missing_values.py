"""Missing values of own rasters never mix with heights; lists fill, folders are one raster."""

from pathlib import Path

import numpy as np
import pytest
from servers.own_rasters import at, degrees, fetch, holed, region

from terraform.errors import ConfigError
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import SEA, VOID
from terraform.geo.resample import Axis


@pytest.mark.parametrize(
    ("kind", "missing", "declared", "setting"),
    [
        ("int16", -32768, -32768, None),
        ("int16", -32767, -32767, None),
        ("int16", 32767, 32767, None),
        ("int16", -32768, None, None),
        ("int16", -32767, None, None),
        ("int16", 32767, None, None),
        ("int16", -9999, None, -9999.0),
        ("uint16", 65535, 65535, None),
        ("uint16", 0, None, 0.0),
        ("float32", np.nan, None, None),
        ("float32", np.nan, np.nan, None),
        ("float32", -3.4028235e38, None, None),
        ("float64", -9999, -9999, None),
    ],
)
def test_missing_values_never_mix_with_heights(
    tmp_path: Path, kind: str, missing: float, declared: float | None, setting: float | None
) -> None:
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, 0.0005, holed(kind, missing), nodata=declared)
    asked = region(EARTH, 10.02, 44.92, 10.08, 44.98)
    window = RasterGrid(EARTH, Axis(44.98, -0.002, 30), Axis(10.02, 0.002, 30))
    for means, code in (("void", VOID), ("sea", SEA)):
        values, grid = fetch(asked, tmp_path / "out.tif", path, window=window, nodata=setting, nodata_means=means)
        assert set(np.unique(values)) == {code, 700}
        assert at(values, grid, 10.05, 44.95) == code


def test_a_list_fills_voids_and_a_folder_is_one_raster(tmp_path: Path) -> None:
    fine, tiles = tmp_path / "fine.tif", tmp_path / "tiles"
    tiles.mkdir()
    degrees(fine, 10.0, 45.0, 0.002, holed("int16", -32768), nodata=-32768)
    for number, west in enumerate((9.0, 10.2)):
        degrees(tiles / f"{number}.tif", west, 46.0, 0.02, np.full((100, 60), 100 * (number + 1), np.int16))
    asked = region(EARTH, 10.0, 44.6, 10.4, 45.0)
    values, grid = fetch(asked, tmp_path / "out.tif", [fine, tiles])
    assert not (values == VOID).any()
    assert at(values, grid, 10.05, 44.95) == 700
    assert grid.latitudes.step == pytest.approx(-0.002)


def test_each_tile_has_its_own_missing_value(tmp_path: Path) -> None:
    tiles = tmp_path / "tiles"
    tiles.mkdir()
    degrees(tiles / "west.tif", 10.0, 45.0, 0.002, holed("float32", np.nan))
    degrees(tiles / "east.tif", 10.4, 45.0, 0.002, holed("int16", -9999), nodata=-9999)
    values, grid = fetch(region(EARTH, 10.0, 44.6, 10.8, 45.0), tmp_path / "out.tif", tiles)
    assert set(np.unique(values)) == {VOID, 700}
    assert [at(values, grid, lon, 44.8) for lon in (10.2, 10.4, 10.6)] == [VOID, 700, VOID]


def test_the_region_stands_in_the_path(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    degrees(tmp_path / "here" / "e.tif", 10.0, 45.0, 0.002, holed("int16", 5))
    asked = region(EARTH, 10.0, 44.6, 10.4, 45.0)
    fetch(asked, tmp_path / "out.tif", tmp_path / "{region}" / "e.tif")
    with pytest.raises(ConfigError, match=r"placeholder \{place\}"):
        fetch(asked, tmp_path / "out.tif", tmp_path / "{place}" / "e.tif")

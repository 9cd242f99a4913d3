"""Real files that break readers, and fillers that join without a cliff."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from servers.own_rasters import FIXTURES, SHARED, at, degrees, fetch, real, region

from terraform.errors import InputError
from terraform.geo.bodies import EARTH, MARS, Body
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import VOID
from terraform.geo.resample import Axis


@real
def test_megdr_agrees_with_the_finer_mola_map(tmp_path: Path) -> None:
    fine, label = SHARED / "mars" / "korolev_mola128_elevation.tif", SHARED / "mars" / "megt90n000cb.lbl"
    window = RasterGrid(MARS, Axis(74.25, -0.25, 15), Axis(161.5, 0.25, 28))
    asked = region(MARS, 161.5, 70.5, 168.5, 74.25)
    coarse, grid = fetch(asked, tmp_path / "coarse.tif", label, window=window)
    detail, detail_grid = fetch(asked, tmp_path / "fine.tif", fine, window=window)
    rows = ((grid.latitudes.origin - detail_grid.latitudes.centres()) / 0.25).astype(int)
    columns = ((detail_grid.longitudes.centres() - grid.longitudes.origin) / 0.25).astype(int)

    def rms(shift: int) -> float:
        differences = []
        for y in range(coarse.shape[0]):
            for x in range(1, coarse.shape[1] - 1):
                cell = detail[np.ix_(rows == y, columns == x)]
                if cell.size and (cell != VOID).all():
                    differences.append(float(cell.mean()) - coarse[y, x + shift])
        return float(np.sqrt(np.mean(np.square(differences))))

    assert rms(0) < 60
    assert rms(1) > 3 * rms(0) and rms(-1) > 3 * rms(0)


@real
def test_the_filler_joins_the_fine_map_without_a_cliff(tmp_path: Path) -> None:
    paths = [SHARED / "mars" / "korolev_mola128_elevation.tif", SHARED / "mars" / "megt90n000cb.lbl"]
    asked = region(MARS, 161.3, 70.2, 168.8, 74.3)
    fine, _ = fetch(asked, tmp_path / "fine.tif", paths[0])
    both, _ = fetch(asked, tmp_path / "both.tif", paths)
    assert fine.shape == both.shape
    assert np.array_equal(both[fine != VOID], fine[fine != VOID])
    assert not (both == VOID).any()
    known = fine != VOID
    for heights, inside in ((both, known), (both.T, known.T)):
        steps = np.abs(np.diff(heights.astype(float), axis=0))
        across = inside[1:] != inside[:-1]
        assert steps[across].mean() < 1.6 * steps[inside[1:] & inside[:-1]].mean()


def test_a_filler_is_shifted_at_the_border_and_left_alone_far_away(tmp_path: Path) -> None:
    ground = np.full((400, 400), 700, np.int16)
    ground[:, 100:] = -32768
    fine = degrees(tmp_path / "fine.tif", 10.0, 45.0, 0.002, ground, nodata=-32768)
    coarse = degrees(tmp_path / "coarse.tif", 9.0, 46.0, 0.02, np.full((200, 200), 500, np.int16))
    window = RasterGrid(EARTH, Axis(44.9, -0.002, 300), Axis(10.05, 0.002, 350))
    values, grid = fetch(region(EARTH, 10.05, 44.3, 10.75, 44.9), tmp_path / "out.tif", [fine, coarse], window=window)
    row = values[150].astype(int)
    assert at(values, grid, 10.199, 44.6) == 700 and at(values, grid, 10.7, 44.6) == 500
    assert np.abs(np.diff(row)).max() < 20
    assert (np.diff(row) <= 0).all()


@real
@pytest.mark.parametrize(
    ("name", "bounds", "lowest", "highest"),
    [
        ("N44W072.hgt", (-71.9, 44.2, -71.2, 44.8), 0, 2000),
        ("N43E007.hgt.zip", (7.1, 43.7, 7.6, 43.95), -20, 3000),
        ("S46W066.hgt.gz", (-65.8, -45.8, -65.2, -45.2), 0, 1500),
        ("N46E008.tif", (8.1, 46.1, 8.9, 46.9), 180, 4300),
        ("N49W123.tif", (-122.9, 49.1, -122.1, 49.9), -30, 2800),
        ("bigtujunga.tif", (-118.3, 34.2, -118.05, 34.35), 300, 2400),
        ("worldwind_craterlake-elev-16bit-30m.tif", (-122.15, 42.91, -122.06, 42.97), 1200, 1900),
        ("elev.tif", (-122.44, 37.795, -122.42, 37.81), 0, 120),
    ],
)
def test_real_earth_files_read(
    tmp_path: Path, name: str, bounds: tuple[float, float, float, float], lowest: int, highest: int
) -> None:
    west, south, east, north = bounds
    step = (north - south) / 60
    window = RasterGrid(EARTH, Axis(north, -step, 60), Axis(west, step, int((east - west) / step)))
    values, _ = fetch(region(EARTH, *bounds), tmp_path / "out.tif", FIXTURES / name, window=window)
    known = values[values != VOID]
    assert known.size > 0.7 * values.size
    assert known.min() >= lowest and known.max() <= highest


@real
def test_real_srtm_tiles_join(tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    folder.mkdir()
    shutil.copy(FIXTURES / "N44W072.hgt", folder)
    (folder / "N44W071.hgt").write_bytes((FIXTURES / "N44W072.hgt").read_bytes())
    values, grid = fetch(region(EARTH, -71.5, 44.2, -70.5, 44.8), tmp_path / "out.tif", folder)
    assert at(values, grid, -71.25, 44.5) == at(values, grid, -70.25, 44.5) or grid.longitudes.end < -70.25
    assert all(at(values, grid, lon, 44.5) != VOID for lon in (-71.4, -71.0, -70.6))


@real
def test_a_real_raster_across_the_antimeridian_is_reached_from_both_sides(tmp_path: Path) -> None:
    # Its values are not heights, so being told so proves that it was found and read.
    path = FIXTURES / "rio_tiler_cog_dateline.tif"
    for west in (179.4, 180.2, -179.8):
        window = RasterGrid(EARTH, Axis(51.5, -0.01, 40), Axis(west, 0.01, 40))
        with pytest.raises(InputError, match="heights on earth are"):
            fetch(region(EARTH, west, 51.1, west + 0.4, 51.5), tmp_path / "out.tif", path, window=window)
    with pytest.raises(InputError, match="no raster that reaches"):
        fetch(region(EARTH, 10, 51, 10.4, 51.4), tmp_path / "out.tif", path)


@real
@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("fixtures/elev-rgb.tif", EARTH, "has 3 bands"),
        ("fixtures/worldwind_elev32_sba_512x512.bil", EARTH, "has no header"),
        ("fixtures/Phobos_ME_HRSC_DEM_Global_2ppd.tiff", MARS, "body of radius 11.1 km"),
        ("fixtures/rio_tiler_cog_nonearth.tif", MARS, r"body of radius 1560\.8 km"),
        ("mars/korolev_mola128_radius.tif", MARS, "radius"),
        ("mars/viking_mdim21_2880.jpg", MARS, "no georeference"),
        ("mars/korolev_mola128_elevation.tif", EARTH, "is on mars"),
        ("earth/cali/elevation.tif", MARS, "is on earth"),
    ],
)
def test_real_files_of_the_wrong_kind_are_refused(tmp_path: Path, name: str, body: Body, said: str) -> None:
    with pytest.raises(InputError, match=said):
        fetch(region(body, 162, 71, 168, 74), tmp_path / "out.tif", SHARED / name)


@real
def test_real_mars_files_read(tmp_path: Path) -> None:
    window = RasterGrid(MARS, Axis(-4.665, -0.0001, 40), Axis(137.372, 0.0001, 40))
    asked = region(MARS, 137.372, -4.669, 137.376, -4.665)
    gale, _ = fetch(asked, tmp_path / "gale.tif", FIXTURES / "mmgis_gale_missionDEM_esri103885.tif", window=window)
    assert -4500 < gale[gale != VOID].mean() < -4400
    polar, grid = fetch(region(MARS, 164, 72, 166, 73), tmp_path / "p.tif", SHARED / "mars" / "korolev_200m_polar.tif")
    flat, flat_grid = fetch(
        region(MARS, 164, 72, 166, 73), tmp_path / "f.tif", SHARED / "mars" / "korolev_mola128_elevation.tif"
    )
    for lon, lat in ((164.5, 72.5), (165.2, 72.8), (164.9, 72.2)):
        assert abs(int(at(polar, grid, lon, lat)) - int(at(flat, flat_grid, lon, lat))) < 40

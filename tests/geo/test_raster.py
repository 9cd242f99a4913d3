"""The door to GDAL: what is opened, what is written, what is refused."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import Affine

from terraform.errors import InputError
from terraform.geo import raster as module
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.geobox import GeoBox
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import VOID
from terraform.geo.raster import affine_of, body_of, grid_of, opened, read, semi_major_axis_m, write_strips
from terraform.geo.resample import Axis
from terraform.mosaic.output import overviews

GRID = RasterGrid(EARTH, Axis(45.0, -0.001, 600), Axis(179.9, 0.001, 300))


def heights(grid: RasterGrid = GRID) -> np.ndarray:
    count = grid.latitudes.count * grid.longitudes.count
    return (np.arange(count) % 3000).astype(np.int16).reshape(grid.latitudes.count, -1)


def write(path: Path, grid: RasterGrid = GRID) -> None:
    values = heights(grid)
    write_strips(path, grid, (values[top : top + 100] for top in range(0, 600, 100)), 1, "int16", {"LICENCE": "MIT"})


def foreign(path: Path, crs: str | None, transform: Affine) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", height=4, width=4, count=1, dtype="int16", crs=crs, transform=transform
    ) as dataset:
        dataset.write(np.zeros((4, 4), np.int16), 1)
    return path


def test_heights_come_back_with_grid_nodata_and_tags(tmp_path: Path) -> None:
    write(tmp_path / "a.tif")
    with opened(tmp_path / "a.tif") as dataset:
        assert np.array_equal(read(dataset), heights())
        assert np.array_equal(read(dataset, (10, 20), (5, 7)), heights()[10:20, 5:7])
        grid = grid_of(dataset)
        assert dataset.nodata == VOID and dataset.tags()["LICENCE"] == "MIT"
    assert grid.body == EARTH
    assert grid.longitudes.end == pytest.approx(180.2), "east goes on across the antimeridian"
    assert affine_of(grid).almost_equals(affine_of(GRID))


def test_imagery_comes_back_with_bands_last_and_without_nodata(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (600, 300, 3)).astype(np.uint8)
    write_strips(tmp_path / "a.tif", GRID, [picture[:256], picture[256:]], 3, "uint8", {})
    with opened(tmp_path / "a.tif") as dataset:
        assert np.array_equal(read(dataset), picture)
        assert dataset.nodata is None


def test_mars_stays_on_its_own_sphere(tmp_path: Path) -> None:
    grid = RasterGrid(MARS, GRID.latitudes, GRID.longitudes)
    write(tmp_path / "a.tif", grid)
    with opened(tmp_path / "a.tif") as dataset:
        assert grid_of(dataset).body == MARS
        assert semi_major_axis_m(dataset.crs) == 3_396_190


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_truncated_rasters_are_refused(tmp_path: Path, share: float) -> None:
    write(tmp_path / "a.tif")
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"a\.tif"), opened(tmp_path / "a.tif") as dataset:
        read(dataset)
        grid_of(dataset)


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"), opened(tmp_path / "none.tif"):
        pass
    (tmp_path / "a.tif").write_text('<VRTDataset rasterXSize="1" rasterYSize="1"/>')
    with pytest.raises(InputError, match="cannot be opened as GTiff"), opened(tmp_path / "a.tif"):
        pass


@pytest.mark.parametrize(
    ("crs", "transform", "said"),
    [
        ("EPSG:32632", Affine(200, 0, 5e5, 0, -200, 5e6), "not a north-up raster in degrees"),
        ("EPSG:4326", Affine(0.1, 0, 10, 0, 0.1, 40), "not a north-up raster in degrees"),
        ("EPSG:4326", Affine(0.1, 0.02, 10, 0.02, -0.1, 40), "not a north-up raster in degrees"),
        ("IAU_2015:30100", Affine(0.1, 0, 10, 0, -0.1, 40), r"radius 1737\.4 km: known are earth"),
        (None, Affine(0.1, 0, 10, 0, -0.1, 40), "has no CRS"),
    ],
)
def test_other_grids_and_bodies_are_refused(tmp_path: Path, crs: str | None, transform: Affine, said: str) -> None:
    path = foreign(tmp_path / "a.tif", crs, transform)
    with opened(path) as dataset, pytest.raises(InputError, match=said):
        grid_of(dataset)


@pytest.mark.parametrize(
    ("crs", "body"),
    [("EPSG:4326", EARTH), ("EPSG:3857", EARTH), ("EPSG:4267", EARTH), ("IAU_2015:49910", MARS), ("ESRI:104905", MARS)],
)
def test_bodies_are_known_by_their_size(tmp_path: Path, crs: str, body: object) -> None:
    with opened(foreign(tmp_path / "a.tif", crs, Affine(0.1, 0, 10, 0, -0.1, 40))) as dataset:
        assert body_of(dataset) == body


def test_a_crs_without_an_ellipsoid_is_refused() -> None:
    local = CRS.from_wkt(
        'ENGCRS["site",EDATUM["here"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["m",1]]'
    )
    with pytest.raises(InputError, match="has no ellipsoid"):
        semi_major_axis_m(local)


class Stopped(Exception):
    pass


def magic_of(path: Path, profile: dict) -> bytes:
    """What a file of that profile begins with; of its pixels nothing is written."""
    with rasterio.open(path, "w", **profile, sparse_ok=True):
        pass
    return path.read_bytes()[:4]


@pytest.mark.parametrize(("rows", "columns", "magic"), [(82_000, 70_000, b"II\x2b\0"), (1024, 1024, b"II\x2a\0")])
def test_what_may_pass_four_gigabytes_is_a_big_tiff(tmp_path, monkeypatch, rows, columns, magic):
    """A classic TIFF would fail at its fourth gigabyte, hours after it was begun."""
    profiles = []

    def noted(path, mode, **profile):
        profiles.append(profile)
        raise Stopped

    grid = RasterGrid(EARTH, Axis(60.0, -0.001, rows), Axis(0.0, 0.001, columns))
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(module, "require_space", lambda folder, size: None)
        patch.setattr(module.rasterio, "open", noted)
        write_strips(tmp_path / "a.tif", grid, iter([]), 1, "int16", {})
    frame = GeoBox(rows, columns, affine_of(grid), CRS.from_epsg(4326))
    for profile in (profiles[0], overviews._profile(frame)):
        assert magic_of(tmp_path / "b.tif", profile) == magic

"""The source `files`: rasters whose values are functions of their coordinates, and real files that break readers."""

import gzip
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.transform import Affine

from terraform.config import Config, FilesSource
from terraform.errors import ConfigError, InputError
from terraform.geo.bodies import EARTH, MARS, Body
from terraform.geo.grid import RasterGrid, download_grid
from terraform.geo.heights import SEA, VOID
from terraform.geo.raster import grid_of, opened, read
from terraform.geo.regions import Region, rectangle
from terraform.geo.resample import Axis
from terraform.sources import Request
from terraform.sources.catalog import files
from terraform.sources.raster import pds3

SHARED = Path(__file__).parents[3] / "shared" / "data"
FIXTURES = SHARED / "fixtures"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="the real rasters (../shared/data) are not on this machine")

Values = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def region(body: Body, west: float, south: float, east: float, north: float) -> Region:
    return Region("here", body, "train", "Here", rectangle(west, south, east, north))


def write(
    path: Path, values: NDArray[Any], crs: str | None, transform: Affine, nodata: float | None = None, **profile: Any
) -> Path:
    bands = values[None] if values.ndim == 2 else np.moveaxis(values, -1, 0)
    kind = {"driver": "GTiff", "dtype": values.dtype.name, "count": len(bands), **profile}
    height, width = bands.shape[1:]
    with rasterio.open(
        path, "w", height=height, width=width, crs=crs, transform=transform, nodata=nodata, **kind
    ) as dataset:
        dataset.write(bands)
    return path


def degrees(path: Path, west: float, north: float, step: float, values: NDArray[Any], **more: Any) -> Path:
    return write(path, values, more.pop("crs", "EPSG:4326"), Affine(step, 0, west, 0, -step, north), **more)


def fetch(
    asked: Region, destination: Path, path: Any, kind: str = "elevation", window: RasterGrid | None = None, **more: Any
) -> tuple[NDArray[Any], RasterGrid]:
    names = [str(item) for item in path] if isinstance(path, list) else str(path)
    source = files.build(FilesSource(source="files", path=names, **more), Config())
    source.fetch(Request(asked, kind, window or download_grid(asked)), destination)  # type: ignore[arg-type]
    with opened(destination) as dataset:
        return read(dataset), grid_of(dataset)


def at(values: NDArray[Any], grid: RasterGrid, lon: float, lat: float) -> Any:
    x = int((lon - grid.longitudes.origin) // grid.longitudes.step)
    y = int((lat - grid.latitudes.origin) // grid.latitudes.step)
    return values[y, x]


PROJECTIONS = [
    # body, CRS, centre of the raster (degrees), pixel (units of the CRS), pixel in degrees of latitude
    (EARTH, "EPSG:4326", (10.0, 45.0), 0.002),
    (EARTH, "EPSG:4326", (10.0, 45.0), 0.0003),
    (EARTH, "EPSG:32632", (11.5, 46.0), 200.0),
    (EARTH, "EPSG:32632", (11.5, 46.0), 30.0),
    (EARTH, "EPSG:3857", (-75.0, 41.0), 250.0),
    (EARTH, "EPSG:4087", (20.0, -30.0), 200.0),
    (EARTH, "EPSG:4269", (-120.0, 40.0), 0.002),
    (MARS, "IAU_2015:49900", (160.0, 40.0), 0.008),
    (MARS, "IAU_2015:49910", (-60.0, -10.0), 463.0),
    (MARS, "ESRI:103885", (137.0, -4.6), 200.0),
    (MARS, "ESRI:103885", (137.0, -4.6), 50.0),
    (MARS, "IAU_2015:49930", (164.6, 72.8), 200.0),
]


@pytest.mark.parametrize(("body", "crs", "centre", "pixel"), PROJECTIONS)
def test_every_crs_is_placed_to_a_tenth_of_a_pixel(
    tmp_path: Path, body: Body, crs: str, centre: tuple[float, float], pixel: float
) -> None:
    definition = CRS.from_user_input(crs)
    geodetic = "EPSG:4326" if body is EARTH else definition.geodetic_crs
    to_degrees = Transformer.from_crs(definition, geodetic, always_xy=True)
    x0, y0 = to_degrees.transform(*centre, direction="INVERSE")
    size = 300
    transform = Affine(pixel, 0, x0 - size / 2 * pixel, 0, -pixel, y0 + size / 2 * pixel)
    columns, rows = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    lon, lat = to_degrees.transform(transform.c + pixel * columns, transform.f - pixel * rows)
    per_degree = 4000 / (lat.max() - lat.min())
    ground = 2500 + per_degree * ((lat - centre[1]) + 0.5 * (lon - centre[0]) * np.cos(np.radians(centre[1])))
    path = write(tmp_path / "in.tif", ground.astype(np.float32), definition.to_wkt(), transform)
    half_lat = (lat.max() - lat.min()) / 8
    half_lon = half_lat / np.cos(np.radians(centre[1]))
    asked = region(body, centre[0] - half_lon, centre[1] - half_lat, centre[0] + half_lon, centre[1] + half_lat)
    window = RasterGrid(body, Axis(asked.bounds[3], -half_lat / 40, 80), Axis(asked.bounds[0], half_lon / 40, 80))
    values, grid = fetch(asked, tmp_path / "out.tif", path, window=window)
    out_lon, out_lat = np.meshgrid(grid.longitudes.centres(), grid.latitudes.centres())
    expected = 2500 + per_degree * ((out_lat - centre[1]) + 0.5 * (out_lon - centre[0]) * np.cos(np.radians(centre[1])))
    per_pixel = per_degree * (lat.max() - lat.min()) / size
    assert not (values == VOID).any()
    assert np.abs(values - expected).max() < 0.6 + 0.1 * per_pixel


def test_coarse_pixels_in_degrees_are_copied_unchanged(tmp_path: Path) -> None:
    ground = np.random.default_rng(0).integers(0, 3000, (200, 200)).astype(np.int16)
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, 0.002, ground)
    values, grid = fetch(region(EARTH, 10.1, 44.7, 10.3, 44.9), tmp_path / "out.tif", path)
    y, x = round((45.0 - grid.latitudes.origin) / 0.002), round((grid.longitudes.origin - 10.0) / 0.002)
    inside = values[max(0, -y) : 200 - y, max(0, -x) : 200 - x]
    assert np.array_equal(inside, ground[max(0, y) : y + len(values), max(0, x) : x + values.shape[1]])
    assert (values == VOID).sum() == values.size - inside.size


def test_fine_pixels_are_averaged_by_a_whole_number(tmp_path: Path) -> None:
    step = 1 / 3600
    noise = np.random.default_rng(0).integers(0, 3000, (1800, 1800)).astype(np.int16)
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, step, noise)
    window = RasterGrid(EARTH, Axis(44.9, -0.002, 100), Axis(10.1, 0.002, 100))
    values, grid = fetch(region(EARTH, 10.1, 44.7, 10.3, 44.9), tmp_path / "out.tif", path, window=window)
    assert grid.latitudes.step == pytest.approx(-3 * step)
    assert grid.longitudes.step == pytest.approx(4 * step)
    assert values.std() < noise.std() / 2
    assert values.mean() == pytest.approx(1500, abs=15)


def test_south_up_rasters_are_turned(tmp_path: Path) -> None:
    ground = np.arange(100, dtype=np.float32)[:, None] * np.ones(100, np.float32)
    path = write(tmp_path / "in.tif", ground, "EPSG:4326", Affine(0.01, 0, 10, 0, 0.01, 44))
    window = RasterGrid(EARTH, Axis(44.8, -0.01, 60), Axis(10.2, 0.01, 60))
    values, grid = fetch(region(EARTH, 10.2, 44.2, 10.8, 44.8), tmp_path / "out.tif", path, window=window)
    assert grid.latitudes.step < 0
    assert at(values, grid, 10.5, 44.605) == 60


@pytest.mark.parametrize("west", [170.0, -190.0])
def test_windows_across_the_antimeridian_are_continuous(tmp_path: Path, west: float) -> None:
    ground = np.tile(np.arange(2000, dtype=np.int16), (400, 1))
    path = degrees(tmp_path / "in.tif", west, 2.0, 0.01, ground)
    window = RasterGrid(EARTH, Axis(1.0, -0.01, 100), Axis(175.0, 0.01, 1000))
    values, grid = fetch(region(EARTH, 175, 0, 185, 1), tmp_path / "out.tif", path, window=window)
    assert grid.longitudes.end > 180
    assert at(values, grid, 180.005, 0.5) == 1000
    assert (np.diff(values[50].astype(int)) == 1).all()


@pytest.mark.parametrize("origin", [0.0, -180.0])
def test_global_rasters_join_at_their_own_edges(tmp_path: Path, origin: float) -> None:
    lon = origin + 0.25 + 0.5 * np.arange(720)
    ground = np.tile(1000 * np.cos(np.radians(lon)), (360, 1)).astype(np.float32)
    path = degrees(tmp_path / "in.tif", origin, 90.0, 0.5, ground, crs="IAU_2015:49900")
    for west in (-5.0, 175.0, 355.0):
        window = RasterGrid(MARS, Axis(5.0, -0.5, 20), Axis(west, 0.5, 20))
        values, grid = fetch(region(MARS, west, -5, west + 10, 5), tmp_path / "out.tif", path, window=window)
        expected = 1000 * np.cos(np.radians(grid.longitudes.centres()))
        assert np.abs(values[10] - expected).max() <= 0.5


def test_a_window_round_the_planet_closes(tmp_path: Path) -> None:
    ground = np.tile(np.arange(720, dtype=np.int16), (360, 1))
    path = degrees(tmp_path / "in.tif", 0.0, 90.0, 0.5, ground, crs="IAU_2015:49900")
    window = RasterGrid(MARS, Axis(90.0, -1.0, 180), Axis(-180.0, 1.0, 360))
    values, grid = fetch(region(MARS, -180, -90, 180, 90), tmp_path / "out.tif", path, window=window)
    assert grid.wraps
    assert not (values == VOID).any()
    assert at(values, grid, -179.75, 0.0) == 360


def holed(kind: str, missing: float) -> NDArray[Any]:
    ground = np.full((200, 200), 700, kind)
    ground[80:120, 80:120] = missing
    return ground


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


def colours(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(1, 256, (200, 200, 3)).astype(np.uint8)


def test_imagery_keeps_its_colours_and_black_is_void(tmp_path: Path) -> None:
    picture = colours()
    picture[50, 50], picture[60, 60] = (0, 0, 0), (0, 0, 9)
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, 0.002, picture)
    values, grid = fetch(region(EARTH, 10.0, 44.6, 10.4, 45.0), tmp_path / "out.tif", path, kind="imagery")
    y, x = round((grid.latitudes.origin - 45.0) / 0.002), round((10.0 - grid.longitudes.origin) / 0.002)
    assert np.array_equal(values[y : y + 200, x : x + 200], picture)
    assert not values[:y].any() and not values[:, :x].any()


def test_transparent_imagery_is_void_and_seen_black_is_not(tmp_path: Path) -> None:
    picture = np.dstack([colours(), np.full((200, 200), 255, np.uint8)])
    picture[50, 50], picture[60, 60] = (9, 9, 9, 0), (0, 0, 0, 255)
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, 0.002, picture, photometric="RGB", alpha="YES")
    values, grid = fetch(region(EARTH, 10.0, 44.6, 10.4, 45.0), tmp_path / "out.tif", path, kind="imagery")
    assert at(values, grid, 10.101, 44.899).tolist() == [0, 0, 0]
    assert at(values, grid, 10.121, 44.879).tolist() == [1, 1, 1]


def test_pictures_are_placed_by_their_world_file(tmp_path: Path) -> None:
    picture = colours()
    with rasterio.open(tmp_path / "in.png", "w", driver="PNG", height=200, width=200, count=3, dtype="uint8") as made:
        made.write(np.moveaxis(picture, -1, 0))
    (tmp_path / "in.pgw").write_text("0.002\n0\n0\n-0.002\n10.001\n44.999\n")
    asked = region(EARTH, 10.0, 44.6, 10.4, 45.0)
    values, grid = fetch(asked, tmp_path / "out.tif", tmp_path / "in.png", kind="imagery", crs="EPSG:4326")
    assert at(values, grid, 10.001, 44.999).tolist() == picture[0, 0].tolist()
    with pytest.raises(InputError, match="say which one it is in with `crs:`"):
        fetch(asked, tmp_path / "out.tif", tmp_path / "in.png", kind="imagery")
    (tmp_path / "in.pgw").unlink()
    with pytest.raises(InputError, match="put a world file beside it"):
        fetch(asked, tmp_path / "out.tif", tmp_path / "in.png", kind="imagery", crs="EPSG:4326")


@pytest.mark.parametrize(("name", "driver"), [("in.bil", "EHdr"), ("in.flt", "EHdr"), ("in.asc", "AAIGrid")])
def test_grids_with_headers_are_read(tmp_path: Path, name: str, driver: str) -> None:
    ground = (np.arange(200 * 200).reshape(200, 200) % 977).astype(np.float32 if name.endswith("flt") else np.int16)
    if driver == "EHdr":
        degrees(tmp_path / name, 10.0, 45.0, 0.002, ground, driver=driver, nodata=-9999)
    else:
        head = "ncols 200\nnrows 200\nxllcorner 10.0\nyllcorner 44.6\ncellsize 0.002\nNODATA_value -9999\n"
        (tmp_path / name).write_text(head + "\n".join(" ".join(str(v) for v in row) for row in ground))
    asked = region(EARTH, 10.0, 44.6, 10.4, 45.0)
    values, grid = fetch(asked, tmp_path / "out.tif", tmp_path / name, crs="EPSG:4326")
    assert at(values, grid, 10.101, 44.799) == ground[100, 50]
    if driver == "EHdr":
        (tmp_path / "in.hdr").unlink()
        with pytest.raises(InputError, match=r"has no header: put in\.hdr"):
            fetch(asked, tmp_path / "out.tif", tmp_path / name, crs="EPSG:4326")


def tile(path: Path) -> NDArray[np.int16]:
    rows, columns = np.meshgrid(np.arange(1201), np.arange(1201), indexing="ij")
    heights = (rows + columns).astype(np.int16)
    raw = heights.astype(">i2").tobytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("N10E020.hgt", raw)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(raw, 1))
    else:
        path.write_bytes(raw)
    return heights


@pytest.mark.parametrize("name", ["N10E020.hgt", "N10E020.hgt.zip", "N10E020.hgt.gz", "n10e020.HGT"])
def test_srtm_tiles_are_centred_on_whole_seconds(tmp_path: Path, name: str) -> None:
    heights = tile(tmp_path / name)
    window = RasterGrid(EARTH, Axis(10.8, -0.002, 100), Axis(20.2, 0.002, 100))
    asked = region(EARTH, 20.2, 10.6, 20.4, 10.8)
    values, grid = fetch(asked, tmp_path / "out.tif", tmp_path / name, window=window)
    assert at(values, grid, 20.25, 10.75) == heights[300, 300]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "out.tif"])


def test_archives_that_lie_or_burst_are_refused(tmp_path: Path) -> None:
    asked = region(EARTH, 20.2, 10.6, 20.4, 10.8)
    bomb = tmp_path / "N10E020.hgt.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("N10E020.hgt", bytes(60_000_000))
    with pytest.raises(InputError, match="is no SRTM tile"):
        fetch(asked, tmp_path / "out.tif", bomb)
    burst = tmp_path / "N10E020.hgt.gz"
    raw = gzip.compress(bytes(60_000_000), 1)
    burst.write_bytes(raw[:-4] + (2 * 1201 * 1201).to_bytes(4, "little"))
    with pytest.raises(InputError, match="is no SRTM tile"):
        fetch(asked, tmp_path / "out.tif", burst)
    tile(tmp_path / "N10E021.hgt.gz")
    cut = tmp_path / "N10E021.hgt.gz"
    cut.write_bytes(cut.read_bytes()[:5000])
    with pytest.raises(InputError, match="get it again"):
        fetch(region(EARTH, 21.2, 10.6, 21.4, 10.8), tmp_path / "out.tif", cut)
    assert not (tmp_path / "out.tif").exists()


LABEL = """PDS_VERSION_ID = PDS3
RECORD_BYTES = 80
^IMAGE = ("IN.IMG", 3)
OBJECT = IMAGE
 LINES = 20
 LINE_SAMPLES = 40
 SAMPLE_TYPE = MSB_INTEGER
 SAMPLE_BITS = 16
 UNIT = METER
 DESCRIPTION = "Lines
 LINES = 7 of a text"
END_OBJECT = IMAGE
OBJECT = IMAGE_MAP_PROJECTION
 MAP_PROJECTION_TYPE = "SIMPLE CYLINDRICAL"
 A_AXIS_RADIUS = {radius} <KM>
 CENTER_LATITUDE = 0.0 <DEGREE>
 CENTER_LONGITUDE = 180.0 <DEGREE>
 MAP_RESOLUTION = 2.0 <PIXEL/DEGREE>
 WESTERNMOST_LONGITUDE = 100.0 <DEGREE>
 MAXIMUM_LATITUDE = {north} <DEGREE>
 LINE_PROJECTION_OFFSET = 20.5
 SAMPLE_PROJECTION_OFFSET = 160.5
END_OBJECT = IMAGE_MAP_PROJECTION
END
"""


def labelled(folder: Path, radius: float = 3396.0, north: float = 10.0) -> Path:
    (folder / "in.lbl").write_text(LABEL.format(radius=radius, north=north))
    ground = (np.arange(20)[:, None] * 100 + np.arange(40)).astype(">i2")
    (folder / "in.img").write_bytes(bytes(160) + ground.tobytes())
    return folder / "in.lbl"


def test_labels_place_by_the_formulae_of_the_pds(tmp_path: Path) -> None:
    image = pds3.read(labelled(tmp_path))
    assert image.transform == Affine(0.5, 0, 100.0, 0, -0.5, 10.0)
    window = RasterGrid(MARS, Axis(9.0, -0.5, 10), Axis(-255.0, 0.5, 10))
    values, grid = fetch(region(MARS, -255, 4, -250, 9), tmp_path / "out.tif", tmp_path / "in.lbl", window=window)
    assert at(values, grid, -254.75, 8.75) == 2 * 100 + 10


def test_labels_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="MAXIMUM_LATITUDE is 12"):
        pds3.read(labelled(tmp_path, north=12.0))
    label = labelled(tmp_path)
    (tmp_path / "in.img").write_bytes(bytes(100))
    with pytest.raises(InputError, match="its label says 1,760"):
        pds3.read(label)
    (tmp_path / "in.img").unlink()
    with pytest.raises(InputError, match=r"needs the image IN\.IMG"):
        pds3.read(label)
    label.write_text(LABEL.format(radius=3396.0, north=10.0).replace("SIMPLE CYLINDRICAL", "POLAR STEREOGRAPHIC"))
    with pytest.raises(InputError, match="projection is POLAR STEREOGRAPHIC"):
        pds3.read(label)
    label.write_text("nothing")
    with pytest.raises(InputError, match="PDS_VERSION_ID"):
        pds3.read(label)


def test_bodies_are_never_mixed(tmp_path: Path) -> None:
    earth = degrees(tmp_path / "earth.tif", 10.0, 45.0, 0.002, holed("int16", 5))
    moon = degrees(tmp_path / "moon.tif", 10.0, 45.0, 0.002, holed("int16", 5), crs="IAU_2015:30100")
    with pytest.raises(InputError, match=r"is on earth.*the region is on mars"):
        fetch(region(MARS, 10.0, 44.6, 10.4, 45.0), tmp_path / "out.tif", earth)
    with pytest.raises(InputError, match=r"on a body of radius 1737\.4 km"):
        fetch(region(EARTH, 10.0, 44.6, 10.4, 45.0), tmp_path / "out.tif", moon)
    with pytest.raises(InputError, match=r"is on mars.*the region is on earth"):
        fetch(region(EARTH, 101.0, 5.0, 102.0, 6.0), tmp_path / "out.tif", labelled(tmp_path))
    west = degrees(tmp_path / "west.tif", 10.0, 45.0, 0.002, holed("int16", 5), crs="IAU_2015:49901")
    with pytest.raises(InputError, match="planetographic"):
        fetch(region(MARS, 10.0, 44.6, 10.4, 45.0), tmp_path / "out.tif", west)


@pytest.mark.parametrize(
    ("ground", "more", "said"),
    [
        (np.full((200, 200), 3_390_000, np.float32), {}, "a radius"),
        (np.linspace(0, 28_000, 40_000, dtype=np.float32).reshape(200, 200), {}, "feet"),
        (holed("int16", -9999), {}, "`nodata:`"),
        (np.full((200, 200), -32768, np.int16), {}, "no elevation at all"),
        (np.zeros((200, 200, 3), np.uint8), {}, "has 3 bands"),
        (np.zeros((200, 200), np.complex64), {}, "holds complex64"),
        (np.zeros((200, 200), np.int16), {"crs": None}, "say which one it is in"),
    ],
)
def test_what_is_no_elevation_is_refused(tmp_path: Path, ground: NDArray[Any], more: Any, said: str) -> None:
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, 0.002, ground, **more)
    (tmp_path / "out.tif").write_text("before")
    with pytest.raises(InputError, match=said):
        fetch(region(EARTH, 10.0, 44.6, 10.4, 45.0), tmp_path / "out.tif", path)
    assert (tmp_path / "out.tif").read_text() == "before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.tif", "out.tif"]


def test_imagery_that_is_not_8_bit_rgb_is_refused(tmp_path: Path) -> None:
    asked = region(EARTH, 10.0, 44.6, 10.4, 45.0)
    deep = degrees(tmp_path / "deep.tif", 10.0, 45.0, 0.002, colours().astype(np.uint16) * 200)
    with pytest.raises(InputError, match="gdal_translate -ot Byte -scale"):
        fetch(asked, tmp_path / "out.tif", deep, kind="imagery")
    grey = degrees(tmp_path / "grey.tif", 10.0, 45.0, 0.002, colours()[..., 0])
    with pytest.raises(InputError, match="red, green and blue"):
        fetch(asked, tmp_path / "out.tif", grey, kind="imagery")


def test_damaged_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    asked = region(EARTH, 10.0, 44.6, 10.4, 45.0)
    good = degrees(tmp_path / "good.tif", 10.0, 45.0, 0.002, holed("int16", 5), compress="deflate")
    half = tmp_path / "half.tif"
    half.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    virtual = tmp_path / "virtual.tif"
    virtual.write_text('<VRTDataset rasterXSize="20" rasterYSize="20"></VRTDataset>')
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    for path, said in [
        (half, "get it again|may be truncated"),
        (virtual, "is a VRT"),
        (tmp_path / "none.tif", "does not exist"),
        (tmp_path / "empty", "holds no raster"),
        (tmp_path / "notes.txt", "no known format"),
    ]:
        with pytest.raises(InputError, match=said):
            fetch(asked, tmp_path / "out.tif", path)
    with pytest.raises(InputError, match="no raster that reaches region 'here'"):
        fetch(region(EARTH, 20.0, 44.6, 20.4, 45.0), tmp_path / "out.tif", good)
    assert not (tmp_path / "out.tif").exists()


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80))
def test_no_label_breaks_the_parser(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    label = tmp_path_factory.mktemp("label") / "in.lbl"
    label.write_text("PDS_VERSION_ID = PDS3\n" + text, encoding="utf-8")
    with pytest.raises(InputError):
        pds3.read(label)


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

"""Formats of own rasters: colours, pictures, grids with headers, SRTM tiles, PDS labels."""

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from servers.own_rasters import LABEL, at, colours, degrees, fetch, labelled, region

from terraform.errors import InputError
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.grid import RasterGrid
from terraform.geo.resample import Axis
from terraform.sources.raster import pds3


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


def test_archives_packed_at_another_time_give_the_same_raster(tmp_path: Path) -> None:
    """A server that packs on demand gives other bytes each time; what counts is what is in them."""
    found = []
    for year in (1999, 2025):
        path = tmp_path / str(year) / "N10E020.hgt.zip"
        path.parent.mkdir()
        heights = (np.arange(1201 * 1201) % 3000).astype(">i2")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("N10E020.hgt", (year, 1, 1, 0, 0, 0)), heights.tobytes())
        out = tmp_path / f"{year}.tif"
        fetch(region(EARTH, 20.3, 10.3, 20.6, 10.6), out, path)
        found.append((path.read_bytes(), out.read_bytes()))
    assert found[0][0] != found[1][0]
    assert found[0][1] == found[1][1]


OPENED = """
import sys
from pathlib import Path
from terraform.errors import InputError
from terraform.sources.raster.metadata.declared import NOTHING
from terraform.sources.raster.opening import open_raster
refused = 0
for path in sorted(Path(sys.argv[1]).glob("*/N10E020.hgt.zip")):
    try:
        with open_raster(path, NOTHING) as raster:
            raster.read((0, 2), (0, 2))
    except InputError as error:
        refused += "is no SRTM tile" in str(error)
print(refused)
"""


def test_damaged_archives_are_refused_before_gdal_sees_them(tmp_path: Path) -> None:
    """Of four of these GDAL 3.12 dies with the whole process, so that they are opened in one of their own."""
    good = tmp_path / "N10E020.hgt.zip"
    raw = np.random.default_rng(0).integers(-99, 3000, 1201 * 1201).astype(">i2").tobytes()
    with zipfile.ZipFile(good, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("N10E020.hgt", raw)
    content = good.read_bytes()
    directory = content.rindex(b"PK\x01\x02")
    for number in range(46):
        (tmp_path / f"{number:02}").mkdir()
        damaged = bytearray(content)
        damaged[directory + number if number % 2 else len(content) // 46 * number] ^= 0xFF
        (tmp_path / f"{number:02}" / good.name).write_bytes(damaged)
    done = subprocess.run([sys.executable, "-c", OPENED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout) > 23

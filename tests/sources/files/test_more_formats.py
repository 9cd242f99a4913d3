"""Formats of national surveys and space agencies: read by their one driver; what is not read is told the command."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio import warp
from rasterio.transform import Affine
from servers.own_rasters import at, degrees, fetch, region, write

from terraform.errors import InputError
from terraform.geo.bodies import EARTH, MARS
from terraform.sources.raster.metadata.declared import NOTHING, Declared
from terraform.sources.raster.opening import open_raster

GROUND = (np.arange(200 * 200).reshape(200, 200) % 977).astype(np.int16)
HERE = (10.0, 44.6, 10.4, 45.0)


def converted(folder: Path, name: str, driver: str, crs: str = "EPSG:4326", **options: str) -> Path:
    source = degrees(folder / "source.tif", 10.0, 45.0, 0.002, GROUND, crs=crs)
    made = folder / name.replace(".h5", ".nc")
    rasterio.shutil.copy(source, made, driver=driver, **options)
    source.unlink()
    if made.name != name:
        made.rename(folder / name)
    (folder / f"{name}.aux.xml").unlink(missing_ok=True)
    return folder / name


@pytest.mark.parametrize(
    ("name", "driver", "crs", "options"),
    [
        ("in.img", "ENVI", "EPSG:4326", {}),
        ("in.dat", "ENVI", "EPSG:4326", {}),
        ("in.jp2", "JP2OpenJPEG", "EPSG:4326", {"REVERSIBLE": "YES", "QUALITY": "100"}),
        ("in.nc", "netCDF", "EPSG:4326", {}),
        ("in.h5", "netCDF", "EPSG:4326", {"FORMAT": "NC4"}),
        ("in.dem", "USGSDEM", "EPSG:4326", {}),
        ("in.xml", "PDS4", "IAU_2015:49900", {"VAR_TARGET": "Mars"}),
        ("in.cub", "ISIS3", "IAU_2015:49900", {}),
    ],
)
def test_formats_by_their_one_driver(tmp_path: Path, name: str, driver: str, crs: str, options: dict[str, str]) -> None:
    body = MARS if "IAU" in crs else EARTH
    path = converted(tmp_path, name, driver, crs, **options)
    values, grid = fetch(region(body, *HERE), tmp_path / "out.tif", path)
    assert at(values, grid, 10.101, 44.799) == GROUND[100, 50]


def test_dted(tmp_path: Path) -> None:
    heights = (np.add.outer(np.arange(121), np.arange(121)) * 3).astype(np.int16)
    step = 1 / 120
    source = degrees(tmp_path / "source.tif", 10 - step / 2, 45 + step / 2, step, heights)
    rasterio.shutil.copy(source, tmp_path / "n44.dt0", driver="DTED")
    values, grid = fetch(region(EARTH, 10.2, 44.2, 10.8, 44.8), tmp_path / "out.tif", tmp_path / "n44.dt0")
    assert at(values, grid, 10.5, 44.5) == heights[60, 60]


def test_usgs_dem_of_utm(tmp_path: Path) -> None:
    """Columns of text from south to north, whose heights stand at points."""
    slope = np.add.outer(np.arange(200), np.arange(200)).astype(np.int16) * 2
    source = write(tmp_path / "source.tif", slope, "EPSG:32632", Affine(30, 0, 500_000, 0, -30, 4_983_000))
    rasterio.shutil.copy(source, tmp_path / "in.dem", driver="USGSDEM")
    values, grid = fetch(region(EARTH, 9.01, 44.96, 9.06, 44.99), tmp_path / "out.tif", tmp_path / "in.dem")
    easting, northing = warp.transform("EPSG:4326", "EPSG:32632", [9.03], [44.98])
    expected = 2 * ((easting[0] - 500_000) / 30 + (4_983_000 - northing[0]) / 30 - 1)
    assert at(values, grid, 9.03, 44.98) == pytest.approx(expected, abs=8)


@pytest.mark.parametrize("name", ["in.grb", "in.sdat", "in.e00", "in"])
def test_the_rest_is_told_the_command(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(InputError, match=rf"gdal_translate {name} in\.tif"):
        fetch(region(EARTH, *HERE), tmp_path / "out.tif", tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.zip", b"PK", "an archive: unpack it"), ("in.tif.gz", b"\x1f\x8b", "an archive: unpack it"),
        ("in.laz", b"LASF", "holds points, not a grid"), ("in.shp", b"\0\0", "holds shapes, not a grid"),
        ("in.txt", b"NCOLS 5\n", r"call it in\.asc"), ("in.txt", b"1 2 3\n", r"gdal_translate in\.txt in\.tif"),
    ],
)  # fmt: skip
def test_what_no_command_converts_is_told_what_to_do(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        fetch(region(EARTH, *HERE), tmp_path / "out.tif", tmp_path / name)


def test_a_virtual_raster_is_told_what_its_command_has(tmp_path: Path) -> None:
    path = tmp_path / "tiles.vrt"
    path.write_text("<VRTDataset/>")
    with pytest.raises(InputError, match=r"gdal_translate tiles\.vrt tiles\.tif, or name its rasters in a list"):
        fetch(region(EARTH, *HERE), tmp_path / "out.tif", path)
    one = pytest.raises(InputError, match=r"gdal_translate tiles\.vrt tiles\.tif$")
    with one, open_raster(path, Declared(options=True)):
        pass


def test_folders_are_told_of(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder: name one raster in it"), open_raster(tmp_path, NOTHING):
        pass
    (tmp_path / "hdr.adf").write_bytes(b"GRID1.2")
    with pytest.raises(InputError, match=f"gdal_translate {tmp_path}"), open_raster(tmp_path, NOTHING):
        pass


@pytest.mark.parametrize("suffix", [".bil", ".bip", ".bsq"])
@pytest.mark.parametrize("of", ["ENVI", "Esri"])
def test_pixels_alone_are_read_by_the_header_beside_them(tmp_path: Path, suffix: str, of: str) -> None:
    path = tmp_path / f"in{suffix}"
    path.write_bytes(GROUND.astype("<i2").tobytes())
    layout = suffix[1:]
    place = "map info = {Geographic Lat/Lon, 1, 1, 10, 45, 0.002, 0.002, WGS-84}"
    envi = (
        f"ENVI\nsamples = 200\nlines = 200\nbands = 1\ndata type = 2\ninterleave = {layout}\nbyte order = 0\n{place}\n"
    )
    esri = (
        f"BYTEORDER I\nLAYOUT {layout}\nNROWS 200\nNCOLS 200\nNBANDS 1\nNBITS 16\nPIXELTYPE SIGNEDINT\n"
        "ULXMAP 10.001\nULYMAP 44.999\nXDIM 0.002\nYDIM 0.002\n"
    )
    path.with_suffix(".hdr").write_text(envi if of == "ENVI" else esri)
    values, grid = fetch(region(EARTH, *HERE), tmp_path / "out.tif", path, crs="EPSG:4326")
    assert at(values, grid, 10.101, 44.799) == GROUND[100, 50]


def test_no_file_leads_to_another(tmp_path: Path) -> None:
    label = converted(tmp_path, "in.xml", "PDS4", "IAU_2015:49900", VAR_TARGET="Mars")
    text = label.read_text()
    label.write_text(text.replace("<file_name>in.img", "<file_name>../../secret.img"))
    with pytest.raises(InputError, match="must lie beside it"):
        fetch(region(MARS, *HERE), tmp_path / "out.tif", label)
    (tmp_path / "in.cub").write_text("Object = IsisCube\n  Object = Core\n    ^Core = /etc/passwd\n")
    with pytest.raises(InputError, match="pixels in another file"):
        fetch(region(MARS, *HERE), tmp_path / "out.tif", tmp_path / "in.cub")
    (tmp_path / "plain.img").write_bytes(b"EHFA_HEADER_TAG")
    with pytest.raises(InputError, match="no header of ENVI"):
        fetch(region(EARTH, *HERE), tmp_path / "out.tif", tmp_path / "plain.img")
    envi = converted(tmp_path, "masked.img", "ENVI")
    (tmp_path / "masked.img.msk").write_text("<VRTDataset></VRTDataset>")
    with pytest.raises(InputError, match=r"masked\.img\.msk is a VRT"):
        fetch(region(EARTH, *HERE), tmp_path / "out.tif", envi)

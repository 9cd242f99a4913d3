"""What a file says of itself in less common ways: beside it, in its CRS, in NetCDF's attributes, in names of bands."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.warp
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine
from servers.netcdf import write_netcdf
from servers.own_rasters import at, degrees, fetch, region, write

from terraform.errors import ConfigError, InputError
from terraform.geo.bodies import EARTH
from terraform.sources.raster.bands import heights_of
from terraform.sources.raster.classify import classify_heights
from terraform.sources.raster.georeference import body_of_crs, bounds_of, georeference, require_centric
from terraform.sources.raster.metadata.declared import Declared, degrees_of
from terraform.sources.raster.opening import open_raster

HERE = (10.0, 44.6, 10.4, 45.0)
PLAIN = np.full((200, 200), 1000, np.int16)
PLACE = Affine(0.002, 0, 10, 0, -0.002, 45)


def got(folder: Path, path: Path, **more: Any) -> Any:
    values, grid = fetch(region(EARTH, *HERE), folder / "out.tif", path, **more)
    return at(values, grid, 10.101, 44.899)


@contextmanager
def opened(path: Path, **said: Any) -> Iterator[Any]:
    with open_raster(path, Declared(**said, wins=True, options=True)) as raster:
        yield raster


def metres(path: Path, **said: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Heights as `generate` reads them, and where there are some."""
    with opened(path, **said) as raster:
        body = body_of_crs(raster.crs, path.name)
        heights = heights_of(raster, body)
        found = classify_heights(heights.read((0, heights.height), (0, heights.width)), heights, body, False)
    return found.values[..., 0], found.valid


def test_ground_control_points_beside_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "in.tif", PLAIN, None, Affine.identity())
    corners = [(0, 0), (200, 0), (200, 200), (0, 200)]
    points = "".join(
        f'<GCP Id="{number}" Pixel="{x}" Line="{y}" X="{10 + 0.002 * x}" Y="{45 - 0.002 * y}"/>'
        for number, (x, y) in enumerate(corners)
    )
    beside = f'<PAMDataset><GCPList Projection="EPSG:4326">{points}</GCPList></PAMDataset>'
    path.with_name("in.tif.aux.xml").write_text(beside)
    assert got(tmp_path, path) == 1000
    assert "placed by its 4 ground control points" in capsys.readouterr().err
    path.with_name("in.tif.aux.xml").write_text(beside.replace('X="10.0"', 'X="ten"'))
    with pytest.raises(InputError, match=r"in\.tif\.aux\.xml is damaged"):
        got(tmp_path, path)


@pytest.mark.parametrize(("said", "height"), [("FEET", 304.8), ("METERS", 1000), ("NO", 1000)])
def test_the_unit_of_heights_in_a_projection_file_of_arc_info(tmp_path: Path, said: str, height: float) -> None:
    path = tmp_path / "in.asc"
    rows = "\n".join(" ".join(["1000"] * 200) for _ in range(200))
    path.write_text(f"ncols 200\nnrows 200\nxllcorner 10\nyllcorner 44.6\ncellsize 0.002\n{rows}\n")
    path.with_suffix(".prj").write_text(f"Projection GEOGRAPHIC\nDatum WGS84\nZunits {said}\nUnits DD\nParameters\n")
    assert got(tmp_path, path) == round(height)


def test_a_file_of_erdas_that_is_not_read_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, 0.002, PLAIN)
    assert got(tmp_path, path) == 1000 and capsys.readouterr().err == ""
    (tmp_path / "in.aux").write_bytes(b"EHFA_HEADER_TAG")
    assert got(tmp_path, path) == 1000
    assert "in.aux beside in.tif is not read (ERDAS)" in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "white"), [("float32", "1"), ("uint16", "3000")])
def test_imagery_of_other_types_is_told_a_scale_of_its_own(tmp_path: Path, kind: str, white: str) -> None:
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, 0.002, np.ones((200, 200, 3), kind))
    with pytest.raises(InputError, match=f"is {kind}, imagery is 8-bit.*-scale 0 {white} 1 255"):
        fetch(region(EARTH, *HERE), tmp_path / "out.tif", path, kind="imagery")


ANGLES = {"radian": 1.0, "grad": 0.01570796326794897, "arc-second": 4.84813681109536e-06}
WGS84 = 'GEOGCS["x",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["{}",{}]]'


@pytest.mark.parametrize("unit", list(ANGLES))
def test_longitudes_and_latitudes_in_other_units_than_degrees(tmp_path: Path, unit: str) -> None:
    whole = np.radians(1) / ANGLES[unit]
    crs = CRS.from_wkt(WGS84.format(unit, ANGLES[unit])).to_wkt()
    path = write(tmp_path / "in.tif", PLAIN, crs, Affine.scale(whole) @ PLACE)
    with opened(path) as raster:
        placed = georeference(raster, EARTH)
        assert bounds_of(placed) == pytest.approx((10, 44.6, 10.4, 45), abs=1e-6)
        assert placed.pixel_m == pytest.approx(0.002 * EARTH.metres_per_degree)


def test_grads_of_a_known_datum_keep_its_shift(tmp_path: Path) -> None:
    """The corners of EPSG:4807 (NTF, Paris, grads) lie where PROJ says."""
    path = write(tmp_path / "in.tif", PLAIN, "EPSG:4807", Affine(0.002, 0, 5, 0, -0.002, 50))
    with opened(path) as raster:
        bounds = bounds_of(georeference(raster, EARTH))
    (west,), (north,) = rasterio.warp.transform("EPSG:4807", "EPSG:4326", [5], [50])
    assert (bounds.west, bounds.north) == pytest.approx((west, north), abs=2e-6)


@pytest.mark.parametrize(
    "crs", ['LOCAL_CS["site",UNIT["metre",1]]', "EPSG:4978"], ids=["a building site", "from the centre of the Earth"]
)
def test_what_is_no_map_of_a_body_is_refused_by_name(tmp_path: Path, crs: str) -> None:
    path = write(tmp_path / "in.tif", PLAIN, CRS.from_user_input(crs).to_wkt(), Affine(5, 0, 0, 0, -5, 0))
    with pytest.raises(InputError, match=r"in\.tif is in the CRS '.*', which is no map of a body.*--crs"), opened(path):
        pass


@pytest.mark.parametrize(
    ("radius_m", "name"), [(1_737_400, "moon"), (2_575_000, "titan"), (2_439_400, "mercury"), (5_000_000, "unknown")]
)
def test_a_body_without_a_name_is_known_by_its_radius(radius_m: float, name: str) -> None:
    assert body_of_crs(CRS.from_string(f"+proj=stere +lat_0=-90 +R={radius_m}"), "in.tif").name == name


@pytest.mark.parametrize(("given", "said"), [("mras", "do you mean mars"), ("xyzzy", "use one such as earth")])
def test_a_body_that_is_unknown(given: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"body {given!r} is unknown: {said}"):
        degrees_of(given)


def test_longitudes_of_mars_from_another_meridian_are_refused(tmp_path: Path) -> None:
    sphere = 'GEOGCS["Mars",DATUM["Mars",SPHEROID["Mars",3396190,0]],PRIMEM["Viking",10],UNIT["degree",{}]]'
    path = write(tmp_path / "in.tif", PLAIN, CRS.from_wkt(sphere.format(0.0174532925199433)).to_wkt(), PLACE)
    with opened(path) as raster, pytest.raises(InputError, match=r"counts longitudes from 10 \(Viking\)"):
        require_centric(raster, body_of_crs(raster.crs, path.name))


LATITUDES, LONGITUDES = 44.9 - 0.1 * np.arange(40), 10.1 + 0.1 * np.arange(50)
RISE = (100 + np.add.outer(10.0 * np.arange(40), np.arange(50))).astype(np.float32)


def netcdf(folder: Path, values: NDArray[np.float32] = RISE, latitudes: Any = LATITUDES, **attributes: str) -> Path:
    return write_netcdf(folder / "in.nc", latitudes, LONGITUDES, {"dem": (values, "m")}, **attributes)


@pytest.mark.parametrize("attributes", [{"positive": "down"}, {"standard_name": "sea_floor_depth_below_geoid"}])
def test_depths_of_a_netcdf_count_downwards(tmp_path: Path, attributes: dict[str, str]) -> None:
    values, _ = metres(netcdf(tmp_path, -RISE, **attributes), crs="EPSG:4326")
    assert values[0, 0] == 100 and values[2, 3] == 123
    assert metres(netcdf(tmp_path, positive="up"), crs="EPSG:4326")[0][0, 0] == 100


@pytest.mark.parametrize("attributes", [{"valid_max": "450"}, {"valid_range": "0, 450"}])
def test_what_is_beyond_the_valid_range_of_a_netcdf_is_missing(tmp_path: Path, attributes: dict[str, str]) -> None:
    _, valid = metres(netcdf(tmp_path, **attributes), crs="EPSG:4326")
    assert (valid == (RISE <= 450)).all() and not valid.all()


def test_uneven_latitudes_of_a_part_of_a_body_stay_there(tmp_path: Path) -> None:
    uneven = LATITUDES + 0.03 * np.sin(np.arange(40))
    path = netcdf(tmp_path, np.repeat(1000 * (45 - uneven)[:, None], 50, axis=1).astype(np.float32), uneven)
    with opened(path, crs="EPSG:4326") as raster:
        bounds = bounds_of(georeference(raster, EARTH))
    assert (bounds.south, bounds.north) == pytest.approx((40.95, 44.95), abs=0.03)
    values, _ = metres(path, crs="EPSG:4326")
    middles = bounds.north - (np.arange(40) + 0.5) * (bounds.north - bounds.south) / 40
    assert values[:, 7] == pytest.approx(1000 * (45 - middles), abs=0.1)


def test_variables_of_a_netcdf_are_told_with_the_command(tmp_path: Path) -> None:
    path = write_netcdf(tmp_path / "in.nc", LATITUDES, LONGITUDES, {"a": (RISE, "m"), "b": (RISE, "m")})
    with pytest.raises(
        InputError, match=r"variables a, b: take one out, gdal_translate 'NETCDF:\"in\.nc\":a' OUT\.tif"
    ):
        metres(path, crs="EPSG:4326")


@pytest.mark.parametrize(
    ("names", "bands"),
    [
        (("Blue", "Green", "Red", "NIR"), (3, 2, 1)), (("B02", "B03", "B04", "B08"), (3, 2, 1)),
        (("red", "green", "blue", "near-infrared"), (1, 2, 3)), (("nir", "R: red", "G: green", "B: blue"), (2, 3, 4)),
    ],
)  # fmt: skip
def test_bands_are_what_they_are_called(tmp_path: Path, names: tuple[str, ...], bands: tuple[int, ...]) -> None:
    """GDAL takes four bands of bytes for red, green, blue and transparency, whatever they are called."""
    infrared, rgb = np.zeros((200, 200), np.uint8), np.stack([np.full((200, 200), level) for level in (200, 100, 50)])
    planes = [rgb[bands.index(band)].astype(np.uint8) if band in bands else infrared for band in (1, 2, 3, 4)]
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, 0.002, np.stack(planes, axis=-1))
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = names
    values, grid = fetch(region(EARTH, *HERE), tmp_path / "out.tif", path, kind="imagery")
    assert at(values, grid, 10.2, 44.8).tolist() == [200, 100, 50]


def test_pixels_that_no_heights_have_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "in.tif", PLAIN, "EPSG:4326", Affine(1e-9, 0, 10, 0, -1e-9, 45))
    with opened(path) as raster, pytest.raises(InputError, match=r"pixels of 0\.00011 m: correct its georeference"):
        georeference(raster, EARTH)


def test_degrees_that_are_said_to_be_metres_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(write(tmp_path / "in.tif", PLAIN, "EPSG:32632", PLACE)) as raster:
        georeference(raster, EARTH)
    assert "corner (10, 45) looks like a longitude and a latitude: if it is, say so with --crs EPSG:4326" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("crs", "values", "said"),
    [
        ("IAU_2015:30100", (1736.2, 1738.1), "1736.2 to 1738.1, and the radius of moon is 1737.4 km: if these"),
        ("IAU_2015:49900", (-1.5, 8.75), "-1.5 to 8.75, and nothing says their unit: if these are kilometres, say so"),
        ("EPSG:4326", (0.0, 1.0), "0 to 1, and nothing says their unit"), ("EPSG:4326", (0.0, 40.0), None),
    ],
)  # fmt: skip
def test_numbers_that_may_be_kilometres_are_asked_about(
    tmp_path: Path, crs: str, values: tuple[float, float], said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "in.tif", np.linspace(*values, 400, dtype=np.float32).reshape(20, 20), crs, PLACE)
    metres(path)
    told = capsys.readouterr().err
    assert said in told if said else told == ""
    metres(path, unit="m")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("highest", "lowest", "said"),
    [(58_000, 0, "heights on moon are -30000 to 30000 m: if they are in feet"), (500, -9999, "--nodata -9999")],
)
def test_heights_that_no_other_body_has_either_are_refused(
    tmp_path: Path, highest: float, lowest: float, said: str
) -> None:
    values = np.linspace(100, highest, 400, dtype=np.float32).reshape(20, 20)
    values[0, 0] = lowest
    with pytest.raises(InputError, match=said):
        metres(write(tmp_path / "in.tif", values, "IAU_2015:30100", PLACE))

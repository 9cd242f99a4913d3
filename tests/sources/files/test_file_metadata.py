"""What a file says of itself is believed, or refused by name: units, scales, missing values, masks, place, colours."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.transform import Affine
from servers.own_rasters import at, colours, degrees, fetch, holed, region, write

from terraform.errors import InputError
from terraform.geo.bodies import EARTH, MARS, Body
from terraform.geo.heights import SEA, VOID

HERE = (10.0, 44.6, 10.4, 45.0)
PLAIN = np.full((200, 200), 1000, np.int16)


def got(folder: Path, path: Path, lon: float = 10.101, lat: float = 44.899, body: Body = EARTH, **more: Any) -> Any:
    values, grid = fetch(region(body, *HERE), folder / "out.tif", path, **more)
    return at(values, grid, lon, lat)


def made(folder: Path, values: NDArray[Any] = PLAIN, **more: Any) -> Path:
    return degrees(folder / "in.tif", 10.0, 45.0, 0.002, values, **more)


def aux(path: Path, text: str) -> Path:
    path.with_name(path.name + ".aux.xml").write_text(f"<PAMDataset>{text}</PAMDataset>")
    return path


def band(text: str) -> str:
    return f'<PAMRasterBand band="1">{text}</PAMRasterBand>'


@pytest.mark.parametrize(
    ("unit", "metres"),
    [
        ("m", 1000), ("metre", 1000), ("ft", 304.8), ("foot", 304.8), ("Feet", 304.8), ("US survey foot", 304.8),
        ("dm", 100), ("centimetres", 10), ("US_survey_foot", 304.8), ("ft_us", 304.8), ("fathoms", 1828.8),
        ("Meters (m)", 1000), ("m a.s.l.", 1000), ("feet above geoid", 304.8),
    ],
)  # fmt: skip
def test_the_unit_of_a_band(tmp_path: Path, unit: str, metres: float, capsys: pytest.CaptureFixture[str]) -> None:
    path = made(tmp_path)
    with rasterio.open(path, "r+") as dataset:
        dataset.units = (unit,)
    assert got(tmp_path, path) == round(metres)
    assert ("converted to metres" in capsys.readouterr().err) == (metres != 1000)


def test_a_unit_that_is_no_length_is_refused_by_name(tmp_path: Path) -> None:
    path = made(tmp_path)
    with rasterio.open(path, "r+") as dataset:
        dataset.units = ("kelvin",)
    with pytest.raises(InputError, match=r"'kelvin', expected a length.*`unit:`"):
        got(tmp_path, path)


def test_missing_values_keep_their_meaning_in_another_unit(tmp_path: Path) -> None:
    ground = holed("int16", -9999)
    ground[:40, :40] = -32768
    path = made(tmp_path, ground, nodata=-9999)
    with rasterio.open(path, "r+") as dataset:
        dataset.units = ("ft",)
    values, grid = fetch(region(EARTH, *HERE), tmp_path / "out.tif", path, nodata_means="sea")
    assert [at(values, grid, lon, 44.8) for lon in (10.101, 10.2)] == [213, SEA]
    assert at(values, grid, 10.041, 44.961) == VOID


def test_heights_of_a_compound_crs(tmp_path: Path) -> None:
    """NAVD88 in US survey feet over UTM."""
    transform = Affine(200, 0, 500_000, 0, -200, 4_983_000)
    path = write(tmp_path / "in.tif", np.full((200, 200), 5000, np.float32), "EPSG:26912+6360", transform)
    asked = region(EARTH, -110.9, 44.7, -110.7, 44.9)
    values, grid = fetch(asked, tmp_path / "out.tif", path)
    assert at(values, grid, -110.8, 44.8) == 1524


@pytest.mark.parametrize(("metres", "expected"), [(-1200, 1200), (1200, SEA)])
def test_depths_count_downwards(tmp_path: Path, metres: int, expected: int) -> None:
    """GDAL calls the unit of a vertical axis that points down the band's, without its direction."""
    assert got(tmp_path, made(tmp_path, np.full_like(PLAIN, metres), crs="EPSG:4326+5715")) == expected


def test_a_map_in_feet_asks_for_the_unit_of_heights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(
        tmp_path / "in.tif", np.full((99, 99), 900, np.float32), "EPSG:2263", Affine(600, 0, 9e5, 0, -600, 3e5)
    )
    asked = region(EARTH, -74.3, 40.9, -74.28, 40.92)
    values, _ = fetch(asked, tmp_path / "out.tif", path)
    assert values.max() == 900 and "map is in US survey foot" in capsys.readouterr().err
    assert fetch(asked, tmp_path / "out.tif", path, unit="us-ft")[0].max() == 274


@pytest.mark.parametrize("scale", [0.0, float("nan"), float("inf")])
def test_a_scale_that_no_heights_have_is_refused(tmp_path: Path, scale: float) -> None:
    path = made(tmp_path)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = (scale,)
    with pytest.raises(InputError, match="which no heights have"):
        got(tmp_path, path)


@pytest.mark.parametrize("mark", [1e20, -32768, -(2**31)])
def test_a_mark_of_missing_heights_that_nothing_declares_is_named(tmp_path: Path, mark: float) -> None:
    ground = PLAIN.astype(np.float32)
    ground[:40] = mark
    with pytest.raises(InputError, match="if that is the missing value, say so with `nodata:`"):
        got(tmp_path, made(tmp_path, ground))


def test_rows_counted_by_their_centres_reach_beyond_a_pole(tmp_path: Path) -> None:
    """Grids registered on their nodes, as ETOPO comes too: the first row lies at 90 degrees."""
    latitudes = np.broadcast_to((90.0 - np.arange(91) * 2)[:, None], (91, 181))
    path = degrees(tmp_path / "in.tif", -181.0, 91.0, 2.0, (latitudes * 10).astype(np.int16))
    values, grid = fetch(region(EARTH, 10, 70, 30, 78), tmp_path / "out.tif", path)
    assert at(values, grid, 20.0, 75.0) == pytest.approx(750, abs=11)
    with pytest.raises(InputError, match="latitudes from -87 to 95 degrees"):
        fetch(
            region(EARTH, 10, 70, 30, 78),
            tmp_path / "out.tif",
            degrees(tmp_path / "in.tif", -181.0, 95.0, 2.0, latitudes.astype(np.int16)),
        )


def test_the_user_says_the_unit(tmp_path: Path) -> None:
    assert got(tmp_path, made(tmp_path), unit="us-ft") == 305


def test_scale_and_offset(tmp_path: Path) -> None:
    ground = PLAIN.copy()
    ground[80:120, 80:120] = 100
    path = made(tmp_path, ground, nodata=100)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.5,), (-400.0,)
    values, grid = fetch(region(EARTH, *HERE), tmp_path / "out.tif", path)
    assert set(np.unique(values)) == {100, VOID}, "a height that equals the missing value after scaling is a height"
    assert at(values, grid, 10.2, 44.8) == VOID


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (band("<Scale>3</Scale>"), 3000),
        (band("<Offset>-250</Offset>"), 750),
        (band("<NoDataValue>1000</NoDataValue>"), VOID),
        (band('<NoDataValue le_hex_equiv="0000">nan</NoDataValue>'), 1000),
        (band("<UnitType>km</UnitType><Scale>0.001</Scale>"), 1000),
    ],
)
def test_what_the_aux_xml_says(tmp_path: Path, text: str, expected: int) -> None:
    ground = PLAIN.copy()
    ground[120:, 120:] = 500
    assert got(tmp_path, aux(made(tmp_path, ground), text)) == expected


def test_the_aux_xml_places_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    path = degrees(tmp_path / "in.tif", 10.0, 45.0, 0.002, PLAIN, crs=None)
    where = "<SRS>EPSG:4326</SRS><GeoTransform>10, 0.002, 0, 45, 0, -0.002</GeoTransform>"
    assert got(tmp_path, aux(path, where)) == 1000
    with pytest.raises(InputError, match="holds a CRS that is not known"):
        got(tmp_path, aux(path, "<SRS>EPSG:nothing</SRS>"))
    beside = tmp_path / "in.tif.aux.xml"
    beside.write_text('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><PAMDataset>&b;</PAMDataset>')
    with pytest.raises(InputError, match="declares a document type"):
        got(tmp_path, path)
    beside.write_text("<PAMDataset>")
    with pytest.raises(InputError, match=r"in\.tif\.aux\.xml is damaged"):
        got(tmp_path, path)


def test_a_mask_beside_the_file_hides(tmp_path: Path) -> None:
    path = made(tmp_path)
    mask = np.full((200, 200), 255, np.uint8)
    mask[80:120, 80:120] = 0
    degrees(tmp_path / "in.tif.msk", 10.0, 45.0, 0.002, mask)
    values, grid = fetch(region(EARTH, *HERE), tmp_path / "out.tif", path)
    assert at(values, grid, 10.2, 44.8) == VOID and at(values, grid, 10.101, 44.899) == 1000
    (tmp_path / "in.tif.msk").write_text('<VRTDataset rasterXSize="200" rasterYSize="200"></VRTDataset>')
    with pytest.raises(InputError, match=r"in\.tif\.msk cannot be opened as GTiff"):
        fetch(region(EARTH, *HERE), tmp_path / "out.tif", path)


def test_transparency_of_an_elevation_model_hides(tmp_path: Path) -> None:
    clear = np.where(holed("int16", 0) > 0, 255, 0).astype(np.int16)
    path = made(tmp_path, np.dstack([PLAIN, clear]))
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = (ColorInterp.gray, ColorInterp.alpha)
    values, grid = fetch(region(EARTH, *HERE), tmp_path / "out.tif", path)
    assert at(values, grid, 10.2, 44.8) == VOID and at(values, grid, 10.101, 44.899) == 1000


def test_a_projection_beside_a_world_file(tmp_path: Path) -> None:
    with rasterio.open(tmp_path / "in.png", "w", driver="PNG", height=200, width=200, count=3, dtype="uint8") as png:
        png.write(np.moveaxis(colours(), -1, 0))
    (tmp_path / "in.pgw").write_text("0.002\n0\n0\n-0.002\n10.001\n44.999\n")
    esri = 'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'  # noqa: E501
    (tmp_path / "in.prj").write_text(esri)
    found = got(tmp_path, tmp_path / "in.png", 10.001, 44.999, kind="imagery")
    assert found.tolist() == colours()[0, 0].tolist()


def controlled(folder: Path, bend: float = 0.0) -> Path:
    points = [GroundControlPoint(row, column, 10 + 0.002 * column + bend * row * column, 45 - 0.002 * row)
              for row in (0, 200) for column in (0, 200)]  # fmt: skip
    with rasterio.open(
        folder / "in.tif", "w", driver="GTiff", height=200, width=200, count=1, dtype="int16", gcps=points,
        crs="EPSG:4326",
    ) as dataset:  # fmt: skip
        dataset.write(np.arange(40_000).reshape(1, 200, 200).astype(np.int16) % 997)
    return folder / "in.tif"


def test_ground_control_points_place_or_are_named(tmp_path: Path) -> None:
    assert got(tmp_path, controlled(tmp_path), 10.101, 44.899) == (50 * 200 + 50) % 997
    with pytest.raises(InputError, match=r"4 ground control points, which no straight grid meets.*gdalwarp -tps"):
        got(tmp_path, controlled(tmp_path, bend=1e-6))


def test_near_infrared_is_no_transparency(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    infrared = np.full((200, 200), 90, np.uint8)
    infrared[:, :100] = 0
    path = made(tmp_path, np.dstack([colours(), infrared]), photometric="RGB")
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = (*dataset.colorinterp[:3], ColorInterp.undefined)
    values, _ = fetch(region(EARTH, *HERE), tmp_path / "out.tif", path, kind="imagery")
    assert (values != 0).any(axis=-1).sum() == 200 * 200
    assert "left out: 4" in capsys.readouterr().err


def test_blue_green_red_is_put_in_order(tmp_path: Path) -> None:
    path = made(tmp_path, colours()[..., ::-1])
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = (ColorInterp.blue, ColorInterp.green, ColorInterp.red)
    assert got(tmp_path, path, kind="imagery").tolist() == colours()[50, 50].tolist()


@pytest.mark.parametrize(("body", "crs"), [(EARTH, "EPSG:4326"), (MARS, "IAU_2015:49900")])
def test_a_radius_is_refused_on_every_body(tmp_path: Path, body: Body, crs: str) -> None:
    heights = np.full((200, 200), body.radius_m + 500, np.float32)
    with pytest.raises(InputError, match="look like a radius"):
        got(tmp_path, made(tmp_path, heights, crs=crs), body=body)


def test_the_floor_of_the_sea_is_sea(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ground = np.broadcast_to(np.linspace(-4800, 1500, 200), (200, 200)).astype(np.int16)
    values, grid = fetch(region(EARTH, *HERE), tmp_path / "out.tif", made(tmp_path, ground))
    assert at(values, grid, 10.001, 44.9) == SEA
    assert at(values, grid, 10.0 + 0.002 * 151, 44.9) == SEA, "below 0 and within the range of land"
    assert at(values, grid, 10.399, 44.9) == 1500
    assert "holds the floor of the sea (-4,800 m)" in capsys.readouterr().err


def test_a_missing_value_is_no_floor_of_the_sea(tmp_path: Path) -> None:
    ground = np.broadcast_to(np.linspace(-4800, 1500, 200), (200, 200)).astype(np.float32).copy()
    ground[0] = -9999
    with pytest.raises(InputError, match=r"if that is the missing value, say so with `nodata:`"):
        got(tmp_path, made(tmp_path, ground))


def test_grey_levels_warn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    got(tmp_path, made(tmp_path, np.full((200, 200), 90, np.uint8)))
    assert "8-bit integers" in capsys.readouterr().err


def test_heights_of_another_body_are_asked_about(tmp_path: Path) -> None:
    ground = np.linspace(-3000.5, 15_000, 40_000, dtype=np.float32).reshape(200, 200)
    with pytest.raises(InputError, match=r"another body's than earth's\? Say which with `crs:`"):
        got(tmp_path, made(tmp_path, ground))

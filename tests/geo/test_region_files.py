"""Regions as QGIS, Esri and others write them: read as they are meant, or refused with what to do."""

import json
import os
from pathlib import Path

import geopandas
import pandas
import pyogrio
import pytest
from shapely.geometry import MultiPolygon, box, shape

from terraform.errors import ConfigError
from terraform.geo.regions import load_regions

SQUARE = {"type": "Polygon", "coordinates": [[[6, 45], [8, 45], [8, 47], [6, 47], [6, 45]]]}


def feature(geometry=None, body="earth", role="train", bbox=None, **properties):
    made = {
        "type": "Feature", "properties": {"name": "here", "body": body, "role": role, **properties},
        "geometry": geometry or SQUARE,
    }  # fmt: skip
    return made if bbox is None else {**made, "bbox": bbox}


def loaded(folder, *features, start="", **members):
    path = folder / "regions.geojson"
    path.write_text(start + json.dumps({"type": "FeatureCollection", **members, "features": list(features)}))
    return load_regions(path)["here"]


def rectangle(west, south, east, north):
    return {"type": "Polygon", "coordinates": [list(map(list, box(west, south, east, north).exterior.coords))]}


def parts(*bounds):
    return {"type": "MultiPolygon", "coordinates": [rectangle(*of)["coordinates"] for of in bounds]}


def named(crs):
    return {"type": "name", "properties": {"name": crs}}


def test_a_byte_order_mark(tmp_path):
    assert loaded(tmp_path, feature(), start="\ufeff").bounds == (6, 45, 8, 47)


@pytest.mark.parametrize(
    ("crs", "body"),
    [
        ("urn:ogc:def:crs:EPSG::4326", "earth"), ("EPSG:4326", "mars"), ("urn:ogc:def:crs:OGC:1.3:CRS84", "mars"),
        ("urn:ogc:def:crs:IAU_2015::49900", "mars"), ("IAU_2015:49900", "mars"), ("EPSG:4258", "earth"),
    ],
)  # fmt: skip
def test_degrees_of_the_own_body_longitude_first(tmp_path, crs, body):
    assert loaded(tmp_path, feature(body=body, role="mosaic"), crs=named(crs)).bounds == (6, 45, 8, 47)


@pytest.mark.parametrize(
    ("crs", "body", "said"),
    [
        ("IAU_2015:49900", "earth", "'here': the file is in Mars .*region is on earth"),
        ("IAU_2015:49901", "mars", "planetographic"),
        ("EPSG:3857", "earth", "in metres: reproject it"),
        ("EPSG:nothing", "earth", "not known"),
    ],
)
def test_other_crs_are_refused(tmp_path, crs, body, said):
    with pytest.raises(ConfigError, match=said):
        loaded(tmp_path, feature(body=body, role="mosaic"), crs=named(crs))


def test_other_properties_are_told_once(tmp_path, capsys):
    other = {**feature(fid=2, Shape_Area=1.5), "properties": {**feature(fid=2)["properties"], "name": "there"}}
    loaded(tmp_path, feature(fid=1), other)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1 and "not used: fid (used: name, body, role, title)" in told[0]


def test_heights_of_corners_and_boxes_of_six_numbers(tmp_path):
    deep = {"type": "Polygon", "coordinates": [[[x, y, 100.0] for x, y in SQUARE["coordinates"][0]]]}
    region = loaded(tmp_path, feature(deep, bbox=[6, 45, 0, 8, 47, 100]))
    assert region.bounds == (6, 45, 8, 47) and not region.geometry.has_z
    crossing = {"type": "Polygon", "coordinates": [[[170, 0], [-100, 0], [-100, 2], [170, 2], [170, 0]]]}
    assert loaded(tmp_path, feature(crossing, bbox=[170, 0, 0, -100, 2, 9])).bounds == (170, 0, 260, 2)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ((235, -12, 243, -5), (-125, -12, -117, -5)),
        ((170, -12, 190, -5), (170, -12, 190, -5)),
        ((0, -90, 360, 90), (-180, -90, 180, 90)),
        ((180, 0, 360, 10), (-180, 0, 0, 10)),
    ],
)
def test_longitudes_that_count_to_360(tmp_path, given, meant):
    region = loaded(tmp_path, feature(rectangle(*given), "mars", "mosaic"))
    assert region.bounds == pytest.approx(meant)
    assert region.geometry.area == pytest.approx(box(*meant).area)
    if given[2] > 180:
        with pytest.raises(ConfigError, match="subtract 360"):
            loaded(tmp_path, feature(rectangle(*given)))


def test_rounding_at_the_pole_and_the_antimeridian(tmp_path):
    region = loaded(tmp_path, feature(rectangle(-180.0000001, 80, -20, 90.0000000001), "mars", "mosaic"))
    assert region.bounds == (-180, 80, -20, 90)
    with pytest.raises(ConfigError, match=r"corner \(20, 90\.001\) is no longitude and latitude|latitude first"):
        loaded(tmp_path, feature(rectangle(0, 80, 20, 90.001)))


def test_parts_that_end_a_hair_before_the_antimeridian(tmp_path, capsys):
    region = loaded(tmp_path, feature(parts((177, -19, 179.9999, -15), (-179.9999, -19, -178, -15))))
    assert region.bounds == (177, -19, 182, -15) and region.geometry.geom_type == "Polygon"
    assert capsys.readouterr().err == ""


def test_parts_that_lie_far_apart_warn_with_their_cost(tmp_path, capsys):
    loaded(tmp_path, feature(parts((6, 45, 7, 46), (100, -20, 101, -19))))
    told = capsys.readouterr().err
    assert "'here': its 2 parts lie far apart" in told and "km2" in told and "GB" in told
    loaded(tmp_path, feature(parts((6, 45, 7, 46), (7.1, 45, 8, 46))))
    assert capsys.readouterr().err == ""


def table(crs="EPSG:4326", geometry=None, **columns):
    columns = {"name": ["here"], "body": ["earth"], "role": ["train"], **columns}
    return geopandas.GeoDataFrame(columns, geometry=[geometry or shape(SQUARE)], crs=crs)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp"])
def test_tables_are_read_with_the_same_checks(tmp_path, suffix, capsys):
    path = tmp_path / f"regions{suffix}"
    table(area=[3.5]).to_file(path)
    assert load_regions(path)["here"].bounds == (6, 45, 8, 47)
    assert "not used: area" in capsys.readouterr().err
    table(role=["training"]).to_file(path)
    with pytest.raises(ConfigError, match="role is 'training'"):
        load_regions(path)
    table("EPSG:32632", box(4e5, 5e6, 5e5, 5.1e6)).to_file(path)
    with pytest.raises(ConfigError, match="in metres"):
        load_regions(path)
    table("IAU_2015:49900", MultiPolygon([box(350, 0, 355, 1)]), body=["mars"], role=["mosaic"]).to_file(path)
    assert load_regions(path)["here"].bounds == (-10, 0, -5, 1)


def test_a_package_of_several_layers_and_a_file_that_is_none(tmp_path):
    path = tmp_path / "regions.gpkg"
    for layer in ("one", "two"):
        table().to_file(path, layer=layer)
    with pytest.raises(ConfigError, match="has the layers one, two"):
        load_regions(path)
    table().to_file(path, layer="regions")
    assert load_regions(path)["here"].bounds == (6, 45, 8, 47)
    path.write_text("<OGRVRTDataSource></OGRVRTDataSource>")
    with pytest.raises(ConfigError, match="is no gpkg file"):
        load_regions(path)


def test_a_package_as_qgis_saves_it_with_dates_and_a_table_of_styles(tmp_path, capsys):
    path = tmp_path / "regions.gpkg"
    table(surveyed=[pandas.Timestamp("2020-05-01")], photo=[b"\xff"]).to_file(path, layer="my areas")
    pyogrio.write_dataframe(pandas.DataFrame({"styleQML": ["<qgis/>"]}), path, layer="layer_styles")
    assert load_regions(path)["here"].bounds == (6, 45, 8, 47)
    assert (
        capsys.readouterr().err
        == f"{path}: properties that are not used: surveyed, photo (used: name, body, role, title)\n"
    )


def test_names_of_properties_that_nobody_uses_are_told_briefly_and_change_no_terminal(tmp_path, capsys):
    path = tmp_path / "regions.geojson"
    table().to_file(path)
    collection = json.loads(path.read_text())
    many = {f"field {number}": 1 for number in range(20)}
    collection["features"][0]["properties"] |= {"\x1b[31mred": 1, "[" * 5000: 2, **many}
    path.write_text(json.dumps(collection))
    load_regions(path)
    said = capsys.readouterr().err
    assert "?[31mred, " + "[" * 60 + "..., field 0, " in said and "and 12 more (used:" in said
    assert len(said) < len(str(path)) + 300 and "\x1b" not in said


@pytest.mark.parametrize("title", ["a\nb", "a\u2028b", "x" * 201, "\ud800", "a\0b", "\x1b[31m"])
def test_titles_that_no_picture_can_carry_are_refused(tmp_path, title):
    with pytest.raises(ConfigError, match="'here': its title has"):
        loaded(tmp_path, feature(title=title))


@pytest.mark.parametrize("title", ["The Alps, \u201cmiddle\u201d", "x" * 200, "\u6ce2\u539f", 2024, None])
def test_other_titles_are_taken(tmp_path, title):
    assert loaded(tmp_path, feature(title=title)).title == str(title or "here")


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, '{"type": ' + "9" * 5000 + "}"])
def test_files_that_break_parsers_are_refused(tmp_path, text):
    (tmp_path / "regions.geojson").write_text(text)
    with pytest.raises(ConfigError, match="is no file of regions"):
        load_regions(tmp_path / "regions.geojson")


def test_what_never_ends_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "regions.geojson")
    for path in (tmp_path / "regions.geojson", Path("/dev/zero")):
        with pytest.raises(ConfigError, match="it is no regular file"):
            load_regions(path)


def test_a_file_too_large_for_regions_is_refused_at_once(tmp_path):
    with (tmp_path / "regions.geojson").open("wb") as file:
        file.truncate(40_000_000)
    with pytest.raises(ConfigError, match="larger than 32,000,000 bytes"):
        load_regions(tmp_path / "regions.geojson")


def _box(west, south, east, north, *more):
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return [[[*corner, *more] for corner in ring]]


def _file(folder, geometry, body="mars", **members):
    properties = {"name": "a", "body": body, "role": "mosaic" if body == "mars" else "train"}
    feature = {"type": "Feature", "properties": properties, "geometry": geometry}
    path = folder / "r.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature], **members}))
    return path


@pytest.mark.parametrize(
    ("parts", "west", "east"),
    [
        ([_box(350, 10, 359.9999, 12), _box(0.0001, 10, 10, 12)], -10, 10),
        ([_box(350, 10, 370, 12)], -10, 10), ([_box(170, 10, 190, 12)], 170, 190),
        ([_box(10, 10, 20, 12, 100.0, 7.0)], 10, 20),
    ],
    ids=["a hair at 360", "beyond 360", "across 180", "heights and measures"],
)  # fmt: skip
def test_ways_of_counting_to_360_and_corners_of_four_numbers(tmp_path, parts, west, east):
    region = load_regions(_file(tmp_path, {"type": "MultiPolygon", "coordinates": parts}))["a"]
    assert (region.bounds[0], region.bounds[2]) == pytest.approx((west, east), abs=1e-3)


def test_a_feature_alone_is_a_file_of_one(tmp_path):
    path = _file(tmp_path, {"type": "Polygon", "coordinates": _box(10, 44, 11, 45)}, "earth")
    path.write_text(json.dumps(json.loads(path.read_text())["features"][0]))
    assert list(load_regions(path)) == ["a"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"geometryType": "esriGeometryPolygon", "features": []}', "is Esri JSON.*ogr2ogr OUT.geojson r.geojson"),
        (b"italy\n1\n 10 44\nEND\nEND\n", "is not JSON.*ogr2ogr"), (b"\xff\xfe{\x00", "save it as UTF-8"),
    ],
    ids=["Esri JSON", "poly", "UTF-16"],
)  # fmt: skip
def test_other_files_of_polygons_are_told_the_command(tmp_path, content, said):
    (tmp_path / "r.geojson").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load_regions(tmp_path / "r.geojson")


@pytest.mark.parametrize("name", ["IAU2000:49900", "urn:ogc:def:crs:IAU:2015:49900", "IAU:49900"])
def test_the_crs_of_mars_as_programs_spell_it(tmp_path, name):
    crs = {"type": "name", "properties": {"name": name}}
    path = _file(tmp_path, {"type": "Polygon", "coordinates": _box(235, -5, 243, 2)}, crs=crs)
    assert load_regions(path)["a"].bounds == (-125, -5, -117, 2)


@pytest.mark.parametrize(
    ("name", "like"), [("Genève 2", "'geneve-2'"), ("Italy", "'italy'"), ("\u6771\u4eac", None), (7, None)]
)
def test_a_name_that_cannot_be_gets_one_like_it(tmp_path, name, like):
    path = _file(tmp_path, {"type": "Polygon", "coordinates": _box(10, 44, 11, 45)})
    path.write_text(path.read_text().replace('"name": "a"', f'"name": {json.dumps(name)}'))
    with pytest.raises(ConfigError, match="a name is 1 to 64 lower-case letters") as told:
        load_regions(path)
    assert str(told.value).endswith(f": such as {like}" if like else "'title')")


def test_a_poly_of_geofabrik_is_told_what_to_take_instead(tmp_path):
    (tmp_path / "italy.poly").write_text("italy\n1\n 10 44\nEND\nEND\n")
    with pytest.raises(ConfigError, match=r"polygon of Osmosis.*index-v1\.json"):
        load_regions(tmp_path / "italy.poly")


def test_degrees_are_degrees_from_greenwich(tmp_path):
    """NTF (Paris) counts in grads from Paris."""
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4807"}}
    with pytest.raises(ConfigError, match="count in grads from 2"):
        load_regions(_file(tmp_path, {"type": "Polygon", "coordinates": _box(10, 44, 11, 45)}, "earth", crs=crs))

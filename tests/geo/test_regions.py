"""`regions.geojson`: what it says is what is meant, and everything wrong with it is told with its remedy."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terraform.errors import ConfigError
from terraform.geo import regions
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.regions import Region, load_regions, rectangle, select

SHIPPED = Path(__file__).parents[2] / "regions.geojson"
SQUARE = [[10, 40], [12, 40], [12, 42], [10, 42], [10, 40]]


def feature(name="alps", body="earth", role="train", geometry=None, **more):
    return {
        "type": "Feature", "properties": {"name": name, "body": body, "role": role},
        "geometry": geometry or {"type": "Polygon", "coordinates": [SQUARE]}, **more,
    }  # fmt: skip


def polygon(*ring):
    return {"type": "Polygon", "coordinates": [list(map(list, ring))]}


def written(folder, *features, **more):
    path = folder / "regions.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features), **more}))
    return path


def loaded(folder, *features, **more):
    return load_regions(written(folder, *features, **more))


def refused(folder, *features, **more):
    with pytest.raises(ConfigError) as caught:
        loaded(folder, *features, **more)
    return str(caught.value)


def test_the_regions_that_ship():
    known = load_regions(SHIPPED)
    assert known["cali"].bounds == pytest.approx((-122.0002, 33.9994, -115.3347, 39.5205), abs=1e-3)
    assert known["czech"].bounds == pytest.approx((9.9982, 45.9991, 17.9523, 51.5245))
    assert known["korolev"].bounds == pytest.approx((161.3, 70.2, 168.8, 74.3))
    assert known["mars"].bounds == pytest.approx((-180, -90, 180, 90))
    earth = {name for name, region in known.items() if region.body == EARTH}
    assert earth == {"cali", "italy", "nw", "andes", "tanzania", "nepal", "ri", "sichuan", "czech"}
    assert {region.role for region in known.values() if region.body == MARS} == {"mosaic"}


def test_what_is_written_is_what_is_read(tmp_path):
    island = polygon((0, 0), (1, 0), (1, 1), (0, 0))["coordinates"]
    several = {"type": "MultiPolygon", "coordinates": [[SQUARE], island]}
    found = loaded(tmp_path, feature(), feature("two", "mars", "mosaic", several))
    assert list(found) == ["alps", "two"]
    assert found["alps"].bounds == (10, 40, 12, 42) and found["alps"].title == "alps"
    assert found["two"].bounds == (0, 0, 12, 42) and found["two"].body == MARS


@pytest.mark.parametrize(
    "crossing",
    [
        feature(geometry=polygon((178, 0), (-178, 0), (-178, 2), (178, 2), (178, 0))),
        feature(geometry=polygon((178, 0), (-178, 0), (-178, 2), (178, 2), (178, 0)), bbox=[178, 0, -178, 2]),
        feature(
            geometry={
                "type": "MultiPolygon",
                "coordinates": [
                    polygon((178, 0), (180, 0), (180, 2), (178, 2), (178, 0))["coordinates"],
                    polygon((-180, 0), (-178, 0), (-178, 2), (-180, 2), (-180, 0))["coordinates"],
                ],
            }
        ),
    ],
)
def test_three_ways_across_the_antimeridian_are_one_region(tmp_path, crossing):
    region = loaded(tmp_path, crossing)["alps"]
    assert region.bounds == (178, 0, 182, 2)
    assert region.geometry.area == pytest.approx(8)
    assert region.fingerprint == Region("x", EARTH, "train", "x", rectangle(178, 0, -178, 2)).fingerprint


def test_the_whole_planet_is_not_a_crossing(tmp_path):
    ring = polygon((-180, -90), (180, -90), (180, 90), (-180, 90), (-180, -90))
    assert loaded(tmp_path, feature(geometry=ring))["alps"].bounds == (-180, -90, 180, 90)


@given(st.permutations(range(4)), st.booleans())
def test_the_fingerprint_is_of_the_ground_not_of_how_it_is_written(order, backwards):
    corners = SQUARE[:4]
    start = order[0]
    ring = corners[start:] + corners[:start]
    ring = (ring[::-1] if backwards else ring) + [(ring[::-1] if backwards else ring)[0]]
    one = regions._region(feature(), 0)
    other = regions._region(feature("other", role="test", geometry=polygon(*ring)), 0)
    assert one.fingerprint == other.fingerprint
    moved = regions._region(feature(geometry=polygon(*[(x + 0.001, y) for x, y in ring])), 0)
    assert one.fingerprint != moved.fingerprint
    assert one.fingerprint != regions._region(feature(body="mars"), 0).fingerprint


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (feature(geometry=polygon((40, 100), (42, 100), (42, 102), (40, 100))), ["'alps'", "latitude first", "swap"]),
        (feature(geometry=polygon((500000, 4.9e6), (5e5, 5e6), (6e5, 5e6), (500000, 4.9e6))), ["'alps'", "reproject"]),
        (feature(geometry=polygon((0, 0), (2, 2), (2, 0), (0, 2), (0, 0))), ["'alps'", "not valid", "redraw"]),
        (feature(geometry=polygon((0, 0), (2, 2), (4, 4), (0, 0))), ["'alps'"]),
        (feature(geometry=polygon((0, 0), (2, 2), (0, 0))), ["'alps'", "needs 4"]),
        (feature(geometry=polygon((0, 0), (2, 0), (2, 2), (0, 1))), ["'alps'", "not closed"]),
        (feature(geometry=polygon((0, "a"), (2, 0), (2, 2), (0, "a"))), ["'alps'", "pair of numbers"]),
        (feature(geometry={"type": "Point", "coordinates": [1, 2]}), ["'alps'", "Point", "polygon"]),
        (feature(geometry={"type": "Polygon", "coordinates": []}), ["'alps'", "no coordinates"]),
        (feature(body="venus"), ["'alps'", "'venus'", "earth, mars"]),
        (feature(role="training"), ["'alps'", "'training'", "validation"]),
        (feature(name="../../etc"), ["'../../etc'", "lower-case"]),
        (feature(name="Alps"), ["'Alps'", "lower-case"]),
        (feature(name="con"), ["'con'", "reserved"]),
        (feature(name=""), ["lower-case"]),
        (feature(name="a" * 65), ["1 to 64"]),
        ({"type": "Feature", "properties": None, "geometry": None}, ["no properties", "name, body and role"]),
        ("text", ["no properties"]),
    ],
)
def test_what_is_wrong_with_a_region_is_told(tmp_path, wrong, words):
    said = refused(tmp_path, feature("fine"), wrong)
    assert all(word in said for word in words), said
    assert "fine" not in said


def test_misspelt_properties_and_missing_geometries_are_told(tmp_path):
    typed = feature(role=None)
    typed["properties"]["Rolle"] = "test"
    assert "is it the property 'Rolle'? Call it 'role'" in refused(tmp_path, typed)
    bare = feature()
    bare["geometry"] = None
    assert "draw a polygon" in refused(tmp_path, bare)


def test_every_mistake_is_a_line_of_its_own(tmp_path):
    said = refused(tmp_path, feature("one", role="x"), feature("two", body="y"), feature("fine"), feature("fine"))
    lines = said.splitlines()
    assert len(lines) == 3
    assert "'one'" in lines[0] and "'two'" in lines[1] and "twice" in lines[2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", ["not JSON", "line 1"]),
        ("[]", ["FeatureCollection"]),
        ('{"type": "Feature"}', ["FeatureCollection"]),
        ('{"type": "FeatureCollection", "features": []}', ["no features"]),
        ('{"type": "FeatureCollection", "features": [NaN]}', ["NaN", "finite"]),
        (
            '{"type": "FeatureCollection", "crs": {"properties": {"name": "EPSG::32633"}}, "features": [1]}',
            ["32633", "reproject"],
        ),
        ('{"type": "FeatureCollection", "crs": [7], "features": [1]}', ["[7]", "reproject"]),
    ],
)
def test_files_that_are_no_regions_are_refused(tmp_path, text, words):
    path = tmp_path / "regions.geojson"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_regions(path)
    assert all(word in str(caught.value) for word in words)


def test_a_missing_or_binary_file_is_told(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        load_regions(tmp_path / "nowhere.geojson")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_regions(tmp_path / "bytes")


@given(st.data())
def test_nothing_breaks_the_reader(tmp_path_factory, data):
    """Whatever a member is replaced by, the answer is regions or a message."""
    document = {"type": "FeatureCollection", "features": [copy.deepcopy(feature())]}
    junk = data.draw(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(max_size=4),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
            max_leaves=6,
        )
    )
    place = document["features"][0]
    where = data.draw(
        st.sampled_from(["name", "body", "role", "type", "coordinates", "ring", "corner", "geometry", "bbox"])
    )
    if where in ("name", "body", "role"):
        place["properties"][where] = junk
    elif where in ("type", "coordinates"):
        place["geometry"][where] = junk
    elif where == "ring":
        place["geometry"]["coordinates"] = [junk]
    elif where == "corner":
        place["geometry"]["coordinates"] = [[*SQUARE[:2], junk, *SQUARE[3:]]]
    else:
        place[where] = junk
    path = tmp_path_factory.mktemp("fuzz") / "regions.geojson"
    path.write_text(json.dumps(document))
    try:
        assert all(isinstance(region, Region) for region in load_regions(path).values())
    except ConfigError as error:
        assert str(path) in str(error)


def test_roles_are_overridden_by_the_split_and_names_must_be_known(tmp_path):
    known = loaded(tmp_path, feature("one"), feature("two"), feature("three"))
    chosen = select(known, ["one", "two"], {"validation": ["two"]})
    assert {name: region.role for name, region in chosen.items()} == {"one": "train", "two": "validation"}
    assert list(select(known, None, {})) == ["one", "two", "three"]
    with pytest.raises(ConfigError, match="both validation and test"):
        select(known, None, {"validation": ["one"], "test": ["one"]})
    with pytest.raises(ConfigError, match=r"'four'.*one, two, three"):
        select(known, ["four"], {})

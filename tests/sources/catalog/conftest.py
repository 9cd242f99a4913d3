"""A store of four SRTM tiles."""

from pathlib import Path

import pytest
from servers.nginx import Nginx


@pytest.fixture
def tiles(file_server: Nginx, tmp_path: Path) -> Path:
    """A bucket of its own for each test: its folder; the URL is `under(...)`."""
    folder = file_server.files / f"bucket-{tmp_path.name}"
    folder.mkdir()
    return folder

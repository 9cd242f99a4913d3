"""What tests of Sentinel-2 cloudless ask, and of whom."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from servers.windows import rectangle_of
from terraform.config import Config, parse
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import grid_of, opened, read
from terraform.geo.regions import Region, rectangle
from terraform.provenance import Provenance
from terraform.sources import source_named

FAST = {
    "attempts": 3, "backoff_s": 0.01, "connect_timeout_s": 2, "read_timeout_s": 20, "deadline_s": 30,
    "longest_wait_s": 1,
}  # fmt: skip
HERE = Region("here", EARTH, "train", "Here", rectangle(10.3, 45.3, 10.7, 45.6))
asked = partial(rectangle_of, kind="imagery")


def settings(url: str, folder: Path, downloads: dict[str, Any] | None = None, **own: Any) -> Config:
    """Give a configuration whose imagery is Sentinel-2 cloudless of a server of our own, asked without patience."""
    source = {"source": "s2cloudless", "base_url": url, **own}
    cached = {"cache": str(folder / "cache"), **FAST, **(downloads or {})}
    return parse({"downloads": cached, "sources": {"earth": {"imagery": source}}})


def fetched(config: Config, where: Region, folder: Path) -> tuple[NDArray[np.uint8], RasterGrid, Provenance]:
    """Fetch a place into a folder, and read what came: (H, W, 3)."""
    source = source_named("s2cloudless", config.sources.earth.imagery, config)
    made = source.fetch(asked(where), folder / "imagery.tif")
    with opened(folder / "imagery.tif") as dataset:
        return read(dataset), grid_of(dataset), made

"""Planet rasters of tests: a configuration of one source, and what is fetched by it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from terraform.config import Config, parse
from terraform.geo.bodies import BODIES
from terraform.geo.raster import grid_of, opened, read
from terraform.provenance import Provenance
from terraform.sources import PlanetKind
from terraform.sources.fetch import fetch_planet

FAST = {
    "attempts": 3, "backoff_s": 0.01, "connect_timeout_s": 2, "read_timeout_s": 20, "deadline_s": 60,
    "longest_wait_s": 1,
}  # fmt: skip


class Fetched(NamedTuple):
    """What a planet raster holds, and what stands beside it."""

    values: NDArray[Any]
    scales: tuple[float, ...]
    names: tuple[str, ...]
    tags: dict[str, str]
    provenance: Provenance


Settings = Callable[..., Config]
Fetch = Callable[[Config, str, PlanetKind], Fetched]


@pytest.fixture
def planet_config(tmp_path: Path) -> Settings:
    """A configuration whose one planet raster has these settings."""

    def made(body: str, kind: str, cells: float = 1, rasters: str = "rasters", **source: Any) -> Config:
        downloads = {"cache": str(tmp_path / "cache"), "lock": str(tmp_path / "lock.json"), **FAST}
        # Where a climate is given, both of its kinds are.
        both = {"temperature": {"source": "sample"}, "precipitation": {"source": "sample"}}
        planet = {**(both if kind in both else {}), "cells_per_degree": cells, kind: source}
        return parse({"rasters": rasters, "downloads": downloads, "sources": {body: {"planet": planet}}})

    return made


@pytest.fixture
def fetched(tmp_path: Path) -> Fetch:
    """Fetch a planet raster and read it; its grid is checked."""

    def made(config: Config, body: str, kind: PlanetKind) -> Fetched:
        path = tmp_path / "out" / f"{kind}.tif"
        record = fetch_planet(config, BODIES[body], kind, path)
        with opened(path) as dataset:
            grid, values = grid_of(dataset), read(dataset)
            found = Fetched(values, dataset.scales, dataset.descriptions, dataset.tags(), record)
        cells = getattr(config.sources, body).planet.cells_per_degree
        assert (grid.latitudes.origin, grid.longitudes.origin) == (90, -180)
        assert values.shape[:2] == (180 * cells, 360 * cells) and grid.body.name == body
        assert np.isclose(grid.longitudes.step, 1 / cells) and np.isclose(grid.latitudes.step, -1 / cells)
        return found

    return made

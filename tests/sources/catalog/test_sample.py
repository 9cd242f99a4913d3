"""The adapter of the synthetic world: the rasters it writes are the functions it promises."""

from pathlib import Path

import numpy as np
import pytest

from terraform.config import Config, SampleSource
from terraform.errors import ConfigError
from terraform.geo.bodies import EARTH, MARS, Body
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import SEA, VOID
from terraform.geo.raster import grid_of, opened, read
from terraform.geo.regions import Region, rectangle
from terraform.geo.resample import Axis
from terraform.sample_world import earth as sample_earth
from terraform.sample_world import mars as sample_mars
from terraform.sources import Request
from terraform.sources.catalog import sample


def request(body: Body, kind: str, west: float, north: float, rows: int = 300, columns: int = 40) -> Request:
    region = Region("here", body, "train", "Here", rectangle(west, north - 1, west + 1, north))
    grid = RasterGrid(body, Axis(north, -0.01, rows), Axis(west, 0.01, columns))
    return Request(region, kind, grid)  # type: ignore[arg-type]


def test_heights_and_sea_are_the_functions_of_the_pixel_centres(tmp_path: Path) -> None:
    asked = request(EARTH, "elevation", 7.0, 46.0)
    made = sample.build(SampleSource(), Config(seed=3)).fetch(asked, tmp_path / "e.tif")
    with opened(tmp_path / "e.tif") as dataset:
        stored, grid, tags = read(dataset), grid_of(dataset), dataset.tags()
    relief = sample_earth.elevation(grid.longitudes.centres(), grid.latitudes.centres(), 3)
    assert grid.latitudes.count == 300
    assert not (stored == VOID).any()
    assert ((stored == SEA) == relief.sea).all()
    assert np.abs(stored - relief.elevation_m)[~relief.sea].max() <= 0.5
    assert made.synthetic and made.licence == "CC0-1.0" and tags["SYNTHETIC_INPUT"] == "true"


def test_imagery_does_not_depend_on_the_strips(tmp_path: Path) -> None:
    asked = request(EARTH, "imagery", -122.0, 38.0)
    sample.build(SampleSource(), Config()).fetch(asked, tmp_path / "i.tif")
    with opened(tmp_path / "i.tif") as dataset:
        stored, grid = read(dataset), asked.grid
    whole = sample_earth.imagery(grid.longitudes.centres(), grid.latitudes.centres(), 0, (0.01, 0.01))
    assert stored.shape == (300, 40, 3)
    assert np.array_equal(stored, np.where((whole == 0).all(-1, keepdims=True), 1, whole))


def test_mars_has_heights_at_the_pole_and_no_imagery(tmp_path: Path) -> None:
    asked = request(MARS, "elevation", 0.0, -87.01, rows=300)
    sample.build(SampleSource(), Config()).fetch(asked, tmp_path / "m.tif")
    with opened(tmp_path / "m.tif") as dataset:
        stored = read(dataset)
    lat = np.clip(asked.grid.latitudes.centres(), -90, 90)
    expected = sample_mars.elevation(asked.grid.longitudes.centres(), lat, 0)
    assert np.abs(stored - expected).max() <= 0.5
    with pytest.raises(ConfigError, match="no imagery of mars"):
        sample.build(SampleSource(), Config()).fetch(request(MARS, "imagery", 0, 10), tmp_path / "i.tif")
    assert not (tmp_path / "i.tif").exists()

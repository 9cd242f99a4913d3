"""Fetching: the source of config, the raster and its provenance beside it."""

import hashlib
import inspect
from importlib import import_module
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from terraform import provenance
from terraform.config import SOURCES, Config, parse
from terraform.errors import ConfigError, InputError
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.grid import download_grid, extent
from terraform.geo.raster import grid_of, opened
from terraform.geo.regions import Region, rectangle
from terraform.sources import module_of, source_named
from terraform.sources.fetch import fetch, settings_of

HERE = Region("here", EARTH, "train", "Here", rectangle(10.0, 44.6, 10.6, 45.0))
THERE = Region("there", MARS, "mosaic", "There", rectangle(10.0, 4.6, 10.6, 5.0))


def own(folder: Path) -> Config:
    path = folder / "own" / "here.tif"
    path.parent.mkdir()
    ground = np.full((300, 400), 321, np.int16)
    with rasterio.open(
        path, "w", driver="GTiff", height=300, width=400, count=1, dtype="int16", crs="EPSG:4326",
        transform=Affine(0.002, 0, 9.9, 0, -0.002, 45.1),
    ) as dataset:  # fmt: skip
        dataset.write(ground, 1)
    source = {"source": "files", "path": "{rasters}/{region}.tif", "licence": "CC-BY-4.0", "attribution": "Me"}
    return parse({"rasters": str(path.parent), "sources": {"earth": {"elevation": source}}})


def test_a_download_lies_beside_its_provenance(tmp_path: Path) -> None:
    made = fetch(own(tmp_path), HERE, "elevation", tmp_path / "resources" / "elevation.tif")
    path = tmp_path / "resources" / "elevation.tif"
    assert provenance.read(tmp_path / "resources" / "elevation.json") == made
    assert made.licence == "CC-BY-4.0" and made.attribution == "Me"
    assert made.details["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert made.details["fingerprint"] == HERE.fingerprint
    assert made.details["files"] == ["here.tif"]
    assert str(tmp_path) not in (tmp_path / "resources" / "elevation.json").read_text()
    with opened(path) as dataset:
        assert dataset.tags()["LICENCE"] == "CC-BY-4.0"
        grid = grid_of(dataset)
    window = extent(HERE)
    assert grid.longitudes.origin <= window.west and grid.longitudes.end >= window.east
    assert grid.latitudes.origin >= window.north and grid.latitudes.end <= window.south


def test_the_synthetic_world_is_the_default(tmp_path: Path) -> None:
    made = fetch(parse({"seed": 5}), THERE, "elevation", tmp_path / "elevation.tif")
    assert made.synthetic and made.details["seed"] == 5
    with opened(tmp_path / "elevation.tif") as dataset:
        assert grid_of(dataset).latitudes.count == download_grid(THERE).latitudes.count


def test_mars_has_no_imagery(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sources\.mars has no imagery: region 'there'"):
        fetch(Config(), THERE, "imagery", tmp_path / "imagery.tif")


def test_the_folder_of_rasters_is_replaced_and_need_not_be_there(tmp_path: Path) -> None:
    config = own(tmp_path).model_copy(update={"rasters": str(tmp_path / "{odd} folder")})
    assert settings_of(config, HERE, "elevation").path == [f"{tmp_path}/{{{{odd}}}} folder/{{region}}.tif"]
    with pytest.raises(InputError, match="check `path`, and `rasters`"):
        fetch(config, HERE, "elevation", tmp_path / "out.tif")
    assert not (tmp_path / "out.tif").exists() and not (tmp_path / "out.json").exists()


def test_unknown_sources_are_refused() -> None:
    with pytest.raises(ConfigError, match="source 'nasa' is unknown: use one of sample, files"):
        source_named("nasa", {}, Config())
    assert module_of("files") == "terraform.sources.catalog.files"


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_a_module_of_its_name(name: str) -> None:
    module = import_module(module_of(name))
    settings = next(iter(inspect.signature(module.build).parameters.values()))
    assert get_args(get_type_hints(settings.annotation)["source"]) == (name,)

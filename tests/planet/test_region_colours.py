"""Smooth colours of regions on the planet grid, and a base model that is matched to them."""

import json
from pathlib import Path

import numpy as np
import pytest

from terraform import provenance
from terraform.basemap.model import load
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import SEA
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.resample import Axis
from terraform.planet.base_model import fit_base_model
from terraform.planet.rasters import read_bands
from terraform.planet.region_colours import read_region, smooth_colours
from terraform.provenance import Credit, Provenance

STEP = 1 / 40
LIES = RasterGrid(EARTH, Axis(48.0, -STEP, 320), Axis(4.0, STEP, 480))
FINE = PlanetGrid(EARTH, 12)


def slope():
    """Imagery that brightens to the east by 20 levels a degree, (320, 480, 3)."""
    return np.broadcast_to((20 + 20 * (LIES.longitudes.centres() - 4))[None, :, None], (320, 480, 3)).astype(np.uint8)


def test_colours_are_those_of_the_cells_places():
    found = smooth_colours(slope(), np.ones((320, 480), bool), LIES, FINE)
    here = 20 + 20 * (FINE.longitude_deg[found.columns] - 4)
    assert found.box == pytest.approx((4, 40, 16, 48)) and found.good.all()
    assert np.abs(FINE.latitude_deg[found.rows][[0, -1]] - (48, 40)).max() < 0.3
    inside = slice(8, -8)
    assert np.abs(255 * found.colours[inside, inside] - here[None, inside, None]).max() < 1.5


def test_sea_and_voids_are_in_no_colour_of_land():
    picture, land = np.full((320, 480, 3), 100, np.uint8), np.ones((320, 480), bool)
    picture[:, :200], land[:, :200] = 7, False
    picture[200:] = 0
    found = smooth_colours(picture, land, LIES, FINE)
    assert np.abs(255 * found.colours[found.good] - 100).max() < 0.1
    assert not found.good[:, :55].any() and not found.good[-35:].any() and found.good[10:50, 70:-10].all()


def region(folder: Path, source: Path, factor: float, west: float, body=EARTH) -> Path:
    """A region of a planet's own picture, darkened, at a fifth of its cells; its heights lie on another grid."""
    folder.mkdir(parents=True)
    grid, levels, _ = read_bands(source / "imagery.tif")
    _, metres, _ = read_bands(source / "elevation.tif")
    lies = RasterGrid(body, Axis(50.0, -0.2, 100), Axis(west, 0.2, 200))
    rows = np.floor((90 - lies.latitudes.centres()) / grid.cell_deg).astype(int)
    columns = np.floor((lies.longitudes.centres() + 180) / grid.cell_deg).astype(int)
    colours = np.maximum(np.rint(levels[np.ix_(rows, columns)] * factor), 1).astype(np.uint8)
    heights = np.where(metres < 0, SEA, metres)[np.ix_(rows, columns)].astype(np.int16)[::2, ::2]
    half = RasterGrid(body, Axis(50.0, -0.4, 50), Axis(west, 0.4, 100))
    for name, on, values, bands, dtype in (
        ("imagery", lies, colours, 3, "uint8"),
        ("elevation", half, heights, 1, "int16"),
    ):
        raster.write_strips(folder / f"{name}.tif", on, [values], bands, dtype, {})
        made = Provenance((Credit("files", "CC-BY-NC-SA-4.0", f"{name} of a region"),))
        provenance.write(made, folder / f"{name}.json")
    return folder


def fitted(planets: Path, output: Path, settings, left_out, *regions: Path) -> dict[str, float]:
    rasters = [planets / "earth" / f"{name}.tif" for name in ("elevation", "imagery", "climate")]
    fit_base_model(*rasters, output, settings.basemap, left_out, 0, regions)
    return json.loads((output / "skill.json").read_text())


def test_the_base_model_takes_the_colours_of_the_regions(planets, settings, tmp_path):
    dark = region(tmp_path / "dark", planets / "earth", 0.7, -100.0)
    skill = fitted(planets, tmp_path / "out", settings, {}, dark)
    assert skill["matching"]["after"] < 0.4 * skill["matching"]["before"]
    model, before = (load(folder / "base-model.safetensors") for folder in (tmp_path / "out", planets))
    seen = np.zeros((1, len(model.features)), np.float32)
    assert (model.colours(seen) < 0.9 * before.colours(seen)).all()
    assert model.texts["LICENCE"] == "CC-BY-NC-SA-4.0" and "imagery of a region" in model.texts["ATTRIBUTION"]


def test_nothing_is_taken_from_a_region_where_it_is_held_out(planets, settings, tmp_path):
    own = region(tmp_path / "own", planets / "earth", 0.7, -100.0)
    with pytest.raises(InputError, match="colours cannot be matched"):
        fitted(planets, tmp_path / "out", settings, {"all": (-101.0, 29.0, -59.0, 51.0)}, own)


def test_a_region_of_another_body_is_refused(planets, tmp_path):
    folder = region(tmp_path / "other", planets / "earth", 1.0, -100.0, MARS)
    with pytest.raises(InputError, match="is of mars, colours of earth are matched"):
        read_region(folder, FINE)

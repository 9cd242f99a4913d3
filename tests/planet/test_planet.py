"""The planet stage on small synthetic planets: climates, the base model and its skill, base colours."""

import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from PIL import Image

from terraform.basemap.model import load
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.heights import SEA, VOID
from terraform.planet.base_colours import draw_base_colours
from terraform.planet.climate import make_climate
from terraform.planet.rasters import fill, raster_grid, read_bands, read_climate, read_land, read_months
from terraform.planet.tints import read_tints


def drawn(planets, body, output, basemap):
    draw_base_colours(
        planets / "base-model.safetensors", planets / body / "elevation.tif", planets / body / "climate.tif", output,
        basemap,
    )  # fmt: skip
    return read_bands(output / "base.tif")


def test_an_observed_climate_is_that_of_its_rasters(planets):
    climate, made = read_climate(planets / "earth/climate.tif")
    grid, warmth = read_months(planets / "earth/temperature.tif")
    assert climate.grid.cells_per_degree == 0.5 and made.licence == "CC0-1.0"
    np.testing.assert_allclose(climate.monthly.temperature, grid.coarsened(warmth, climate.grid), atol=0.01)
    assert (climate.monthly.precipitation >= 0).all()


def test_a_simulated_climate_follows_its_knobs(planets, settings, tmp_path):
    elevation, own = planets / "mars/elevation.tif", settings.climate.mars
    before, _ = read_climate(planets / "mars/climate.tif")
    assert before.lapse_rate_k_per_km == pytest.approx(own.lapse_rate_k_per_km, rel=1e-4)
    warmer = own.model_copy(update={"mean_temperature_c": own.mean_temperature_c + 8})
    make_climate(elevation, None, tmp_path / "warm", warmer, 0.5)
    after, _ = read_climate(tmp_path / "warm/climate.tif")
    rise = after.monthly.annual_temperature - before.monthly.annual_temperature
    assert 6 < after.grid.mean(rise) < 16
    make_climate(elevation, None, tmp_path / "flood", own.model_copy(update={"shoreline_m": 1000.0}), 0.5)
    flood, _ = read_climate(tmp_path / "flood/climate.tif")
    assert (flood.height_m == 0).mean() > (before.height_m == 0).mean() + 0.05


def test_pictures_of_the_climate_lie_beside_it(planets):
    for name in ("temperature.jpg", "precipitation.jpg", "koeppen.png"):
        assert Image.open(planets / "mars" / name).size[0] == 180


def test_the_base_model_says_how_good_it_is_where_it_did_not_learn(planets):
    skill = json.loads((planets / "skill.json").read_text())
    assert skill["cells"]["box"] > 100
    for place in ("learnt_from", "box"):
        assert skill["base_model"][place] < skill["height_and_latitude"][place] < skill["one_colour"][place] + 5
    texts = load(planets / "base-model.safetensors").texts
    assert texts["LICENCE"] == "CC0-1.0" and "box" in texts["PROVENANCE"]


def test_tints_are_those_of_the_climate_at_every_height(planets, settings, tmp_path):
    drawn(planets, "mars", tmp_path, settings.basemap)
    tints = read_tints(tmp_path / "tints.tif", MARS)
    climate, made = read_climate(planets / "mars/climate.tif")
    assert tints.colours.shape == (*climate.grid.shape, 3 * len(tints.levels_m))
    assert tints.shoreline_m == climate.shoreline_m and tints.provenance.licence == made.licence
    with pytest.raises(InputError, match="holds tints of mars, expected those of earth"):
        read_tints(tmp_path / "tints.tif", EARTH)


@pytest.mark.parametrize(
    "tags", [{"HEIGHTS_M": "3 2 1"}, {"HEIGHTS_M": "0 x"}, {"SHORELINE_M": "nan"}, {"PROVENANCE": "{"}]
)
def test_damaged_tints_are_refused(planets, settings, tmp_path, tags):
    drawn(planets, "mars", tmp_path, settings.basemap)
    with rasterio.open(tmp_path / "tints.tif", "r+") as dataset:
        dataset.update_tags(**tags)
    with pytest.raises(InputError, match="holds no tints of a body"):
        read_tints(tmp_path / "tints.tif", MARS)


@pytest.mark.parametrize("body", ["earth", "mars"])
def test_base_colours_hold_land_and_sea_apart(planets, settings, tmp_path, body):
    grid, levels, tags = drawn(planets, body, tmp_path, settings.basemap)
    assert levels.shape == (*grid.shape, 6) and levels.dtype == np.uint8
    assert tags["ATTRIBUTION"] and tags["SYNTHETIC_INPUT"] == "true"
    # Everywhere, not only where there is land or sea: nothing bleeds over a coast.
    assert (levels[..., :3].std(axis=(0, 1)) > 5).all()
    tropics = abs(grid.latitude_deg) < 20
    assert levels[tropics][..., 5].mean() > levels[tropics][..., 3].mean(), "the sea is blue"
    assert Image.open(tmp_path / "preview.jpg").size[0] == grid.width


def test_sea_is_what_is_marked_or_what_lies_below(planets, tmp_path):
    source = planets / "earth/elevation.tif"
    grid, metres, _ = read_bands(source)
    assert (read_land(source, 0.0).land == (metres >= 0)).all()
    assert (read_land(source, 500.0).land == (metres >= 500)).all()
    marked = metres.copy()
    marked[:90], marked[90:, :180] = SEA, -50
    raster.write_strips(tmp_path / "marked.tif", raster_grid(grid), [marked], 1, "int16", {})
    land = read_land(tmp_path / "marked.tif", 0.0)
    assert not land.land[:90].any() and land.land[90:, :180].all(), "land below the shoreline stays land"
    assert not read_land(tmp_path / "marked.tif", 10.0).land[90:, :180].any()


def test_voids_are_filled_from_near(planets):
    grid, _, _ = read_bands(planets / "earth/elevation.tif")
    smooth = np.broadcast_to(grid.latitude_deg[:, None], grid.shape).astype(np.float32)[None]
    valid = np.ones(grid.shape, bool)
    valid[:10], valid[80:90, 100:110] = False, False
    filled = fill(np.where(valid, smooth, VOID).astype(np.float32), valid, grid, planets)
    assert np.abs(filled - smooth)[0, 80:90, 100:110].max() < 3
    assert filled[0, :10].min() > 70
    with pytest.raises(InputError, match="void everywhere"):
        fill(smooth, np.zeros(grid.shape, bool), grid, planets)


def test_a_month_that_was_not_learnt_is_refused(planets, settings, tmp_path):
    july = settings.basemap.model_copy(update={"month": 7})
    with pytest.raises(InputError, match=r"basemap\.month is 7, the base model has learnt the composite"):
        drawn(planets, "mars", tmp_path, july)


def test_files_that_are_something_else_are_refused(planets, tmp_path):
    with pytest.raises(InputError, match="no climate of a body"):
        read_climate(planets / "earth/elevation.tif")
    with pytest.raises(InputError, match="has not the 12 bands"):
        read_months(planets / "earth/imagery.tif")
    grid = raster_grid(read_bands(planets / "earth/elevation.tif")[0])
    half = replace(grid, latitudes=grid.latitudes.part(0, 90))
    raster.write_strips(tmp_path / "half.tif", half, [np.zeros((90, 360), np.int16)], 1, "int16", {})
    with pytest.raises(InputError, match="expected a whole body"):
        read_bands(tmp_path / "half.tif")

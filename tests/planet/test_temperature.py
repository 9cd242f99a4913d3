"""Temperature at the shoreline: smooth where relief is not, the same for pairs as for mosaics, whatever the tile."""

import json

import numpy as np
import pytest

from benchmarks.world import make_pairs
from terraform import provenance
from terraform.config.climate import EARTH_CLIMATE
from terraform.errors import InputError
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.heights import SEA
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.raster import write_strips
from terraform.geo.resample import Axis
from terraform.pairs.store import TILE, open_pairs, save_array
from terraform.planet.rasters import raster_grid
from terraform.planet.temperature import add_temperature, observed, of_climate
from terraform.provenance import Credit, Provenance

MADE = Provenance((Credit("files", "CC-BY-4.0", "weather stations", True),))
LAPSE = EARTH_CLIMATE.lapse_rate_k_per_km


def at_the_datum(lon, lat):
    """Smooth on the sphere, the antimeridian included, degrees Celsius."""
    return 27 - 40 * np.sin(np.radians(lat)) ** 2 + 3 * np.cos(np.radians(lat)) * np.cos(np.radians(lon))


def write(path, body, bands, cells):
    grid = raster_grid(PlanetGrid(body, cells))
    write_strips(
        path, grid, [bands], bands.shape[-1] if bands.ndim == 3 else 1, "int16", {}, 0.1 if bands.ndim == 3 else 1
    )
    provenance.write(MADE, provenance.beside(path))
    return path


@pytest.fixture(scope="module")
def rasters(tmp_path_factory):
    """Temperature of an Earth whose every other cell of 1/2 degree is 3 km high, and a sea; its heights are finer."""
    folder = tmp_path_factory.mktemp("earth")
    grid = PlanetGrid(EARTH, 2)
    high = np.indices(grid.shape).sum(axis=0) % 2 * 3000
    high[:, 300:340] = 0
    year = at_the_datum(grid.longitude_deg[None], grid.latitude_deg[:, None]) - LAPSE * high / 1000
    months = year[..., None] + 8 * np.sin(np.arange(12) * np.pi / 6)
    metres = high.repeat(2, axis=0).repeat(2, axis=1)
    metres[:, 600:680] = SEA
    temperature = write(folder / "temperature.tif", EARTH, np.rint(months * 10).astype(np.int16), 2)
    return temperature, write(folder / "elevation.tif", EARTH, metres.astype(np.int16), 4)


def test_what_is_reduced_to_the_datum_knows_no_relief(rasters):
    level = observed(*rasters)
    lon, lat = level.grid.longitude_deg[None], level.grid.latitude_deg[:, None]
    assert np.abs(level.celsius - at_the_datum(lon, lat)).max() < 0.06
    assert (level.lapse_rate_k_per_km, level.shoreline_m) == (LAPSE, 0.0)


def test_a_climate_is_reduced_by_its_own_heights_and_rate(planets):
    level, (earth, mars) = (
        of_climate(planets / "earth/climate.tif"),
        (EARTH_CLIMATE, of_climate(planets / "mars/climate.tif")),
    )
    assert level.lapse_rate_k_per_km == pytest.approx(earth.lapse_rate_k_per_km, rel=1e-4)
    assert mars.lapse_rate_k_per_km == pytest.approx(0.66 * 3.721, rel=1e-4) and mars.shoreline_m == -2500
    own = observed(planets / "earth/temperature.tif", planets / "earth/elevation.tif")
    coarse = own.grid.coarsened(own.celsius, level.grid)
    np.testing.assert_allclose(coarse, level.celsius, atol=0.3)  # the same law for pairs and for mosaics of Earth


@pytest.fixture
def pairs(tmp_path):
    """Three tiles: two neighbours across the antimeridian, and one in the far north."""
    folder = make_pairs(tmp_path / "somewhere", 3)
    tiles = [(0, i, 0, 0, 0.25, west, 0.0, west + 0.5, 0.5) for i, west in enumerate((179.5, -180.0))]
    save_array(folder / "tiles.npy", np.array([*tiles, (0, 0, 0, 0, 79.75, 10.0, 79.5, 12.0, 80.0)], TILE))
    return folder


def test_pairs_get_the_temperature_of_their_cells(rasters, pairs):
    add_temperature(pairs, *rasters)
    stored = open_pairs(pairs, climate=True)
    assert stored.lapse_rate_k_per_km == pytest.approx(LAPSE)
    assert "weather stations" in stored.provenance.attribution and "synthetic" in stored.provenance.attribution
    for tile, cells in zip(stored.tiles, stored.temperature, strict=True):
        high, wide = (tile["north"] - tile["south"]) / 16, (tile["east"] - tile["west"]) / 16
        lat = Axis(tile["north"] + 2 * high, -high, 20).centres()[:, None]
        lon = Axis(tile["west"] - 2 * wide, wide, 20).centres()[None]
        # A spline through cells of half a degree smooths a curved field a little.
        assert np.abs(cells - at_the_datum(lon, lat)).max() < 0.1


def test_neighbours_agree_where_their_margins_overlap(rasters, pairs):
    add_temperature(pairs, *rasters)
    west, east, _ = open_pairs(pairs, climate=True).temperature
    np.testing.assert_allclose(west[:, 16:], east[:, :4], atol=1e-4)


def test_pairs_without_it_or_with_that_of_other_tiles_are_refused(rasters, pairs):
    (pairs / "temperature.npy").unlink()
    assert open_pairs(pairs).temperature is None
    with pytest.raises(InputError, match="has no temperature of its places"):
        open_pairs(pairs, climate=True)
    save_array(pairs / "temperature.npy", np.zeros((2, 20, 20), np.float32))
    with pytest.raises(InputError, match="is of 2 tiles"):
        open_pairs(pairs, climate=True)


def test_rasters_that_do_not_belong_together_are_refused(rasters, pairs, planets, tmp_path):
    with pytest.raises(InputError, match="give both of one body"):
        observed(rasters[0], planets / "mars/elevation.tif")
    document = json.loads((pairs / "provenance.json").read_text())
    document["details"]["body"] = MARS.name
    (pairs / "provenance.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="is of mars"):
        add_temperature(pairs, *rasters)

"""The air's temperature in mosaics: the same law at every place, whatever window, strip or policy draws it.

A network that repeats the channel has an exact answer.
"""

from pathlib import Path

import numpy as np
import pytest
from exact import CLIP, MADE, SMALL_M, Same, base_raster, download, hills, read, region_of, small_planet, trained
from shapely.geometry import box

from terraform.climate.monthly import MonthlyClimate
from terraform.config import Condition, Elevation
from terraform.errors import InputError
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.planet_grid import PlanetGrid
from terraform.mosaic import any_raster, inputs
from terraform.mosaic.bands import GlobalGrid
from terraform.mosaic.base.air_choice import air_chooser, choose_air
from terraform.mosaic.base.air_map import AirMap, ChosenAir
from terraform.mosaic.region import render_region
from terraform.pairs import relief
from terraform.planet.rasters import StoredClimate, write_climate
from terraform.storage import models

AIR = Condition(channels=["air_temperature"], resolution_m=0)
SEA = CLIP.model_copy(update={"elevation": Elevation(policy="sea_level", shoreline_m=1900)})
LAND = CLIP.model_copy(update={"elevation": Elevation(policy="sea_level", shoreline_m=400)})
LAPSE = 14.0
"""Steep, so that a height shows."""


def repeating(weights=None, settings=None):
    return trained(Same(), AIR, stride=4, halo_px=4)


@pytest.fixture(autouse=True)
def _known_network(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("w").write_bytes(b"an exact answer")
    monkeypatch.setattr(inputs, "load_generator", repeating)
    monkeypatch.setattr(relief, "AIR_SCALE_C", 40.0)  # so that a level is as much everywhere
    monkeypatch.setattr(models, "_MODELS", (tmp_path / "models",))


def at_the_shoreline(lon, lat):
    """Smooth on the sphere, poles and antimeridian included; -13 to 28 degrees Celsius."""
    lon, lat = np.radians(lon), np.radians(lat)
    return 20 - 30 * np.sin(lat) ** 2 + 8 * np.cos(lat) * np.cos(2 * lon + 1) * np.cos(lat)


def level(celsius):
    return (np.tanh(celsius / 40) + 1) * 127.5


def climate_file(path, body=MARS, shoreline_m=1900.0, cells=2, height_m=1500.0):
    """A climate of cells that all lie 1500 m above the shoreline, with seasons."""
    grid = PlanetGrid(body, cells)
    year = at_the_shoreline(grid.longitude_deg[None], grid.latitude_deg[:, None]) - LAPSE * height_m / 1000
    months = (year + 5 * np.sin(np.arange(12) * np.pi / 6)[:, None, None]).astype(np.float32)
    path.parent.mkdir(exist_ok=True, parents=True)
    height = np.full(grid.shape, height_m, np.float32)
    stored = StoredClimate(grid, MonthlyClimate(months, np.ones_like(months)), height, LAPSE, 3.7, shoreline_m)
    write_climate(path, stored, MADE)
    return path


def law_of_the_small_planet(body):
    grid = PlanetGrid(body, 2)
    at = at_the_shoreline(grid.longitude_deg[None], grid.latitude_deg[:, None]).astype(np.float32)
    return ChosenAir(lambda shoreline_m: AirMap(at, LAPSE), "a law", ["law"], MADE)


def test_a_whole_planet_is_as_cold_as_its_place_and_height(tmp_path, monkeypatch):
    """Bands, cross-fades, caps, poles and the antimeridian; the sea has the temperature of the shoreline."""
    monkeypatch.setattr(any_raster, "choose_air", lambda given, base, trained, body: law_of_the_small_planet(body))
    any_raster.render_raster(Path("w"), small_planet(tmp_path / "e.tif"), tmp_path / "out.tif", SEA)
    picture, valid = read(tmp_path / "out.tif")
    globe = GlobalGrid(SMALL_M)
    lon, lat = globe.longitudes.centres()[None], globe.latitudes.centres()[:, None]
    height = np.maximum(hills(lon, lat) - 1900, 0)
    expected = level(at_the_shoreline(lon, lat) - LAPSE * height / 1000)
    assert valid.all() and np.ptp(expected) > 60
    error = np.abs(picture[..., 0] - expected)
    # Where strips meet they are cross-faded, and a coast is a kink.
    assert error.max() < 3 and (error > 1.2).mean() < 0.002


def rough(lon, lat):
    """Ridges some ten pixels apart, some below the shoreline."""
    return hills(lon, lat) + 800 * np.sin(40 * lon) * np.sin(30 * lat)


def drawn(tmp_path, settings, name, climate=None):
    region = region_of(box(178.5, 63.8, 181.5, 65.9))
    path = tmp_path / "e.tif"
    elevation = path if path.exists() else download(path, region, rough)
    render_region(Path("w"), elevation, region, tmp_path / name, settings, air=air_chooser(climate, None))
    return read(tmp_path / name / "terraformed.tif")[0]


def test_windows_agree_to_the_pixel(tmp_path):
    climate = climate_file(tmp_path / "c/climate.tif")
    sizes = (256, 1024)
    pictures = [drawn(tmp_path, LAND.model_copy(update={"window_px": px}), str(px), climate) for px in sizes]
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    assert (pictures[0] != pictures[1]).mean() < 1e-3
    assert np.ptp(pictures[0]) > 10


@pytest.mark.parametrize("policy", ["affine", "quantile", "relief"])
def test_a_policy_changes_the_relief_and_makes_nothing_warmer(tmp_path, policy):
    climate = climate_file(tmp_path / "c/climate.tif")
    plain = drawn(tmp_path, LAND, "plain", climate)
    assert np.ptp(plain) > 10
    other = CLIP.model_copy(update={"elevation": Elevation(policy=policy, shoreline_m=400)})
    assert np.abs(drawn(tmp_path, other, policy, climate) - plain).max() <= 1


def test_a_climate_of_another_shoreline_is_taken_to_that_of_the_mosaic(tmp_path):
    """The same column of air; a higher shoreline is colder."""
    one = drawn(tmp_path, CLIP, "datum", climate_file(tmp_path / "c/climate.tif"))
    lower = climate_file(tmp_path / "d/climate.tif", shoreline_m=900.0)
    colder = one - drawn(tmp_path, CLIP, "lower", lower)
    warmth = 40 * np.arctanh(one / 127.5 - 1)
    assert np.abs(colder - (level(warmth) - level(warmth - LAPSE))).mean() < 0.5


def origin(capsys, *given, body=MARS):
    chosen = choose_air(*given, repeating(), body)
    assert f"climate: {chosen.origin}" in capsys.readouterr().err
    return chosen


def test_which_climate_is_taken_is_said(tmp_path, capsys):
    named = climate_file(tmp_path / "c/climate.tif")
    assert origin(capsys, named, None).origin == str(named)
    base = base_raster(tmp_path / "c/base.tif", "IAU_2015:49900", 1)
    assert origin(capsys, None, str(base)).origin == str(named), "the climate beside the base colours"
    assert origin(capsys, None, "#102030").origin.startswith("zonal")
    published = climate_file(tmp_path / "models/mars-climate.tif")
    assert origin(capsys, None, "#102030").origin == str(published)
    assert origin(capsys, None, None).provenance == MADE
    assert origin(capsys, None, None, body=EARTH).origin.startswith("zonal")


def test_weights_without_it_take_no_climate(tmp_path, capsys):
    plain = trained(Same())
    assert choose_air(None, None, plain, MARS) is None
    assert choose_air(climate_file(tmp_path / "c/climate.tif"), None, plain, MARS) is None
    assert "changes nothing" in capsys.readouterr().err


def test_what_is_no_climate_of_the_body_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        choose_air(tmp_path / "nothing.tif", None, repeating(), MARS)
    with pytest.raises(InputError, match="is the climate of earth"):
        choose_air(climate_file(tmp_path / "c/climate.tif", EARTH), None, repeating(), MARS)
    with pytest.raises(InputError, match="no climate of a body"):
        choose_air(base_raster(tmp_path / "base.tif", "IAU_2015:49900", 1), None, repeating(), MARS)


def test_the_zonal_climate_is_warm_in_the_middle_and_cools_as_the_body_does(tmp_path):
    air = choose_air(None, None, repeating(), MARS).make(0.0)
    shore, rate = air.at_points(np.array([[0.0, 90.0, 0.0]]), np.array([[0.0, 60.0, 89.9]]))
    assert shore[0, 0, 0].tolist() == pytest.approx([28.9, -2.6, -13.1], abs=0.2)
    assert float(rate) == pytest.approx(0.66 * 3.721)


def test_a_plane_has_the_climate_of_its_latitude(tmp_path):
    np.save(tmp_path / "e.npy", np.full((70, 80), 2000.0))
    any_raster.render_raster(Path("w"), tmp_path / "e.npy", tmp_path / "out.npy", CLIP, 200.0, 0.0)
    expected = level(28.9 - 4.815 * 2)
    assert np.abs(np.load(tmp_path / "out.npy")[..., 0] - expected).max() <= 1
    with pytest.raises(InputError, match="zonal climate of their latitude"):
        any_raster.render_raster(
            Path("w"), tmp_path / "e.npy", tmp_path / "out.npy", CLIP, 200.0, 0.0, climate=tmp_path / "c.tif"
        )


def test_strips_depend_on_the_climate(tmp_path):
    files = climate_file(tmp_path / "a.tif"), climate_file(tmp_path / "b.tif", shoreline_m=0.0)
    one, other = (choose_air(path, None, repeating(), MARS) for path in files)
    assert one.version != other.version
    assert choose_air(None, None, repeating(), MARS).version == ["zonal"]


def test_a_mosaic_names_whose_climate_it_has(tmp_path):
    import rasterio

    drawn(tmp_path, SEA, "out", climate_file(tmp_path / "c/climate.tif"))
    with rasterio.open(tmp_path / "out/terraformed.tif") as dataset:
        assert "a test" in dataset.tags()["ATTRIBUTION"]

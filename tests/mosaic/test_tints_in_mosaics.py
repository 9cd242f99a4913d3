"""Tints in mosaics: land's colours follow the height of each pixel, the same in whatever window and strip.

A network that repeats the base has an exact answer.
"""

from pathlib import Path

import numpy as np
import pytest
from exact import (
    CLIP,
    MADE,
    SMALL_M,
    Base,
    base_raster,
    colours,
    download,
    hills,
    read,
    region_of,
    small_planet,
    trained,
)
from shapely.geometry import box

from terraform.config import Condition, Elevation
from terraform.errors import InputError
from terraform.geo.bodies import EARTH, MARS
from terraform.mosaic import any_raster, inputs
from terraform.mosaic.bands import GlobalGrid
from terraform.mosaic.base import choice
from terraform.mosaic.base.choice import tints_beside
from terraform.mosaic.region import render_region
from terraform.pairs.tints import TintMap
from terraform.planet.tints import read_tints, write_tints
from terraform.storage import models

TINTED = Condition(channels=["elevation"], resolution_m=0, tints=True)
LEVELS_M = np.array([0, 1000, 6000], np.float32)
STEP = 40
"""Levels that land brightens by per kilometre."""
MARS_DEGREES = "IAU_2015:49900"
LAND = CLIP.model_copy(update={"elevation": Elevation(policy="sea_level", shoreline_m=400)})


def knowing(weights=None, settings=None):
    return trained(Base(), TINTED, stride=4, halo_px=4, base="added")


@pytest.fixture(autouse=True)
def _known_network(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("w").write_bytes(b"an exact answer")
    monkeypatch.setattr(inputs, "load_generator", knowing)
    monkeypatch.setattr(models, "_MODELS", (tmp_path / "models",))


def tints_file(path, body=MARS, shoreline_m=0.0):
    """The same everywhere: brighter by the kilometre."""
    shades = np.repeat(LEVELS_M / 1000 * STEP, 3).astype(np.uint8)
    write_tints(path, body, TintMap(np.tile(shades, (180, 360, 1)), LEVELS_M, shoreline_m), MADE)
    return path


def flat(lon, lat):
    """Base colours that are the same everywhere, land and sea."""
    return np.stack(np.broadcast_arrays(100.0, 110.0, 90.0, 20.0, 30.0, 60.0, lon * lat)[:6], -1)


def rough(lon, lat):
    """Ridges some ten pixels apart, some below 400 m."""
    return hills(lon, lat) + 800 * np.sin(40 * lon) * np.sin(30 * lat)


def drawn(tmp_path, settings, name, base="p/base.tif"):
    region = region_of(box(178.5, 63.8, 181.5, 65.9))
    path = tmp_path / "e.tif"
    elevation = path if path.exists() else download(path, region, rough)
    render_region(Path("w"), elevation, region, tmp_path / name, settings, base=choice.chooser(base))
    return read(tmp_path / name / "terraformed.tif")[0][..., :3]


@pytest.fixture
def planet(tmp_path):
    """Base colours of Mars and their tints."""
    (tmp_path / "p").mkdir()
    base_raster(tmp_path / "p/base.tif", MARS_DEGREES, 1, flat)
    return tints_file(tmp_path / "p/tints.tif")


def test_ridges_are_brighter_than_valleys_by_what_tints_say(planet, tmp_path):
    """The network draws its base: what differs from it is the tint of the height less that of the surroundings."""
    picture = drawn(tmp_path, CLIP, "tinted")
    planet.unlink()
    plain = drawn(tmp_path, CLIP, "plain")
    assert np.ptp(plain[plain.any(-1)], axis=0).max() <= 2
    added = (picture - plain)[..., 0]
    high, low = np.percentile(added[plain[..., 0] > 0], [99, 1])
    assert 15 < high < 45 and -45 < low < -15  # ridges of 800 m on either side of a mean


def test_windows_agree_to_the_pixel(planet, tmp_path):
    pictures = [drawn(tmp_path, LAND.model_copy(update={"window_px": px}), str(px)) for px in (256, 1024)]
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    assert np.ptp(pictures[0]) > 30


@pytest.mark.parametrize("policy", ["affine", "quantile", "relief"])
def test_a_policy_changes_the_relief_and_brings_no_snow_to_lower_ground(planet, tmp_path, policy):
    other = CLIP.model_copy(update={"elevation": Elevation(policy=policy, shoreline_m=400)})
    assert np.abs(drawn(tmp_path, other, policy) - drawn(tmp_path, LAND, "plain")).max() <= 1


def test_a_whole_planet_is_tinted_without_seams(tmp_path, monkeypatch):
    """Bands, caps, poles and the antimeridian: the tints follow the hills, and nothing else is added."""
    base = base_raster(tmp_path / "base.tif")
    monkeypatch.setattr(choice, "read_tints", lambda path, body: read_tints(path, MARS))  # the small planet has no name
    tints_file(tmp_path / "tints.tif")
    any_raster.render_raster(Path("w"), small_planet(tmp_path / "e.tif"), tmp_path / "out.tif", LAND, base=str(base))
    picture, valid = read(tmp_path / "out.tif")
    globe = GlobalGrid(SMALL_M)
    lon, lat = globe.longitudes.centres()[None], globe.latitudes.centres()[:, None]
    height = hills(lon, lat)
    wide = (height > 500) & valid
    apart = picture[..., 0] - colours(lon, lat)[..., 0]
    # On so small a planet hills are some kilometres wide.
    correlation = np.corrcoef(apart[wide], height[wide] - height[wide].mean())[0, 1]
    assert correlation > 0.5 and np.abs(apart[wide]).max() < 80


def test_tints_of_another_body_are_refused(planet, tmp_path):
    tints_file(planet, EARTH)
    with pytest.raises(InputError, match=r"tints\.tif holds tints of earth, expected those of mars"):
        drawn(tmp_path, CLIP, "refused")


def test_what_is_no_file_of_tints_is_refused(planet, tmp_path):
    base_raster(planet, MARS_DEGREES, 1, flat)
    with pytest.raises(InputError, match=r"tints\.tif holds no tints of a body .*`snakemake planet`"):
        drawn(tmp_path, CLIP, "refused")


def test_it_is_said_whether_base_colours_have_tints(planet, tmp_path, capsys):
    drawn(tmp_path, CLIP, "with")
    assert "p/base.tif with tints" in capsys.readouterr().err
    planet.unlink()
    drawn(tmp_path, CLIP, "without")
    assert "p/base.tif, without tints" in capsys.readouterr().err
    drawn(tmp_path, CLIP, "colour", "#7a6a4f")
    assert "the colour #7a6a4f" in capsys.readouterr().err


@pytest.mark.parametrize(("base", "tints"), [("base.tif", "tints.tif"), ("mars-base.tif", "mars-tints.tif")])
def test_tints_lie_beside_their_base_colours(tmp_path, base, tints):
    assert tints_beside(tmp_path / base) is None
    (tmp_path / tints).touch()
    assert tints_beside(tmp_path / base) == tmp_path / tints
    assert tints_beside(tmp_path / "picture.tif") is None


def test_other_tints_draw_the_strips_anew(planet, tmp_path):
    first = drawn(tmp_path, CLIP, "a")
    shades = np.repeat(LEVELS_M / 1000 * 10, 3).astype(np.uint8)
    write_tints(planet, MARS, TintMap(np.tile(shades, (180, 360, 1)), LEVELS_M, 0.0), MADE)
    assert np.abs(drawn(tmp_path, CLIP, "a") - first).max() > 10

"""Unfinished mosaics: killed at any moment and gone on with, byte for byte; full disks; two at a time."""

import json
import os
import resource
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from children import output_of
from exact import CLIP, PLAIN, Base, Same, base_raster, download, small_planet, trained

from terraform.errors import ConfigError, InputError, ResourceError, TerraformError
from terraform.geo.bodies import MARS
from terraform.geo.regions import Region, rectangle
from terraform.mosaic import any_raster, checkpoint, inputs
from terraform.mosaic.checkpoint import open_checkpoint
from terraform.mosaic.output import cog

PLACES = {"write": (checkpoint.StripBuffer, "write"), "verify": (cog, "_verify")}


def dies(place, moment):
    """Have a child killed when it comes to a place for the so-manieth time."""
    holder, name = PLACES[place]
    real, count = getattr(holder, name), 0

    def counted(*arguments):
        nonlocal count
        count += 1
        if count == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)

    setattr(holder, name, counted)


def drawing(place, moment):
    """Draw in a child, and die at a place, or be allowed no larger files than a limit."""
    base = "base.tif" if Path("base.tif").exists() else None
    network = {"stride": 4, "halo_px": 4, "base": "added" if base else "none"}
    inputs.load_generator = lambda weights, settings: trained(Base() if base else Same(), PLAIN, **network)
    if place in PLACES:
        dies(place, moment)
    if place == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (moment, moment))
    try:
        any_raster.render_raster(Path("w"), Path("e.tif"), Path("out.tif"), CLIP, base=base)
    except TerraformError as error:
        print(error)
        sys.exit(error.exit_code)


def run(folder, place="", moment=0):
    return output_of(folder, drawing, place, moment)


@pytest.fixture
def planet(tmp_path):
    small_planet(tmp_path / "e.tif", 0.4)
    (tmp_path / "w").write_bytes(b"an exact answer")
    return tmp_path


@pytest.fixture(params=["without a base", "with a base"])
def any_planet(planet, request):
    if request.param == "with a base":
        base_raster(planet / "base.tif")
    return planet


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_killed_and_run_again_it_goes_on_and_the_file_is_the_same(any_planet):
    planet = any_planet
    done = run(planet)
    assert done.returncode == 0, done.stderr
    whole, last = (planet / "out.tif").read_bytes(), done.stdout.count("strip ")
    (planet / "out.tif").unlink()
    for place, moment, drawn_before in (("write", 12, 0), ("write", 14, 1), ("verify", 1, 2)):
        died = run(planet, place, moment)
        assert died.returncode == -9 and "out.tif" not in names(planet)
        assert died.stdout.count("drawn before") >= drawn_before or place == "write"
    done = run(planet)
    assert done.returncode == 0 and done.stdout.count("drawn before") == last
    assert (planet / "out.tif").read_bytes() == whole
    assert [name for name in names(planet) if name != "base.tif"] == ["e.tif", "out.item.json", "out.tif", "w"]


def test_every_strip_is_drawn_once(planet):
    """A second kill in the middle goes on from what the first left."""
    first, second = run(planet, "write", 12), run(planet, "write", 12)
    assert first.returncode == second.returncode == -9
    assert second.stdout.count("drawn before") > 0
    strips = list((planet / ".out.strips").glob("strip-*"))
    assert len(strips) > first.stdout.count("strip ")


@pytest.mark.parametrize("limit", [100_000, 900_000], ids=["strips", "mosaic"])
def test_a_full_disk_is_told_and_leaves_no_broken_file(planet, limit):
    rough = np.random.default_rng(0)
    small_planet(planet / "e.tif", 0.4, heights=lambda lon, lat: rough.uniform(0, 4000, (lat * lon).shape))
    full = run(planet, "limit", limit)
    assert full.returncode == 5, full.stderr
    assert "disk" in full.stdout and "Traceback" not in full.stderr
    assert [name for name in names(planet) if not name.startswith(".")] == ["e.tif", "w"]
    assert not list(planet.glob(".out.part*"))
    assert run(planet).returncode == 0


def test_too_little_room_is_refused_before_anything_is_drawn(planet, monkeypatch):
    monkeypatch.chdir(planet)
    monkeypatch.setattr(inputs, "load_generator", lambda weights, settings: trained(Same(), stride=4, halo_px=4))
    real = __import__("shutil").disk_usage(planet)
    monkeypatch.setattr("terraform.storage.atomic_write.shutil.disk_usage", lambda path: real._replace(free=4_000_000))
    with pytest.raises(ResourceError, match="are needed: free some space"):
        any_raster.render_raster(Path("w"), Path("e.tif"), Path("out.tif"), CLIP)
    assert not list((planet / ".out.strips").glob("strip-*"))


def test_strips_of_other_settings_are_dropped_or_refused(tmp_path):
    output = tmp_path / "out.tif"
    with pytest.raises(InputError, match="no unfinished drawing"), open_checkpoint(output, {"weights": 1}, True):
        pass
    with pytest.raises(RuntimeError), open_checkpoint(output, {"weights": 1, "window": 2}, None) as first:
        (first.folder / "strip-000.bytes").write_bytes(b"drawn")
        raise RuntimeError
    with pytest.raises(ConfigError, match="other weights"), open_checkpoint(output, {"weights": 3, "window": 2}, True):
        pass
    with pytest.raises(RuntimeError), open_checkpoint(output, {"weights": 1, "window": 2}, None) as same:
        assert (same.folder / "strip-000.bytes").exists()
        raise RuntimeError
    with open_checkpoint(output, {"weights": 3, "window": 2}, None) as other:
        assert not (other.folder / "strip-000.bytes").exists()
        assert json.loads((other.folder / "identity.json").read_text()) == {"weights": 3, "window": 2}
    assert names(tmp_path) == []


def test_no_resume_starts_afresh(tmp_path):
    with pytest.raises(RuntimeError), open_checkpoint(tmp_path / "out.tif", {}, None) as first:
        (first.folder / "strip-000.bytes").write_bytes(b"drawn")
        raise RuntimeError
    with open_checkpoint(tmp_path / "out.tif", {}, False) as again:
        assert not (again.folder / "strip-000.bytes").exists()


def test_two_at_a_time_are_refused(tmp_path):
    one, two = (open_checkpoint(tmp_path / "out.tif", {}, None) for _ in range(2))
    with one, pytest.raises(ResourceError, match="being drawn by process"), two:
        pass


def test_strips_are_resumed_after_the_elevation_moved(tmp_path, monkeypatch):
    """A download is linked into the strips' folder; what it says, not where it lies, is what they depend on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(inputs, "load_generator", lambda weights, settings: trained(Same(), stride=4, halo_px=4))
    (tmp_path / "w").write_bytes(b"an exact answer")
    place = Region("here", MARS, "mosaic", "here", rectangle(0, 0, 1, 1))
    download(tmp_path / "a.tif", place)
    with rasterio.open(tmp_path / "a.tif", "r+") as ours:
        ours.update_tags(SOFTWARE="terraform")
    before = render_into(tmp_path, "a.tif", "whole.tif")
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(cog, "write", stopped)
        any_raster.render_raster(Path("w"), Path("a.tif"), Path("out.tif"), CLIP)
    (tmp_path / "a.tif").rename(tmp_path / "b.tif")
    assert (tmp_path / ".out.strips/elevation.tif").is_symlink()
    assert (render_into(tmp_path, "b.tif", "out.tif", resume=True) == before).all()


def stopped(*arguments):
    raise RuntimeError


def render_into(folder, elevation, output, resume=None):
    any_raster.render_raster(Path("w"), Path(elevation), Path(output), CLIP, resume=resume)
    with rasterio.open(folder / output) as dataset:
        return dataset.read()

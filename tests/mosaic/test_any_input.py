"""Drawing what people bring: the same picture wherever it is drawn, options for what a file does not say, no void."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from exact import CLIP, level, read, trained, write_raster
from PIL import Image
from rasterio.crs import CRS
from rasterio.transform import Affine
from typer.testing import CliRunner

from terraform.__main__ import app
from terraform.config import Climate, Elevation, Mosaics, Train
from terraform.errors import ConfigError, InputError
from terraform.geo.bodies import EARTH, MARS
from terraform.learn.models.generators import build_generator
from terraform.mosaic import any_raster, inputs
from terraform.mosaic.any_raster import Stated
from terraform.mosaic.inference import Predictor
from terraform.mosaic.output import announce
from terraform.mosaic.output.announce import duration, seconds
from terraform.sources.raster.metadata.declared import Declared, degrees_of

PLACE = Affine(0.004, 0, 8, 0, -0.004, 45)
OF_MARS = Mosaics(
    window_px=256, device="cpu", elevation=Elevation(policy="sea_level", shoreline_m=-4500),
    climate=Climate(latitude_scale=0.6),
)  # fmt: skip


pytestmark = pytest.mark.usefixtures("same_network")


def raster(metres=1500, crs="EPSG:4326", shape=(48, 48), transform=PLACE, dtype=np.float32, nodata=None):
    crs = CRS.from_user_input(crs) if crs else None
    return write_raster(Path("e.tif"), np.full(shape, metres, dtype), transform, crs, nodata)


def drawn(path, about=OF_MARS, output="out.tif", **said):
    options = {name: said.pop(name) for name in ("crs", "nodata", "unit", "body") if name in said}
    stated = Stated(Declared(**options, wins=True, options=True), **said)
    any_raster.render_raster(Path("w"), path, Path(output), about, stated=stated)
    return read(output)


def test_earth_keeps_its_shoreline_and_climate_beside_a_configuration_about_mars(capsys):
    picture, valid = drawn(raster())
    assert np.abs(picture[valid] - level(1500)).max() <= 1
    told = capsys.readouterr().out.splitlines()[0]
    assert told.startswith(
        "drawing earth: policy clip, shoreline its own, climate its own, base none; 107 x 107 pixels of 200 m, about "
    )


def test_mars_takes_what_a_named_configuration_says(capsys):
    picture, valid = drawn(raster(crs="IAU_2015:49900"))
    assert np.abs(picture[valid] - level(6000)).max() <= 1
    assert "shoreline -4500 m, climate latitude_scale 0.6" in capsys.readouterr().out


def test_the_command_line_holds_on_every_body():
    own = {"elevation": {"shoreline_m": 500.0}, "window_px": 512}
    flooded = inputs.settings_of(EARTH, OF_MARS, own)
    assert flooded.elevation == Elevation(policy="sea_level", shoreline_m=500) and flooded.window_px == 512
    assert inputs.settings_of(MARS, OF_MARS, {"elevation": {"policy": "affine"}}).elevation.shoreline_m == -4500


@pytest.mark.parametrize("crs", ["EPSG:4326", "IAU_2015:49900", "IAU_2015:30100"], ids=["earth", "mars", "moon"])
def test_the_picture_is_the_same_in_every_folder(crs):
    """Whatever the config.yaml says that lies there: it is not named."""
    raster(crs=crs)
    asked = ["generate", "--weights", "w", "--elevation", "e.tif", "--base", "#7a6a4f", "--output"]
    assert CliRunner().invoke(app, [*asked, "alone.tif"]).exit_code == 0
    about = OF_MARS.model_copy(update={"grid": "polar", "precision": "bf16", "window_px": 512, "compression": "webp"})
    Path("config.yaml").write_text(json.dumps({"mosaics": about.model_dump(mode="json")}))
    done = CliRunner().invoke(app, [*asked, "here.tif"])
    assert done.exit_code == 0 and "config.yaml is not read: name it with --config" in done.output
    assert Path("here.tif").read_bytes() == Path("alone.tif").read_bytes()
    done = CliRunner().invoke(app, [*asked, "named.tif", "--grid", "input", "--config", "config.yaml"])
    assert done.exit_code == 0 and "is not read" not in done.output
    assert read("named.tif")[0].shape[:2] == (48, 48)


def test_the_body_is_said_and_wins(capsys):
    picture, valid = drawn(raster(), body="mars")
    assert np.abs(picture[valid] - level(6000)).max() <= 1
    assert "its degrees are taken for those of mars" in capsys.readouterr().err
    with rasterio.open("out.tif") as dataset:
        assert dataset.crs == CRS.from_user_input("IAU_2015:49910")
    drawn(raster(), crs="IAU_2015:49900")
    assert "--crs IAU_2015:49900 is used instead" in capsys.readouterr().err
    drawn(raster(crs=None), body="mars")
    with pytest.raises(InputError, match="metres on another body than mars: say its whole CRS with --crs"):
        drawn(raster(crs="EPSG:32632", transform=Affine(200, 0, 5e5, 0, -200, 5e6)), body="mars")
    with pytest.raises(ConfigError, match="body 'vulcan' is unknown"):
        drawn(raster(), body="vulcan")
    with pytest.raises(ConfigError, match="leave out --body"):
        drawn(raster(), body="mars", crs="EPSG:4326")
    assert degrees_of("titan") == CRS.from_user_input("IAU_2015:60600")


def test_missing_value_and_unit_are_said():
    path = raster()
    with rasterio.open(path, "r+") as dataset:
        heights = dataset.read(1)
        heights[:, :24] = -9999
        dataset.write(heights, 1)
    with pytest.raises(InputError, match=r"if that is the missing value, say so with --nodata( -9999)?$"):
        drawn(path)
    picture, valid = drawn(path, nodata=-9999)
    assert valid.mean() == pytest.approx(0.5, abs=0.02)
    picture, valid = drawn(path, nodata=-9999, missing_is_sea=True)
    assert valid.mean() > 0.98 and picture[50, 10, 0] == pytest.approx(127.5, abs=1)
    picture, valid = drawn(raster(4000), unit="ft")
    assert np.abs(picture[valid] - level(1219.2)).max() <= 1


@pytest.mark.parametrize(("wanted", "lowest"), [("name", "--crs"), ("place", "--pixel-size")])
def test_messages_name_options_of_this_command(wanted, lowest):
    with pytest.raises(InputError, match=lowest) as told:
        drawn(raster(crs=None))
    assert "`" not in str(told.value)


@pytest.mark.parametrize(("east_m", "told"), [(0, True), (3e5, True), (4e6, False)])
def test_a_map_that_stretches_the_surroundings_of_a_pole_is_told(east_m, told, capsys):
    path = raster(crs="EPSG:3995", shape=(24, 24), transform=Affine(500, 0, east_m, 0, -500, 5e3))
    drawn(path, Mosaics(window_px=256, device="cpu"))
    said = capsys.readouterr().err
    assert ("--grid input draws e.tif on its own map (24 x 24 pixels), --grid polar" in said) == told
    drawn(path, Mosaics(window_px=256, device="cpu", grid="input"))
    assert "stretches" not in capsys.readouterr().err


def test_what_takes_billions_of_pixels_is_told_before(capsys, monkeypatch):
    """A coarse raster of the whole Earth on its own grid is drawn at 200 m and averaged."""
    monkeypatch.setattr(any_raster, "open_checkpoint", None)
    monkeypatch.setattr(announce, "_timed", lambda predictor, seen: 1e-3)  # of a pass: every machine has its own
    path = raster(shape=(90, 180), transform=Affine(2, 0, -180, 0, -2, 90))
    with pytest.raises(TypeError):
        drawn(path, Mosaics(window_px=256, device="cpu", grid="input"))
    told = capsys.readouterr()
    assert "warning: 20 billion pixels of 200 m are drawn for this picture; render-planet" in told.err
    assert re.search(r"180 x 90 pixels of 222,400 m, about (\d\d+ s|\d+(\.\d)? (min|h))", told.out), (
        "not those 16,200 alone"
    )


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_raster_over_a_pole_is_drawn_without_a_warning_of_numbers():
    path = raster(crs="IAU_2015:30135", shape=(24, 24), transform=Affine(500, 0, -6e3, 0, -500, 6e3))
    _, valid = drawn(path, Mosaics(window_px=256, device="cpu", grid="input"))
    assert valid.all()


def test_a_result_that_is_all_void_is_an_error_and_leaves_nothing():
    with pytest.raises(InputError, match="would be empty"):
        drawn(raster(shape=(1, 1), transform=Affine(0.002, 0, 10, 0, -0.002, 46.5)))
    assert sorted(path.name for path in Path().iterdir()) == ["e.tif", "w"]


def test_much_finer_pixels_are_told(capsys):
    fine = raster(crs="IAU_2015:49900", shape=(60, 60), transform=Affine(0.00017, 0, 8, 0, -0.00017, 45))
    drawn(fine)
    told = capsys.readouterr().err
    assert "has 60 x 60 pixels of 10.1 m, the picture has 3 x 3 of 200 m" in told
    assert "--grid input" in told and "--pixel-size" in told
    picture, _ = drawn(fine, OF_MARS.model_copy(update={"grid": "input"}))
    assert picture.shape[:2] == (60, 60)
    assert "the picture has" not in capsys.readouterr().err


@pytest.mark.parametrize(("suffix", "kind"), [(".png", "PNG"), (".jpg", "JPEG"), (".webp", "WEBP"), (".TIFF", "TIFF")])
def test_a_picture_is_what_its_name_says(suffix, kind):
    drawn(raster(), output=f"out{suffix}")
    with Image.open(f"out{suffix}") as picture:
        assert picture.format == kind and picture.size == (107, 107)
        assert abs(int(np.asarray(picture)[50, 50, 0]) - level(1500)) <= 2
    item = json.loads(Path("out.item.json").read_text())
    assert item["assets"]["mosaic"]["href"] == f"out{suffix}"
    assert item["assets"]["mosaic"]["type"].startswith(f"image/{kind.lower()}")
    assert {path.name for path in Path().iterdir()} == {"e.tif", "out.item.json", f"out{suffix}", "w"}


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("e.tif", "is the file that is read"), ("w", "without a suffix"), ("folder", "is a folder"),
        ("out.gif", r"\.gif: what can be written is \.tif"), ("e.tif/out.tif", "e.tif is a file"),
    ],
)  # fmt: skip
def test_the_output_is_checked_before_anything_is_read(output, said, monkeypatch):
    Path("folder").mkdir()
    before = raster().read_bytes()
    monkeypatch.setattr(any_raster, "open_raster", None)
    with pytest.raises(Exception, match=said) as told:
        drawn(Path("e.tif"), output=output)
    assert getattr(told.value, "exit_code", 0) in (3, 5)
    assert Path("e.tif").read_bytes() == before


def test_a_georeference_is_not_dropped_silently(capsys):
    stated = Stated(Declared(wins=True, options=True))
    any_raster.render_raster(Path("w"), raster(), Path("o.tif"), CLIP, 200.0, 30.0, stated=stated)
    assert "put it on a plane instead" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="give both, or neither"):
        any_raster.render_raster(Path("w"), raster(), Path("o.tif"), CLIP, 200.0, None, stated=stated)


ROTATED = Affine.translation(5e5, 5_150_000) @ Affine.rotation(25) @ Affine.scale(400, -400)


@pytest.mark.parametrize(
    ("crs", "transform", "gsd", "box"),
    [
        ("EPSG:32632", ROTATED, 400.0, (500_000, 5_132_598.890, 525_515.380, 5_158_114.271)),
        ("EPSG:32632", Affine(400, 0, 5e5, 0, 400, 5_130_000), 400.0, (500_000, 5_130_000, 519_200, 5_149_200)),
        ("EPSG:4326", PLACE, 0.004 * EARTH.metres_per_degree, (8, 44.808, 8.192, 45)),
    ],
    ids=["rotated", "south up", "degrees"],
)
def test_the_item_says_where_every_corner_lies(crs, transform, gsd, box):
    drawn(raster(crs=crs, transform=transform), OF_MARS.model_copy(update={"grid": "input"}))
    said = json.loads(Path("out.item.json").read_text())["properties"]
    assert said["gsd"] == pytest.approx(gsd, rel=1e-6)
    assert said["proj:bbox"] == pytest.approx(box, abs=1e-3)


def test_durations_in_words():
    assert [duration(of) for of in (0.2, 42, 600, 7300, 100_000)] == ["1 s", "42 s", "10 min", "2 h", "28 h"]


def test_options_of_rasters_are_refused_for_regions(tmp_path):
    root = Path(__file__).parents[2]
    for name in ("config.yaml", "regions.geojson"):
        (tmp_path / name).write_bytes((root / name).read_bytes())
    command = [sys.executable, "-m", "terraform", "generate", "--weights", "w", "--elevation", "e.tif", "--output", "o"]
    done = subprocess.run(
        [*command, "--region", "olympus", "--unit", "ft"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "leave out --region" in done.stderr


def test_a_network_that_takes_whole_tiles_alone_is_timed_with_one():
    """The published `unet256` normalises its bottleneck by the batch: a smaller input would leave it one value."""
    settings = Train(network="unet256", norm="batch", width=4, noise=0)
    made = trained(build_generator(settings, 1), stride=256, tile_safe=False)
    made.network.train()
    assert seconds(Predictor(made, CLIP), (512, 512)) > 0

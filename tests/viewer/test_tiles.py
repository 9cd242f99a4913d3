"""Tiles: the picture's own pixels, whole levels round the planet, resumed where a run was stopped."""

import subprocess

import numpy as np
import pytest
import rasterio
from conftest import BLOCK_PX, squares, write_mosaic
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rasterio.crs import CRS
from rasterio.transform import Affine

from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import MARS
from terraform.geo.degree_windows import DegreeWindows
from terraform.viewer import tiles
from terraform.viewer.grid import planet_grid, regional_grid
from terraform.viewer.pictures import ArrayPicture, lay_over, mosaic_picture
from terraform.viewer.tiles import write_pyramid, write_tiles


def level(folder, number, side):
    """All tiles of a level side by side, (H, W, 4) int."""
    paths = {(int(path.stem), int(path.parent.name)): path for path in (folder / str(number)).rglob("*.*")}
    rows, columns = (1 + max(place[axis] for place in paths) for axis in (0, 1))
    whole = np.zeros((rows * side, columns * side, 4), int)
    for (row, column), path in paths.items():
        with Image.open(path) as tile:
            assert tile.size == (side, side)
            whole[row * side : (row + 1) * side, column * side : (column + 1) * side] = np.asarray(tile.convert("RGBA"))
    return whole


@given(st.integers(128, 200_000))
def test_tiles_fill_the_equator_at_every_level(half):
    grid = planet_grid(2 * half)
    assert grid.width == 2 * grid.height and grid.width * grid.pixel_deg[0] == pytest.approx(360)
    for number in range(grid.levels):
        assert grid.tiles(number) == (1 << number, 2 << number)
        assert grid.size_px(number)[1] == grid.tile_px * (2 << number)


@pytest.mark.parametrize("cells", [1, 4, 12])
def test_planet_grids_keep_their_pixels(cells):
    assert planet_grid(360 * cells).width == 360 * cells


def test_the_finest_tiles_are_the_mosaic_and_the_coarsest_its_mean(tmp_path):
    picture = mosaic_picture(write_mosaic(tmp_path / "a", 13_000, 21_000, 600, 1400))
    assert write_tiles(picture, tmp_path / "tiles", 1) == 3 * 2 + 2 * 1 + 1
    expected = squares(600, 1400)
    fine = level(tmp_path / "tiles", 2, 512)
    inner = np.arange(BLOCK_PX // 2, 600, BLOCK_PX)[:37], np.arange(BLOCK_PX // 2, 1400, BLOCK_PX)[:87]
    truth = np.moveaxis(expected, 0, -1)[np.ix_(*inner)][..., :3]
    assert np.abs(fine[np.ix_(*inner)][..., :3] - truth).max() <= 12
    beyond = np.abs(fine[600:, :1400, :3] - fine[599, :1400, :3])
    assert np.median(beyond) <= 2, "what an encoder mixes with the last pixels looks like them"
    coarse = level(tmp_path / "tiles", 0, 512)
    assert np.abs(coarse[:150, :350, :3].mean(axis=(0, 1)) - expected[:3].mean(axis=(1, 2))).max() < 3
    assert picture.grid.west_deg == pytest.approx((13_000 - 53_347) * 360 / 106_694)


def test_blocks_larger_than_one_read_are_the_same(tmp_path, monkeypatch):
    picture = mosaic_picture(write_mosaic(tmp_path / "a", 0, 0, 1100, 2208))
    write_tiles(picture, tmp_path / "whole")
    monkeypatch.setattr(tiles, "_BLOCK_LEVELS", 0)
    write_tiles(picture, tmp_path / "parts")
    for number in range(picture.grid.levels):
        one, other = (level(tmp_path / name, number, 512) for name in ("whole", "parts"))
        height, width = picture.grid.size_px(number)
        assert np.abs(one - other)[:height, :width, :3].mean() < 2


def test_a_stopped_run_is_resumed_and_a_finished_one_left(tmp_path, monkeypatch):
    picture = mosaic_picture(write_mosaic(tmp_path / "a", 0, 0, 600, 1200))
    count, real = [], tiles._write

    def killed(tile, folder, name):
        count.append(name)
        if len(count) == 4:
            raise KeyboardInterrupt
        real(tile, folder, name)

    monkeypatch.setattr(tiles, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        write_tiles(picture, tmp_path / "tiles", 1)
    monkeypatch.setattr(tiles, "_write", real)
    assert write_tiles(picture, tmp_path / "tiles", 1) == 9 - 3
    assert write_tiles(picture, tmp_path / "tiles", 1) == 0
    other = mosaic_picture(write_mosaic(tmp_path / "b", 0, 0, 600, 1000, seed=1))
    assert write_tiles(other, tmp_path / "tiles", 1) == 4 + 1
    assert level(tmp_path / "tiles", 1, 512).shape[1] == 1024 and not (tmp_path / "tiles" / "2").exists()


def test_what_a_kill_leaves_is_swept_and_never_called_complete(tmp_path, monkeypatch):
    picture = mosaic_picture(write_mosaic(tmp_path / "a", 0, 0, 600, 1200))
    folder = tmp_path / "tiles"
    write_tiles(picture, folder, 1)
    stamp, tile = folder / "tiles.json", next(folder.glob("1/0/*.jpg"))
    stamp.write_text(stamp.read_text().replace("true", "false"))
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    (tile.parent / f".0.part-{dead.pid}.jpg").write_bytes(b"half")
    tile.unlink()
    assert write_tiles(picture, folder, 1) == 1
    assert not list(folder.rglob(".*"))

    def killed(path, ignore_errors):
        tile.unlink()
        raise KeyboardInterrupt

    other = mosaic_picture(write_mosaic(tmp_path / "b", 0, 0, 600, 1000, seed=1))
    monkeypatch.setattr(tiles.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        write_tiles(other, folder, 1)
    monkeypatch.undo()
    assert write_tiles(picture, folder, 1) == 9
    assert tile.is_file()


def test_tiles_are_jpeg_and_those_with_holes_are_named(tmp_path):
    path = write_mosaic(tmp_path / "a", 0, 0, 600, 1200)
    with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        mask = np.full((600, 1200), 255, np.uint8)
        mask[100:300, 700:900] = 0
        file.write_mask(mask)
    pyramid = write_pyramid(mosaic_picture(path), "tiles", tmp_path)
    assert "2/1/0" in pyramid["transparent"] and "2/0/0" not in pyramid["transparent"]
    written = {str(file.relative_to(tmp_path / "tiles")) for file in (tmp_path / "tiles").rglob("*.[jw]*p*")}
    assert {name for name in written if name.endswith("webp")} == {f"{name}.webp" for name in pyramid["transparent"]}
    shown = level(tmp_path / "tiles", 2, 512)
    assert (shown[110:290, 710:890, 3] == 0).all() and (shown[:90, :, 3] == 255).all()


def test_a_planet_in_memory(tmp_path):
    longitude = np.broadcast_to(np.linspace(0, 250, 720)[None, :, None], (360, 720, 3)).astype(np.uint8)
    picture = ArrayPicture(longitude)
    write_tiles(picture, tmp_path)
    side = picture.grid.tile_px
    assert side * 2**picture.grid.levels == 720
    assert np.abs(level(tmp_path, picture.grid.levels - 1, side)[..., :3] - longitude).max() <= 4


def test_a_mosaic_is_laid_over_its_planet_also_across_the_antimeridian(tmp_path):
    pixel = 360 / 106_694
    path = write_mosaic(tmp_path / "a", 106_694 - 400, 20_000, 600, 800)
    colours = np.zeros((360, 720, 3), np.uint8)
    lay_over(colours, path)
    rows, columns = np.nonzero(colours.any(axis=-1))
    assert (rows.min(), rows.max()) == (round(20_000 * pixel * 2), round(20_600 * pixel * 2) - 1)
    assert set(columns) == {0, 1, 2, 717, 718, 719}
    mean = squares(600, 800)[:3].mean(axis=(1, 2))
    assert np.abs(colours[rows, columns].mean(axis=0) - mean).max() < 6


def test_windows_by_degrees_are_exact_and_empty_outside(tmp_path):
    values = np.arange(20 * 30, dtype=np.int16).reshape(1, 20, 30)
    profile = {"driver": "GTiff", "height": 20, "width": 30, "count": 1, "dtype": "int16", "nodata": 7}
    place = {"crs": CRS.from_user_input(MARS.geographic_crs), "transform": Affine(0.5, 0, 10, 0, -0.5, 40)}
    with rasterio.open(tmp_path / "a.tif", "w", **profile, **place) as file:
        file.write(values)
    with raster.opened(tmp_path / "a.tif") as dataset:
        windows = DegreeWindows(dataset)
        found, known = windows.read((9.0, 36.0, 13.0, 41.0), (10, 8), smooth=False)
        assert (found[0, 2:, 2:] == values[0, :8, :6]).all() and not found[0, :2].any() and not found[0, :, :2].any()
        assert (known[2:, 2:] > 0).sum() == 8 * 6 and not known[:2].any()
        half, _ = windows.read((10.0, 30.0, 25.0, 40.0), (10, 15), smooth=True)
        assert np.abs(half[0, 1:] - values[0].reshape(10, 2, 15, 2).mean(axis=(1, 3))[1:]).max() <= 0.5


def test_a_polar_mosaic_is_refused(tmp_path):
    profile = {"driver": "GTiff", "height": 4, "width": 4, "count": 3, "dtype": "uint8"}
    path = tmp_path / "polar.tif"
    crs = f"+proj=stere +lat_0=90 +lon_0=0 +R={MARS.radius_m} +units=m"
    with rasterio.open(path, "w", **profile, crs=crs, transform=Affine(200, 0, 0, 0, -200, 0)) as file:
        file.write(np.ones((3, 4, 4), np.uint8))
    with pytest.raises(InputError, match="grid: equirectangular"):
        mosaic_picture(path)


def test_a_small_region_is_one_tile():
    assert regional_grid(0.0, 0.0, (0.1, 0.1), 200, 100).levels == 1

"""Rasters read by many at once: each process, forked or not, and each thread opens the file for itself."""

import ast
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from terraform.geo import raster

PACKAGE = Path(__file__).parents[2] / "terraform"
SIDE, BLOCK = 1024, 64
# Forked where nothing else runs, and before anything was read: GDAL's threads are not in a child, which would wait for
# them; nor are those of the tests' own process, whose locks it would inherit.
FORKS = """
import os, signal, sys
import numpy as np
import rasterio
from terraform.geo import raster
path, values, own = sys.argv[1], np.load(sys.argv[2]), sys.argv[3] == "own"
def work(held, number):
    for top in np.random.default_rng(number).integers(0, len(values) // 64, 60) * 64:
        if own:
            with raster.opened(path) as dataset:
                read = raster.read(dataset, (top, top + 64))
        else:
            read = held.read(1, window=((top, top + 64), (0, values.shape[1])))
        assert (read == values[top : top + 64]).all()
with rasterio.Env(GDAL_CACHEMAX=0):
    held = None if own else rasterio.open(path)
    children = []
    for number in range(8):
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            try:
                work(held, number)
            except BaseException:
                os._exit(1)
            os._exit(0)
        children.append(child)
    if own:
        work(None, 8)
    print(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


@pytest.fixture
def stored(tmp_path) -> tuple[Path, np.ndarray]:
    values = np.random.default_rng(0).integers(-3000, 9000, (SIDE, SIDE)).astype(np.int16)
    place = {"crs": "EPSG:4326", "transform": Affine(0.01, 0, 5, 0, -0.01, 45)}
    blocks = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "deflate"}
    shape = {"width": SIDE, "height": SIDE, "count": 1, "dtype": "int16"}
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", **shape, **blocks, **place) as dataset:
        dataset.write(values, 1)
    np.save(tmp_path / "a.npy", values)
    return tmp_path / "a.tif", values


@pytest.mark.parametrize("handle", ["own", "shared"])
def test_forked_readers_that_open_for_themselves_get_what_they_ask_for(stored, handle):
    """Those that read on from what their parent opened do not: all of them share one place in the file."""
    command = [sys.executable, "-c", FORKS, str(stored[0]), str(stored[0].with_suffix(".npy")), handle]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (int(done.stdout) == 0) == (handle == "own")


def test_threads_that_each_open_the_file_get_what_they_ask_for(stored):
    path, values = stored

    def right(number: int) -> bool:
        top = number % (SIDE // BLOCK) * BLOCK
        with raster.opened(path) as dataset:
            return bool((raster.read(dataset, (top, top + BLOCK)) == values[top : top + BLOCK]).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(right, range(200)))


def forking(path: Path) -> list[str]:
    """What in a module forks, or would share an open raster with a child."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    return [name for name in modules if name.partition(".")[0] == "multiprocessing"] + [
        name for name in names if name in ("fork", "forkpty", "ProcessPoolExecutor")
    ]


def test_nothing_of_ours_forks(tmp_path):
    found = {path.relative_to(PACKAGE).as_posix(): forking(path) for path in PACKAGE.rglob("*.py")}
    assert {name: what for name, what in found.items() if what} == {}
    planted = tmp_path / "a.py"
    planted.write_text("import os\nfrom multiprocessing import Pool\nos.fork()\n")
    assert forking(planted) == ["multiprocessing", "fork"]

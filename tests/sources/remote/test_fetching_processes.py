"""Several processes, and processes that are killed: the cache is shared, and loses at most what was on its way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from servers.buckets import srtm, srtm_list
from servers.earthengine import EarthEngine
from servers.nginx import Nginx
from servers.surface import height_m

from terraform.geo.raster import grid_of, opened, read

PROGRAM = """
import sys
from pathlib import Path
from terraform.config import parse
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.regions import Region, rectangle
from terraform.geo.resample import Axis
from terraform.sources import Request, source_named

url, cache, path = sys.argv[1:]
section = {"source": "opentopography", "base_url": url, "hosts": [], "connections": 2}
downloads = {"cache": cache, "lock": f"{cache}.lock.json"}
config = parse({"downloads": downloads, "sources": {"earth": {"elevation": section}}})
region = Region("here", EARTH, "train", "Here", rectangle(8, 45, 9, 46))
grid = RasterGrid(EARTH, Axis(46, -0.002, 500), Axis(8, 0.002, 500))
source = source_named("opentopography", config.sources.earth.elevation, config)
source.fetch(Request(region, "elevation", grid), Path(path))
"""


def bucket(server: Nginx, name: str, side: int) -> str:
    """A bucket of its own with one tile of noise that packs badly, so that it takes a while."""
    noise = np.random.default_rng(0).integers(0, 400, (side, side))
    srtm(server.files / name, 45, 8, side=side, heights=lambda lon, lat: height_m(lon, lat) + noise, OVERVIEWS="NONE")
    srtm_list(server.files / name)
    return name


def started(url: str, cache: Path, path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, str(cache), str(path)], stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def test_processes_side_by_side_fetch_everything_once(file_server: Nginx, tmp_path: Path) -> None:
    name = bucket(file_server, f"several-{tmp_path.name}", 601)
    url = f"{file_server.url}/throttled/{name}"
    paths = [tmp_path / f"{number}.tif" for number in range(3)]
    children = [started(url, tmp_path / "cache", path) for path in paths]
    told = [child.communicate(timeout=120)[1] for child in children]
    assert [child.returncode for child in children] == [0, 0, 0], told
    asked = [(hit.path, hit.range) for hit in file_server.hits()]
    assert len(asked) == len(set(asked))
    assert sum("waiting until " in text for text in told) >= 1
    with opened(paths[0]) as dataset:
        first = read(dataset)
    for path in paths[1:]:
        with opened(path) as dataset:
            assert (read(dataset) == first).all()


def test_a_killed_process_loses_what_was_on_its_way_and_no_more(file_server: Nginx, tmp_path: Path) -> None:
    name = bucket(file_server, f"killed-{tmp_path.name}", 1201)
    cache, path = tmp_path / "cache", tmp_path / "e.tif"
    folder = cache / "opentopography/SRTM_GL1/N45E008"
    child = started(f"{file_server.url}/throttled/{name}", cache, path)
    while len(kept(folder)) < 12:
        assert child.poll() is None
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    had = kept(folder)
    assert not path.exists()
    blocks = [entry.stat().st_size for entry in had if entry.name.isdigit()]
    sent = sum(hit.bytes for hit in file_server.hits() if hit.path.endswith("E008.tif"))
    # One request brings many blocks, each kept at once: what is lost is one in flight a connection.
    assert sent - sum(blocks) < 2 * max(blocks) + 100_000 < 300_000
    file_server.forget()
    again = started(f"{file_server.url}/{name}", cache, path)
    assert again.wait(120) == 0
    everything = sum(entry.stat().st_size for entry in kept(folder))
    fetched = sum(hit.bytes for hit in file_server.hits())
    assert fetched <= everything - sum(entry.stat().st_size for entry in had if entry.name != "head") + 8192
    with opened(path) as dataset:
        assert grid_of(dataset).latitudes.count > 100
    # What the killed one left half written is gone, and no lock of it holds.
    assert [entry for entry in folder.iterdir() if ".part-" in entry.name] == []


def kept(folder: Path) -> list[Path]:
    return [entry for entry in folder.glob("*") if not entry.name.startswith(".")] if folder.is_dir() else []


ENGINE = """
import sys
from pathlib import Path
import ee
sys.path.insert(0, sys.argv[3])
from servers.engine_regions import HERE, fetched, settings

class Server:
    url = sys.argv[1]

ee.deprecation._FetchDataCatalogStac = dict  # the one address that cannot be set
here = Path(sys.argv[2])
fetched(settings(Server, here, window_px=32, connections=2), HERE, here)
"""


def test_a_killed_process_asks_earth_engine_for_what_was_on_its_way_and_no_more(
    earth_engine: EarthEngine, account: Path, tmp_path: Path
) -> None:
    earth_engine.limit(delay_s=0.1)
    command = [sys.executable, "-c", ENGINE, earth_engine.url, str(tmp_path), str(Path(__file__).parents[2])]
    child = subprocess.Popen(command)
    while len(windows(tmp_path)) < 3:
        assert child.poll() is None
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    time.sleep(0.3)  # what it had asked for is still being answered
    had, asked = len(windows(tmp_path)), [body["grid"] for body in earth_engine.pixels()]
    assert not (tmp_path / "elevation.tif").exists()
    earth_engine.heal()
    assert subprocess.run(command, check=False, timeout=120).returncode == 0
    again = [body["grid"] for body in earth_engine.pixels()]
    assert len(again) == len(windows(tmp_path)) - had > 3
    assert sum(grid in asked for grid in again) == len(asked) - had <= 2


def windows(here: Path) -> list[Path]:
    return [path for path in here.rglob("*.npy") if not path.name.startswith(".")]

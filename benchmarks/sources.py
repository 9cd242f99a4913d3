"""Requests and bytes per pair of each source against what its window needs, and the speed of a whole file against curl.

    python -m benchmarks.sources --json

Servers on loopback (those of the tests) keep files in the layouts of the true ones; their access logs say what was
asked. The minimum is the window of the region at the source's own pixels, in bytes as they are packed on average.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import interleaved, report
from terraform.config import Config, parse
from terraform.geo.bodies import EARTH, MARS, Body
from terraform.geo.grid import RasterGrid, download_grid, tile_count
from terraform.geo.regions import Region, rectangle
from terraform.geo.tile import TILE_PX
from terraform.sources import Request, source_named
from terraform.sources.fetch import settings_of
from terraform.sources.remote.access import Access
from terraform.sources.remote.client import Client
from terraform.sources.remote.content import TIFF
from terraform.sources.remote.whole import download

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import buckets
from servers.nginx import Nginx, nginx

_GOAL = 1 / 1.3
_WHOLE_BYTES = 200_000_000


def main() -> None:
    """Each source in turn, then the whole file."""
    with _server() as server:
        for name, build in _SOURCES.items():
            _measure(server, name, build)
        _against_curl(server)


@contextmanager
def _server() -> Iterator[Nginx]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "files").mkdir()
        with nginx(Path(folder) / "nginx", Path(folder) / "files") as server:
            yield server


def _measure(server: Nginx, name: str, build: Callable[[Path], tuple[Region, float, dict[str, Any]]]) -> None:
    """Fetch one region and read the log."""
    folder = server.files / name
    folder.mkdir()
    region, minimum, section = build(folder)
    what = "imagery" if name == "s2mosaic120" else "elevation"
    config = _config(server, name, region.body, what, section)
    source = source_named(name, settings_of(config, region, what), config)  # type: ignore[arg-type]
    request = Request(region, what, download_grid(region))  # type: ignore[arg-type]
    server.forget()
    start = time.monotonic()
    source.fetch(request, server.files.parent / "out.tif")
    seconds = time.monotonic() - start
    hits = server.hits()
    sent = sum(hit.bytes for hit in hits)
    # Planets here are smaller than the true ones; what counts is how many pixels a window has.
    pairs = tile_count(region) if region.body == EARTH else minimum / 2 / TILE_PX**2
    report(
        f"{name}: bytes the window needs / bytes fetched", minimum / sent, _GOAL, pairs=pairs, requests=len(hits),
        requests_per_pair=len(hits) / pairs, megabytes_per_pair=sent / pairs / 1e6, seconds=seconds,
    )  # fmt: skip


def _config(server: Nginx, name: str, body: Body, what: str, section: dict[str, Any]) -> Config:
    full = {"source": name, "base_url": f"{server.url}/{name}", "hosts": [], **section}
    for key in ("coarse_url", "archive_url"):
        if key in full:
            full[key] = f"{server.url}/{name}/{full[key]}"
    here = server.files.parent
    downloads = {"cache": str(here / "cache"), "lock": str(here / f"{name}.lock.json")}
    return parse({"downloads": downloads, "sources": {body.name: {what: full}}})


def _region(body: Body, west: float, south: float, east: float, north: float) -> Region:
    return Region("here", body, "train", "Here", rectangle(west, south, east, north))


def _size_deg(grid: RasterGrid) -> tuple[float, float]:
    return abs(grid.latitudes.step * grid.latitudes.count), grid.longitudes.step * grid.longitudes.count


def _rough(lon: Any, lat: Any) -> Any:
    """Heights that pack as badly as real relief does: about half of their bits."""
    shape = np.broadcast_shapes(np.shape(lon), np.shape(lat))
    noise = np.random.default_rng(0).normal(0, 6, shape)
    return 1000 + 400 * np.sin(np.asarray(lon) * 12) + 300 * np.cos(np.asarray(lat) * 15) + noise


def _earth_tiles(write: Callable[[int, int], Path]) -> tuple[Region, float]:
    """Nine tiles of one degree, a region on them, and the bytes that its window needs."""
    sizes = [write(south, west).stat().st_size for south in (45, 46, 47) for west in (8, 9, 10)]
    region = _region(EARTH, 8.3, 45.3, 10.5, 47.5)
    tall, wide = _size_deg(download_grid(region))
    return region, float(np.mean(sizes)) * tall * wide


def _opentopography(folder: Path) -> tuple[Region, float, dict[str, Any]]:
    made = _earth_tiles(
        lambda south, west: buckets.srtm(folder, south, west, 3601, _rough, BLOCKSIZE=512, LEVEL=1, OVERVIEWS="NONE")
    )
    buckets.srtm_list(folder)
    return *made, {}


def _copernicus(folder: Path) -> tuple[Region, float, dict[str, Any]]:
    options = {"BLOCKSIZE": 1024, "LEVEL": 1, "OVERVIEWS": "NONE"}
    made = _earth_tiles(
        lambda south, west: buckets.copernicus(folder, south, west, side=3600, heights=_rough, **options)
    )
    buckets.copernicus_list(folder)
    return *made, {"coarse_url": ""}


def _mosaic120(folder: Path) -> tuple[Region, float, dict[str, Any]]:
    def reflectance(lon: Any, lat: Any, band: str) -> Any:
        return _rough(lon, lat) / 5000

    shape = (3500, 3500)
    paths = buckets.mosaic120(
        folder, "2019-07-10", "32T", 32632, 300_000, 5_320_000, shape, reflectance, BLOCKSIZE=512, LEVEL=1
    )
    region = _region(EARTH, 7.5, 45.5, 10.0, 47.3)
    tall, wide = _size_deg(download_grid(region))
    metres = EARTH.metres_per_degree
    pixels = tall * metres / 120 * wide * metres * np.cos(np.radians(46.4)) / 120
    return region, sum(path.stat().st_size for path in paths) * pixels / (shape[0] * shape[1]), {}


def _hrsc(folder: Path) -> tuple[Region, float, dict[str, Any]]:
    # 8,000 columns stand for 106,694: the window has as many pixels as one of 7.6 degrees in the true file.
    buckets.planet(folder / "Mars_HRSC_MOLA_BlendDEM_Global_200mp_v2.tif", 4000, 8000, True, lambda lon, lat: lon + lat)
    return _mars_window(4000, 8000, _region(MARS, -150, -30, -50, 25))


def _mola(folder: Path) -> tuple[Region, float, dict[str, Any]]:
    buckets.planet(folder / "Mars_MGS_MOLA_DEM_mosaic_global_463m.tif", 4000, 8000, False, lambda lon, lat: lon + lat)
    return _mars_window(4000, 8000, _region(MARS, -150, -30, -50, 25))


def _mars_window(height: int, width: int, region: Region) -> tuple[Region, float, dict[str, Any]]:
    tall, wide = _size_deg(download_grid(region))
    return region, 2 * height * tall / 180 * width * wide / 360, {}


def _terrarium(folder: Path) -> tuple[Region, float, dict[str, Any]]:
    region = _region(EARTH, 8.3, 45.3, 12.5, 48.5)
    tall, wide = _size_deg(download_grid(region))
    count = 1 << 10
    sizes = []
    for x in range(int(188 / 360 * count) - 2, int(193 / 360 * count) + 3):
        sizes += [buckets.terrarium(folder, 10, x, y, _rough).stat().st_size for y in range(350, 370)]
    # A tile of zoom 10 is 0.352 degrees wide and, here, 0.24 tall.
    return region, float(np.mean(sizes)) * wide / (360 / count) * tall / (360 / count * np.cos(np.radians(46.9))), {}


_SOURCES = {
    "opentopography": _opentopography,
    "copernicus": _copernicus,
    "s2mosaic120": _mosaic120,
    "mola": _mola,
    "hrsc_mola": _hrsc,
    "terrarium": _terrarium,
}


def _against_curl(server: Nginx) -> None:
    """A whole file by this client, flushed to the disk as it is, and by curl; wall seconds, interleaved."""
    path = server.files / "whole.tif"
    path.write_bytes(b"II*\0" + np.random.default_rng(0).bytes(_WHOLE_BYTES - 4))
    url, here = f"{server.url}/whole.tif", server.files.parent
    sides = {"client": partial(_by_client, url, here / "client.tif"), "curl": partial(_by_curl, url, here / "curl.tif")}
    seconds = interleaved(sides, rounds=5, clock=time.monotonic)
    report(
        "a whole file: seconds of curl / seconds of this client", seconds["curl"] / seconds["client"], 0.9,
        megabytes_per_second=_WHOLE_BYTES / seconds["client"] / 1e6, of_curl=_WHOLE_BYTES / seconds["curl"] / 1e6,
    )  # fmt: skip


def _by_client(url: str, path: Path) -> None:
    client = Client(Access("benchmark", url.rpartition("/")[0], ()), Config().downloads)
    download(client, url, path, TIFF, _WHOLE_BYTES)
    path.unlink()


def _by_curl(url: str, path: Path) -> None:
    subprocess.run(["curl", "--silent", "--fail", "--output", str(path), url], check=True)
    subprocess.run(["sync", str(path)], check=True)
    path.unlink()


if __name__ == "__main__":
    main()

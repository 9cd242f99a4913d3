"""Requests and bytes per pair of each source against what its window needs, and the speed of a whole file against curl.

    python -m benchmarks.sources --json

Servers on loopback (those of the tests) keep files in the layouts of the true ones, draw maps, compute pixels; their
logs say what was asked. The minimum is the window of the region at the source's own pixels, in bytes as they are packed
on average.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers.accounts import key_file, sign_in
from servers.earthengine import EarthEngine
from servers.maps import TerrainWindow, maps
from servers.nginx import Nginx, nginx

from benchmarks import stores
from benchmarks.measure import interleaved, report
from benchmarks.stores import Window
from terraform.config import Config, parse
from terraform.geo.bodies import EARTH
from terraform.geo.grid import download_grid, tile_count
from terraform.geo.regions import Region, rectangle
from terraform.geo.tile_spec import TileSpec
from terraform.sources import Request, source_named
from terraform.sources.fetch import settings_of
from terraform.sources.remote.client import Client
from terraform.sources.remote.download import download
from terraform.sources.remote.hosts import Access
from terraform.sources.remote.response import TIFF
from terraform.sources.remote_raster.request_grid import request_grid

_GOAL = 1 / 1.3
_WHOLE_BYTES = 200_000_000
_STORES = {
    "opentopography": stores.opentopography,
    "copernicus": stores.copernicus,
    "s2mosaic120": stores.mosaic120,
    "mola": stores.mola,
    "hrsc_mola": stores.hrsc,
    "terrarium": stores.terrarium,
}


class Sent(NamedTuple):
    """What a server's log says."""

    requests: int
    bytes: int


def main() -> None:
    """Each source in turn, then the whole file."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        with _files(here) as server:
            for name, build in _STORES.items():
                (server.files / name).mkdir()
                window = build(server.files / name)
                _measure(name, f"{server.url}/{name}", window, server.forget, partial(_hits, server))
            _against_curl(server)
        _map_service(here)
        _earth_engine(here)


@contextmanager
def _files(here: Path) -> Iterator[Nginx]:
    (here / "files").mkdir()
    with nginx(here / "nginx", here / "files") as server:
        yield server


def _hits(server: Nginx, word: str = "") -> Sent:
    """Count what this project's client asked; map services ask each other too."""
    hits = [hit for hit in server.hits() if hit.agent.startswith("terraform") and word in hit.path]
    return Sent(len(hits), sum(hit.bytes for hit in hits))


def _measure(name: str, url: str, window: Window, forget: Callable[[], None], sent: Callable[[], Sent]) -> None:
    """Fetch one region and read the log."""
    region, minimum = window.region, window.minimum_bytes
    with tempfile.TemporaryDirectory() as folder:
        config = _config(Path(folder), name, url, window)
        source = source_named(name, settings_of(config, region, window.kind), config)
        forget()
        start = time.monotonic()
        source.fetch(Request(region, window.kind, download_grid(region)), Path(folder, "out.tif"))
        seconds = time.monotonic() - start
    made = sent()
    # Planets here are smaller than the true ones; what counts is how many pixels a window has.
    pairs = tile_count(region) if region.body == EARTH else minimum / 2 / TileSpec().tile_px ** 2
    report(
        f"{name}: bytes the window needs / bytes fetched", minimum / made.bytes, _GOAL, pairs=pairs,
        requests=made.requests, requests_per_pair=made.requests / pairs,
        megabytes_per_pair=made.bytes / pairs / 1e6, seconds=seconds,
    )  # fmt: skip


def _config(here: Path, name: str, url: str, window: Window) -> Config:
    full = {"source": name, "base_url": url, "hosts": [], **window.section}
    for key in ("coarse_url", "archive_url"):
        if key in full:
            full[key] = f"{url}/{full[key]}"
    downloads = {"cache": str(here / "cache"), "lock": str(here / "lock.json")}
    return parse({"downloads": downloads, "sources": {window.region.body.name: {window.kind: full}}})


def _map_service(here: Path) -> None:
    """Pictures of MapCache; the least is the window's own pixels, as its pictures are packed."""
    region = Region("here", EARTH, "train", "Here", rectangle(8.3, 45.3, 10.5, 47.5))
    with maps(here / "maps", (TerrainWindow(7.5, 44.5, 11.5, 48.5, (2020,)),)) as service:
        grid = download_grid(region)
        windows = request_grid(grid).windows(1024, -90, 90)
        asked = sum(window.shape[0] * window.shape[1] for window in windows)
        config = _config(here, "s2cloudless", service.cached_wms, Window(region, 0, "imagery", {}))
        source = source_named("s2cloudless", settings_of(config, region, "imagery"), config)
        source.fetch(Request(region, "imagery", grid), here / "out.tif")
        per_px = _hits(service.nginx, "GetMap").bytes / asked
        window = Window(region, per_px * _own_px(region), "imagery", {})
        _measure("s2cloudless", service.cached_wms, window, service.nginx.forget, partial(_hits, service.nginx))


def _own_px(region: Region) -> int:
    """Pixels of the lattice within a region's window."""
    part = request_grid(download_grid(region))
    return (part.rows[1] - part.rows[0]) * (part.columns[1] - part.columns[0])


def _earth_engine(here: Path) -> None:
    """Pixels by the real client, sign-in and catalogue of algorithms included; the least is 4 bytes a pixel."""
    region = Region("here", EARTH, "train", "Here", rectangle(10.2, 45.2, 11.9, 46.9))
    server = EarthEngine()
    try:
        with pytest.MonkeyPatch.context() as patch:
            sign_in(patch, here, key_file(here, server))
            window = Window(region, 4 * _own_px(region), "elevation", {})
            _measure("earthengine", server.url, window, server.heal, lambda: Sent(len(server.calls), server.sent_bytes))
    finally:
        server.stop()


def _against_curl(server: Nginx) -> None:
    """Fetch a whole file by this client, flushed to the disk, and by curl; wall seconds, interleaved."""
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

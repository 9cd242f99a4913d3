"""Sentinel-2 cloudless by WMS, from MapServer and MapCache: where each pixel lies, and pictures that are none."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from servers.cloudless import HERE, asked, fetched, settings
from servers.faults import Fault, Proxy
from servers.maps import Maps
from servers.nginx import Hit
from servers.surface import colour

from terraform.errors import ConfigError, RemoteError
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import opened
from terraform.geo.regions import Region, rectangle
from terraform.sources import Request, source_named

OVER = Region("over", EARTH, "train", "Over", rectangle(179.7, -17.0, 180.3, -16.7))
NOWHERE = Region("nowhere", EARTH, "train", "Nowhere", rectangle(60.0, 10.0, 60.3, 10.2))


def error_of(rgb: NDArray[np.uint8], grid: RasterGrid, year: int) -> NDArray[np.float64]:
    """Difference to the formula of the ground, per pixel and band."""
    truth = colour(grid.longitudes.centres(), grid.latitudes.centres()[:, None], year)
    return np.abs(rgb.astype(float) - truth)


def pictures(hits: list[Hit]) -> list[Hit]:
    return [hit for hit in hits if "GetMap" in hit.path]


@pytest.mark.parametrize("service", ["wms", "cached_wms"])
@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
@pytest.mark.parametrize("where", [HERE, OVER], ids=["land", "antimeridian"])
def test_every_pixel_has_the_colour_of_its_place(
    service: str, version: str, where: Region, maps: Maps, tmp_path: Path
) -> None:
    config = settings(getattr(maps, service), tmp_path, version=version, request_px=128)
    rgb, grid, _ = fetched(config, where, tmp_path)
    error = error_of(rgb, grid, 2020)
    assert error.mean() < 2 and np.percentile(error, 99) < 8
    for axis, band in ((1, 0), (0, 1)):  # one pixel off would show: red tells the longitude, green the latitude
        shifted = error_of(np.roll(rgb, 1, axis), grid, 2020)[1:, 1:, band].mean()
        assert shifted > error[..., band].mean() + 0.6
    window = asked(where).grid
    assert grid.longitudes.origin <= window.longitudes.origin and grid.longitudes.end >= window.longitudes.end
    assert grid.latitudes.origin >= window.latitudes.origin and grid.latitudes.end <= window.latitudes.end


@pytest.mark.parametrize(
    ("year", "licence"), [(2016, "CC-BY-4.0"), (2020, "CC-BY-NC-SA-4.0"), (2021, "CC-BY-NC-SA-4.0")]
)
def test_each_year_is_its_own_layer_and_licence(year: int, licence: str, maps: Maps, tmp_path: Path) -> None:
    rgb, grid, made = fetched(settings(maps.wms, tmp_path, year=year), HERE, tmp_path)
    assert error_of(rgb, grid, year).mean() < 2
    assert made.licence == licence and str(year) in made.attribution and "EOX" in made.attribution
    assert made.details["service_says"]["constraints"] == "CC BY-NC-SA 4.0"
    with opened(tmp_path / "imagery.tif") as dataset:
        assert dataset.tags()["LICENCE"] == licence


def test_another_licence_can_be_stated(maps: Maps, tmp_path: Path) -> None:
    own = settings(maps.wms, tmp_path, licence="LicenseRef-EOX-Commercial", attribution="EOX, order 5")
    source = source_named("s2cloudless", own.sources.earth.imagery, own)
    assert (source.credit().licence, source.credit().attribution) == ("LicenseRef-EOX-Commercial", "EOX, order 5")


def test_a_year_that_is_not_offered_is_told_with_those_that_are(maps: Maps, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no layer 's2cloudless-2019'.*s2cloudless-2020.*s2cloudless-2021"):
        fetched(settings(maps.wms, tmp_path, year=2019), HERE, tmp_path)
    assert pictures(maps.nginx.hits()) == []


def test_requests_are_few_small_and_polite(maps: Maps, tmp_path: Path) -> None:
    config = settings(maps.wms, tmp_path, request_px=128, downloads={"contact": "me@example.org"})
    source = source_named("s2cloudless", config.sources.earth.imagery, config)
    needs = source.estimate(asked(HERE))
    assert maps.nginx.hits() == []
    fetched(config, HERE, tmp_path)
    hits = maps.nginx.hits()
    assert len(hits) == needs.requests and not needs.exact
    assert 0.2 < needs.bytes / sum(hit.bytes for hit in pictures(hits)) < 5
    sides = [
        int(part.partition("=")[2])
        for h in pictures(hits)
        for part in h.path.split("&")
        if part[:5] in ("WIDTH", "HEIGH")
    ]
    assert max(sides) <= 128 and sum(sides[::2]) > 0
    assert len({hit.connection for hit in hits}) <= 2
    assert all("me@example.org" in hit.agent for hit in hits)
    maps.nginx.forget()
    fetched(config, HERE, tmp_path)
    assert maps.nginx.hits() == []
    assert (again := source.estimate(asked(HERE))).requests == again.bytes == 0
    beside = Region("beside", EARTH, "train", "Beside", rectangle(10.5, 45.3, 10.9, 45.6))
    fetched(config, beside, tmp_path)
    assert 0 < len(maps.nginx.hits()) < len(hits)


def test_what_is_fetched_stays_when_the_rest_fails(broken_maps: Proxy, tmp_path: Path) -> None:
    config = settings(f"{broken_maps.url}/wms", tmp_path, request_px=128, connections=1)
    needs = source_named("s2cloudless", config.sources.earth.imagery, config).estimate(asked(HERE))
    good = 3
    broken_maps.breaks(Fault("norange", "GetMap", times=good), Fault("status", "GetMap", code=503, body="tired"))
    with pytest.raises(RemoteError, match=r"tired.*run the same command again later"):
        fetched(config, HERE, tmp_path)
    assert not (tmp_path / "imagery.tif").exists()
    broken_maps.breaks()
    fetched(config, HERE, tmp_path)
    assert len(broken_maps.asked) == needs.requests - 1 - good


PROGRAM = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
from servers.windows import rectangle_of
from terraform.config import parse
from terraform.geo.bodies import EARTH
from terraform.geo.regions import Region, rectangle
from terraform.sources import source_named
config = parse(json.loads(pathlib.Path("config.json").read_text()))
here = Region("here", EARTH, "train", "Here", rectangle(10.3, 45.3, 10.7, 45.6))
source = source_named("s2cloudless", config.sources.earth.imagery, config)
source.fetch(rectangle_of(here, "imagery"), pathlib.Path("imagery.tif"))
"""


def test_a_killed_run_loses_what_was_in_flight_and_no_more(broken_maps: Proxy, tmp_path: Path) -> None:
    config = settings(f"{broken_maps.url}/wms", tmp_path, request_px=128, connections=1)
    plan = source_named("s2cloudless", config.sources.earth.imagery, config).estimate(asked(HERE))
    (tmp_path / "config.json").write_text(config.model_dump_json())
    broken_maps.breaks(Fault("slow", "GetMap", pause_s=0.02))
    tests = str(Path(__file__).parents[2])
    running = subprocess.Popen([sys.executable, "-c", PROGRAM, tests], cwd=tmp_path)
    end = time.monotonic() + 60
    while len(list((tmp_path / "cache").rglob("*.jpg"))) < 2 and time.monotonic() < end:
        assert running.poll() is None
        time.sleep(0.02)
    running.kill()
    running.wait()
    time.sleep(0.5)  # until the request that was in flight has ended at the server too
    assert not (tmp_path / "imagery.tif").exists()
    kept = len([path for path in (tmp_path / "cache").rglob("*.jpg") if ".part-" not in path.name])
    broken_maps.breaks()
    rgb, grid, _ = fetched(config, HERE, tmp_path)
    pictures = [asked for asked in broken_maps.asked if "GetMap" in asked.path]
    assert len(pictures) == plan.requests - 1 - kept  # all but the capabilities and what was kept
    assert error_of(rgb, grid, 2020).mean() < 2
    assert not list((tmp_path / "cache").rglob(".*.part-*"))


@pytest.mark.parametrize("kind", ["drop", "truncate", "short", "html", "corrupt"])
def test_what_fails_once_is_asked_again(kind: Any, broken_maps: Proxy, tmp_path: Path) -> None:
    broken_maps.breaks(Fault(kind, "GetMap", times=1, body="log in"))
    rgb, grid, _ = fetched(settings(f"{broken_maps.url}/wms", tmp_path), HERE, tmp_path)
    assert error_of(rgb, grid, 2020).mean() < 2 or kind == "corrupt"
    asked_for = [one for one in broken_maps.asked if "GetMap" in one.path]
    assert len(asked_for) >= 2 or kind == "corrupt"


def test_a_service_that_has_nothing_here_is_not_believed(maps: Maps, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="100% of the picture are blank"):
        fetched(settings(maps.wms, tmp_path), NOWHERE, tmp_path)
    assert not list((tmp_path / "cache").rglob("*.jpg"))


def test_other_planets_and_heights_are_refused(tmp_path: Path) -> None:
    config = settings("http://127.0.0.1:1/wms", tmp_path)
    source = source_named("s2cloudless", config.sources.earth.imagery, config)
    there = Region("there", MARS, "mosaic", "There", rectangle(10, 5, 11, 6))
    for request in (Request(there, "imagery", asked(HERE).grid), Request(HERE, "elevation", asked(HERE).grid)):
        with pytest.raises(ConfigError, match="it has imagery of earth; choose another"):
            source.fetch(request, tmp_path / "x.tif")

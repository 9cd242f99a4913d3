"""The 120 m mosaic from a real server: two zones of UTM, reflectance to colour, what the bucket does not have."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyproj import Transformer
from servers.buckets import mosaic120
from servers.faults import Fault, Proxy
from servers.nginx import Nginx

from terraform import provenance
from terraform.config import Config, parse
from terraform.errors import ConfigError, InputError, RemoteError
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import grid_of, opened, read
from terraform.geo.regions import Region, rectangle
from terraform.geo.resample import Axis
from terraform.sources import Request, source_named
from terraform.sources.catalog.s2mosaic120 import Zone, zones
from terraform.sources.fetch import settings_of

FAST = {"attempts": 3, "backoff_s": 0.01, "read_timeout_s": 2, "connect_timeout_s": 2, "deadline_s": 20}
DATE = "2019-07-10"


def reflectance(lon: Any, lat: Any, band: str) -> Any:
    """Slow enough to be followed at 200 m, different in each band."""
    phase = {"B04": 0.0, "B03": 2.0, "B02": 4.0}[band]
    return 0.2 + 0.1 * np.sin(2 * np.pi * lon / 0.5 + phase) + 0.05 * np.cos(2 * np.pi * lat / 0.4 + phase)


def colour(lon: Any, lat: Any) -> NDArray[np.float64]:
    bands = [reflectance(lon, lat, band) for band in ("B04", "B03", "B02")]
    return np.stack([1 + 254 * (np.minimum(band, 0.45) / 0.45) ** (1 / 1.8) for band in bands], axis=-1)


def window(west: float, south: float, east: float, north: float) -> RasterGrid:
    tall, wide = round((north - south) / 0.0018), round((east - west) / 0.0018)
    return RasterGrid(EARTH, Axis(north, (south - north) / tall, tall), Axis(west, (east - west) / wide, wide))


def config(url: str, here: Path) -> Config:
    section = {"source": "s2mosaic120", "base_url": url, "hosts": []}
    return parse(
        {
            "downloads": {**FAST, "cache": str(here), "lock": str(here / "lock.json")},
            "sources": {"earth": {"imagery": section}},
        }
    )


def fetched(settings: Config, grid: RasterGrid, path: Path) -> tuple[NDArray[Any], RasterGrid]:
    asked = region(grid)
    source = source_named("s2mosaic120", settings_of(settings, asked, "imagery"), settings)
    provenance.write(source.fetch(Request(asked, "imagery", grid), path), path.with_suffix(".json"))
    with opened(path) as dataset:
        return read(dataset), grid_of(dataset)


def region(grid: RasterGrid) -> Region:
    edges = (grid.longitudes.origin, grid.latitudes.end, grid.longitudes.end, grid.latitudes.origin)
    return Region("here", EARTH, "train", "Here", rectangle(*edges))


def zone(folder: Path, number: int, lon: float, lat: float, side: int = 360, **more: Any) -> None:
    """A piece of a zone round a place."""
    epsg = 32600 + number
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(lon, lat)
    west, north = round(x / 120) * 120 - side * 60, round(y / 120) * 120 + side * 60
    mosaic120(folder, DATE, f"{number:02}T", epsg, west, north, (side, side), more.get("of", reflectance))


@pytest.fixture
def served(file_server: Nginx, tmp_path: Path) -> Path:
    folder = file_server.files / f"s2-{tmp_path.name}"
    folder.mkdir()
    return folder


def test_two_zones_meet_in_the_right_place(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    zone(served, 32, 12.0, 46.0)
    zone(served, 33, 12.0, 46.0)
    grid = window(11.85, 45.9, 12.15, 46.1)
    values, made = fetched(config(f"{file_server.url}/{served.name}", tmp_path / "c"), grid, tmp_path / "i.tif")
    lon, lat = np.meshgrid(made.longitudes.centres(), made.latitudes.centres())
    assert np.abs(values - colour(lon, lat)).max() <= 2
    about = provenance.read(tmp_path / "i.json")
    assert about.licence == "CC-BY-4.0" and "2019" in about.attribution
    assert about.details["stretch"] == {"white_reflectance": 0.45, "gamma": 1.8}
    assert len(about.details["files"]) == 6


def test_a_zone_that_is_not_there_is_void_and_remembered(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    zone(served, 32, 11.75, 46.0)
    grid = window(11.85, 45.9, 12.15, 46.1)
    settings = config(f"{file_server.url}/{served.name}", tmp_path / "c")
    values, _ = fetched(settings, grid, tmp_path / "i.tif")
    assert (values == 0).all(axis=-1).any() and (values > 0).any()
    assert 404 in {hit.status for hit in file_server.hits()}
    file_server.forget()
    fetched(settings, grid, tmp_path / "again.tif")
    assert file_server.hits() == []


def test_open_sea_is_told(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="open sea"):
        fetched(
            config(f"{file_server.url}/{served.name}", tmp_path / "c"), window(11.9, 45.9, 12, 46), tmp_path / "i.tif"
        )


def test_a_failure_is_no_sea(broken_files: Proxy, served: Path, tmp_path: Path) -> None:
    zone(served, 32, 11.9, 46.0)
    broken_files.breaks(Fault("status", match="33T", code=503))
    settings = config(f"{broken_files.url}/{served.name}", tmp_path / "c")
    with pytest.raises(RemoteError, match="503"):
        fetched(settings, window(11.85, 45.9, 12.15, 46.1), tmp_path / "i.tif")
    assert not (tmp_path / "i.tif").exists()


def test_a_missing_number_is_void_in_all_bands(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    def holed(lon: Any, lat: Any, band: str) -> Any:
        hole = (np.abs(lon - 9.0) < 0.01) & (np.abs(lat - 46.0) < 0.01) & (band == "B03")
        return np.where(hole, 0, reflectance(lon, lat, band))

    zone(served, 32, 9.0, 46.0, of=holed)
    values, made = fetched(
        config(f"{file_server.url}/{served.name}", tmp_path / "c"), window(8.9, 45.9, 9.1, 46.1), tmp_path / "i.tif"
    )
    lon, lat = np.meshgrid(made.longitudes.centres(), made.latitudes.centres())
    void = (values == 0).all(axis=-1)
    assert void[(np.abs(lon - 9) < 0.008) & (np.abs(lat - 46) < 0.008)].all()
    assert not void[(np.abs(lon - 9) > 0.013) | (np.abs(lat - 46) > 0.013)].any()
    assert np.abs(values - colour(lon, lat))[~void].max() <= 3


def test_a_plan_is_exact_once_the_heads_are_known(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    zone(served, 32, 9.0, 46.0)
    settings = config(f"{file_server.url}/{served.name}", tmp_path / "c")
    grid = window(8.9, 45.9, 9.1, 46.1)
    source = source_named("s2mosaic120", settings_of(settings, region(grid), "imagery"), settings)
    request = Request(region(grid), "imagery", grid)
    assert not source.estimate(request).exact and file_server.hits() == []
    fetched(settings, window(9.15, 46.1, 9.16, 46.11), tmp_path / "corner.tif")
    file_server.forget()
    needs = source.estimate(request)
    source.fetch(request, tmp_path / "i.tif")
    assert needs.exact and len(file_server.hits()) == needs.requests
    assert source.estimate(request).requests == 0


def test_zones() -> None:
    assert zones(window(11.9, 45.9, 12.1, 46.1)) == [Zone(32, "T"), Zone(33, "T")]
    assert zones(window(9, 47.9, 9.1, 48.1)) == [Zone(32, "T"), Zone(32, "U")]
    assert zones(window(179.9, -0.1, 180.1, 0.1)) == [Zone(60, "M"), Zone(1, "M"), Zone(60, "N"), Zone(1, "N")]
    assert {zone.number for zone in zones(window(4, 60, 5, 61))} == {31, 32}
    assert {zone.number for zone in zones(window(8, 75, 10, 76))} == {31, 33}
    assert (Zone(32, "T").epsg, Zone(1, "M").epsg, Zone(1, "M").name) == (32632, 32701, "01M")


def test_heights_are_not_theirs(tmp_path: Path) -> None:
    section = {"source": "s2mosaic120", "base_url": "http://127.0.0.1:9"}
    settings = parse({"downloads": {"cache": str(tmp_path)}, "sources": {"earth": {"elevation": section}}})
    grid = window(9, 46, 9.1, 46.1)
    source = source_named("s2mosaic120", settings_of(settings, region(grid), "elevation"), settings)
    with pytest.raises(ConfigError, match="has no elevation of earth"):
        source.fetch(Request(region(grid), "elevation", grid), tmp_path / "e.tif")

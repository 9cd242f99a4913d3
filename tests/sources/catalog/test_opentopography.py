"""SRTM from a real server: four tiles, the sea, the antimeridian, damage and change."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from servers.buckets import srtm, srtm_list
from servers.degree_tiles import assert_is_the_surface, config, fetched, region, under, window
from servers.faults import Fault, Proxy
from servers.nginx import Nginx
from servers.surface import height_m

from terraform import provenance
from terraform.config import parse
from terraform.errors import ConfigError, InputError, IntegrityError, RemoteError
from terraform.geo.heights import VOID
from terraform.geo.raster import grid_of, opened, read
from terraform.sources import Request, source_named
from terraform.sources.fetch import accept_changes, fetch, settings_of


def test_srtm_is_where_it_belongs_over_four_tiles(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    for south, west in [(45, 8), (45, 9), (46, 8), (46, 9)]:
        srtm(tiles, south, west)
    srtm_list(tiles)
    settings = config(under(file_server.url, tiles), tmp_path / "cache")
    values, grid = fetched(settings, region(8.7, 45.8, 9.3, 46.2), tmp_path / "e.tif")
    assert grid.latitudes.step == pytest.approx(-1 / 360)
    assert_is_the_surface(values, grid)
    made = provenance.read(tmp_path / "e.json")
    assert made.licence == "LicenseRef-Public-Domain" and "SRTM" in made.attribution
    assert len(made.details["files"]) == 4 and made.details["version"] == "SRTM_GL1"
    assert all(f["url"].endswith(".tif") and len(f["sha256"]) == 64 and f["etag"] for f in made.details["files"])


def test_tiles_of_the_sea_are_not_asked_for(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8)
    srtm_list(tiles)
    settings = config(under(file_server.url, tiles), tmp_path / "cache")
    values, grid = fetched(settings, region(8.7, 45.5, 9.3, 45.6), tmp_path / "e.tif")
    assert_is_the_surface(values, grid, sea=lambda lon, lat: lon > 9.0 + 1 / 720)
    assert {hit.status for hit in file_server.hits()} <= {200, 206}


def test_a_listed_tile_that_is_not_there_is_a_failure_not_sea(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8)
    lost = srtm(tiles, 45, 9)
    srtm_list(tiles)
    lost.unlink()
    settings = config(under(file_server.url, tiles), tmp_path / "cache")
    with pytest.raises(RemoteError, match=r"N45E009\.tif does not exist") as told:
        fetched(settings, region(8.7, 45.5, 9.3, 45.6), tmp_path / "e.tif")
    assert told.value.exit_code == 4
    assert not (tmp_path / "e.tif").exists()


def test_the_sea_within_a_tile_is_exactly_zero(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8, heights=lambda lon, lat: np.where(lon < 8.5, height_m(lon, lat), 0))
    srtm_list(tiles)
    values, grid = fetched(
        config(under(file_server.url, tiles), tmp_path / "c"), region(8.3, 45.4, 8.7, 45.5), tmp_path / "e.tif"
    )
    assert_is_the_surface(values, grid, sea=lambda lon, lat: lon >= 8.5 - 1e-6)


def test_a_void_stays_a_void_and_spoils_no_neighbour(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8, void=(180, 180))
    srtm_list(tiles)
    settings = config(under(file_server.url, tiles), tmp_path / "c")
    values, grid = fetched(settings, region(8.4, 45.4, 8.6, 45.6), tmp_path / "e.tif")
    (y,), (x,) = np.nonzero(values == VOID)
    assert grid.longitudes.centres()[x] == pytest.approx(8.5) and grid.latitudes.centres()[y] == pytest.approx(45.5)
    values[y, x] = round(float(height_m(8.5, 45.5)))
    assert_is_the_surface(values, grid)


def test_the_antimeridian_is_crossed(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, -17, 179)
    srtm(tiles, -17, -180)
    srtm_list(tiles)
    settings = config(under(file_server.url, tiles), tmp_path / "c")
    values, grid = fetched(settings, region(179.7, -16.6, 180.3, -16.4), tmp_path / "e.tif")
    assert grid.longitudes.origin < 180 < grid.longitudes.end
    assert_is_the_surface(values, grid)


def test_thirty_metres_are_averaged(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8, side=3601, BLOCKSIZE=512)
    srtm_list(tiles)
    settings = config(under(file_server.url, tiles), tmp_path / "c")
    values, grid = fetched(settings, region(8.45, 45.45, 8.5, 45.5), tmp_path / "e.tif")
    assert abs(grid.latitudes.step) == pytest.approx(3 / 3600)
    assert_is_the_surface(values, grid, tolerance_m=1)


def test_what_a_neighbour_fetched_is_not_fetched_again(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8)
    srtm_list(tiles)
    settings = config(under(file_server.url, tiles), tmp_path / "cache")
    fetched(settings, region(8.3, 45.4, 8.6, 45.6), tmp_path / "one.tif")
    assert len(file_server.hits()) >= 3
    file_server.forget()
    fetched(settings, region(8.3, 45.4, 8.6, 45.6), tmp_path / "same.tif")
    assert file_server.hits() == []
    assert (tmp_path / "one.tif").read_bytes()[:100] == (tmp_path / "same.tif").read_bytes()[:100]
    values, grid = fetched(settings, region(8.5, 45.4, 8.8, 45.6), tmp_path / "next.tif")
    assert_is_the_surface(values, grid)
    again = [hit.range for hit in file_server.hits()]
    assert again and "bytes=0-16383" not in again


def test_only_the_blocks_of_the_window_are_fetched(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(100, 3000, (1201, 1201))
    path = srtm(tiles, 45, 8, side=1201, heights=lambda lon, lat: noise, OVERVIEWS="NONE")
    srtm_list(tiles)
    asked = region(8.2, 45.2, 8.45, 45.4)
    fetched(config(under(file_server.url, tiles), tmp_path / "c"), asked, tmp_path / "e.tif")
    grid = window(asked)
    wide = grid.longitudes.end - grid.longitudes.origin
    tall = grid.latitudes.origin - grid.latitudes.end
    needed = path.stat().st_size * wide * tall
    sent = sum(hit.bytes for hit in file_server.hits() if hit.path.endswith("E008.tif"))
    # Here whole blocks of 128 pixels round a small window; benchmarks/sources.py measures regions.
    assert needed < sent < 3 * needed


@pytest.mark.parametrize("what", ["drop", "truncate", "short", "longer", "norange", "html", "stall", "corrupt"])
def test_a_fault_in_between_is_survived(broken_files: Proxy, tiles: Path, tmp_path: Path, what: Any) -> None:
    srtm(tiles, 45, 8)
    srtm_list(tiles)
    broken_files.breaks(Fault(what, match=r"E008\.tif", times=2, pause_s=2))
    settings = config(under(broken_files.url, tiles), tmp_path / "cache")
    values, grid = fetched(settings, region(8.3, 45.4, 8.6, 45.6), tmp_path / "e.tif")
    assert_is_the_surface(values, grid)
    assert sum(asked.fault == what for asked in broken_files.asked) == 2


def test_data_that_are_damaged_at_the_source_are_found(broken_files: Proxy, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8)
    srtm_list(tiles)
    settings = config(under(broken_files.url, tiles), tmp_path / "cache")
    broken_files.breaks(Fault("corrupt", match=r"E008\.tif"))
    with pytest.raises((IntegrityError, InputError)):
        fetched(settings, region(8.3, 45.4, 8.6, 45.6), tmp_path / "e.tif")
    assert not (tmp_path / "e.tif").exists()


def test_a_damaged_block_is_never_kept(broken_files: Proxy, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8)
    srtm_list(tiles)
    settings = config(under(broken_files.url, tiles), tmp_path / "cache")
    source = source_named("opentopography", settings_of(settings, region(8, 45, 9, 46), "elevation"), settings)
    asked = Request(region(8.3, 45.4, 8.6, 45.6), "elevation", window(region(8.3, 45.4, 8.6, 45.6)))
    broken_files.breaks(Fault("corrupt", match=r"E008\.tif", times=1))
    source.fetch(asked, tmp_path / "head-damaged.tif")
    broken_files.breaks()
    source.fetch(asked, tmp_path / "e.tif")
    assert broken_files.asked == []
    with opened(tmp_path / "e.tif") as dataset:
        assert_is_the_surface(read(dataset), grid_of(dataset))


def test_a_tile_that_changed_is_not_mixed(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8)
    srtm_list(tiles)
    settings = config(under(file_server.url, tiles), tmp_path / "cache")
    fetched(settings, region(8.3, 45.4, 8.4, 45.6), tmp_path / "one.tif")
    srtm(tiles, 45, 8, heights=lambda lon, lat: height_m(lon, lat) + 7)
    with pytest.raises(IntegrityError, match=r"N45E008\.tif has changed at its source.*--accept-new"):
        fetched(settings, region(8.7, 45.4, 8.9, 45.6), tmp_path / "two.tif")


def test_another_tile_than_the_locked_one_is_refused_until_it_is_accepted(
    file_server: Nginx, tiles: Path, tmp_path: Path
) -> None:
    srtm(tiles, 45, 8)
    srtm_list(tiles)
    here = region(8.3, 45.4, 8.4, 45.6)
    fetched(config(under(file_server.url, tiles), tmp_path / "one"), here, tmp_path / "e.tif")
    name = "opentopography/SRTM_GL1/SRTM_GL1_srtm/N45E008.tif"
    locked = json.loads((tmp_path / "sources.lock.json").read_text())
    assert list(locked) == [name] and locked[name]["bytes"] > 0 and locked[name]["etag"]
    path = srtm(tiles, 45, 8, heights=lambda lon, lat: height_m(lon, lat) + 7)
    elsewhere = config(under(file_server.url, tiles), tmp_path / "two")  # another machine, the same repository
    with pytest.raises(IntegrityError, match=rf"{name} is not the file that .*locked is .*--accept-new") as told:
        fetched(elsewhere, here, tmp_path / "e.tif")
    assert told.value.exit_code == 6
    assert json.loads((tmp_path / "sources.lock.json").read_text()) == locked
    assert accept_changes(elsewhere, "opentopography")[0] == name
    fetched(elsewhere, here, tmp_path / "e.tif")
    assert json.loads((tmp_path / "sources.lock.json").read_text())[name]["bytes"] == path.stat().st_size
    fetched(elsewhere, here, tmp_path / "again.tif")


def test_a_tile_under_a_wrong_name_is_refused(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    path = srtm(tiles, 45, 8)
    path.rename(path.with_name("N45E009.tif"))
    srtm_list(tiles)
    with pytest.raises(IntegrityError, match="not what its name says"):
        fetched(config(under(file_server.url, tiles), tmp_path / "c"), region(9.3, 45.4, 9.4, 45.6), tmp_path / "e.tif")


def test_a_tile_of_another_planet_is_refused(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8, crs="IAU_2015:49900")
    srtm_list(tiles)
    settings = config(under(file_server.url, tiles), tmp_path / "cache")
    with pytest.raises(IntegrityError, match=r"N45E008\.tif is of a body with a radius of 3396\.2 km, not of earth"):
        fetched(settings, region(8.2, 45.2, 8.8, 45.8), tmp_path / "e.tif")


def test_srtm_ends_at_sixty_degrees(tmp_path: Path) -> None:
    settings = config("http://127.0.0.1:9", tmp_path / "c")
    with pytest.raises(InputError, match="SRTM covers -56 to 60: use the source copernicus"):
        fetched(settings, region(8.3, 59.9, 8.4, 60.1), tmp_path / "e.tif")


def test_a_plan_says_what_will_be_asked(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    srtm(tiles, 45, 8)
    srtm_list(tiles)
    settings = config(under(file_server.url, tiles), tmp_path / "cache")
    here = region(8.3, 45.4, 8.6, 45.6)
    source = source_named("opentopography", settings_of(settings, here, "elevation"), settings)
    request = Request(here, "elevation", window(here))
    before = source.estimate(request)
    assert not before.exact and before.requests >= 2 and before.bytes > 0 and before.kept_bytes == 0
    assert file_server.hits() == []
    # The head is known, none of the blocks is.
    fetched(settings, region(8.9, 45.9, 8.95, 45.95), tmp_path / "corner.tif")
    file_server.forget()
    exact = source.estimate(request)
    assert exact.exact and file_server.hits() == []
    source.fetch(request, tmp_path / "e.tif")
    assert len(file_server.hits()) == exact.requests
    after = source.estimate(request)
    assert (after.requests, after.bytes) == (0, 0) and after.kept_bytes >= exact.bytes


def test_imagery_is_not_theirs(tmp_path: Path) -> None:
    for name in ("opentopography", "copernicus"):
        section = {"source": name, "base_url": "http://127.0.0.1:9"}
        settings = parse({"downloads": {"cache": str(tmp_path)}, "sources": {"earth": {"imagery": section}}})
        with pytest.raises(ConfigError, match="has no imagery of earth"):
            fetch(settings, region(8.3, 45.4, 8.4, 45.6), "imagery", tmp_path / "i.tif")

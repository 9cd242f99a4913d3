"""Elevation of Mars from a real server: rows of big maps, tiles of the archive, whole files, locks."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from servers.buckets import megdr, planet
from servers.faults import Fault, Proxy
from servers.mars_maps import BLEND, MAP, assert_is_slow, config, fetched, region, slow
from servers.nginx import Nginx
from servers.surface import height_m

from terraform import provenance
from terraform.config import Config, parse
from terraform.errors import ConfigError, IntegrityError, RemoteError
from terraform.geo.bodies import EARTH
from terraform.geo.regions import Region, rectangle
from terraform.sources.fetch import accept_changes, fetch
from terraform.sources.remote.ranges import FileVersion
from terraform.sources.remote.version_lock import VersionLock


@pytest.fixture
def served(file_server: Nginx, tmp_path: Path) -> Path:
    folder = file_server.files / f"mars-{tmp_path.name}"
    folder.mkdir()
    return folder


MAPS = [("hrsc_mola", BLEND, True), ("mola", MAP, False)]


@pytest.mark.parametrize(("source", "name", "degrees"), MAPS)
@pytest.mark.parametrize("west", [-75.0, 120.0, 178.0, -182.0, 285.0])
def test_a_window_is_where_it_belongs(
    file_server: Nginx, served: Path, tmp_path: Path, source: str, name: str, degrees: bool, west: float
) -> None:
    planet(served / name, 1000, 2000, degrees, slow)
    asked = region(west, -10, west + 9, -2)
    values, grid = fetched(config(f"{file_server.url}/{served.name}", tmp_path, source), asked, tmp_path / "e.tif")
    assert_is_slow(values, grid)
    assert grid.longitudes.step == pytest.approx(0.18)
    made = provenance.read(tmp_path / "e.json")
    assert made.licence == "LicenseRef-Public-Domain" and len(made.details["files"][0]["sha256"]) == 64


def test_a_window_costs_its_own_bytes(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    path = planet(served / BLEND, 1000, 8000, True, slow)
    asked = region(-150, -60, -60, 89)
    fetched(config(f"{file_server.url}/{served.name}", tmp_path, "hrsc_mola"), asked, tmp_path / "e.tif")
    needed = path.stat().st_size * 90 / 360 * 149 / 180
    sent = sum(hit.bytes for hit in file_server.hits())
    assert sent < 1.3 * needed
    assert {hit.status for hit in file_server.hits()} == {206}
    # One request a row, on few connections that are used again and again.
    assert len({hit.connection for hit in file_server.hits()}) <= 16 < len(file_server.hits())


def test_neighbours_share_what_was_fetched(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    planet(served / BLEND, 1000, 2000, True, slow)
    settings = config(f"{file_server.url}/{served.name}", tmp_path, "hrsc_mola")
    fetched(settings, region(-100, -10, -60, 10), tmp_path / "one.tif")
    file_server.forget()
    fetched(settings, region(-90, -8, -65, 8), tmp_path / "inside.tif")
    assert file_server.hits() == []
    values, grid = fetched(settings, region(-80, -8, -30, 8), tmp_path / "next.tif")
    assert_is_slow(values, grid)
    assert file_server.hits()


def test_the_whole_planet_is_fetched_once_and_kept_as_a_cog(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    planet(served / BLEND, 500, 1000, True, slow)
    settings = config(f"{file_server.url}/{served.name}", tmp_path, "hrsc_mola")
    values, grid = fetched(settings, region(-180, -80, 180, 80), tmp_path / "e.tif", step=0.36)
    assert grid.wraps
    assert_is_slow(values, grid)
    assert [hit.status for hit in file_server.hits()][-1] == 200
    locked = json.loads((tmp_path / "sources.lock.json").read_text())[f"hrsc_mola/{BLEND}"]
    assert len(locked["sha256"]) == 64 and locked["bytes"] == (served / BLEND).stat().st_size
    file_server.forget()
    values, grid = fetched(settings, region(170, -10, 190, 10), tmp_path / "part.tif")
    assert_is_slow(values, grid)
    assert file_server.hits() == []
    assert provenance.read(tmp_path / "part.json").details["files"][0]["sha256"] == locked["sha256"]
    assert [path.name for path in (tmp_path / "cache/hrsc_mola/v2").glob("*.raw.tif")] == []


WHOLE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from servers.mars_maps import config, fetched, region
here = Path(sys.argv[2])
fetched(config(sys.argv[1], here, "hrsc_mola"), region(-180, -80, 180, 80), here / "e.tif", 0.36)
"""


def test_a_killed_download_of_the_planet_goes_on(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    path = planet(served / BLEND, 500, 1000, True, slow)
    throttled = f"{file_server.url}/throttled/{served.name}"
    child = subprocess.Popen([sys.executable, "-c", WHOLE, throttled, str(tmp_path), str(Path(__file__).parents[2])])
    partial = tmp_path / "cache/hrsc_mola/v2/.200m.raw.tif.partial"
    while not (partial.exists() and partial.stat().st_size > 300_000):
        assert child.poll() is None
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    had = partial.stat().st_size
    file_server.forget()
    settings = config(f"{file_server.url}/{served.name}", tmp_path, "hrsc_mola")
    values, grid = fetched(settings, region(-180, -80, 180, 80), tmp_path / "e.tif", step=0.36)
    assert_is_slow(values, grid)
    assert [hit.bytes for hit in file_server.hits()] == [path.stat().st_size - had]


@pytest.mark.parametrize("what", ["drop", "truncate", "short", "longer", "norange", "html", "stall"])
def test_faults_in_between_are_survived(broken_files: Proxy, served: Path, tmp_path: Path, what: Any) -> None:
    planet(served / BLEND, 500, 1000, True, slow)
    settings = config(f"{broken_files.url}/{served.name}", tmp_path, "hrsc_mola")
    broken_files.breaks(Fault(what, times=2, pause_s=3))
    values, grid = fetched(settings, region(-100, -10, -60, 10), tmp_path / "e.tif")
    assert_is_slow(values, grid)


def test_a_store_that_is_busy_is_resumed_with_the_rows_that_came(
    broken_files: Proxy, served: Path, tmp_path: Path
) -> None:
    planet(served / BLEND, 500, 1000, True, slow)
    settings = config(f"{broken_files.url}/{served.name}", tmp_path, "hrsc_mola")
    asked = region(-100, -40, -60, 40)
    # A band of rows and a part of the next are answered, then the quota is used up.
    broken_files.breaks(Fault("pass", times=170), Fault("status", code=429, body="SlowDown"))
    with pytest.raises(RemoteError, match=r"SlowDown.*resume"):
        fetched(settings, asked, tmp_path / "e.tif")
    broken_files.breaks()
    values, grid = fetched(settings, asked, tmp_path / "e.tif")
    assert_is_slow(values, grid)
    # In all the head and two bands of 128 rows; no row is asked for twice.
    assert len(broken_files.asked) == 1 + 2 * 128 - 170
    assert not list((tmp_path / "cache").rglob("row-*"))


def test_another_file_than_the_locked_one_is_refused(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    planet(served / BLEND, 500, 1000, True, slow)
    settings = config(f"{file_server.url}/{served.name}", tmp_path, "hrsc_mola")
    fetched(settings, region(-100, -10, -60, 10), tmp_path / "e.tif")
    planet(served / BLEND, 600, 1200, True, slow)
    with pytest.raises(IntegrityError, match="has changed at its source"):
        fetched(settings, region(20, -10, 60, 10), tmp_path / "e.tif")
    fresh = settings.model_copy(
        update={"downloads": settings.downloads.model_copy(update={"cache": str(tmp_path / "other")})}
    )
    with pytest.raises(
        IntegrityError, match=rf"hrsc_mola/{BLEND} is not the file .* its bytes is .*--accept-new"
    ) as told:
        fetched(fresh, region(20, -10, 60, 10), tmp_path / "e.tif")
    assert told.value.exit_code == 6


def test_a_lock_compares_digests_before_etags(tmp_path: Path) -> None:
    locks = VersionLock(tmp_path / "lock.json")
    locks.pin_version("a/b", FileVersion(10, '"one"'), "ab" * 32)
    locks.pin_version("a/b", FileVersion(10, '"two"'), "ab" * 32)
    with pytest.raises(IntegrityError, match=r"its sha256 is cd.*locked is ab"):
        locks.pin_version("a/b", FileVersion(10, '"two"'), "cd" * 32)
    with pytest.raises(IntegrityError, match="its bytes is 11, locked is 10"):
        locks.pin_version("a/b", FileVersion(11, '"two"'))
    assert locks.forget("a/") == ["a/b"] and locks.entry("a/b") == {}
    (tmp_path / "lock.json").write_text("{")
    with pytest.raises(ConfigError, match="is not JSON"):
        locks.pin_version("a/b", FileVersion(10, ""))


@pytest.mark.parametrize(
    ("source", "degrees", "other", "said"),
    [
        ("hrsc_mola", False, {}, "does not cover the whole of mars"),
        ("hrsc_mola", True, {"west": 0}, "does not cover the whole of mars"),
        ("mola", False, {"west": 0, "crs": "IAU_2015:49915"}, "does not cover the whole of mars"),
        ("mola", False, {"radius_m": 3_389_500}, "does not cover the whole of mars"),
        ("hrsc_mola", True, {"crs": "EPSG:4326"}, r"radius of 6378\.1 km, not of mars \(3396\.2 km\)"),
        ("hrsc_mola", True, {"crs": "IAU_2015:30100"}, r"radius of 1737\.4 km, not of mars"),
        ("mola", False, {"crs": "EPSG:4087"}, r"radius of 6378\.1 km, not of mars"),
    ],
)
def test_a_map_of_something_else_is_refused(
    file_server: Nginx, served: Path, tmp_path: Path, source: str, degrees: bool, other: dict[str, Any], said: str
) -> None:
    planet(served / (BLEND if source == "hrsc_mola" else MAP), 500, 1000, degrees, slow, **other)
    settings = config(f"{file_server.url}/{served.name}", tmp_path, source)
    with pytest.raises(IntegrityError, match=said):
        fetched(settings, region(-100, -10, -60, 10), tmp_path / "e.tif")


@pytest.mark.parametrize("crs", ["ESRI:104971", "ESRI:104905", "IAU_2015:49900", "IAU_2015:49902"])
def test_mars_has_many_names(file_server: Nginx, served: Path, tmp_path: Path, crs: str) -> None:
    planet(served / BLEND, 500, 1000, True, slow, crs=crs)
    settings = config(f"{file_server.url}/{served.name}", tmp_path, "hrsc_mola")
    assert_is_slow(*fetched(settings, region(-100, -10, -60, 10), tmp_path / "e.tif"))


@pytest.mark.parametrize(("south", "north"), [(82, 90), (-90, -82)])
def test_the_poles_are_reached(file_server: Nginx, served: Path, tmp_path: Path, south: float, north: float) -> None:
    planet(served / MAP, 1000, 2000, False, slow)
    settings = config(f"{file_server.url}/{served.name}", tmp_path, "mola")
    values, grid = fetched(settings, region(-75, south, -66, north), tmp_path / "e.tif")
    assert_is_slow(values, grid)
    assert grid.latitudes.origin == pytest.approx(north) or grid.latitudes.end == pytest.approx(south)


def archive(url: str, here: Path) -> Config:
    return config(url, here, "mola", product="128ppd", archive_url=url)


def test_tiles_that_count_to_360_meet_on_both_sides_of_the_antimeridian(
    file_server: Nginx, served: Path, tmp_path: Path
) -> None:
    # 180 E is the edge of tiles 090 and 180, the equator that of 44n and 00n.
    for west in (90, 180):
        megdr(served, 44, west, (5632 - 400, 5632))
        megdr(served, 0, west, (0, 400))
    settings = archive(f"{file_server.url}/{served.name}", tmp_path)
    for name, west in (("east", 178.5), ("west", -181.5)):
        asked = region(west, -1.0, west + 3, 1.0)
        values, grid = fetched(settings, asked, tmp_path / f"{name}.tif", step=0.01)
        lon, lat = np.meshgrid(grid.longitudes.centres(), grid.latitudes.centres())
        assert np.abs(values - np.rint(height_m(lon, lat))).max() == 0
        assert grid.longitudes.step == pytest.approx(1 / 128)
    made = provenance.read(tmp_path / "east.json")
    assert [f["url"].rpartition("/")[2] for f in made.details["files"]] == [
        "megt44n090hb.img", "megt44n180hb.img", "megt00n090hb.img", "megt00n180hb.img",
    ]  # fmt: skip


def test_zero_degrees_is_an_edge_too(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    for west in (0, 270):
        megdr(served, 44, west, (5632 - 400, 5632))
    settings = archive(f"{file_server.url}/{served.name}", tmp_path)
    values, grid = fetched(settings, region(-0.5, 0.5, 0.5, 1.0), tmp_path / "e.tif", step=0.01)
    lon, lat = np.meshgrid(grid.longitudes.centres(), grid.latitudes.centres())
    assert np.abs(values - np.rint(height_m(lon, lat))).max() == 0


def test_a_tile_of_another_size_is_refused(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    (served / "megt44n000hb.img").write_bytes(bytes(10_000))
    with pytest.raises(IntegrityError, match="has 10,000 bytes, that part of MEGDR has 129,761,280"):
        fetched(archive(f"{file_server.url}/{served.name}", tmp_path), region(1, 1, 2, 2), tmp_path / "e.tif", 0.01)


def test_mars_has_no_imagery_and_earth_no_mola(tmp_path: Path) -> None:
    here = Region("here", EARTH, "train", "Here", rectangle(1, 1, 2, 2))
    for source in ("mola", "hrsc_mola"):
        section = {"source": source, "base_url": "http://127.0.0.1:9"}
        settings = parse({"downloads": {"cache": str(tmp_path)}, "sources": {"earth": {"elevation": section}}})
        with pytest.raises(ConfigError, match=f"{source} has no elevation of earth"):
            fetch(settings, here, "elevation", tmp_path / "e.tif")


def test_a_change_is_accepted_by_one_command(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    planet(served / BLEND, 500, 1000, True, slow)
    settings = config(f"{file_server.url}/{served.name}", tmp_path, "hrsc_mola")
    asked = region(-100, -10, -60, 10)
    fetched(settings, asked, tmp_path / "e.tif")
    planet(served / BLEND, 600, 1200, True, slow)
    with pytest.raises(IntegrityError, match="--accept-new"):
        fetched(settings, region(20, -10, 60, 10), tmp_path / "e.tif")
    gone = accept_changes(settings, "hrsc_mola")
    assert f"hrsc_mola/{BLEND}" in gone and len(gone) == 2
    values, grid = fetched(settings, region(20, -10, 60, 10), tmp_path / "e.tif")
    assert_is_slow(values, grid)

"""The stand-ins themselves: they answer as the services do, and the faults are what they are called."""

import http.client
import io
import json
import os
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from servers import processes
from servers.earthengine import EarthEngine
from servers.faults import Fault, Proxy
from servers.maps import Maps
from servers.nginx import Nginx, nginx
from servers.surface import colour, height_m

WEST, NORTH, STEP, WIDTH, HEIGHT = 10.3, 45.9, 0.0018, 300, 200
BBOX_XY = f"{WEST},{NORTH - HEIGHT * STEP},{WEST + WIDTH * STEP},{NORTH}"
BBOX_YX = f"{NORTH - HEIGHT * STEP},{WEST},{NORTH},{WEST + WIDTH * STEP}"
GET_MAP = "?SERVICE=WMS&REQUEST=GetMap&LAYERS=s2cloudless-2020&STYLES=&FORMAT=image/jpeg"


def got(url: str, **headers: str) -> tuple[int, str, bytes]:
    """Status, Content-Type and body."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): text for name, text in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


@pytest.fixture
def ramp(file_server: Nginx) -> bytes:
    """A file whose bytes tell where they are."""
    content = np.arange(5000, dtype="<u4").tobytes()
    (file_server.files / "ramp.bin").write_bytes(content)
    return content


def test_nginx_serves_ranges_and_writes_down_what_was_asked(file_server: Nginx, ramp: bytes) -> None:
    assert got(f"{file_server.url}/ramp.bin", Range="bytes=100-199")[::2] == (206, ramp[100:200])
    assert got(f"{file_server.url}/norange/ramp.bin", Range="bytes=100-199")[::2] == (200, ramp)
    one, other = file_server.hits()
    assert (one.path, one.range, one.status, one.bytes) == ("/ramp.bin", "bytes=100-199", 206, 100)
    assert (other.path, other.status, other.bytes) == ("/norange/ramp.bin", 200, len(ramp))


def test_servers_end_by_their_pid(tmp_path: Path) -> None:
    with nginx(tmp_path / "run", tmp_path):
        pid = int((tmp_path / "run" / "nginx.pid").read_text())
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_missing_program_skips_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_PLACES", "/nowhere")
    monkeypatch.delenv("TERRAFORM_REQUIRE_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="nginx is missing: apt-get install nginx-light"):
        processes.program("nginx")
    monkeypatch.setenv("TERRAFORM_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="nginx is missing"):
        processes.program("nginx")


def test_what_is_installed_is_what_tests_start() -> None:
    listed = (Path(processes.__file__).parent / "packages.txt").read_text().split()
    assert listed == sorted(processes.PACKAGES.values())


@pytest.mark.parametrize("service", ["wms", "cached_wms"])
@pytest.mark.parametrize("place", [f"VERSION=1.1.1&SRS=EPSG:4326&BBOX={BBOX_XY}",
                                   f"VERSION=1.3.0&CRS=EPSG:4326&BBOX={BBOX_YX}"])  # fmt: skip
def test_both_axis_orders_give_the_colours_of_the_place(maps: Maps, service: str, place: str) -> None:
    status, kind, body = got(f"{getattr(maps, service)}{GET_MAP}&{place}&WIDTH={WIDTH}&HEIGHT={HEIGHT}")
    assert (status, kind) == (200, "image/jpeg")
    seen = np.asarray(Image.open(io.BytesIO(body)).convert("RGB"), float)
    lon, lat = WEST + (np.arange(WIDTH) + 0.5) * STEP, NORTH - (np.arange(HEIGHT) + 0.5) * STEP
    error = np.abs(seen - colour(lon, lat[:, None], 2020))
    assert error.mean() < 1.5 and error.max() < 12


def test_mapserver_refuses_with_http_200_and_mapcache_with_400(maps: Maps) -> None:
    asked = f"{GET_MAP}&VERSION=1.1.1&SRS=EPSG:4326&BBOX={BBOX_XY}&WIDTH=5000&HEIGHT=100"
    status, kind, body = got(maps.wms + asked)
    assert (status, kind.split(";")[0]) == (200, "application/vnd.ogc.se_xml") and b"ServiceException" in body
    status, kind, body = got(maps.cached_wms + asked)
    assert (status, kind) == (400, "application/vnd.ogc.se_xml") and b"ServiceException" in body


def test_tiles_have_the_row_before_the_column(maps: Maps) -> None:
    level, row, column = 9, 127, 542
    status, kind, body = got(f"{maps.wmts}/s2cloudless-2020/default/WGS84/{level}/{row}/{column}.jpg")
    assert (status, kind) == (200, "image/jpeg")
    step = 180 / 2**level / 256
    lon = -180 + (column * 256 + np.arange(256) + 0.5) * step
    lat = 90 - (row * 256 + np.arange(256) + 0.5) * step
    error = np.abs(np.asarray(Image.open(io.BytesIO(body)), float) - colour(lon, lat[:, None], 2020))
    assert error.mean() < 1.5


def test_faults_are_what_they_are_called(broken_files: Proxy, ramp: bytes) -> None:
    url = f"{broken_files.url}/ramp.bin"
    broken_files.breaks(
        Fault("status", times=1, code=429), Fault("html", times=1, body="log in"), Fault("short", times=1),
        Fault("corrupt", times=1), Fault("norange", times=1), Fault("longer", times=1),
    )  # fmt: skip
    middle = len(ramp) // 2
    assert got(url)[0] == 429
    assert got(url) == (200, "text/html", b"<html><p>log in</p></html>")
    assert got(url)[2] == ramp[:middle]
    inverted = bytes(byte ^ 0xFF for byte in ramp[middle : middle + 64])
    assert got(url)[2] == ramp[:middle] + inverted + ramp[middle + 64 :]
    assert got(url, Range="bytes=4-7")[::2] == (200, ramp)
    assert got(url)[2][: len(ramp)] == ramp
    assert got(url)[2] == ramp
    assert [asked.fault for asked in broken_files.asked] == [
        "status", "html", "short", "corrupt", "norange", "longer", None
    ]  # fmt: skip


def test_lines_break_and_stop(broken_files: Proxy, ramp: bytes) -> None:
    url = f"{broken_files.url}/ramp.bin"
    broken_files.breaks(Fault("truncate", times=1, after=1000))
    with pytest.raises(http.client.IncompleteRead) as cut:
        got(url)
    assert len(cut.value.partial) == 1000
    broken_files.breaks(Fault("drop", times=1))
    with pytest.raises(ConnectionError):
        got(url)
    broken_files.breaks(Fault("stall", times=1, pause_s=2))
    with pytest.raises(TimeoutError), urllib.request.urlopen(url, timeout=0.5) as answer:
        answer.read()


def test_earth_engine_wants_a_token_a_project_and_a_small_request(earth_engine: EarthEngine) -> None:
    place = f"{earth_engine.url}/v1/projects/{earth_engine.project}"
    assert got(f"{place}/algorithms")[0] == 401
    status, _, body = got(f"{place}/algorithms", Authorization="Bearer a-token")
    assert status == 200 and len(json.loads(body)["algorithms"]) > 900
    assert got(f"{earth_engine.url}/v1/projects/other/algorithms", Authorization="Bearer a-token")[0] == 403


def test_the_ground_has_no_step_at_the_antimeridian() -> None:
    lat = np.linspace(-60, 60, 7)
    assert np.allclose(height_m(180.0, lat), height_m(-180.0, lat))
    assert (colour(180.0, lat, 2020) == colour(-180.0, lat, 2020)).all()

"""The servers as pytest fixtures: started once a test process, their logs empty before every test, ended by pid."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import maps as map_service
from servers import nginx as files_service
from servers.accounts import key_file, sign_in
from servers.earthengine import EarthEngine
from servers.faults import Proxy, proxy
from servers.maps import Maps
from servers.nginx import Nginx


@pytest.fixture(scope="session")
def _file_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    folder: Path = tmp_path_factory.mktemp("served")
    with files_service.nginx(tmp_path_factory.mktemp("nginx"), folder) as server:
        yield server


@pytest.fixture
def file_server(_file_server: Nginx) -> Nginx:
    """nginx; the access log is empty at the start of a test, the files stay."""
    _file_server.forget()
    return _file_server


@pytest.fixture(scope="session")
def _maps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maps]:
    with map_service.maps(tmp_path_factory.mktemp("maps")) as service:
        yield service


@pytest.fixture
def maps(_maps: Maps) -> Maps:
    """WMS and WMTS; the access log is empty at the start of a test."""
    _maps.nginx.forget()
    return _maps


@pytest.fixture
def broken_files(file_server: Nginx) -> Iterator[Proxy]:
    """A fault proxy before `file_server`."""
    with proxy(file_server.url) as running:
        yield running


@pytest.fixture
def broken_maps(maps: Maps) -> Iterator[Proxy]:
    """A fault proxy before `maps`: its addresses are /wms, /mapcache/wms and /mapcache/wmts/1.0.0."""
    with proxy(maps.nginx.url) as running:
        yield running


@pytest.fixture
def earth_engine() -> Iterator[EarthEngine]:
    """Earth Engine's REST; needs no installed program."""
    server = EarthEngine()
    yield server
    server.stop()


@pytest.fixture
def account(earth_engine: EarthEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key file of a service account by which this process is signed in to `earth_engine`."""
    path = key_file(tmp_path, earth_engine)
    sign_in(monkeypatch, tmp_path, path)
    return path

"""A server of one file, and a fault proxy before it, both mended before every test."""

from collections.abc import Iterator

import pytest
from servers.faults import Proxy, proxy
from servers.nginx import Nginx, nginx
from servers.remote_file import BODY


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    files = tmp_path_factory.mktemp("files")
    (files / "a.tif").write_bytes(BODY)
    (files / "page.html").write_text("<html><p>please log in</p></html>")
    with nginx(tmp_path_factory.mktemp("nginx"), files) as running:
        yield running


@pytest.fixture(scope="module")
def broken(server: Nginx) -> Iterator[Proxy]:
    with proxy(server.url) as running:
        yield running


@pytest.fixture(autouse=True)
def _mended(broken: Proxy, server: Nginx, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    broken.breaks()
    server.forget()

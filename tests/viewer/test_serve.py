"""The server of `view`: byte ranges, one folder, loopback."""

import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from terraform.__main__ import app
from terraform.errors import InputError, ResourceError
from terraform.viewer.serve import viewer_server

CONTENT = bytes(range(256)) * 20


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "viewer"
    (folder / "tiles").mkdir(parents=True)
    (folder / "index.html").write_text("page")
    (folder / "a.bin").write_bytes(CONTENT)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    with viewer_server(folder, 0) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield server
        server.shutdown()


def got(server, place, method="GET", **headers):
    address = f"http://127.0.0.1:{server.server_address[1]}/{place}"
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=headers, method=method), timeout=20
        ) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), b""


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=10-19", slice(10, 20)),
        ("bytes=5000-", slice(5000, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=0-99999", slice(0, None)),
    ],
)
def test_ranges(served, asked, part):
    status, headers, content = got(served, "a.bin", Range=asked)
    assert (status, content) == (206, CONTENT[part])
    first = part.indices(len(CONTENT))[0]
    assert headers["Content-Range"] == f"bytes {first}-{first + len(content) - 1}/{len(CONTENT)}"


def test_whole_files_and_the_page(served):
    status, headers, content = got(served, "a.bin")
    assert (status, content, headers["Accept-Ranges"]) == (200, CONTENT, "bytes")
    assert got(served, "")[::2] == (200, b"page")
    assert got(served, "a.bin", "HEAD")[::2] == (200, b"")
    assert got(served, "a.bin", Range="bytes=99999-")[0] == 416


@pytest.mark.parametrize("place", ["../secret.txt", "%2e%2e/secret.txt", "link.txt", "tiles/", "nothing"])
def test_nothing_else_is_served(served, place):
    assert got(served, place)[0] == 404


def test_it_listens_on_loopback_and_a_taken_port_is_told(served):
    assert served.server_address[0] == "127.0.0.1"
    folder = Path(served.RequestHandlerClass.keywords["directory"])
    with pytest.raises(ResourceError, match="port"):
        viewer_server(folder, served.server_address[1])


def test_a_folder_without_a_viewer_is_refused(tmp_path):
    with pytest.raises(InputError, match="snakemake"):
        viewer_server(tmp_path, 0)
    assert isinstance(CliRunner().invoke(app, ["view", str(tmp_path), "--no-browser"]).exception, InputError)

"""Whole files: resumed where they broke off, never joined to other bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from servers.faults import Fault, Proxy
from servers.nginx import Nginx
from servers.remote_file import BODY, FAST, client, parts_of

from terraform.errors import IntegrityError, RemoteError, ResourceError
from terraform.sources.remote.download import download
from terraform.sources.remote.ranges import FileVersion, part
from terraform.sources.remote.response import TIFF


def whole(url: str, path: Path) -> FileVersion:
    made = client(url)
    return download(made, made.access.url("a.tif"), path, TIFF, len(BODY))


def leftovers(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir() if entry != path)


def test_a_whole_file(server: Nginx, tmp_path: Path) -> None:
    version = whole(server.url, tmp_path / "a.tif")
    assert (tmp_path / "a.tif").read_bytes() == BODY and version.size == len(BODY)
    assert leftovers(tmp_path / "a.tif") == []


def test_a_dropped_line_costs_nothing_that_was_received(broken: Proxy, tmp_path: Path) -> None:
    broken.breaks(Fault("truncate", times=3, after=400_000))
    whole(broken.url, tmp_path / "a.tif")
    assert (tmp_path / "a.tif").read_bytes() == BODY
    ranges = [asked.headers.get("Range") for asked in broken.asked]
    assert ranges == [None, "bytes=400000-", "bytes=800000-", "bytes=1200000-"]
    assert all("If-Range" in asked.headers for asked in broken.asked[1:])


def test_attempts_are_counted_anew_while_something_comes(broken: Proxy, tmp_path: Path) -> None:
    broken.breaks(Fault("truncate", times=1, after=1_100_000))
    made = client(broken.url, FAST.model_copy(update={"attempts": 1}))
    download(made, made.access.url("a.tif"), tmp_path / "a.tif", TIFF, len(BODY))
    assert (tmp_path / "a.tif").read_bytes() == BODY
    broken.breaks(Fault("truncate", times=1, after=1_000))
    with pytest.raises(RemoteError, match="1 attempts"):
        download(made, made.access.url("a.tif"), tmp_path / "b.tif", TIFF, len(BODY))


def test_a_run_that_gave_up_is_resumed(broken: Proxy, tmp_path: Path) -> None:
    broken.breaks(Fault("truncate", times=1, after=400_000), Fault("status", code=429))
    with pytest.raises(RemoteError, match="resume"):
        whole(broken.url, tmp_path / "a.tif")
    assert not (tmp_path / "a.tif").exists()
    broken.breaks()
    whole(broken.url, tmp_path / "a.tif")
    assert (tmp_path / "a.tif").read_bytes() == BODY
    assert [asked.headers.get("Range") for asked in broken.asked] == ["bytes=400000-"]


def test_a_server_that_ignores_the_range_is_restarted_never_appended(broken: Proxy, tmp_path: Path) -> None:
    broken.breaks(Fault("truncate", times=1, after=400_000), Fault("norange"))
    whole(broken.url, tmp_path / "a.tif")
    assert (tmp_path / "a.tif").read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_begun_anew(broken: Proxy, server: Nginx, tmp_path: Path) -> None:
    broken.breaks(Fault("truncate", times=1, after=400_000), Fault("status", code=503))
    with pytest.raises(RemoteError):
        whole(broken.url, tmp_path / "a.tif")
    other = b"II*\0" + b"other" * 100_000
    try:
        (server.files / "a.tif").write_bytes(other)
        broken.breaks()
        whole(broken.url, tmp_path / "a.tif")
        assert (tmp_path / "a.tif").read_bytes() == other
    finally:
        (server.files / "a.tif").write_bytes(BODY)


def test_a_206_that_starts_elsewhere_is_not_appended(broken: Proxy, server: Nginx, tmp_path: Path) -> None:
    etag = part(*parts_of(server.url), 0, 10, TIFF).version.etag
    lie = {"Content-Range": f"bytes 500000-{len(BODY) - 1}/{len(BODY)}", "ETag": etag}
    broken.breaks(
        Fault("truncate", times=1, after=400_000),
        Fault("status", times=1, code=206, headers=lie, kind="image/tiff", body=BODY[500_000:]),
    )
    whole(broken.url, tmp_path / "a.tif")
    assert (tmp_path / "a.tif").read_bytes() == BODY


def test_a_page_never_becomes_a_file(broken: Proxy, tmp_path: Path) -> None:
    broken.breaks(Fault("html", body="log in first"))
    with pytest.raises(RemoteError, match="log in first"):
        whole(broken.url, tmp_path / "a.tif")
    assert not (tmp_path / "a.tif").exists()


def test_a_file_that_is_not_right_is_not_kept(server: Nginx, tmp_path: Path) -> None:
    def wrong(path: Path) -> None:
        raise IntegrityError("it is not the one that was locked")

    made = client(server.url)
    with pytest.raises(IntegrityError):
        download(made, made.access.url("a.tif"), tmp_path / "a.tif", TIFF, len(BODY), wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_before_it_happens(broken: Proxy, tmp_path: Path) -> None:
    headers = {"Content-Length": str(10**15), "Content-Type": "image/tiff"}
    broken.breaks(Fault("status", code=200, headers=headers, kind="image/tiff", body="II*\0"))
    with pytest.raises(ResourceError, match="are needed"):
        whole(broken.url, tmp_path / "a.tif")


KILLED = """
import sys
from pathlib import Path
from terraform.config import Downloads
from terraform.sources.remote.hosts import Access
from terraform.sources.remote.client import Client
from terraform.sources.remote.response import TIFF
from terraform.sources.remote.download import download
client = Client(Access("test", sys.argv[1], ()), Downloads())
download(client, client.access.url("a.tif"), Path(sys.argv[2]), TIFF, 1)
"""


def test_a_killed_download_goes_on_where_it_was(server: Nginx, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    child = subprocess.Popen([sys.executable, "-c", KILLED, f"{server.url}/throttled", str(path)])
    partial = tmp_path / ".a.tif.partial"
    while not (partial.exists() and partial.stat().st_size > 300_000):
        time.sleep(0.02)
        assert child.poll() is None
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    had = partial.stat().st_size
    server.forget()
    whole(server.url, path)
    assert path.read_bytes() == BODY
    assert [hit.bytes for hit in server.hits()] == [len(BODY) - had]

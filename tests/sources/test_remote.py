"""Downloads against a real server with faults in between: what a download promises, and what it refuses."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from servers.faults import Fault, Proxy, What, proxy
from servers.nginx import Nginx, nginx

from terraform.config import Downloads
from terraform.errors import ConfigError, IntegrityError, RemoteError, ResourceError
from terraform.sources.remote.cache import Cache
from terraform.sources.remote.client import Client
from terraform.sources.remote.download import download
from terraform.sources.remote.hosts import Access, is_private, redact_url
from terraform.sources.remote.ranges import FileVersion, part, pieces
from terraform.sources.remote.response import BINARY, JPEG, TIFF, NotFound, plain_text
from terraform.sources.remote.retry import pause_s, retry_after_s

FAST = Downloads(
    attempts=4, backoff_s=0.01, connect_timeout_s=2, read_timeout_s=0.5, deadline_s=3, slowest_bytes_per_s=1e9,
    longest_wait_s=1,
)  # fmt: skip
# No part of it is like another: what is put in the wrong place shows.
BODY = b"II*\0" + random.Random(0).randbytes(1_280_000)


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


def client(url: str, settings: Downloads = FAST, hosts: tuple[str, ...] = (), connections: int = 4) -> Client:
    return Client(Access("test", url, hosts, connections), settings)


def fetched(url: str, settings: Downloads = FAST) -> bytes:
    made = client(url, settings)
    return made.get(made.access.url("a.tif"), TIFF, len(BODY))


def test_a_file_arrives_whole_and_the_client_names_itself(server: Nginx) -> None:
    assert fetched(server.url, FAST.model_copy(update={"contact": "me@example.org"})) == BODY
    (hit,) = server.hits()
    assert hit.agent.startswith("terraform-planets/") and "me@example.org" in hit.agent


@pytest.mark.parametrize("what", ["drop", "truncate", "stall", "html"])
def test_what_fails_once_is_asked_for_again(broken: Proxy, what: What) -> None:
    broken.breaks(Fault(what, times=1, pause_s=1.0, body="wait"))
    assert fetched(broken.url) == BODY
    assert len(broken.asked) == 2


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_busy_service_is_asked_again(broken: Proxy, code: int) -> None:
    broken.breaks(Fault("status", times=2, code=code))
    assert fetched(broken.url) == BODY
    assert len(broken.asked) == 3


@pytest.mark.parametrize("code", [429, 503])
def test_a_service_that_stays_busy_ends_in_resume_later(broken: Proxy, code: int) -> None:
    broken.breaks(Fault("status", code=code, body="Too many requests"))
    with pytest.raises(
        RemoteError, match=r"Too many requests \(4 attempts\).*run the same command again later"
    ) as told:
        fetched(broken.url)
    assert told.value.exit_code == 4 and len(broken.asked) == FAST.attempts


@pytest.mark.parametrize("code", [400, 401, 403, 451])
def test_a_refusal_is_not_asked_again(broken: Proxy, code: int) -> None:
    broken.breaks(Fault("status", code=code, body="<Error><Code>AccessDenied</Code></Error>", kind="application/xml"))
    with pytest.raises(RemoteError, match=rf"refuses \(status {code}\): AccessDenied"):
        fetched(broken.url)
    assert len(broken.asked) == 1


def test_what_is_not_there_is_told_apart(server: Nginx) -> None:
    made = client(server.url)
    with pytest.raises(NotFound, match=r"/b\.tif does not exist \(status 404\): 404 Not Found"):
        made.get(made.access.url("b.tif"), TIFF, 100)


def test_a_page_with_status_200_is_an_error_in_the_servers_words(server: Nginx) -> None:
    made = client(server.url)
    with pytest.raises(RemoteError, match=r"did not send a TIFF \(its Content-Type is text/html\): please log in"):
        made.get(made.access.url("page.html"), TIFF, 1000)


def test_content_that_is_not_what_its_type_says_is_an_error(broken: Proxy) -> None:
    broken.breaks(Fault("status", code=200, kind="image/jpeg", body="ServiceException: no such layer"))
    made = client(broken.url)
    with pytest.raises(RemoteError, match=r"a JPEG \(it begins with b'ServiceE'\): ServiceException: no such layer"):
        made.get(made.access.url("a.jpg"), JPEG, 1000)


def test_a_response_is_never_larger_than_expected(broken: Proxy, server: Nginx) -> None:
    made = client(server.url)
    with pytest.raises(RemoteError, match="at most 1,000 are expected"):
        made.get(made.access.url("a.tif"), TIFF, 1000)
    assert made.counted.bytes <= 1000


@pytest.mark.parametrize("value", ["1", " 1 "])
def test_retry_after_in_seconds_is_honoured(broken: Proxy, value: str) -> None:
    broken.breaks(Fault("status", times=1, code=429, headers={"Retry-After": value}))
    assert fetched(broken.url) == BODY
    first, second = broken.asked
    assert second.at_s - first.at_s >= 1.0


def test_retry_after_as_a_date_is_honoured(broken: Proxy) -> None:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2))
    broken.breaks(Fault("status", times=1, code=503, headers={"Retry-After": date}))
    assert fetched(broken.url, FAST.model_copy(update={"longest_wait_s": 3, "deadline_s": 6})) == BODY
    first, second = broken.asked
    assert second.at_s - first.at_s >= 0.9


def test_a_retry_after_beyond_the_limit_ends_at_once(broken: Proxy) -> None:
    broken.breaks(Fault("status", code=429, headers={"Retry-After": "3600"}, body="quota exceeded"))
    with pytest.raises(RemoteError, match=r"quota exceeded; it asks to come back in 3600 s.*again later to resume"):
        fetched(broken.url)
    assert len(broken.asked) == 1


@pytest.mark.parametrize("value", ["-5", "soon", "", "1e400", "9" * 400])
def test_a_senseless_retry_after_is_ignored_or_refused(broken: Proxy, value: str) -> None:
    broken.breaks(Fault("status", times=1, code=503, headers={"Retry-After": value}))
    if value.startswith("9"):
        with pytest.raises(RemoteError, match="asks to come back"):
            fetched(broken.url)
    else:
        assert fetched(broken.url) == BODY


def test_what_a_server_asks_for() -> None:
    assert retry_after_s(None) is None and retry_after_s("x") is None and retry_after_s("7") == 7
    assert retry_after_s("Thu, 01 Jan 1970 00:00:00 GMT") == 0
    jitter = random.Random(1)
    pauses = [pause_s(attempt, 1.0, jitter) for attempt in range(30)]
    assert all(0 <= pause <= 60 for pause in pauses) and len(set(pauses)) > 20


def test_a_trickle_ends_at_the_deadline(broken: Proxy) -> None:
    broken.breaks(Fault("slow", pause_s=0.05))
    start = time.monotonic()
    with pytest.raises(RemoteError, match="too slowly"):
        fetched(broken.url, FAST.model_copy(update={"deadline_s": 1.0}))
    assert time.monotonic() - start < 2.0


def test_a_server_that_never_answers_ends_at_the_deadline(broken: Proxy) -> None:
    broken.breaks(Fault("stall", pause_s=5))
    start = time.monotonic()
    with pytest.raises(RemoteError, match="does not answer in time"):
        fetched(broken.url, FAST.model_copy(update={"deadline_s": 1.2}))
    assert time.monotonic() - start < 2.5


def test_nothing_listens() -> None:
    with pytest.raises(RemoteError, match="cannot be reached"):
        fetched("http://127.0.0.1:9", FAST)


def test_no_more_connections_than_allowed_and_these_are_used_again(server: Nginx) -> None:
    made = client(server.url, connections=2)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: made.get(made.access.url("a.tif"), TIFF, len(BODY)), range(12)))
    hits = server.hits()
    assert len(hits) == 12 and len({hit.connection for hit in hits}) <= 2


# Where it may go


def test_a_redirect_within_the_list_is_followed(broken: Proxy) -> None:
    broken.breaks(Fault("redirect", match="^/old", body="/a.tif"))
    made = client(broken.url)
    assert made.get(made.access.url("old.tif"), TIFF, len(BODY)) == BODY


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.2:80/x", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "ftp://a.org/x",
     "https://evil.example/x", "//evil.example/x", "https://user:secret@good.example/x"],
)  # fmt: skip
def test_a_redirect_elsewhere_is_refused(broken: Proxy, target: str) -> None:
    broken.breaks(Fault("redirect", body=target))
    made = client(broken.url, hosts=("good.example",))
    with pytest.raises(RemoteError, match="refused to go to") as told:
        made.get(made.access.url("a.tif"), TIFF, 100)
    assert "secret" not in str(told.value) and len(broken.asked) == 1


def test_a_redirect_to_another_port_of_the_mirror_is_refused(broken: Proxy, server: Nginx) -> None:
    broken.breaks(Fault("redirect", body=f"{server.url}/a.tif"))
    with pytest.raises(RemoteError, match="refused to go to"):
        fetched(broken.url)
    assert server.hits() == []


def test_redirects_end(broken: Proxy) -> None:
    broken.breaks(Fault("redirect", body="/a.tif"))
    with pytest.raises(RemoteError, match="more than 5 redirects"):
        fetched(broken.url)


def test_a_listed_name_that_leads_into_a_private_network_is_refused(broken: Proxy) -> None:
    with socket.socket() as inside:
        inside.bind(("127.0.0.1", 0))
        inside.listen()
        inside.settimeout(0.2)
        host = f"localhost:{inside.getsockname()[1]}"
        broken.breaks(Fault("redirect", body=f"https://{host}/a.tif"))
        made = client(broken.url, hosts=(host,))
        with pytest.raises(RemoteError, match=r"localhost: it resolves to .*127\.0\.0\.1.* not on the public internet"):
            made.get(made.access.url("a.tif"), TIFF, 100)
        with pytest.raises(TimeoutError):
            inside.accept()


def test_a_proxy_of_the_environment_is_used_for_public_hosts_alone(
    monkeypatch: pytest.MonkeyPatch, server: Nginx
) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert fetched(server.url) == BODY
        heard: list[bytes] = []

        def refuse() -> None:
            connection, _ = listening.accept()
            heard.append(connection.recv(1000))
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        made = client("https://data.example/x", FAST.model_copy(update={"attempts": 1}), hosts=("data.example",))
        with pytest.raises(RemoteError, match="the proxy"):
            made.get(made.access.url("a.tif"), TIFF, 100)
        thread.join()
    assert heard[0].startswith(b"CONNECT data.example:443 ")


def test_addresses_of_base_urls() -> None:
    for url in ("file:///etc", "http://data.example/x", "https://me:key@data.example", "https://data.example/?key=1"):
        with pytest.raises(ConfigError):
            Access("test", url, ("data.example",))
    assert not Access("test", "https://data.example/x", ("data.example",)).mirrored
    assert Access("test", "http://10.1.2.3:8080/x", ("data.example",)).mirrored


def test_a_mirror_without_encryption_lies_in_a_private_network() -> None:
    made = client("http://192.0.2.1.nip.example")
    with pytest.raises(RemoteError, match="cannot be resolved"):
        made.get(made.access.url("x"), TIFF, 100)
    made = client("http://8.8.8.8")
    with pytest.raises(RemoteError, match="without encryption: use https"):
        made.get(made.access.url("x"), TIFF, 100)


def test_private_addresses() -> None:
    for address in ("127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:10.0.0.1",
                    "0.0.0.0", "100.64.0.1", "fd00::1"):  # noqa: S104 # fmt: skip
        assert is_private(address), address
    assert not is_private("8.8.8.8") and not is_private("2606:4700::1111")


def test_addresses_are_shown_without_secrets() -> None:
    assert redact_url("https://me:pw@a.org:8443/x?request=GetMap&API_Key=s3cret&X-Amz-Signature=s3cret&bbox=1,2") == (
        "https://a.org:8443/x?request=GetMap&bbox=1,2"
    )


def test_words_of_servers() -> None:
    report = (
        b'<?xml version="1.0"?><Report><ServiceException code="Undefined"><![CDATA[ no <b>layer ]]></ServiceException>'
    )
    assert plain_text(report) == "no layer"
    assert plain_text(b"<html><script>alert(1)</script><h1>Bad\x1b[31m Gateway</h1>") == "Bad [31m Gateway"
    assert len(plain_text(b"x" * 5000)) < 320


# Parts


def parts_of(url: str) -> tuple[Client, str]:
    made = client(url)
    return made, made.access.url("a.tif")


def test_parts_are_what_was_asked_for(server: Nginx) -> None:
    made, url = parts_of(server.url)
    got = part(made, url, 1000, 500, TIFF)
    assert got.content == BODY[1000:1500] and got.version.size == len(BODY) and got.version.etag
    assert part(made, url, len(BODY) - 10, 500, TIFF).content == BODY[-10:]
    assert part(made, url, 0, 4, TIFF).content == BODY[:4]
    assert made.counted.bytes == 500 + 10 + 4


@pytest.mark.parametrize("what", ["norange", "truncate", "short", "longer", "html", "drop", "stall"])
def test_a_part_is_believed_only_when_exact(broken: Proxy, what: What) -> None:
    made, url = parts_of(broken.url)
    broken.breaks(Fault(what, times=1, pause_s=1))
    assert part(made, url, 1000, 500, TIFF).content == BODY[1000:1500]
    broken.breaks(Fault(what, pause_s=1))
    with pytest.raises(RemoteError):
        part(made, url, 1000, 500, TIFF)


@pytest.mark.parametrize(
    "told", ["", "bytes 0-499/1000000", "bytes 1000-1498/*", "bytes */1000", "items 1000-1499/9999"]
)
def test_a_wrong_content_range_is_refused(broken: Proxy, told: str) -> None:
    made, url = parts_of(broken.url)
    headers = {"Content-Range": told} if told else {}
    broken.breaks(Fault("status", code=206, headers=headers, kind="image/tiff", body="x" * 500))
    with pytest.raises(RemoteError, match=r"it sends|Content-Range"):
        part(made, url, 1000, 500, TIFF)


def test_a_server_without_ranges_does_not_send_the_whole_file(server: Nginx) -> None:
    made = client(server.url)
    with pytest.raises(RemoteError, match="answers a range with status 200 instead of 206"):
        part(made, made.access.url("norange/a.tif"), 1000, 500, TIFF)
    assert made.counted.bytes == 0


def test_parts_of_two_versions_are_not_mixed(broken: Proxy) -> None:
    made, url = parts_of(broken.url)
    first = part(made, url, 0, 100, TIFF).version
    broken.breaks(Fault("swap"))
    for other in (first, FileVersion(7777, "")):
        with pytest.raises(IntegrityError, match=r"has changed at its source.*--accept-new"):
            pieces(made, url, [(1000, 1100)], TIFF, other, never)


def never(number: int, content: bytes) -> None:
    pytest.fail("it was handed over")


SPANS = [(100, 200_100), (200_150, 700_000), (700_000, 1_000_000)]


def test_pieces_come_with_one_request_without_what_lies_between(server: Nginx) -> None:
    made, url = parts_of(server.url)
    got: dict[int, bytes] = {}
    pieces(made, url, SPANS, TIFF, FileVersion(len(BODY), ""), got.__setitem__)
    assert [got[n] for n in range(3)] == [BODY[a:b] for a, b in SPANS]
    assert [hit.range for hit in server.hits()] == ["bytes=100-999999"]
    with pytest.raises(IntegrityError, match="ends before byte"):
        pieces(made, url, [(0, len(BODY) + 1)], TIFF, FileVersion(len(BODY), ""), never)


@pytest.mark.parametrize("what", ["drop", "truncate", "short", "stall", "html", "norange", "longer"])
def test_a_line_that_breaks_costs_the_piece_in_flight_and_no_more(broken: Proxy, what: What) -> None:
    made, url = parts_of(broken.url)
    got: list[tuple[int, bytes]] = []
    broken.breaks(Fault("truncate", times=1, after=450_000), Fault(what, times=1, pause_s=1))
    pieces(made, url, SPANS, TIFF, FileVersion(len(BODY), ""), lambda number, content: got.append((number, content)))
    assert got == [(n, BODY[a:b]) for n, (a, b) in enumerate(SPANS)]
    assert {asked.headers["Range"] for asked in broken.asked[1:]} == {"bytes=200150-999999"}


# Whole files


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


# The cache


def test_entries_are_there_whole_or_not_at_all(tmp_path: Path) -> None:
    cache = Cache(tmp_path, "test", "v1")
    assert cache.read("a", "b") is None
    cache.write(b"content", "a", "b")
    assert cache.read("a", "b") == b"content" and cache.has("a", "b")
    assert Cache(tmp_path, "test", "v2").read("a", "b") is None


@pytest.mark.parametrize("harm", ["truncate", "zeros", "flip", "empty"])
def test_damage_on_the_disk_is_found_and_fetched_again(tmp_path: Path, harm: str) -> None:
    cache = Cache(tmp_path, "test", "v1")
    cache.write(b"content" * 100, "a")
    path = cache.path("a")
    stored = path.read_bytes()
    changed = {"truncate": stored[:50], "zeros": bytes(len(stored)), "flip": stored[:-1] + b"?", "empty": b""}[harm]
    path.write_bytes(changed)
    assert cache.read("a") is None and not cache.has("a")


@pytest.mark.parametrize("name", ["..", "../x", "/etc", "", ".hidden", "a/b", "a\0b", "x" * 300])
def test_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        Cache(tmp_path, "test", "v1").path(name)
    with pytest.raises(ConfigError):
        Cache(tmp_path, name, "v1")


def test_one_process_at_a_time_asks_a_source(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom terraform.sources.remote.cache import Cache\n"
        "with Cache(Path(sys.argv[1]), 'test', 'v1').exclusive():\n    print('in', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "in\n"
    entered = threading.Event()

    def enter() -> None:
        with Cache(tmp_path, "test", "v2").exclusive():
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.3)
    os.kill(child.pid, signal.SIGKILL)
    assert entered.wait(5)
    child.wait()
    thread.join()


def test_binary_parts_may_be_of_any_content(server: Nginx) -> None:
    made, url = parts_of(server.url)
    with pytest.raises(RemoteError, match="image/tiff"):
        part(made, url, 0, 10, BINARY)

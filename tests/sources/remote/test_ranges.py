"""Parts of a file by ranges, believed only when they are exact."""

import pytest
from servers.faults import Fault, Proxy, What
from servers.nginx import Nginx
from servers.remote_file import BODY, client, parts_of

from terraform.errors import IntegrityError, RemoteError
from terraform.sources.remote.ranges import FileVersion, part, pieces
from terraform.sources.remote.response import TIFF


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

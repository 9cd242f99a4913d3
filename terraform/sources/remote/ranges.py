"""Parts of a file by range requests, believed only when the server says exactly what it sends (RFC 9110, 14)."""

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from terraform.errors import IntegrityError
from terraform.sources.remote.client import Client
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.response import ContentType, InvalidResponse, Response, plain_text, type_mismatch

Span = tuple[int, int]
"""First byte and the one after the last."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class FileVersion(NamedTuple):
    """What tells one version of a remote file from another."""

    size: int
    etag: str

    @property
    def description(self) -> str:
        """For people."""
        return f"{self.size:,} bytes, {self.etag or 'without an ETag'}"


class Part(NamedTuple):
    """Bytes of a remote file, and which version they are of."""

    content: bytes
    version: FileVersion


def part(client: Client, url: str, start: int, length: int, content_type: ContentType) -> Part:
    """Fetch bytes `start` to `start + length` of a file; fewer only where the file ends.

    Raises
    ------
    NotFound, RemoteError
        There is no such file; the server knows no ranges, sends other bytes than asked for, or fails.
    """

    def receive(response: Response) -> Part:
        expected, version = _announced(response, start, length)
        content = response.read_all(expected)
        against = type_mismatch(
            content_type, response.headers.get("Content-Type"), content[:64] if start == 0 else None
        )
        if len(content) != expected or against:
            raise InvalidResponse(
                f"it sends {len(content)} of {expected} bytes of {content_type.name}; {against or 'it stops early'}"
            )
        return Part(content, version)

    return client.request(url, receive, length, lambda: _range(start, start + length))


def pieces(
    client: Client,
    url: str,
    spans: Sequence[Span],
    content_type: ContentType,
    of: FileVersion,
    take: Callable[[int, bytes], None],
) -> None:
    """Fetch several pieces of a file by one request, each handed over as soon as it is there.

    A line that breaks, or a process that is killed, costs the piece in flight and no more: the next attempt begins
    with it.

    Parameters
    ----------
    spans : sequence of (int, int)
        In the order of the file. What lies between two is left out.
    of : FileVersion
        The version that they must be of.
    take : callable
        Gets the number of a piece and its bytes.

    Raises
    ------
    NotFound, RemoteError
        As for `part`.
    IntegrityError
        The file has changed at its source, or ends before the pieces do.
    """
    left = deque(enumerate(spans))

    def receive(response: Response) -> None:
        at, end = _ends(left)
        expected, version = _announced(response, at, end - at)
        if not same(of, version):
            raise IntegrityError(
                f"{redact_url(url)} has changed at its source: it was {of.description}, it is "
                f"{version.description}; if that is right, accept it: python -m terraform fetch ... --accept-new"
            )
        if expected < end - at:
            raise IntegrityError(f"{redact_url(url)} ends before byte {end}: it is damaged at its source")
        if against := type_mismatch(content_type, response.headers.get("Content-Type"), None):
            raise InvalidResponse(f"it does not send {content_type.name}; {against}")
        body = bytearray()
        while left and (chunk := next(response.chunks, b"")):
            body += chunk
            while left and left[0][1][1] <= at + len(body):
                number, (first, last) = left[0]
                take(number, bytes(body[first - at : last - at]))
                left.popleft()
                del body[: last - at]
                at = last
        if left:
            raise InvalidResponse(f"it stops {end - at - len(body)} of {expected} bytes early")

    if left:
        client.request(url, receive, spans[-1][1] - spans[0][0], lambda: _range(*_ends(left)), keeps=True)


def _ends(left: Sequence[tuple[int, Span]]) -> Span:
    """First byte of what is still to come, and the one after its last."""
    return left[0][1][0], left[-1][1][1]


def _range(first: int, end: int) -> dict[str, str]:
    return {"Range": f"bytes={first}-{end - 1}"}


def _announced(response: Response, start: int, length: int) -> tuple[int, FileVersion]:
    """Check how many bytes a response says to bring, and of which version.

    Fewer than were asked for come only at the end of the file.

    Raises
    ------
    InvalidResponse
        It is no answer to this range.
    """
    if response.status != 206:
        said = plain_text(next(response.chunks, b"")) if "text" in response.headers.get("Content-Type", "") else ""
        raise InvalidResponse(f"it answers a range with status {response.status} instead of 206 {said}".strip())
    first, last, size = content_range(response)
    expected = min(length, size - start) if size else length
    if first != start or last - first + 1 != expected:
        raise InvalidResponse(f"asked for bytes {start}-{start + expected - 1}, it sends {first}-{last}")
    declared = response.headers.get("Content-Length", str(expected))
    if declared != str(expected):
        raise InvalidResponse(f"asked for {expected} bytes, it announces {declared}")
    return expected, file_version(response, size)


def content_range(response: Response) -> tuple[int, int, int]:
    """First byte, last byte and size of the file (0 where it is not told), by the header Content-Range.

    Raises
    ------
    InvalidResponse
        There is none, or it cannot be read.
    """
    given = response.headers.get("Content-Range", "")
    found = _CONTENT_RANGE.fullmatch(given.strip())
    if found is None:
        raise InvalidResponse(f"its Content-Range is {given!r}")
    return int(found[1]), int(found[2]), 0 if found[3] == "*" else int(found[3])


def file_version(response: Response, size: int) -> FileVersion:
    """Identify the version of a file by its size and its strong ETag, or else the time of its last change."""
    etag = response.headers.get("ETag", "")
    if not etag or etag.startswith("W/"):
        etag = response.headers.get("Last-Modified", "")
    return FileVersion(size, etag)


def same(one: FileVersion, other: FileVersion) -> bool:
    """Nothing speaks against both being the same version; what a server does not tell does not count."""
    sizes = not (one.size and other.size) or one.size == other.size
    return sizes and (not (one.etag and other.etag) or one.etag == other.etag)

"""Parts of a file by range requests, believed only when the server says exactly what it sends (RFC 9110, 14)."""

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from terraform.errors import IntegrityError
from terraform.sources.remote.access import shown
from terraform.sources.remote.client import Client
from terraform.sources.remote.content import Kind, unlike, words
from terraform.sources.remote.response import Answer, Unfit

Span = tuple[int, int]
"""First byte and the one after the last."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class Identity(NamedTuple):
    """What tells one version of a remote file from another."""

    size: int
    etag: str

    @property
    def told(self) -> str:
        """For people."""
        return f"{self.size:,} bytes, {self.etag or 'without an ETag'}"


class Part(NamedTuple):
    """Bytes of a remote file, and which version they are of."""

    content: bytes
    identity: Identity


def part(client: Client, url: str, start: int, length: int, kind: Kind) -> Part:
    """Bytes `start` to `start + length` of a file; fewer only where the file ends.

    Raises
    ------
    Missing, RemoteError
        There is no such file; the server knows no ranges, sends other bytes than asked for, or fails.
    """

    def receive(answer: Answer) -> Part:
        expected, identity = _announced(answer, start, length)
        content = answer.whole(expected)
        against = unlike(kind, answer.headers.get("Content-Type"), content[:64] if start == 0 else None)
        if len(content) != expected or against:
            raise Unfit(f"it sends {len(content)} of {expected} bytes of {kind.name}; {against or 'it stops early'}")
        return Part(content, identity)

    return client.ask(url, receive, length, lambda: _range(start, start + length))


def pieces(
    client: Client,
    url: str,
    spans: Sequence[Span],
    kind: Kind,
    of: Identity,
    take: Callable[[int, bytes], None],
) -> None:
    """Several pieces of a file by one request, each handed over as soon as it is there.

    A line that breaks, or a process that is killed, costs the piece in flight and no more: the next attempt begins
    with it.

    Parameters
    ----------
    spans : sequence of (int, int)
        In the order of the file. What lies between two is left out.
    of : Identity
        The version that they must be of.
    take : callable
        Gets the number of a piece and its bytes.

    Raises
    ------
    Missing, RemoteError
        As for `part`.
    IntegrityError
        The file has changed at its source, or ends before the pieces do.
    """
    left = deque(enumerate(spans))

    def receive(answer: Answer) -> None:
        at, end = _ends(left)
        expected, identity = _announced(answer, at, end - at)
        if not same(of, identity):
            raise IntegrityError(
                f"{shown(url)} has changed at its source: it was {of.told}, it is {identity.told}; if that is right, "
                "accept it: python -m terraform fetch ... --accept-new"
            )
        if expected < end - at:
            raise IntegrityError(f"{shown(url)} ends before byte {end}: it is damaged at its source")
        if against := unlike(kind, answer.headers.get("Content-Type"), None):
            raise Unfit(f"it does not send {kind.name}; {against}")
        body = bytearray()
        while left and (chunk := next(answer.chunks, b"")):
            body += chunk
            while left and left[0][1][1] <= at + len(body):
                number, (first, last) = left[0]
                take(number, bytes(body[first - at : last - at]))
                left.popleft()
                del body[: last - at]
                at = last
        if left:
            raise Unfit(f"it stops {end - at - len(body)} of {expected} bytes early")

    if left:
        client.ask(url, receive, spans[-1][1] - spans[0][0], lambda: _range(*_ends(left)), keeps=True)


def _ends(left: Sequence[tuple[int, Span]]) -> Span:
    """First byte of what is still to come, and the one after its last."""
    return left[0][1][0], left[-1][1][1]


def _range(first: int, end: int) -> dict[str, str]:
    return {"Range": f"bytes={first}-{end - 1}"}


def _announced(answer: Answer, start: int, length: int) -> tuple[int, Identity]:
    """How many bytes an answer says to bring, fewer than were asked for only at the end of the file, and of which
    version.

    Raises
    ------
    Unfit
        It is no answer to this range.
    """
    if answer.status != 206:
        said = words(next(answer.chunks, b"")) if "text" in answer.headers.get("Content-Type", "") else ""
        raise Unfit(f"it answers a range with status {answer.status} instead of 206 {said}".strip())
    first, last, size = content_range(answer)
    expected = min(length, size - start) if size else length
    if first != start or last - first + 1 != expected:
        raise Unfit(f"asked for bytes {start}-{start + expected - 1}, it sends {first}-{last}")
    declared = answer.headers.get("Content-Length", str(expected))
    if declared != str(expected):
        raise Unfit(f"asked for {expected} bytes, it announces {declared}")
    return expected, identity_of(answer, size)


def content_range(answer: Answer) -> tuple[int, int, int]:
    """First byte, last byte and size of the file (0 where it is not told), by the header Content-Range.

    Raises
    ------
    Unfit
        There is none, or it cannot be read.
    """
    given = answer.headers.get("Content-Range", "")
    found = _CONTENT_RANGE.fullmatch(given.strip())
    if found is None:
        raise Unfit(f"its Content-Range is {given!r}")
    return int(found[1]), int(found[2]), 0 if found[3] == "*" else int(found[3])


def identity_of(answer: Answer, size: int) -> Identity:
    """The version of a file by its size and its strong ETag, or else the time of its last change."""
    etag = answer.headers.get("ETag", "")
    if not etag or etag.startswith("W/"):
        etag = answer.headers.get("Last-Modified", "")
    return Identity(size, etag)


def same(one: Identity, other: Identity) -> bool:
    """Nothing speaks against both being the same version; what a server does not tell does not count."""
    sizes = not (one.size and other.size) or one.size == other.size
    return sizes and (not (one.etag and other.etag) or one.etag == other.etag)

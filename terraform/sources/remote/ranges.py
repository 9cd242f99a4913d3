"""Parts of a file by range requests, believed only when the server says exactly what it sends (RFC 9110, 14)."""

import re
from pathlib import Path
from typing import NamedTuple

from terraform.errors import IntegrityError
from terraform.sources.remote.access import shown
from terraform.sources.remote.answer import Answer, Unfit
from terraform.sources.remote.client import Client
from terraform.sources.remote.content import Kind, unlike, words

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


def part(
    client: Client,
    url: str,
    start: int,
    length: int,
    kind: Kind,
    of: Identity | None = None,
    kept: Path | None = None,
) -> Part:
    """Bytes `start` to `start + length` of a file; fewer only where the file ends.

    Parameters
    ----------
    of : Identity, optional
        The version that other parts came from.
    kept : Path, optional
        Where these lie, for the message.

    Raises
    ------
    Missing, RemoteError
        There is no such file; the server knows no ranges, sends other bytes than asked for, or fails.
    IntegrityError
        The file has changed at its source since other parts of it were fetched.
    """

    def receive(answer: Answer) -> Part:
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
        content = answer.whole(expected)
        against = unlike(kind, answer.headers.get("Content-Type"), content[:64] if start == 0 else None)
        if len(content) != expected or against:
            raise Unfit(f"it sends {len(content)} of {expected} bytes of {kind.name}; {against or 'it stops early'}")
        return Part(content, identity_of(answer, size))

    made = client.ask(url, receive, length, lambda: {"Range": f"bytes={start}-{start + length - 1}"})
    if of is not None and not same(of, made.identity):
        raise IntegrityError(
            f"{shown(url)} has changed at its source: it was {of.told}, it is {made.identity.told}; if that is "
            f"right, accept it: python -m terraform fetch ... --accept-new, or remove {kept or 'what was kept of it'}"
        )
    return made


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

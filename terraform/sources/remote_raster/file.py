"""A file of a store that is read in parts: its head, its version, and the entries that are kept of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.ranges import FileVersion, Span, part, pieces
from terraform.sources.remote.response import ContentType
from terraform.sources.remote.store import RemoteStore


@dataclass(frozen=True)
class Head:
    """The first bytes of a remote file, which version it is, and when that was."""

    content: bytes
    version: FileVersion
    fetched: str


class RemoteFile:
    """A file of a store that is read in parts. The first look decides which version all parts must be of.

    Parameters
    ----------
    store : RemoteStore
    path : str
        Below the base URL.
    name : str
        Its folder in the cache.
    content_type : ContentType
        What it must be.
    head_bytes : int
        Bytes of the first look.
    """

    def __init__(self, store: RemoteStore, path: str, name: str, content_type: ContentType, head_bytes: int) -> None:
        self.store, self.path, self.name, self.content_type = store, path, name, content_type
        self._head_bytes = head_bytes

    @property
    def url(self) -> str:
        """Its address."""
        return self.store.client.access.url(self.path)

    @property
    def has_header(self) -> bool:
        """Its head is in the cache."""
        return self.store.cache.has(self.name, "head")

    @cached_property
    def head(self) -> Head:
        """The first look, from the cache or else fetched."""
        stored = self.store.cache.read(self.name, "head")
        if stored is None:
            stored = self._look()
        line, _, content = stored.partition(b"\n")
        told: dict[str, Any] = json.loads(line)
        return Head(content, FileVersion(told["size"], told["etag"]), told["fetched"])

    def _look(self) -> bytes:
        first = part(self.store.client, self.url, 0, self._head_bytes, self.content_type)
        told = first.version._asdict() | {"fetched": datetime.now(UTC).isoformat(timespec="seconds")}
        stored = json.dumps(told).encode() + b"\n" + first.content
        self.store.cache.write(stored, self.name, "head")
        return stored

    @property
    def key(self) -> str:
        """Its name in the lock."""
        return f"{self.store.cache.source}/{self.path}"

    def pin_version(self, sha256: str | None = None) -> None:
        """Make sure that it is the version that is locked; lock it where none is. Fetches the head where it lacks.

        Parameters
        ----------
        sha256 : str, optional
            Of the whole file, where it was fetched whole.

        Raises
        ------
        IntegrityError
            It is another one.
        """
        self.store.locks.pin_version(self.key, self.head.version, sha256)

    def bytes_at(self, start: int, length: int) -> bytes:
        """Read bytes of the directory: from the head, or else, in pieces of its size, from the cache or fetched.

        Returns
        -------
        bytes
            `length` of them, fewer where the file ends.
        """
        if start + length <= len(self.head.content) or len(self.head.content) < self._head_bytes:
            return self.head.content[start : start + length]
        first, last = start // self._head_bytes, -(-(start + length) // self._head_bytes)
        found = b"".join(self._piece(number) for number in range(first, last))
        return found[start - first * self._head_bytes :][:length]

    def _piece(self, number: int) -> bytes:
        start, size = number * self._head_bytes, self.head.version.size
        if number == 0:
            return self.head.content
        length = min(self._head_bytes, size - start) if size else self._head_bytes
        return self.get_cached(start, length, f"bytes-{start}-{length}") if length > 0 else b""

    def get_cached(self, start: int, length: int, name: str) -> bytes:
        """Get bytes that are an entry of their own in the cache, from there or else fetched."""
        content = self.store.cache.read(self.name, name)
        if content is None:
            self.fetch({name: (start, start + length)})
            content = self.store.cache.require(self.name, name)
        return content

    def fetch(self, entries: Mapping[str, Span], check: Callable[[str, bytes], object] | None = None) -> None:
        """Fetch entries that lie one after the other with one request; each is kept as soon as it is there.

        Parameters
        ----------
        entries : mapping of str to (int, int)
            Names in the cache, and the bytes, in the order of the file.
        check : callable, optional
            Gets the name and the bytes of each before it is kept.

        Raises
        ------
        RemoteError, IntegrityError
            The service refuses or fails; the file has changed.
        """
        names = list(entries)

        def take(number: int, content: bytes) -> None:
            if check is not None:
                check(names[number], content)
            self.store.cache.write(content, self.name, names[number])

        pieces(self.store.client, self.url, list(entries.values()), self.content_type, self.head.version, take)

    def provenance_record(self) -> dict[str, Any]:
        """Write its provenance record."""
        head = self.head
        return {
            "url": redact_url(self.url),
            "bytes": head.version.size,
            "etag": head.version.etag,
            "fetched": head.fetched,
        }


def runs(numbers: Sequence[int], spans: Callable[[int], tuple[int, int]], most: int, gap: int = 0) -> list[list[int]]:
    """Group blocks whose bytes follow each other, so that one request brings several.

    Parameters
    ----------
    numbers : sequence of int
        The blocks.
    spans : callable
        First byte of a block and the one after its last.
    most : int
        Bytes of a request at most.
    gap : int
        Bytes between two blocks that are fetched along and thrown away.
    """
    groups: list[list[int]] = []
    for number in sorted(numbers, key=spans):
        start, end = spans(number)
        # Blocks that share bytes are fetched apart.
        if groups and 0 <= start - spans(groups[-1][-1])[1] <= gap and end - spans(groups[-1][0])[0] <= most:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups

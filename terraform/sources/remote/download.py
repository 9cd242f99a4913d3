"""Whole files of any size, resumed where they broke off: what was received is kept, and never joined to other bytes."""

import json
from collections.abc import Callable
from pathlib import Path

from terraform.sources.remote.access import shown
from terraform.sources.remote.client import Client
from terraform.sources.remote.content import Kind, unlike, words
from terraform.sources.remote.ranges import Identity, content_range, identity_of, same
from terraform.sources.remote.response import Answer, Unfit
from terraform.storage.atomic_write import explain_os_error, move_into_place, require_space, write_text


def download(
    client: Client, url: str, path: Path, kind: Kind, expected: int, verify: Callable[[Path], None] | None = None
) -> Identity:
    """Fetch a file to `path`. An interrupted one goes on where it stopped, if the file is still the same.

    The caller holds the lock of the source, so that one process at a time writes the part.

    Parameters
    ----------
    expected : int
        Its size in bytes, roughly, for the deadline.
    verify : callable, optional
        Called with the finished part before it gets its name; raises when it is not right.

    Raises
    ------
    Missing, RemoteError
        The service refuses or fails; what was received lies beside `path` for the next time.
    ResourceError
        The disk is full.
    """
    partial = _Partial(path)
    identity = client.ask(url, lambda answer: partial.receive(answer, kind, url), expected, partial.headers, keeps=True)
    try:
        move_into_place(partial.file, path, verify)
    except Exception:
        # What is complete and wrong would be wrong again.
        partial.forget()
        raise
    partial.note.unlink(missing_ok=True)
    return identity


class _Partial:
    """What is there of a file so far, and of which version it is."""

    def __init__(self, path: Path) -> None:
        self.file = path.with_name(f".{path.name}.partial")
        self.note = path.with_name(f".{path.name}.partial.json")

    def forget(self) -> None:
        self.note.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        return self.file.stat().st_size if self.file.exists() else 0

    @property
    def identity(self) -> Identity | None:
        try:
            return Identity(**json.loads(self.note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def headers(self) -> dict[str, str]:
        """Of the next attempt: the rest, if the file is still the one that was begun."""
        begun = self.identity
        if not self.size or begun is None or not begun.etag:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": begun.etag}

    def receive(self, answer: Answer, kind: Kind, url: str) -> Identity:
        start, identity = self._begin(answer)
        if identity.size and start == identity.size:
            return identity
        first = next(answer.chunks, b"")
        against = unlike(kind, answer.headers.get("Content-Type"), None if start else first[:64])
        if against:
            raise Unfit(f"it did not send {kind.name} ({against}): {words(first) or 'it says nothing'}")
        if identity.size:
            require_space(self.file.parent, identity.size - start)
        self._write(answer, first, start, identity)
        if identity.size and self.size != identity.size:
            raise Unfit(f"{self.size:,} of {identity.size:,} bytes came from {shown(url)}")
        return identity

    def _begin(self, answer: Answer) -> tuple[int, Identity]:
        """Where the body belongs, and which version it is of."""
        begun = self.identity
        if answer.status == 416:
            told = answer.headers.get("Content-Range", "").rpartition("/")[2]
            if begun is not None and told.isdigit() and int(told) == begun.size == self.size:
                return self.size, begun
            self.forget()
            raise Unfit("it has no more bytes than were received, though some are missing")
        if answer.status == 200:
            declared = answer.headers.get("Content-Length", "")
            return 0, identity_of(answer, int(declared) if declared.isdigit() else 0)
        first, last, size = content_range(answer)
        identity = identity_of(answer, size)
        if first != self.size or last + 1 != size or begun is None or not same(begun, identity):
            self.forget()
            raise Unfit(f"asked for the rest from byte {self.size}, it sends {first}-{last}/{size} of {identity}")
        return first, identity

    def _write(self, answer: Answer, first: bytes, start: int, identity: Identity) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            if not start:
                self.forget()
                write_text(self.note, json.dumps(identity._asdict()))
            with self.file.open("ab") as file:
                file.write(first)
                for chunk in answer.chunks:
                    file.write(chunk)
        except OSError as error:
            raise explain_os_error(error, self.file) from error

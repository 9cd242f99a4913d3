"""Whole files of any size, resumed where they broke off: what was received is kept, and never joined to other bytes."""

import json
from collections.abc import Callable
from pathlib import Path

from terraform.sources.remote.client import Client
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.ranges import FileVersion, content_range, file_version, same
from terraform.sources.remote.response import ContentType, InvalidResponse, Response, plain_text, type_mismatch
from terraform.storage.atomic_write import explain_os_error, move_into_place, remove_file, require_space, write_text


def download(
    client: Client,
    url: str,
    path: Path,
    content_type: ContentType,
    expected: int,
    verify: Callable[[Path], None] | None = None,
) -> FileVersion:
    """Fetch a file to `path`. An interrupted one resumes where it stopped, if the file is still the same.

    The caller holds the lock of the source, so that one process at a time writes the part.

    Parameters
    ----------
    expected : int
        Its size in bytes, roughly, for the deadline.
    verify : callable, optional
        Called with the finished part before it gets its name; raises when it is not right.

    Raises
    ------
    NotFound, RemoteError
        The service refuses or fails; what was received stays beside `path` for the next time.
    ResourceError
        The disk is full.
    """
    partial = _Partial(path)
    version = client.request(
        url, lambda response: partial.receive(response, content_type, url), expected, partial.headers, keeps=True
    )
    try:
        move_into_place(partial.file, path, verify)
    except Exception:
        # What is complete and wrong would be wrong again.
        partial.forget()
        raise
    remove_file(partial.note)
    return version


class _Partial:
    """What is there of a file so far, and of which version it is."""

    def __init__(self, path: Path) -> None:
        self.file = path.with_name(f".{path.name}.partial")
        self.note = path.with_name(f".{path.name}.partial.json")

    def forget(self) -> None:
        remove_file(self.note)
        remove_file(self.file)

    @property
    def size(self) -> int:
        return self.file.stat().st_size if self.file.exists() else 0

    @property
    def version(self) -> FileVersion | None:
        try:
            return FileVersion(**json.loads(self.note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def headers(self) -> dict[str, str]:
        """Of the next attempt: the rest, if the file is still the one that was begun."""
        begun = self.version
        if not self.size or begun is None or not begun.etag:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": begun.etag}

    def receive(self, response: Response, content_type: ContentType, url: str) -> FileVersion:
        start, version = self._begin(response)
        if version.size and start == version.size:
            return version
        first = next(response.chunks, b"")
        against = type_mismatch(content_type, response.headers.get("Content-Type"), None if start else first[:64])
        if against:
            raise InvalidResponse(
                f"it did not send {content_type.name} ({against}): {plain_text(first) or 'it says nothing'}"
            )
        if version.size:
            require_space(self.file.parent, version.size - start)
        self._write(response, first, start, version)
        if version.size and self.size != version.size:
            raise InvalidResponse(f"{self.size:,} of {version.size:,} bytes came from {redact_url(url)}")
        return version

    def _begin(self, response: Response) -> tuple[int, FileVersion]:
        """Where the body belongs, and which version it is of."""
        begun = self.version
        if response.status == 416:
            told = response.headers.get("Content-Range", "").rpartition("/")[2]
            if begun is not None and told.isdigit() and int(told) == begun.size == self.size:
                return self.size, begun
            self.forget()
            raise InvalidResponse("it has no more bytes than were received, though some are missing")
        if response.status == 200:
            declared = response.headers.get("Content-Length", "")
            return 0, file_version(response, int(declared) if declared.isdigit() else 0)
        first, last, size = content_range(response)
        version = file_version(response, size)
        if first != self.size or last + 1 != size or begun is None or not same(begun, version):
            self.forget()
            raise InvalidResponse(
                f"asked for the rest from byte {self.size}, it sends {first}-{last}/{size} of {version}"
            )
        return first, version

    def _write(self, response: Response, first: bytes, start: int, version: FileVersion) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            if not start:
                self.forget()
                write_text(self.note, json.dumps(version._asdict()))
            with self.file.open("ab") as file:
                file.write(first)
                for chunk in response.chunks:
                    file.write(chunk)
        except OSError as error:
            raise explain_os_error(error, self.file) from error

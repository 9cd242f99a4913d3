"""The cache of what was fetched, for the next region and the next run: entries are whole or absent, and checked."""

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from terraform.errors import ConfigError, RemoteError
from terraform.storage.atomic_write import atomic_write, remove_file, remove_stale
from terraform.storage.locks import exclusive

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,200}")
_SEAL_BYTES = 32


class Cache:
    """The cache of one source in one version.

    Each entry begins with the SHA-256 of the rest: one that was cut short or damaged on the disk is found when it is
    read, and is fetched again.

    Parameters
    ----------
    cache : Path
        Folder of the whole cache.
    source, version : str
        Names of the folders.
    """

    def __init__(self, cache: Path, source: str, version: str) -> None:
        self._lock = cache / _checked(source) / ".lock"
        self.folder = cache / source / _checked(version)
        self._place = str(self.folder)
        self.source = source
        self._swept: set[Path] = set()

    def path(self, *names: str) -> Path:
        """Build the path of an entry.

        Raises
        ------
        ConfigError
            A name could lead out of the folder.
        """
        return self.folder.joinpath(*(_checked(name) for name in names))

    def has(self, *names: str) -> bool:
        """Whether there is an entry; that it is sound shows when it is read."""
        # A plan asks hundreds of thousands of times: no Path is built for it.
        return os.path.isfile(os.path.join(self._place, *map(_checked, names)))  # noqa: PTH113, PTH118

    def read(self, *names: str) -> bytes | None:
        """Read an entry; None where there is none or it is damaged."""
        stored = self._sealed(*names)
        return None if stored is None else stored[_SEAL_BYTES:]

    def require(self, *names: str) -> bytes:
        """Read an entry that was fetched before.

        Raises
        ------
        RemoteError
            It is gone.
        """
        return self._require(*names)[_SEAL_BYTES:]

    def digest(self, entries: Iterable[Sequence[str]]) -> str:
        """Digest entries as a provenance names them: the SHA-256 of their SHA-256s, 32 bytes each, in their order."""
        seals = (self._require(*names)[:_SEAL_BYTES] for names in entries)
        return hashlib.sha256(b"".join(seals)).hexdigest()

    def _require(self, *names: str) -> bytes:
        stored = self._sealed(*names)
        if stored is None:
            raise RemoteError(f"{self.path(*names)} vanished while it was used: run the same command again")
        return stored

    def _sealed(self, *names: str) -> bytes | None:
        """Read an entry behind its SHA-256, if that is right."""
        path = self.path(*names)
        try:
            stored = path.read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(stored[_SEAL_BYTES:]).digest() != stored[:_SEAL_BYTES]:
            remove_file(path)
            return None
        return stored

    def write(self, content: bytes, *names: str) -> None:
        """Keep an entry; it is there whole, or not at all."""
        path = self.path(*names)
        if path.parent not in self._swept:
            self._swept.add(path.parent)
            remove_stale(path.parent)
        with atomic_write(path, durable=False) as temporary:
            temporary.write_bytes(hashlib.sha256(content).digest() + content)

    def drop(self, *names: str) -> None:
        """Remove an entry that is part of another one by now."""
        remove_file(self.path(*names))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the lock of the source: one process at a time asks its hosts.

        So their bound on connections holds for all, and nothing is fetched twice. The kernel releases it when the
        process ends, however it ends.
        """

        def say(holder: str) -> None:
            print(f"waiting until {holder} has done with {self.source}", file=sys.stderr, flush=True)

        with exclusive(self._lock, say):
            yield


@lru_cache(1 << 16)
def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot be a name in the cache: expected letters, digits, '.', '_', '+' and '-'")
    return name

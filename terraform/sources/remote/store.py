"""A public store of files: its client, its folder of the cache, and the lock of its versions."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from terraform.config import Downloads, RemoteSource
from terraform.sources.remote.cache import Cache
from terraform.sources.remote.client import Client
from terraform.sources.remote.hosts import Access
from terraform.sources.remote.response import ContentType
from terraform.sources.remote.version_lock import VersionLock

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class RemoteStore:
    """Where a source keeps its files, and where they are kept here.

    Attributes
    ----------
    client : Client
    cache : Cache
    locks : VersionLock
        Which version of each file holds.
    workers : int
        Requests at a time.
    """

    client: Client
    cache: Cache
    locks: VersionLock
    workers: int

    def map(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Work on items side by side; the first error ends it, what was fetched is kept."""
        with ThreadPoolExecutor(self.workers) as threads:
            tasks = [threads.submit(work, item) for item in items]
            try:
                return [task.result() for task in tasks]
            except BaseException:
                for task in tasks:
                    task.cancel()
                raise

    def get_cached(self, path: str, content_type: ContentType, most: int, *names: str) -> bytes:
        """Get a small file from the cache, or else fetch it whole."""
        content = self.cache.read(*names)
        if content is None:
            content = self.client.get(self.client.access.url(path), content_type, most)
            self.cache.write(content, *names)
        return content


def open_store(settings: RemoteSource, downloads: Downloads, version: str) -> RemoteStore:
    """Open the store of a source as configured."""
    access = Access(settings.source, settings.base_url, settings.hosts, settings.connections)
    cache = Cache(Path(downloads.cache), settings.source, version)
    return RemoteStore(Client(access, downloads), cache, VersionLock(Path(downloads.lock)), settings.connections)

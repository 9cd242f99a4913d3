"""A public store of files: its client, its shelf of the cache, and the lock of its versions."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from terraform.config import Downloads, RemoteSource
from terraform.sources.remote.access import Access
from terraform.sources.remote.cache import Shelf
from terraform.sources.remote.client import Client
from terraform.sources.remote.content import Kind
from terraform.sources.remote.version_lock import Locks

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Bucket:
    """Where a source keeps its files, and where they are kept here.

    Attributes
    ----------
    client : Client
    shelf : Shelf
    locks : Locks
        Which version of each file holds.
    workers : int
        Requests at a time.
    """

    client: Client
    shelf: Shelf
    locks: Locks
    workers: int

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Work on items side by side; the first error ends it, what was fetched is kept."""
        with ThreadPoolExecutor(self.workers) as threads:
            tasks = [threads.submit(work, item) for item in items]
            try:
                return [task.result() for task in tasks]
            except BaseException:
                for task in tasks:
                    task.cancel()
                raise

    def kept(self, path: str, kind: Kind, most: int, *names: str) -> bytes:
        """A small file, from the shelf or else fetched whole."""
        content = self.shelf.read(*names)
        if content is None:
            content = self.client.get(self.client.access.url(path), kind, most)
            self.shelf.write(content, *names)
        return content


def bucket(settings: RemoteSource, downloads: Downloads, version: str) -> Bucket:
    """The bucket of a source as configured."""
    access = Access(settings.source, settings.base_url, settings.hosts, settings.connections)
    shelf = Shelf(Path(downloads.cache), settings.source, version)
    return Bucket(Client(access, downloads), shelf, Locks(Path(downloads.lock)), settings.connections)

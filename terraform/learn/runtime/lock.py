"""One run at a time in a folder: a lock that the system takes back when its holder dies, however it dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terraform.errors import ResourceError
from terraform.storage.locks import exclusive


@contextmanager
def exclusive_run(folder: Path) -> Iterator[None]:
    """Hold a folder.

    Raises
    ------
    ResourceError
        Another process holds it, or it cannot be written.
    """

    def refuse(holder: str) -> None:
        raise ResourceError(f"{folder} is in use by {holder}: wait for it, stop it, or train into another folder")

    with exclusive(folder / ".lock", refuse):
        yield

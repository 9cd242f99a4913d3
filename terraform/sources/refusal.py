"""What a service refused is noted beside the raster, so that a job tried again at once does not ask again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terraform.errors import RemoteError
from terraform.storage.atomic_write import write_text


@contextmanager
def skip_after_refusal(raster: Path, attempt: int) -> Iterator[None]:
    """Ask a service, unless an earlier attempt of the same run was refused.

    Snakemake tries a job again whatever ended it. A job that was killed should go on; one that a service told to come
    back later should not ask again at once.

    Parameters
    ----------
    raster : Path
        What is fetched.
    attempt : int
        1 asks in any case.

    Raises
    ------
    RemoteError
        An earlier attempt was refused, with what it was told; or this one is.
    """
    note = raster.with_name(f".{raster.name}.refused")
    if attempt > 1 and note.exists():
        raise RemoteError(note.read_text(encoding="utf-8"))
    note.unlink(missing_ok=True)
    try:
        yield
    except RemoteError as error:
        write_text(note, str(error))
        raise

"""What may be removed: results of regions that are gone, and all that can be made again."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from terraform.errors import ResourceError
from terraform.geo.bodies import BODIES
from terraform.storage.locks import unheld
from terraform.workflow import stale_locks

_LOCKS = frozenset({".lock", "lock"})


def orphans(bodies: Mapping[str, str]) -> list[Path]:
    """Folders in the working folder of regions that are in no regions file any more.

    Parameters
    ----------
    bodies : mapping of str to str
        Body by name of each region that there is.
    """
    # Beside the bodies lies the cache of the sources, beside the regions the rasters of the whole body.
    found = [p for body in BODIES for p in Path("resources").glob(f"{body}/*")]
    downloads = [p for p in found if p.name != "planet" and bodies.get(p.name) != p.parent.name]
    results = [p for pattern in ("pairs/*", "mars/*/*") for p in Path("results").glob(pattern) if p.name not in bodies]
    return sorted(path for path in (*downloads, *results) if path.is_dir() and not path.is_symlink())


def results(downloads: bool = False) -> list[Path]:
    """Folders that a run makes; the downloads, which may have been costly, only when asked for."""
    folders = [Path("results"), Path("logs"), Path(".terraform"), *([Path("resources")] if downloads else [])]
    return [folder for folder in folders if folder.is_dir() and not folder.is_symlink()]


def remove(folders: list[Path]) -> None:
    """Remove folders and all that they hold.

    Raises
    ------
    ResourceError
        Something works in one of them, and nothing is removed; or one cannot be removed.
    """
    # Names of locks: of a training, of a drawing, of a source's cache.
    inside = [path for folder in folders for path in folder.rglob("*") if path.name in _LOCKS and path.is_file()]
    with unheld([stale_locks.LOCK, *inside], _refuse):
        for folder in folders:
            try:
                shutil.rmtree(folder)
            except OSError as error:
                raise ResourceError(f"{folder} cannot be removed ({error.strerror}): make it writable") from None


def _refuse(lock: Path, holder: str) -> None:
    raise ResourceError(f"{lock.parent} is in use by {holder}: wait for it, or stop it; nothing was removed")

"""Which version of each fixed file holds: what changes at its source is refused until somebody accepts it.

The cache has the same knowledge, but only on one machine and until it is removed: the lock goes with the repository.
"""

import json
from pathlib import Path
from typing import Any

from terraform.errors import ConfigError, IntegrityError
from terraform.sources.remote.ranges import FileVersion
from terraform.storage.atomic_write import write_text
from terraform.storage.locks import exclusive
from terraform.storage.reading import parse_json


class VersionLock:
    """A lock file, `sources.lock.json`. A file that it does not name yet is written into it at first sight.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held = path.with_name(f".{path.name}.lock")

    def pin_version(self, name: str, version: FileVersion, sha256: str | None = None) -> None:
        """Make sure that a file is the one that is locked; lock it where none is.

        Parameters
        ----------
        name : str
            Source and path, such as "opentopography/SRTM_GL1/SRTM_GL1_srtm/N45E008.tif".
        version : FileVersion
            Its size and ETag. Another ETag alone does not count where the digests agree.
        sha256 : str, optional
            Digest of the whole file, where it was fetched whole.

        Raises
        ------
        IntegrityError
            It is another one.
        """
        seen = {"bytes": version.size, "etag": version.etag} | ({"sha256": sha256} if sha256 else {})
        with exclusive(self._held):
            locked = self._read()
            known = locked.get(name, {})
            self._compare(name, known, seen)
            if known | seen != known:
                write_text(self.path, json.dumps({**locked, name: known | seen}, indent=2, sort_keys=True) + "\n")

    def entry(self, name: str) -> dict[str, Any]:
        """Look up what is locked of a file; nothing where it is not named."""
        return self._read().get(name, {})

    def forget(self, prefix: str) -> list[str]:
        """Accept any next version of the files whose name begins so; return their names."""
        with exclusive(self._held):
            locked = self._read()
            gone = [name for name in locked if name.startswith(prefix)]
            if gone:
                kept = {name: entry for name, entry in locked.items() if name not in gone}
                write_text(self.path, json.dumps(kept, indent=2, sort_keys=True) + "\n")
        return gone

    def _compare(self, name: str, known: dict[str, Any], seen: dict[str, Any]) -> None:
        both = [key for key in ("sha256", "bytes", "etag") if known.get(key) and seen.get(key)]
        if "sha256" in both:
            both = ["sha256"]
        for key in both:
            if known[key] != seen[key]:
                raise IntegrityError(
                    f"{name} is not the file that {self.path} names: its {key} is {seen[key]}, locked is {known[key]}. "
                    f"If the change at its source is right, accept it: python -m terraform fetch ... --accept-new"
                )

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            found: dict[str, dict[str, Any]] = parse_json(self.path.read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                raise ValueError("it is no object")
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ConfigError(f"{self.path} is not JSON ({error}): take it from the repository again") from None
        return found

"""Where an artefact comes from, under which licence, and what that allows: carried from download to mosaic."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terraform.errors import ConfigError, InputError
from terraform.storage.atomic_write import write_text
from terraform.storage.reading import parse_json, read_text
from terraform.version import __version__

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_RESTRICTION = {
    "CC0-1.0": 0,
    "LicenseRef-Public-Domain": 0,
    "MIT": 1,
    "CC-BY-4.0": 2,
    "LicenseRef-Terrain-Tiles": 3,
    "LicenseRef-Copernicus-DEM": 3,
    "LicenseRef-ITU": 3,
    "CC-BY-SA-4.0": 4,
    "CC-BY-NC-4.0": 5,
    "CC-BY-NC-SA-4.0": 6,
    "LicenseRef-WorldClim": 7,
    "LicenseRef-Unknown": 8,
}
"""SPDX identifiers of the sources' licences, the most permissive first."""


@dataclass(frozen=True)
class Credit:
    """One source as its owner wants it named.

    Attributes
    ----------
    source : str
        The source's name in config.
    licence : str
        SPDX identifier.
    attribution : str
        The text to show wherever the data or anything derived from it is shown.
    synthetic : bool
        The source is invented; nothing of it was observed.
    """

    source: str
    licence: str
    attribution: str
    synthetic: bool = False


@dataclass(frozen=True)
class Provenance:
    """What made a file.

    Attributes
    ----------
    credits : tuple of Credit
        Every source that had a part in it.
    details : dict
        Whatever else identifies the making: window, version, digests.
    code_version : str
        Version of this package.
    created : str
        UTC, ISO 8601.
    """

    credits: tuple[Credit, ...]
    details: dict[str, Any] = field(default_factory=dict)
    code_version: str = __version__
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def licence(self) -> str:
        """The most restrictive licence of all sources: the one that what is derived must carry."""
        return most_restrictive(credit.licence for credit in self.credits)

    @property
    def attribution(self) -> str:
        """All attribution texts in one line."""
        return "; ".join(dict.fromkeys(credit.attribution for credit in self.credits))

    @property
    def synthetic(self) -> bool:
        """Some source is invented."""
        return any(credit.synthetic for credit in self.credits)

    def tags(self) -> dict[str, str]:
        """Texts for a raster's or a weights file's metadata."""
        return {
            "LICENCE": self.licence,
            "ATTRIBUTION": self.attribution,
            "SYNTHETIC_INPUT": str(self.synthetic).lower(),
            "SOFTWARE": f"terraform {self.code_version}",
        }


def most_restrictive(licences: Iterable[str]) -> str:
    """Choose the licence that what is derived from all of them must carry; an unlisted one is the most restrictive.

    Raises
    ------
    ConfigError
        Nothing was given.
    """
    named = list(licences)
    if not named:
        raise ConfigError("no licence was given: every source states one")
    return max(named, key=lambda licence: _RESTRICTION.get(licence, len(_RESTRICTION)))


def merge(parts: Iterable[Provenance], **details: Any) -> Provenance:
    """Merge the provenances of several files into that of what is made from them."""
    credits = dict.fromkeys(credit for part in parts for credit in part.credits)
    return Provenance(tuple(credits), details)


def to_json(provenance: Provenance) -> str:
    """Write as JSON, with the licence that follows from the sources."""
    return json.dumps(
        {"licence": provenance.licence, "attribution": provenance.attribution, **asdict(provenance)}, indent=2
    )


def from_json(text: str) -> Provenance:
    """Read what `to_json` wrote.

    Raises
    ------
    ValueError
        It is something else, or holds texts that no file can: a raster's tags get them.
    """
    document = parse_json(text)
    if not isinstance(document, dict) or {"credits", "details", "code_version", "created"} - document.keys():
        raise ValueError("it does not name its sources")
    json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair cannot be written again
    return _reader().validate_python(document)


@cache
def _reader() -> "TypeAdapter[Provenance]":
    # Not at the top: commands that read no provenance start without it.
    from pydantic import TypeAdapter

    return TypeAdapter(Provenance)


_LARGEST = 10_000_000


def write(provenance: Provenance, path: Path) -> None:
    """Publish as JSON."""
    write_text(path, to_json(provenance) + "\n")


def read(path: Path) -> Provenance:
    """Read what `write` wrote.

    Raises
    ------
    InputError
        The file is missing or not a provenance.
    """
    try:
        return from_json(read_text(path, _LARGEST))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} holds no provenance ({reason}): make the files beside it again") from None


def beside(path: Path) -> Path:
    """Name the file of a download's provenance: the same with .json."""
    return path.with_suffix(".json")

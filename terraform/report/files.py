"""The files of a run, by what they hold; a part that was not made is no error."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terraform.config import Config
from terraform.errors import InputError
from terraform.geo.regions import Region
from terraform.storage.reading import parse_json, read_text

_LARGEST = 50_000_000


@dataclass(frozen=True)
class RunFiles:
    """Where the files of a run lie.

    Attributes
    ----------
    config : Config
        As the run has it, with its split filled in.
    regions : mapping of str to Region
        Those that take part, in their roles.
    paired, mosaics : tuple of str
        Regions that are cut into pairs, and those that are drawn.
    command : str
        What makes the run again.
    folder : Path
        The working folder.
    """

    config: Config
    regions: Mapping[str, Region]
    paired: tuple[str, ...]
    mosaics: tuple[str, ...]
    command: str
    folder: Path = Path()

    @property
    def model(self) -> Path:
        """Folder of the weights."""
        return self.folder / "results/model" / self.config.run

    @property
    def evaluation(self) -> Path:
        """Folder of the metrics."""
        return self.folder / "results/evaluation" / self.config.run

    @property
    def planet(self) -> Path:
        """Folder of climates and base colours."""
        return self.folder / "results/planet" / self.config.run

    def pairs(self, region: str) -> Path:
        """Folder of a region's pairs."""
        return self.folder / "results/pairs" / region

    def mosaic(self, region: str) -> Path:
        """Folder of a region's mosaic."""
        return self.folder / "results/mars" / self.config.run / region

    def download(self, region: str) -> Path:
        """Folder of a region's rasters."""
        return self.folder / "resources" / self.regions[region].body.name / region


def read_document(path: Path) -> Any:
    """Read JSON.

    Raises
    ------
    InputError
        It is damaged.
    """
    try:
        return parse_json(read_text(path, _LARGEST))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read ({_short(error)}): remove it and make it again") from None


def read_table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """Read a table with a header.

    Raises
    ------
    InputError
        It is damaged.
    """
    try:
        rows = list(csv.DictReader(read_text(path, _LARGEST).splitlines(), delimiter=delimiter, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path} cannot be read ({_short(error)}): remove it and make it again") from None
    if any(None in row or None in row.values() for row in rows):
        raise InputError(f"{path} has lines of different lengths: remove it and make it again")
    return rows


def number(cell: str, path: Path) -> float | None:
    """Read a cell of a table, None where it is empty.

    Raises
    ------
    InputError
        It holds something else.
    """
    if not cell or cell in ("-", "NA"):
        return None
    try:
        return float(cell)
    except ValueError:
        raise InputError(f"{path} has {cell[:40]!r} where a number belongs: remove it and make it again") from None


def private(said: str, folder: Path) -> str:
    """Take the paths of this machine out of a text: the working folder is `.`, the user's own `~`."""
    for place, short in ((folder.resolve(), "."), (Path.home(), "~")):
        if len(place.parts) > 1:
            said = said.replace(json.dumps(str(place))[1:-1], short).replace(str(place), short)
    return said


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160]

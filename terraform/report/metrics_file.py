"""metrics.json of format 2, as an evaluation writes it."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from terraform.errors import InputError
from terraform.report.files import read_document

FORMAT = 2


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Metric(_Part):
    """What a metric is called, its unit, and which way is better."""

    title: str
    unit: str = ""
    better: Literal["lower", "higher", "near"] = "lower"
    target: FiniteFloat | None = None


class Score(_Part):
    """A value and the ends of its 95 % interval."""

    value: FiniteFloat
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None


Scores = dict[str, dict[str, Score]]
"""By set of pictures and metric."""


class Role(_Part):
    """Held-out regions of one role."""

    regions: list[str]
    pairs: int
    blocks: int | None = None
    scores: Scores


class Outside(_Part):
    """Which share of the land of Mars lies outside what Earth taught, and the picture that shows it."""

    climate: FiniteFloat
    relief: FiniteFloat
    map: str


class Mars(_Part):
    """What can be said without truth."""

    regions: list[str]
    tiles: int
    scores: Scores
    outside: Outside | None = None


class Weights(_Part):
    """Which generator was judged."""

    sha256: str
    network: str
    images: int | None = None


class Metrics(_Part):
    """The whole document."""

    run: str
    licence: str = ""
    attribution: list[str] | str = ""
    weights: Weights | None = None
    seeds: int = 1
    metrics: dict[str, Metric]
    roles: dict[str, Role]
    mars: Mars | None = None


def read_metrics(path: Path) -> Metrics:
    """Read and check a document.

    Raises
    ------
    InputError
        It is missing, damaged, or of another format.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist: evaluate the run, `snakemake --cores 8 evaluate`")
    document = read_document(path)
    found = document.get("format", 1) if isinstance(document, dict) else None
    if found != FORMAT:
        raise InputError(f"{path} is of format {found}, this version reads {FORMAT}: evaluate the run again")
    try:
        return Metrics.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: {place}: {first['msg']}: evaluate the run again") from None

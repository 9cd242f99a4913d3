"""The document of an evaluation, `metrics.json`, and what each metric is called, measured in and better for."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from terraform.errors import InputError
from terraform.storage.atomic_write import write_text
from terraform.storage.reading import parse_json, read_text

FORMAT: Literal[2] = 2
"""2: scores with intervals under `roles`, the registry of metrics within. 1: bare numbers, a set of pictures a key."""

_LARGEST = 10_000_000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Metric(_Part):
    """What a number means.

    Attributes
    ----------
    title : str
    unit : str
        Empty for a ratio.
    better : {"lower", "higher", "near"}
        `near`: near `target`, or near the number of real imagery where there is none.
    target : float, optional
        The goal on land never seen.
    """

    title: str
    unit: str
    better: Literal["lower", "higher", "near"]
    target: float | None


class Score(_Part):
    """A number, and its 95 % interval by bootstrap over blocks where one makes sense.

    Attributes
    ----------
    value, low, high : float
    seeds : list of float, optional
        The number of each training, where several that differ in their seed are judged together; `value` is their mean.
    """

    value: float
    low: float | None = None
    high: float | None = None
    seeds: list[float] | None = None


Scores = dict[str, dict[str, Score]]
"""By set of pictures, then by metric."""


class Role(_Part):
    """Held-out pairs of one role.

    Attributes
    ----------
    regions : list of str
    pairs, blocks : int
        Pairs that were judged, and groups of neighbours that intervals count as one.
    scores : Scores
    """

    regions: list[str]
    pairs: int = Field(ge=1)
    blocks: int = Field(ge=1)
    scores: Scores


class Outside(_Part):
    """How much of the land of Mars lies outside what Earth taught.

    Attributes
    ----------
    climate, relief : float
        Shares, 0 to 1.
    map : str
        Name of the picture beside the document.
    """

    climate: float = Field(ge=0, le=1)
    relief: float = Field(ge=0, le=1)
    map: str


class Mars(_Part):
    """Mars, where there is no truth.

    Attributes
    ----------
    regions : list of str
    tiles : int
    scores : Scores
    outside : Outside, optional
    """

    regions: list[str]
    tiles: int = Field(ge=1)
    scores: Scores
    outside: Outside | None = None


class Weights(_Part):
    """What was judged.

    Attributes
    ----------
    sha256, network : str
    images : int, optional
        Images that training saw, where the file says so.
    """

    sha256: str
    network: str
    images: int | None


class EncoderUsed(_Part):
    """The encoder of kernel distances; only numbers by the same one compare.

    Attributes
    ----------
    sha256 : str
        Of its weights.
    regions : list of str
        Whose imagery it learnt from.
    """

    sha256: str
    regions: list[str]


class Evaluation(_Part):
    """The whole document.

    Attributes
    ----------
    format : int
    run, licence, attribution : str
    weights : Weights
    seeds : int
        Trainings that differ in their seed alone and are judged together.
    encoder : EncoderUsed, optional
    metrics : dict of name to Metric
    roles : dict of "validation", "test" to Role
    mars : Mars, optional
    """

    format: Literal[2] = FORMAT
    run: str
    licence: str
    attribution: str
    weights: Weights
    seeds: int = Field(ge=1)
    encoder: EncoderUsed | None = None
    metrics: dict[str, Metric]
    roles: dict[str, Role]
    mars: Mars | None = None

    def rows(self) -> Iterator["Row"]:
        """List every score: the roles in order, then Mars."""
        parts = {role: part.scores for role, part in self.roles.items()}
        if self.mars is not None:
            parts["mars"] = self.mars.scores
        for role, sets in parts.items():
            for pictures, scores in sets.items():
                for metric, score in scores.items():
                    yield Row(role, pictures, metric, score.value, score.low, score.high)


class Row(NamedTuple):
    """One score, as `metrics.csv` has it."""

    role: str
    pictures: str
    metric: str
    value: float
    low: float | None
    high: float | None


def _metric(title: str, unit: str, better: Literal["lower", "higher", "near"], target: float | None = None) -> Metric:
    return Metric(title=title, unit=unit, better=better, target=target)


METRICS: dict[str, Metric] = {
    "l1": _metric("mean absolute difference", "levels", "lower", 15),
    "psnr_db": _metric("peak signal-to-noise ratio", "dB", "higher"),
    "ssim": _metric("structural similarity", "", "higher"),
    "ms_ssim": _metric("structural similarity over five scales", "", "higher"),
    "swd": _metric("sliced Wasserstein distance of patches, mean of four levels", "x 1000", "lower", 120),
    "swd_1": _metric("sliced Wasserstein distance, details of 1 pixel", "x 1000", "lower"),
    "swd_2": _metric("sliced Wasserstein distance, details of 2 pixels", "x 1000", "lower"),
    "swd_3": _metric("sliced Wasserstein distance, details of 4 pixels", "x 1000", "lower"),
    "swd_4": _metric("sliced Wasserstein distance, 8 pixels and coarser", "x 1000", "lower"),
    "kernel_distance": _metric("kernel distance on our own encoder of tiles", "x 1000", "lower"),
    "spectrum_db": _metric("distance of radial power spectra", "dB", "lower", 3),
    "spectrum_db_low": _metric("the same, waves longer than 16 pixels", "dB", "lower", 3),
    "spectrum_db_mid": _metric("the same, waves of 4 to 16 pixels", "dB", "lower", 3),
    "spectrum_db_high": _metric("the same, waves shorter than 4 pixels", "dB", "lower", 3),
    "checkerboard_2": _metric("peak of power at a period of 2 pixels", "", "near", 1),
    "checkerboard_4": _metric("peak of power at a period of 4 pixels", "", "near", 1),
    "checkerboard_8": _metric("peak of power at a period of 8 pixels", "", "near", 1),
    "checkerboard_16": _metric("peak of power at a period of 16 pixels", "", "near", 1),
    "colour_given_relief": _metric("distance of the colours of like terrain", "levels", "lower", 8),
    "colour_given_climate": _metric("distance of the colours of like climate, on Mars", "levels", "lower"),
    "base_drift": _metric("smooth colours beside base colours", "levels", "lower"),
    "recoverability": _metric("relief that can be read from the picture, correlation", "", "higher"),
    "tile_invariance": _metric("largest difference between windows", "levels", "lower", 1),
    "seam": _metric("step across borders of windows over steps elsewhere", "", "near", 1),
    "diversity": _metric("how much pictures differ over how much real ones do", "", "near", 1),
    "nearest_tile": _metric("distance to the nearest training tile", "levels", "near"),
    "deviation": _metric("standard deviation of colours", "levels", "near"),
}
"""Every metric by name, in the order of tables."""


def write(evaluation: Evaluation, folder: Path) -> None:
    """Publish `metrics.json` and `metrics.csv` in a folder."""
    write_text(folder / "metrics.csv", _table(evaluation))
    write_text(folder / "metrics.json", evaluation.model_dump_json(indent=2, exclude_unset=True) + "\n")


def _table(evaluation: Evaluation) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["role", "set", "metric", "value", "low", "high"])
    table.writerows(evaluation.rows())
    return text.getvalue()


def read(path: Path) -> Evaluation:
    """Read `metrics.json`.

    Raises
    ------
    InputError
        It is missing, damaged or of another format.
    """
    again = "make it with `python -m terraform evaluate`, or `snakemake evaluate`"
    try:
        document = parse_json(read_text(path, _LARGEST))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): {again}") from None
    given = document.get("format", 1) if isinstance(document, dict) else "unknown"
    if given != FORMAT:
        raise InputError(f"{path} is of format {given}, this version reads {FORMAT}: {again}")
    try:
        return Evaluation.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path} is damaged ({place}: {first['msg']}): {again}") from None

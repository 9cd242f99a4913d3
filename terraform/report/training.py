"""How the generator learnt: its network, the losses, what it drew of held-out pairs."""

import math
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from terraform.config import Condition, Train, renamed
from terraform.errors import InputError
from terraform.report.charts import Series, line_chart
from terraform.report.files import RunFiles, number, read_table
from terraform.report.parts import Fact, Figure, Number
from terraform.report.pictures import Album
from terraform.storage.hashing import sha256_of
from terraform.storage.reading import parse_json

_LOSSES = (
    ("Held-out L1, levels of 255", ("val_l1", "held out"), ("train_l1", "trained on")),
    ("Held-out sliced Wasserstein distance", ("val_swd", "held out")),
    ("Generator: L1 loss", ("g_l1", "L1")),
    ("Adversarial losses", ("g_adv", "generator"), ("d_real", "discriminator, real"), ("d_fake", "generated")),
)


def training(run: RunFiles, album: Album) -> dict[str, Any] | None:
    """Describe a training; None where there are no weights and no history.

    Raises
    ------
    InputError
        A file is damaged.
    """
    weights, history = run.model / "weights.safetensors", run.model / "history.csv"
    rows = read_numbers(history) if history.is_file() else []
    if not weights.is_file() and not rows:
        return None
    samples = album.url(run.model / "samples.png", 1056)
    caption = (
        "Pairs that the network never saw: relief, real imagery, base colours where it is given them, what it drew. "
        "What is generated is plausible, not predicted."
    )
    return {
        "facts": _facts(weights, rows) if weights.is_file() else [],
        "charts": _charts(rows) + _regions(run.model / "regions.csv"),
        "samples": [Figure(caption, picture=samples)] if samples else [],
        "missing": [] if rows else ["There is no history.csv beside the weights, so no losses are shown."],
    }


def read_numbers(path: Path) -> list[dict[str, float]]:
    """Read a table of numbers; what is empty or non-finite is left out.

    Raises
    ------
    InputError
        It is damaged.
    """
    rows = [{name: number(cell, path) for name, cell in row.items()} for row in read_table(path)]
    return [{name: value for name, value in row.items() if value is not None and math.isfinite(value)} for row in rows]


def header_of(weights: Path) -> tuple[dict[str, str], int]:
    """Read what a weights file says of itself, and count the values that it holds.

    Raises
    ------
    InputError
        It is no weights file.
    """
    try:
        with safe_open(weights, "np") as file:
            shapes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
            return dict(file.metadata() or {}), sum(math.prod(shape) for shape in shapes)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{weights} is no safetensors file ({error}): get or train it again") from None


def _facts(weights: Path, rows: list[dict[str, float]]) -> list[Fact]:
    told, values = header_of(weights)
    try:
        settings = Train.model_validate(renamed("train", dict(parse_json(told["train"]))))
        condition = Condition.model_validate_json(told["condition"])
    except (KeyError, ValueError, TypeError):
        raise InputError(f"{weights} does not say how it was trained: train again") from None
    best = [row for row in rows if row.get("best") == 1]
    kept = [Fact("kept weights seen", Number(int(best[-1]["images"]), unit="images"))] if best else []
    channels = condition.channels if condition.encoding == "relief" else ["turbo"]
    noise = f" and {settings.noise} of noise" if settings.noise else ""
    return [
        Fact("network", settings.network),
        Fact("width", Number(settings.width)),
        Fact("values", Number(values)),
        Fact("sees", ", ".join(channels) + noise),
        Fact("relief limited to", Number(condition.resolution_m, unit="m")),
        Fact("base colours", settings.base),
        Fact("discriminator", settings.discriminator),
        Fact("images", Number(settings.total_images)),
        *kept,
        Fact("chosen by", {"swd": "sliced Wasserstein distance", "l1": "L1"}[settings.checkpoint_metric]),
        Fact("sha256", sha256_of(weights)),
    ]


def _charts(rows: list[dict[str, float]]) -> list[Figure]:
    best = [row["images"] for row in rows if row.get("best") == 1]
    figures = []
    for title, *lines in _LOSSES:
        drawn = []
        for colour, (column, name) in enumerate(lines, 1):
            points = [(row["images"], row[column]) for row in rows if {"images", column} <= row.keys()]
            if any(value for _, value in points):  # without a discriminator its losses are zero
                drawn.append(Series(name, points, colour, dots=column.startswith(("val", "train"))))
        if drawn:
            held_out = lines[0][0].startswith("val")
            mark = best[-1] if best and held_out else None
            note = "; the vertical line marks the weights that were kept" if mark is not None else ""
            chart = line_chart(title, drawn, "images seen", mark)
            figures.append(Figure(f"{title}{note}.", chart=chart, key=[(one.name, one.colour) for one in drawn]))
    return figures


def _regions(path: Path) -> list[Figure]:
    """L1 of each region that is held out, and of those learnt from."""
    if not path.is_file():
        return []
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in read_table(path):
        images, value = number(row.get("images", ""), path), number(row.get("l1", ""), path)
        if images is not None and value is not None and math.isfinite(value):
            found.setdefault((row.get("role", ""), row.get("region", "")), []).append((images, value))
    drawn = [
        Series(f"{region} ({'trained on' if role == 'train' else 'held out'})", points, 1 + count % 6, role != "train")
        for count, ((role, region), points) in enumerate(sorted(found.items()))
    ]
    if not drawn:
        return []
    title = "L1 by region, levels of 255"
    chart = line_chart(title, drawn, "images seen")
    return [Figure(f"{title}; pictures trained on are jittered.", chart=chart, key=[(s.name, s.colour) for s in drawn])]

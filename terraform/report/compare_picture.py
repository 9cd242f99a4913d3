"""Runs side by side as one picture: a panel for each metric, a row for each run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from terraform.report.compare import JudgedRun, Line, differences
from terraform.report.svg import shown
from terraform.storage.atomic_write import atomic_write

_COLUMNS = 4
_INK, _QUIET, _OWN, _FLOOR = "#1d2126", "#626a72", "#a8482a", "#2f6f56"
_ARROWS = {"lower": "lower is better", "higher": "higher is better", "near": "nearer is better"}
_LONGEST_NAME = 22


def draw(path: Path, runs: Sequence[JudgedRun], lines: Sequence[Line]) -> None:
    """Draw every metric of every role; what keeps the runs from being compared stands under the title.

    Parameters
    ----------
    path : Path
        A .png file.
    runs : sequence of JudgedRun
    lines : sequence of Line
        Of `terraform.report.compare.lines_of`; not empty.
    """
    from matplotlib.figure import Figure

    rows = -(-len(lines) // _COLUMNS)
    said = differences(runs)
    top = 0.9 + 0.22 * len(said)
    height = rows * (0.75 + 0.26 * len(runs)) + top + 0.7
    figure = Figure(figsize=(15, height), facecolor="white")
    grid = figure.add_gridspec(
        rows, _COLUMNS, left=0.09, right=0.985, top=1 - top / height, bottom=0.65 / height, hspace=0.9, wspace=0.12
    )
    for number, line in enumerate(lines):
        axis = figure.add_subplot(grid[number // _COLUMNS, number % _COLUMNS])
        _panel(axis, runs, line, named=number % _COLUMNS == 0)
    figure.text(0.01, 1 - 0.3 / height, "Runs side by side", size=17, weight="bold", color=_INK, va="center")
    for number, text in enumerate(said):
        figure.text(0.01, 1 - (0.62 + 0.22 * number) / height, _plain(text), size=9.5, color=_OWN, va="center")
    note = "points: generated, with 95 % intervals; red: the best, where apart; green: real imagery; dashed: goal"
    figure.text(0.01, 0.12 / height, note, size=9, color=_QUIET, va="center")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _panel(axis: Any, runs: Sequence[JudgedRun], line: Line, named: bool) -> None:
    unit = f", {line.about.unit}" if line.about.unit else ""
    title = f"{line.role}: {line.about.title}{unit}\n{_ARROWS[line.about.better]}"
    axis.set_title(_plain(title), size=8, loc="left", color=_INK)
    for number, (score, floor) in enumerate(zip(line.scores, line.floors, strict=True)):
        if floor is not None:
            axis.plot([floor.value] * 2, [number - 0.38, number + 0.38], color=_FLOOR, lw=2.5, alpha=0.6)
        if score is None:
            continue
        colour = _OWN if line.apart and number == line.best else _QUIET
        if score.low is not None and score.high is not None:
            axis.plot([score.low, score.high], [number] * 2, color=colour, lw=2)
        axis.plot([score.value], [number], "o", color=colour, ms=6)
        axis.annotate(shown(score.value), (score.value, number), (0, 5), textcoords="offset points", size=7.5,
                      ha="center", color=colour)  # fmt: skip
    if line.about.target is not None:
        axis.axvline(line.about.target, color=_INK, lw=1, ls="--", alpha=0.6)
    axis.set_ylim(len(runs) - 0.4, -0.75)
    axis.set_yticks(range(len(runs)), [_plain(run.name)[:_LONGEST_NAME] if named else "" for run in runs], size=8.5)
    axis.tick_params(axis="x", labelsize=7.5, colors=_QUIET)
    axis.tick_params(axis="y", length=0)
    axis.margins(x=0.12)
    axis.grid(axis="x", alpha=0.25)
    axis.spines[["top", "right", "left"]].set_visible(False)


def _plain(text: str) -> str:
    """Keep names from being read as formulas."""
    return text.replace("$", r"\$")

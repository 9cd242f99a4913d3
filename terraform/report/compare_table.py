"""Runs side by side as a table on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from terraform.evaluation.schema import Score
from terraform.report.compare import JudgedRun, Line, differences
from terraform.report.svg import shown

_ARROWS = {"lower": "↓", "higher": "↑", "near": "≈"}
_METRIC, _COLUMN = 64, 26


def show(runs: Sequence[JudgedRun], lines: Sequence[Line]) -> None:
    """Print the table, and what keeps the runs from being compared; a star marks the best where intervals are apart."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_METRIC + _COLUMN * len(runs) + 20)
    table = Table(
        title="generated pictures, with 95 % intervals; * best, and no interval of another touches its own",
        title_justify="left",
    )
    for name in ("", "metric", "", *(run.name for run in runs), "goal"):
        table.add_column(escape(name), justify="left", overflow="fold")
    before = ""
    for line in lines:
        if line.role != before and before:
            table.add_section()
        unit = f", {line.about.unit}" if line.about.unit else ""
        cells = [_cell(score, line.apart and number == line.best) for number, score in enumerate(line.scores)]
        goal = "" if line.about.target is None else f"{line.about.target:g}"
        role = line.role if line.role != before else ""
        table.add_row(role, escape(line.about.title + unit), _ARROWS[line.about.better], *cells, goal)
        before = line.role
    console.print(table)
    for run in runs:
        judged = [f"{name}: {', '.join(role.regions)} ({role.pairs} pairs)"
                  for name, role in run.evaluation.roles.items()]  # fmt: skip
        console.print(escape(f"{run.name}: {'; '.join(judged)}"))
    for text in differences(runs):
        console.print(Text(f"warning: {text}", style="yellow"))


def _cell(score: Score | None, best: bool) -> Text:
    if score is None:
        return Text("")
    around = "" if score.low is None or score.high is None else f" ({shown(score.low)} to {shown(score.high)})"
    return Text(f"{shown(score.value)}{around}{' *' if best else ''}", style="bold" if best else "")

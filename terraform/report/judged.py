"""How good the generator is on regions that it never saw, beside straw men and real imagery."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from terraform.errors import InputError
from terraform.evaluation import schema
from terraform.evaluation.schema import Evaluation, Metric, Role, Score, Scores
from terraform.report.charts import Interval, interval_chart
from terraform.report.files import RunFiles
from terraform.report.parts import Cell, Figure, Number, Table
from terraform.report.pictures import Album

OWN = "generated"
SETS = {
    OWN: "generated", "real": "real against real", "other_region": "another region", "table": "colour table",
    "base": "base colours", "base_hillshade": "base, hillshaded",
}  # fmt: skip
"""Sets of pictures, and what they are called; the networks of others have their own names."""
_FLOORS = ("real", "other_region")
_SHOWN = (
    "l1", "ssim", "swd", "kernel_distance", "spectrum_db", "colour_given_relief", "base_drift", "recoverability",
)  # fmt: skip
"""Metrics that get a chart, as far as they were measured; the others are in the table."""
_LEGEND = "↓ lower is better, ↑ higher, ≈ nearer to real imagery or to the goal. Set off: best of what is not real."
_MOST_BOARDS = 8
_BETTER = {"lower": "lower is better", "higher": "higher is better", "near": "nearer to real is better"}
_ARROWS = {"lower": "↓", "higher": "↑", "near": "≈"}


def judged(run: RunFiles, album: Album) -> dict[str, Any]:
    """Describe an evaluation.

    Raises
    ------
    InputError
        A picture is damaged. Metrics of another format are told on the page.
    """
    path = run.evaluation / "metrics.json"
    if not path.is_file():
        return _without("The run was not evaluated yet: snakemake --cores 8 evaluate")
    try:
        found = schema.read(path)
    except InputError as error:
        return _without(f"No metrics: {error}")
    boards = sorted((run.evaluation / "boards").glob("*.png"))
    pictures = [Figure(_board(path, run), picture=album.url(path, 1056)) for path in boards[:_MOST_BOARDS]]
    missing = [] if boards else ["The evaluation drew no boards."]
    if len(boards) > _MOST_BOARDS:
        missing.append(f"{len(boards) - _MOST_BOARDS} more boards are in {run.evaluation / 'boards'}.")
    return {
        "roles": [_role(name, found.roles[name], found) for name in sorted(found.roles)],  # test before validation
        "seeds": found.seeds,
        "mars": _mars(found, run, album),
        "boards": pictures,
        "missing": missing,
    }


def _without(said: str) -> dict[str, Any]:
    return {"roles": [], "seeds": 0, "mars": None, "boards": [], "missing": [said]}


def headline(run: RunFiles) -> list[tuple[str, str, Score]]:
    """Find the first numbers of a page: role, title and score of the generator, on the region that was judged last."""
    try:
        found = schema.read(run.evaluation / "metrics.json")
    except InputError:
        return []
    name = "test" if "test" in found.roles else next(iter(found.roles), "")
    own = found.roles[name].scores.get(OWN, {}) if name else {}
    return [(name, _titled(found.metrics[metric]), own[metric])
            for metric in _SHOWN if metric in own and metric in found.metrics][:3]  # fmt: skip


def called(name: str) -> str:
    """Name a set of pictures for people."""
    return SETS.get(name, name)


def table(scores: Scores, metrics: dict[str, Metric]) -> Table:
    """Set metrics and sets of pictures against each other; the best of what is no real imagery is set off."""
    sets = ordered(scores)
    rows = []
    for name in _measured(scores, metrics):
        about = _about(name, metrics)
        best = _best(name, about, scores)
        cells: list[Cell] = [
            Number(score.value, score.low, score.high, best=one == best)
            if (score := scores[one].get(name)) is not None
            else None
            for one in sets
        ]
        goal = None if about.target is None else Number(about.target)
        rows.append([_titled(about), _ARROWS[about.better], *cells, goal])
    return Table(("metric", "", *map(called, sets), "goal"), rows, _LEGEND)


def ordered(scores: Iterable[str]) -> list[str]:
    """Order sets of pictures: the generator, real imagery, then the others."""
    names = list(scores)
    return sorted(names, key=lambda name: list(SETS).index(name) if name in SETS else len(SETS))


def _about(name: str, metrics: Mapping[str, Metric]) -> Metric:
    return metrics.get(name) or Metric(title=name, unit="", better="near", target=None)


def _titled(about: Metric) -> str:
    return about.title[:1].upper() + about.title[1:] + (f", {about.unit}" if about.unit else "")


def _role(name: str, role: Role, found: Evaluation) -> dict[str, Any]:
    measured = _measured(role.scores, found.metrics)
    chosen = [metric for metric in _SHOWN if metric in measured] or measured[:6]
    return {
        "name": name,
        "regions": role.regions,
        "pairs": role.pairs,
        "blocks": role.blocks,
        "charts": [_chart(metric, _about(metric, found.metrics), role.scores)
                   for metric in chosen if any(metric in own for own in role.scores.values())],
        "table": table(role.scores, found.metrics),
    }  # fmt: skip


def _chart(name: str, about: Metric, scores: Scores) -> Figure:
    rows = [
        Interval(called(one), score.value, score.low, score.high, _kind(one))
        for one in ordered(scores)
        if (score := scores[one].get(name)) is not None
    ]
    title = _titled(about)
    return Figure(f"{title}; {_BETTER[about.better]}.", chart=interval_chart(title, rows, about.target))


def _kind(name: str) -> str:
    return {OWN: "own", "real": "floor", "other_region": "real"}.get(name, "other")


def _measured(scores: Scores, metrics: Iterable[str]) -> list[str]:
    """Metrics in the registry's order, those that it does not know last."""
    known = list(metrics)
    found = dict.fromkeys(metric for own in scores.values() for metric in own)
    return sorted(found, key=lambda name: known.index(name) if name in known else len(known))


def _best(name: str, about: Metric, scores: Scores) -> str | None:
    """Find which set of pictures that is not real imagery is best by a metric."""
    values = {one: own[name].value for one, own in scores.items() if name in own and one not in _FLOORS}
    real = scores.get("real", {}).get(name)
    aim = about.target if about.target is not None else real.value if real else None
    if len(values) < 2 or (about.better == "near" and aim is None):
        return None
    if about.better == "near" and aim is not None:
        return min(values, key=lambda one: abs(values[one] - aim))
    return (min if about.better == "lower" else max)(values, key=lambda one: values[one])


def _mars(found: Evaluation, run: RunFiles, album: Album) -> dict[str, Any] | None:
    mars = found.mars
    if mars is None:
        return None
    outside, picture = mars.outside, None
    if outside is not None:
        places = [run.evaluation / Path(outside.map).name, run.evaluation / "boards" / Path(outside.map).name]
        picture = next((url for path in places if (url := album.url(path, 1056))), None)
    shares = [] if outside is None else [("climate", outside.climate), ("relief", outside.relief)]
    caption = "Where Mars has a climate or a relief that Earth never taught."
    return {
        "regions": mars.regions,
        "tiles": mars.tiles,
        "table": table(mars.scores, found.metrics) if mars.scores else None,
        "outside": [(name, Number(share * 100, unit="%")) for name, share in shares],
        "map": Figure(caption, picture=picture) if picture else None,
    }


def _board(path: Path, run: RunFiles) -> str:
    titles = {"validation": "Validation regions", "test": "Test regions"}
    name = titles.get(path.stem, path.stem.replace("_", " ").replace("-", " "))
    return f"{name}: relief, real imagery, straw men, and what the generator of run {run.config.run} drew."

"""Runs side by side: what each scored by every metric, and what keeps them from being compared."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from terraform.errors import ConfigError
from terraform.evaluation import schema
from terraform.evaluation.schema import Evaluation, Metric, Score

OWN, FLOOR = "generated", "real"


class JudgedRun(NamedTuple):
    """A run and its evaluation.

    Attributes
    ----------
    name : str
        As it is called beside the others.
    evaluation : Evaluation
    """

    name: str
    evaluation: Evaluation


class Line(NamedTuple):
    """A metric of one role, and what each run scored by it.

    Attributes
    ----------
    role, metric : str
    about : Metric
    scores : tuple of Score or None
        Of the generators, a run each, in order; None where it was not measured.
    floors : tuple of Score or None
        Of real imagery, the same.
    """

    role: str
    metric: str
    about: Metric
    scores: tuple[Score | None, ...]
    floors: tuple[Score | None, ...]

    @property
    def best(self) -> int | None:
        """Which run is best; None where one alone was measured, or nothing says what is better."""
        known = {number: score.value for number, score in enumerate(self.scores) if score is not None}
        if len(known) < 2:
            return None
        if self.about.better != "near":
            return (min if self.about.better == "lower" else max)(known, key=lambda number: known[number])
        aims = {number: self._aim(number) for number in known}
        far = {number: abs(known[number] - aim) for number, aim in aims.items() if aim is not None}
        return min(far, key=lambda number: far[number]) if len(far) == len(known) else None

    @property
    def apart(self) -> bool:
        """Whether the best one's interval touches no other's: where intervals meet, chance could have made it so."""
        if self.best is None:
            return False
        ends = [(score.value if score.low is None else score.low, score.value if score.high is None else score.high)
                for score in self.scores if score is not None]  # fmt: skip
        own = self.scores[self.best]
        assert own is not None
        low, high = own.low if own.low is not None else own.value, own.high if own.high is not None else own.value
        return sum(other[0] <= high and low <= other[1] for other in ends) == 1

    def _aim(self, number: int) -> float | None:
        if self.about.target is not None:
            return self.about.target
        floor = self.floors[number]
        return None if floor is None else floor.value


def read_runs(given: Sequence[str], folder: Path) -> list[JudgedRun]:
    """Read the evaluations of runs.

    Parameters
    ----------
    given : sequence of str
        Names of runs, or paths of their metrics.json.
    folder : Path
        Where `results/evaluation` lies.

    Raises
    ------
    ConfigError
        Fewer than two were given.
    InputError
        One was not evaluated, or by another version.
    """
    if len(given) < 2:
        raise ConfigError(f"{len(given)} run was given, at least 2 are compared: name another, or its metrics.json")
    paths = [Path(one) if one.endswith(".json") else folder / "results/evaluation" / one / "metrics.json"
             for one in given]  # fmt: skip
    found = [schema.read(path) for path in paths]
    names = [one.run for one in found]
    if len(set(names)) < len(names):
        names = [str(path.parent) if one.endswith(".json") else one for one, path in zip(given, paths, strict=True)]
    return [JudgedRun(name, one) for name, one in zip(names, found, strict=True)]


def lines_of(runs: Sequence[JudgedRun]) -> list[Line]:
    """List every metric that a run scored, role by role, test before validation."""
    registry: dict[str, Metric] = {}
    for run in runs:
        registry = {**run.evaluation.metrics, **registry}
    roles = sorted({role for run in runs for role in run.evaluation.roles})
    lines = []
    for role in roles:
        for metric, about in registry.items():
            scores, floors = (tuple(_score(run, role, kind, metric) for run in runs) for kind in (OWN, FLOOR))
            if any(score is not None for score in scores):
                lines.append(Line(role, metric, about, scores, floors))
    return lines


def _score(run: JudgedRun, role: str, pictures: str, metric: str) -> Score | None:
    found = run.evaluation.roles.get(role)
    return found.scores.get(pictures, {}).get(metric) if found else None


def differences(runs: Sequence[JudgedRun]) -> list[str]:
    """Say what keeps numbers from being compared: other regions, other numbers of pairs, the same weights twice."""
    said = []
    for role in sorted({role for run in runs for role in run.evaluation.roles}):
        own = {run.name: found for run in runs if (found := run.evaluation.roles.get(role))}
        absent = [run.name for run in runs if run.name not in own]
        if absent:
            said.append(f"{role}: {', '.join(absent)} has no such regions")
        if len({tuple(sorted(found.regions)) for found in own.values()}) > 1:
            told = "; ".join(f"{name}: {', '.join(found.regions)}" for name, found in own.items())
            said.append(f"{role}: judged on different regions, so numbers do not compare ({told})")
        if len({found.pairs for found in own.values()}) > 1:
            told = "; ".join(f"{name}: {found.pairs}" for name, found in own.items())
            said.append(f"{role}: judged on different numbers of pairs ({told})")
    for one, other in combinations(runs, 2):
        if one.evaluation.weights.sha256 == other.evaluation.weights.sha256:
            said.append(f"{one.name} and {other.name} have the same weights")
    return said


def as_csv(runs: Sequence[JudgedRun], lines: Iterable[Line]) -> str:
    """Write a row for each metric and run."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["role", "metric", "unit", "run", "value", "low", "high", "regions", "pairs"])
    for line in lines:
        for run, score in zip(runs, line.scores, strict=True):
            if score is not None:
                role = run.evaluation.roles[line.role]
                told = [line.role, line.metric, line.about.unit, run.name, score.value, score.low, score.high]
                table.writerow([*told, " ".join(role.regions), role.pairs])
    return text.getvalue()


def as_json(runs: Sequence[JudgedRun], lines: Iterable[Line]) -> str:
    """Write the runs, what differs between them, and their scores."""
    document = {
        "runs": [
            {
                "name": run.name,
                "weights": run.evaluation.weights.model_dump(),
                "roles": {
                    name: {"regions": role.regions, "pairs": role.pairs, "blocks": role.blocks}
                    for name, role in run.evaluation.roles.items()
                },
            }
            for run in runs
        ],
        "differences": differences(runs),
        "scores": [
            {
                "role": line.role,
                "metric": line.metric,
                **line.about.model_dump(),
                "best": None if line.best is None else runs[line.best].name,
                "apart": line.apart,
                "runs": {
                    run.name: score.model_dump(exclude_none=True)
                    for run, score in zip(runs, line.scores, strict=True)
                    if score is not None
                },
            }
            for line in lines
        ],
    }
    return json.dumps(document, indent=2)

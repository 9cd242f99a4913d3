"""The pipeline on real rasters, judged: cut, train, evaluate, draw, and compare with what `docs/real.md` says.

`python -m benchmarks.real RASTERS` fails where the generator loses against the colour table or where a number is more
than a tenth off the documented one; `--write` documents what was measured.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import measure
from terraform.evaluation import schema
from terraform.evaluation.schema import Scores
from terraform.storage.atomic_write import write_text

RUN = "real"
TARGETS = ("pairs", "train", "evaluate", "mosaics")
OVERLAYS = ("workflow/config/files.yaml", "workflow/config/real.yaml")
DOCUMENT = Path("docs/real.md")
TOLERANCE = 0.1
_START, _END = "<!-- measured: start -->", "<!-- measured: end -->"
_ROW = re.compile(r"^\| (?P<what>[^|]+?) \| (?P<value>-?[\d.]+) \|$", re.MULTILINE)

Numbers = dict[str, float]


def main() -> int:
    """Run everything, print the numbers, and say what is wrong with them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real", description=__doc__)
    parser.add_argument("rasters", help="folder with earth/<region>/{elevation,imagery}.tif and mars/")
    parser.add_argument("--cores", default="8")
    parser.add_argument("--write", action="store_true", help=f"document the numbers in {DOCUMENT}")
    options = parser.parse_args()
    seconds = {target: _make(target, options.rasters, options.cores) for target in TARGETS}
    numbers = numbers_of(Path("results"))
    print(_table(numbers))
    wrong = lost(numbers)
    if options.write:
        _document(numbers, seconds)
    else:
        wrong += strayed(numbers, documented(DOCUMENT.read_text(encoding="utf-8")))
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def _make(target: str, rasters: str, cores: str) -> float:
    """Seconds that a target of the workflow took."""
    started = time.monotonic()
    command = [sys.executable, "-m", "snakemake", "--cores", cores, target]
    subprocess.run([*command, "--configfile", *OVERLAYS, "--config", f"rasters={rasters}"], check=True)
    return time.monotonic() - started


def numbers_of(results: Path) -> Numbers:
    """Read what the workflow left: tiles by region and verdict, and the scores of every role."""
    judged = schema.read(results / "evaluation" / RUN / "metrics.json")
    numbers: Numbers = {}
    for folder in sorted((results / "pairs").iterdir()):
        details = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["details"]
        if details["region"] in _LEARNT:
            numbers |= {f"{details['region']}: tiles, {_VERDICTS[why]}": count for why, count in _tiles(details)}
    for role in ("validation", "test"):
        numbers |= {f"{role}: {what}": value for what, value in _scores(judged.roles[role].scores).items()}
    return numbers


_LEARNT = {"andes", "cali", "italy", "nepal", "nw", "tanzania"}
_VERDICTS = {"kept": "kept", "sea": "mostly sea", "void": "too void", "cloud": "cloud"}


def _tiles(details: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(why, details["tiles"][why]) for why in _VERDICTS if why in details["tiles"]]


def _scores(scores: Scores) -> Numbers:
    names = {"l1": "L1, levels of 255", "spectrum_db": "spectrum, dB", "swd": "sliced Wasserstein"}
    return {
        f"{text}, {who}": round(scores[who][name].value, 3)
        for name, text in names.items()
        for who in ("generated", "table", "real")
        if name in scores[who]
    }


def lost(numbers: Numbers) -> list[str]:
    """Where the generator does worse on the test region than the colour table allows."""
    l1, spectrum = (f"test: {what}" for what in ("L1, levels of 255", "spectrum, dB"))
    wrong = []
    if numbers[f"{spectrum}, generated"] >= numbers[f"{spectrum}, table"]:
        wrong.append(f"{spectrum}: the generator must be closer to real imagery than the colour table")
    if numbers[f"{l1}, generated"] > 1.1 * numbers[f"{l1}, table"]:
        wrong.append(f"{l1}: the generator must come within 10 % of the colour table")
    return wrong


def strayed(numbers: Numbers, expected: Numbers) -> list[str]:
    """Numbers more than a tenth off the documented ones, or on one side only."""
    wrong = [f"{what}: documented, not measured" for what in expected.keys() - numbers.keys()]
    wrong += [f"{what}: measured, not documented" for what in numbers.keys() - expected.keys()]
    for what in sorted(numbers.keys() & expected.keys()):
        if abs(numbers[what] - expected[what]) > TOLERANCE * abs(expected[what]):
            wrong.append(f"{what}: {numbers[what]:g}, documented {expected[what]:g}")
    return wrong


def documented(text: str) -> Numbers:
    """Read the numbers between the marks of a document."""
    measured = text.partition(_START)[2].partition(_END)[0]
    return {row["what"]: float(row["value"]) for row in _ROW.finditer(measured)}


def _table(numbers: Numbers) -> str:
    return "\n".join(["| what | value |", "|---|---|", *(f"| {what} | {value:g} |" for what, value in numbers.items())])


def _document(numbers: Numbers, seconds: Mapping[str, float]) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    before, after = text.partition(_START)[0], text.partition(_END)[2]
    took = ", ".join(f"{target} {value / 60:.1f}" for target, value in seconds.items())
    where = f"Minutes on {measure.machine()}: {took}."
    write_text(DOCUMENT, f"{before}{_START}\n{_table(numbers)}\n\n{where}\n{_END}{after}")


if __name__ == "__main__":
    raise SystemExit(main())

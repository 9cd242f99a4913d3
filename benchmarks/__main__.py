"""Run benchmarks, print their table and what got slower: `python -m benchmarks [NAME ...] [--write FILE]`."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from terraform.storage.atomic_write import write_text

_START, _END = "<!-- measured: start -->", "<!-- measured: end -->"
_WRITTEN = Path(__file__).parents[1] / "docs/performance.md"
_NOISE = 0.1
"""Share of a ratio by which two runs of the same code differ."""
_NOT = {"measure", "__init__", "__main__", "gpu"}


def main() -> int:
    """Run each in a process of its own, so that none warms another's caches."""
    known = [path.stem for path in sorted(Path(__file__).parent.glob("*.py")) if _is_benchmark(path)]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios against plain references.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(known)}; all when left out")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the marks of this file")
    options = parser.parse_args()
    results = [result for name in options.names or known for result in _results(name)]
    table = _table(results)
    print(table)
    written = options.write or _WRITTEN
    before = written.read_text(encoding="utf-8") if written.exists() else ""
    print("\n".join(slower(before, results)) or f"nothing got slower than {written.name} says")
    if options.write:
        write_text(options.write, _put(before, table))
    return 0 if len({result["benchmark"] for result in results}) == len(options.names or known) else 1


def _is_benchmark(path: Path) -> bool:
    """Whether the file ends by reporting a ratio when it is run."""
    text = path.read_text(encoding="utf-8")
    return path.stem not in _NOT and '__name__ == "__main__"' in text and "report(" in text


def _results(name: str) -> list[dict[str, Any]]:
    """Every line of JSON that a benchmark prints."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"benchmarks.{name} failed with exit code {done.returncode}", file=sys.stderr)
        return []
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return [{"benchmark": name, **json.loads(line)} for line in lines]


def _table(results: list[dict[str, Any]]) -> str:
    lines = ["| what | times the reference | goal | beside | machine |", "|---|---|---|---|---|"]
    for result in results:
        more = {k: v for k, v in result.items() if k not in ("benchmark", "name", "ratio", "goal", "machine")}
        beside = "; ".join(f"{key.replace('_', ' ')} {value}" for key, value in more.items())
        goal, machine = result["goal"], result["machine"]
        lines.append(f"| {result['name']} | {result['ratio']:.2f} | {goal:g} | {beside} | {machine} |")
    return "\n".join(lines)


def slower(before: str, results: list[dict[str, Any]]) -> list[str]:
    """Say which ratios are more than a tenth below those of a table that was written earlier.

    Parameters
    ----------
    before : str
        Text with the table between its marks.
    results : list of dict
        What benchmarks reported: name, ratio, machine and more.
    """
    rows = [line.strip("| ").split(" | ") for line in before.partition(_START)[2].partition(_END)[0].splitlines()[3:]]
    told = {row[0]: (float(row[1]), row[-1]) for row in rows}
    found = []
    for result in results:
        ratio, machine = told.get(result["name"], (0.0, ""))
        if result["ratio"] < ratio * (1 - _NOISE):
            elsewhere = "" if machine == result["machine"] else f", which was measured on {machine}"
            found.append(f"slower: {result['name']}: {result['ratio']:.2f} instead of {ratio:.2f}{elsewhere}")
    return found


def _put(text: str, table: str) -> str:
    before, _, rest = text.partition(_START)
    return f"{before}{_START}\n{table}\n{_END}{rest.partition(_END)[2]}"


if __name__ == "__main__":
    raise SystemExit(main())

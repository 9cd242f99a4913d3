"""How long commands take to start and end: CPU and elapsed seconds, the least of several runs.

`python -m benchmarks.start`. What runs beside it can only add, so the least is what the start costs.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import report

ROOT = Path(__file__).parents[1]
_LINKED = ("Snakefile", "workflow", "terraform", "environment.yaml", "config.yaml", "regions.geojson")
_EMPTY = "rule all:\n    shell: 'true'\n"
_PYTHON = ("-c", "pass")
_COMMANDS = {
    "python, which does nothing": _PYTHON,
    "terraform --help": ("-m", "terraform", "--help"),
    "terraform config show": ("-m", "terraform", "config", "show"),
    "terraform config validate": ("-m", "terraform", "config", "validate"),
    "terraform doctor": ("-m", "terraform", "doctor"),
    "snakemake --version": ("-m", "snakemake", "--version"),
    "snakemake -n, of a workflow of one rule": ("-m", "snakemake", "-n", "-q", "-s", "empty/Snakefile", "--cores", "1"),
    "snakemake -n train, of this workflow": ("-m", "snakemake", "-n", "-q", "--cores", "1", "train"),
}
_RUNS = 7
_GOAL_S = 0.3


def least(arguments: Sequence[str], folder: Path, runs: int = _RUNS) -> tuple[float, float]:
    """Run Python several times and give the least CPU and elapsed seconds."""
    taken = [_taken([sys.executable, *arguments], folder) for _ in range(runs)]
    return min(cpu for cpu, _ in taken), min(elapsed for _, elapsed in taken)


def _taken(command: Sequence[str], folder: Path) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    elapsed, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, elapsed


def main() -> None:
    """Print a table of all commands, and how often `--help` fits into the goal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for link in _LINKED:
            (folder / link).symlink_to(ROOT / link)
        (folder / "empty").mkdir()
        (folder / "empty/Snakefile").write_text(_EMPTY)
        measured = {what: least(arguments, folder) for what, arguments in _COMMANDS.items()}
    for what, (cpu, elapsed) in measured.items():
        print(f"| {what} | {cpu:.2f} | {elapsed:.2f} |")
    bare, help_ = (measured[what][0] for what in ("python, which does nothing", "terraform --help"))
    report("starting, 0.3 s over `terraform --help`", _GOAL_S / help_, 1.0, python_cpu_s=bare, cpu_s=help_)


if __name__ == "__main__":
    main()

"""Take promises out of a copy of the code, one at a time, and see that a test misses each: `make mutants`.

What is taken out is found on the syntax tree, so that no rename can make a guard unfindable:

* a refusal: the condition of an `if` that only raises becomes false;
* a step: a call whose result nobody uses (a check, a flush, a lock that is taken) is left out;
* a rescue: an `except` catches nothing any more.

Tests of the same room are run, first those that name the module. A mutant that they all pass is printed as NOT MISSED:
write a test, or take the code out.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_COPIED = ("terraform", "tests", "workflow", "benchmarks", "profiles", "pyproject.toml", "config.yaml",
           "regions.geojson", "Snakefile", "environment.yaml")  # fmt: skip
_TELLING = {"print", "say", "_say", "echo", "warn"}
_NOTHING = "ZeroDivisionError"


class Mutant(NamedTuple):
    """A module of the package with one promise taken out."""

    path: Path
    """Relative to the repository."""
    line: int
    kind: str
    """refusal, step or rescue."""
    code: str
    """What was taken out."""
    text: str
    """The module without it."""


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Make every mutant of a module, in the order of its lines."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = [(number, kind) for number, node in enumerate(ast.walk(tree)) for kind in _kinds(node)]
    for number, kind in found:
        mutated = copy.deepcopy(tree)
        node = list(ast.walk(mutated))[number]
        code = ast.unparse(node).splitlines()[0]
        _take_out(mutated, node, kind)
        yield Mutant(path, getattr(node, "lineno", 0), kind, code, ast.unparse(ast.fix_missing_locations(mutated)))


def _kinds(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If) and not node.orelse and all(isinstance(inner, ast.Raise) for inner in node.body):
        yield "refusal"
    if isinstance(node, ast.ExceptHandler) and node.type is not None:
        yield "rescue"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _name(node.value) not in _TELLING:
        yield "step"


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _take_out(tree: ast.Module, node: ast.AST, kind: str) -> None:
    if isinstance(node, ast.If):
        node.test = ast.Constant(False)
    elif isinstance(node, ast.ExceptHandler):
        node.type = ast.Name(_NOTHING, ast.Load())
    else:
        for parent in ast.walk(tree):
            for _, value in ast.iter_fields(parent):
                if isinstance(value, list) and node in value:
                    value[value.index(node)] = ast.Pass()


def tests_of(path: Path) -> list[str]:
    """The test files of a module's room, those that name the module first."""
    room = path.parts[1].removesuffix(".py")
    module = ".".join(path.with_suffix("").parts)
    files = sorted((ROOT / "tests" / room).glob("test_*.py")) or sorted((ROOT / "tests").glob(f"test_{room}*.py"))
    named = [file for file in files if module in file.read_text(encoding="utf-8")]
    return [str(file.relative_to(ROOT)) for file in dict.fromkeys([*named, *files])]


def is_missed(mutant: Mutant, timeout_s: float) -> bool:
    """Whether a test fails, or never ends, without what was taken out."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for name in _COPIED:
            source, to = ROOT / name, here / name
            if source.is_dir():
                shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, to)
        (here / mutant.path).write_text(mutant.text, encoding="utf-8")
        pytest = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-o", "addopts="]
        try:
            done = subprocess.run([*pytest, *tests_of(mutant.path)], cwd=here, capture_output=True, check=False,
                                  timeout=timeout_s, env=_environment(here))  # fmt: skip
        except subprocess.TimeoutExpired:
            return True
    return done.returncode == 1


def _environment(here: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(here), "OMP_NUM_THREADS": "1"}


def main() -> int:
    """Run those that were asked for; the number that no test missed is the exit code, at most 100."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only modules whose path holds one of these, such as sources/remote")
    parser.add_argument("--sample", type=int, help="so many of them, chosen at random")
    parser.add_argument("--seed", type=int, default=0, help="of that choice")
    parser.add_argument("--list", action="store_true", help="only print them")
    parser.add_argument(
        "--timeout", type=float, default=600, help="seconds for the tests of one; no end counts as missed"
    )
    options = parser.parse_args()
    paths = [path.relative_to(ROOT) for path in sorted((ROOT / "terraform").rglob("*.py"))]
    chosen = [path for path in paths if not options.words or any(word in path.as_posix() for word in options.words)]
    mutants = [mutant for path in chosen if tests_of(path) for mutant in mutants_of(path)]
    if options.sample is not None:
        mutants = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
    idle = 0
    for mutant in mutants:
        missed = options.list or is_missed(mutant, options.timeout)
        idle += not missed
        state = "" if options.list else "missed: " if missed else "NOT MISSED: "
        print(f"{state}{mutant.path}:{mutant.line}: {mutant.kind}: {mutant.code}", flush=True)
    print(f"{len(mutants)} promises{'' if options.list else f', {idle} of them missed by no test'}")
    return min(idle, 100)


if __name__ == "__main__":
    raise SystemExit(main())

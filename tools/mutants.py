"""Take promises out of a copy of the code, one at a time, and see that a test fails without each: `make mutants`.

What is taken out is found on the syntax tree, so that no rename can make a guard unfindable:

* a refusal: the condition of an `if` that only raises becomes false;
* a step: a call whose result nobody uses (a check, a flush, a lock that is taken) is left out;
* a rescue: an `except` catches nothing any more.

A mutant is judged by the tests of its folder and by those of others that name its module, which must pass in a copy
without a mutant. One that they all pass is printed as SURVIVED: write a test, or take the code out.
"""

import argparse
import ast
import copy
import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_TELLING = {"print", "say", "_say", "echo", "warn"}
_NOTHING = "ZeroDivisionError"
_PRELOADED = ("torch", "rasterio", "pydantic", "urllib3", "hypothesis", "pytest")
"""Loaded once: the processes that run tests are forked from this one."""
_SAID = "said-by-tests.txt"
_SLOW = ("tests/workflow", "tests/benchmarks")
"""Run for their own rooms only."""


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
    """List the test files of a module: those that name it anywhere, then those of its folder."""
    slow = () if path.parts[1] in ("workflow", "benchmarks") else _SLOW
    named = [text for text, names in _tests().items() if _dotted(path) in names and not text.startswith(slow)]
    called = [text for text in _tests() if Path(text).stem == f"test_{path.stem}" and not text.startswith(slow)]
    return list(dict.fromkeys([*called, *named, *_beside(path.parts[1:-1])]))


def _beside(folders: tuple[str, ...]) -> list[str]:
    """List the tests of the nearest folder that has some, or that are named after it: `test_earthengine*.py`."""
    while folders:
        place, above = Path("tests", *folders), Path("tests", *folders[:-1])
        own = [text for text in _tests() if Path(text).parent == place]
        after = [text for text in _tests() if Path(text).match(f"{above}/test_{folders[-1]}*.py")]
        if own or after:
            return own + after
        folders = folders[:-1]
    return []


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


@cache
def _tests() -> dict[str, frozenset[str]]:
    """List every test file with the modules, and what of them, that it imports."""
    found = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        names = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        found[file.relative_to(ROOT).as_posix()] = frozenset(names)
    return found


def passes(here: Path, tests: Sequence[str], timeout_s: float) -> bool:
    """Whether the tests pass in a copy of the repository; tests that never end do not."""
    child = os.fork()
    if not child:
        os.setsid()
        _run_and_exit(here, tests)
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.1)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run_and_exit(here: Path, tests: Sequence[str]) -> None:
    """Become a process that runs tests of a copy, and writes what they say into a file there."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    said = os.open(here / _SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.chdir(here)
    os.environ |= {"PYTHONPATH": str(here), "OMP_NUM_THREADS": "1"}
    sys.path[:0] = [str(here)]
    sys.dont_write_bytecode = True
    try:
        status = importlib.import_module("pytest").main(
            ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=", *tests]
        )
        os._exit(int(status))
    except BaseException:
        os._exit(1)


def copied(here: Path) -> None:
    """Copy every file that git knows, as it is now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, here / name)


class Judge:
    """Judges mutants in one copy; the tests of a module are run once without any."""

    def __init__(self, here: Path, timeout_s: float) -> None:
        self._here, self._timeout_s = here, timeout_s
        self._sound: dict[tuple[str, ...], float] = {}
        copied(here)

    def verdict(self, mutant: Mutant) -> str:
        """Say `killed`, `SURVIVED`, or `BROKEN` where its tests do not pass without it either."""
        tests = tuple(tests_of(mutant.path))
        took = self._seconds(tests)
        if took is None:
            return f"BROKEN ({self._last_line()})"
        place = self._here / mutant.path
        whole = place.read_text(encoding="utf-8")
        place.write_text(mutant.text, encoding="utf-8")
        try:
            survived = passes(self._here, tests, min(self._timeout_s, 60 + 4 * took))
        finally:
            place.write_text(whole, encoding="utf-8")
        return "SURVIVED" if survived else "killed"

    def _last_line(self) -> str:
        lines = (self._here / _SAID).read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line for line in reversed(lines) if line.startswith(("FAILED", "ERROR"))), "no test failed")

    def _seconds(self, tests: tuple[str, ...]) -> float | None:
        """Time that tests take without a mutant; None where they fail."""
        if tests not in self._sound:
            start = time.monotonic()
            self._sound[tests] = time.monotonic() - start if passes(self._here, tests, self._timeout_s) else -1.0
            if self._sound[tests] >= 0:
                self._sound[tests] = time.monotonic() - start
        return None if self._sound[tests] < 0 else self._sound[tests]


def main() -> int:
    """Run those that were asked for; the number that survived is the exit code, at most 100."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*", help="only modules whose path holds one of these, such as sources/remote")
    parser.add_argument("--sample", type=int, help="so many of them, chosen at random")
    parser.add_argument("--seed", type=int, default=0, help="of that choice")
    parser.add_argument("--list", action="store_true", help="only print them")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for the tests of one, at most")
    options = parser.parse_args()
    mutants = _chosen(options.words, options.sample, options.seed)
    if options.list:
        for mutant in mutants:
            print(f"{mutant.path}:{mutant.line}: {mutant.kind}: {mutant.code}")
        return 0
    for name in _PRELOADED:
        importlib.import_module(name)
    counts = {"killed": 0, "SURVIVED": 0, "BROKEN": 0}
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(Path(folder), options.timeout)
        for mutant in mutants:
            verdict = judge.verdict(mutant)
            counts[verdict.split(" ")[0]] += 1
            print(f"{verdict}: {mutant.path}:{mutant.line}: {mutant.kind}: {mutant.code}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return min(counts["SURVIVED"] + counts["BROKEN"], 100)


def _chosen(words: Sequence[str], sample: int | None, seed: int) -> list[Mutant]:
    """Make the mutants of the modules that were asked for, those of a module one after the other."""
    paths = [path.relative_to(ROOT) for path in sorted((ROOT / "terraform").rglob("*.py"))]
    chosen = [path for path in paths if not words or any(word in path.as_posix() for word in words)]
    mutants = [mutant for path in chosen if tests_of(path) for mutant in mutants_of(path)]
    if sample is None or sample >= len(mutants):
        return mutants
    numbers = sorted(random.Random(seed).sample(range(len(mutants)), sample))
    return [mutants[number] for number in numbers]


if __name__ == "__main__":
    raise SystemExit(main())

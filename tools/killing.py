"""Kill something that writes, at random moments, run it again, and compare with a run that nothing killed.

It is forked from a process that has everything imported, so that what is killed is its work. Half of the kills come at
a moment of its time, half at, or shortly after, something that it does to a file of its output. After each kill what
has its final name must hold what an undisturbed run wrote; after the last run of a trial everything must, and nothing
else may lie there.
"""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from terraform import provenance

_CONTEXT = get_context("forkserver")
_DELAYS_S = (0.0, 0.001, 0.02)
_PAUSES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link")


@dataclass(frozen=True)
class Stage:
    """Something that writes.

    Attributes
    ----------
    name : str
    work : callable
        Does it, given the folder of its output, in the working folder of the trial.
    changing : tuple of str
        Patterns of files, relative to the output, that hold something else while it runs: a state, a lock.
    meaning : mapping of pattern to callable
        What counts of a file's content, where its bytes tell the time or the hazards of a hash.
    begin : str
        Folder, relative to the working folder, with a copy of which the output begins.
    """

    name: str
    work: Callable[[Path], object]
    changing: tuple[str, ...] = ()
    meaning: Mapping[str, Callable[[Path], object]] = field(default_factory=dict)
    begin: str = ""


class Moment(NamedTuple):
    """When to kill: so many seconds after the event of that number; event 0 is the beginning."""

    event: int
    delay_s: float


class Found(NamedTuple):
    """What a trial left that it should not."""

    stage: str
    seed: int
    what: str


class Undisturbed(NamedTuple):
    """A run that nothing killed: what it wrote, how long it took, how many events it had."""

    content: dict[str, object]
    seconds: float
    events: int


def preload(module: str) -> None:
    """Have the processes that are killed begin with a module imported; before the first of them."""
    _CONTEXT.set_forkserver_preload([module])


def undisturbed(stage: Stage, world: Path, output: Path) -> Undisturbed:
    """Run a stage to its end, twice: what differs between the two is no measure.

    Raises
    ------
    RuntimeError
        It fails, or its two outputs differ.
    """
    contents = []
    for _ in range(2):
        _begin(stage, world, output)
        started = time.monotonic()
        events = finish(stage, world, output)
        seconds = time.monotonic() - started
        contents.append(_content(stage, output))
    if differ := _differences(contents[0], contents[1]):
        raise RuntimeError(f"two undisturbed runs of {stage.name} differ in {', '.join(differ)}")
    return Undisturbed(contents[0], seconds, events)


def finish(stage: Stage, world: Path, output: Path) -> int:
    """Run a stage to its end, as it is; the number of its events.

    Raises
    ------
    RuntimeError
        It fails.
    """
    status, events = _run(stage, world, output, None)
    if status != 0:
        raise RuntimeError(f"{stage.name} fails by itself (status {status}):\n{_log(output).read_text()}")
    return events


def trial(stage: Stage, world: Path, output: Path, alone: Undisturbed, seed: int) -> tuple[int, list[Found]]:
    """Kill a stage once, or more often; run it to its end; compare.

    Returns
    -------
    int, list of Found
        How many kills there were; what was wrong.
    """
    draw = random.Random(f"{stage.name} {seed}")
    found: list[Found] = []
    if draw.random() < 0.7 or not output.exists():  # else over the output of the trial before
        _begin(stage, world, output)
    kills = 0
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        status, _ = _run(stage, world, output, _moment(draw, alone))
        if status not in (0, -signal.SIGKILL):
            return kills, [Found(stage.name, seed, f"ended with {status}: {_log(output).read_text()[-2000:]}")]
        kills += status != 0
        found += [Found(stage.name, seed, f"after a kill: {name}") for name in _torn(stage, output, alone)]
    status, _ = _run(stage, world, output, None)
    if status != 0:
        return kills, [*found, Found(stage.name, seed, f"run again: {status}: {_log(output).read_text()[-2000:]}")]
    wrong = _differences(alone.content, _content(stage, output))
    return kills, [*found, *(Found(stage.name, seed, f"in the end: {name}") for name in wrong)]


def _moment(draw: random.Random, alone: Undisturbed) -> Moment:
    if draw.random() < 0.5:
        return Moment(0, draw.uniform(0, alone.seconds))
    return Moment(draw.randint(1, alone.events), draw.choice(_DELAYS_S) * draw.random())


def _begin(stage: Stage, world: Path, output: Path) -> None:
    shutil.rmtree(output, ignore_errors=True)
    if stage.begin:
        shutil.copytree(world / stage.begin, output)
    else:
        output.mkdir(parents=True)


def _log(output: Path) -> Path:
    return output.with_suffix(".log")


def _run(stage: Stage, world: Path, output: Path, moment: Moment | None) -> tuple[int, int]:
    """Run a stage in a child, and kill it at a moment; its exit status and how many events it told of."""
    here, there = _CONTEXT.Pipe()
    child = _CONTEXT.Process(target=_child, args=(stage, world, output, moment, there))
    child.start()
    there.close()
    events = 0
    try:
        events = int(here.recv())
        if moment is not None:
            child.join(moment.delay_s)
            if child.pid is not None and child.exitcode is None:
                with suppress(ProcessLookupError):  # it may end in this very moment
                    os.killpg(child.pid, signal.SIGKILL)
    except EOFError:
        pass  # it ended before its moment came
    child.join()
    return child.exitcode or 0, events


def _child(stage: Stage, world: Path, output: Path, moment: Moment | None, told: Connection) -> None:
    """Do the work of a stage; tell when the moment comes, or at the end how many events there were."""
    os.setsid()
    log = os.open(_log(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(world)
    provenance.datetime = _Standing  # type: ignore[misc]  # else the time would stand in every file
    below, events = f"{output}{os.sep}", 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal events
        if event not in _PAUSES or not str(arguments[0]).startswith(below):
            return
        events += 1
        if moment is not None and events == moment.event:
            told.send(events)
            if moment.delay_s == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    if moment is not None and moment.event == 0:
        told.send(0)
    stage.work(output)
    if moment is None:
        told.send(events)


class _Standing(datetime):
    """A clock that stands."""

    @classmethod
    def now(cls, tz: object = None) -> "_Standing":  # type: ignore[override]
        return cls(2026, 1, 1, tzinfo=UTC)


def _files(output: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(output.rglob("*")):
        if not path.is_dir() or path.is_symlink():
            yield str(path.relative_to(output)), path


def _content(stage: Stage, output: Path) -> dict[str, object]:
    """Read what every file means, by name; no file is left out."""
    return {name: _meaning(stage, name, path) for name, path in _files(output)}


def _meaning(stage: Stage, name: str, path: Path) -> object:
    for pattern, meaning in stage.meaning.items():
        if fnmatch(name, pattern):
            return meaning(path)
    return path.read_bytes()


def _torn(stage: Stage, output: Path, alone: Undisturbed) -> list[str]:
    """Files with a final name of which the content is not what an undisturbed run wrote."""
    wrong = []
    for name, path in _files(output):
        if ".part-" in path.name or any(fnmatch(name, pattern) for pattern in stage.changing):
            continue
        try:
            if alone.content.get(name) != _meaning(stage, name, path):
                wrong.append(f"{name} is not whole" if name in alone.content else f"{name} should not be there")
        except Exception as error:
            wrong.append(f"{name} cannot be read ({error})")
    return wrong


def _differences(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    """Names of what only one has, or which differ."""
    return sorted(name for name in {*one, *other} if name not in one or name not in other or one[name] != other[name])


def kill_stage(stage: Stage, world: Path, output: Path, seeds: range, kills: int) -> tuple[int, list[Found]]:
    """Make trials of a stage until there were so many kills, or no seeds are left."""
    alone = undisturbed(stage, world, output)
    done, found = 0, []
    trials = 0
    for seed in seeds:
        if done >= kills:
            break
        more, wrong = trial(stage, world, output, alone, seed)
        done, found, trials = done + more, found + wrong, trials + 1
    print(
        f"{stage.name:<14} {alone.seconds:5.1f} s {alone.events:>6} events {trials:>4} trials {done:>5} kills "
        f"{len(found):>4} wrong", flush=True,
    )  # fmt: skip
    return done, found

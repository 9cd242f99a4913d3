"""Every command that a document shows works as it stands; CONTRIBUTING.md tells how documents mark what is not run."""

import importlib.util
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import typer.main
from exact import write_raster
from rasterio.transform import Affine
from tiny_world import ROOT, snakemake
from typer.testing import CliRunner

from terraform.__main__ import app

DOCUMENTS = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "models/README.md")),
             *sorted((ROOT / "docs").glob("*.md"))]  # fmt: skip
PROGRAM = re.compile(r"(?:\.venv/bin/)?(?:python -m|snakemake|make|pytest)(?= |$)")
MARK = re.compile(r"\((?:network|GPU|long|Graphviz)\)")
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(rf"`([^`]+)`(\s+{MARK.pattern})?")
NAMES = {"NAME": "italy", "COMMAND": "plan", "ROOM": "geo", "FOLDER": "rasters", "WEIGHTS": "w.safetensors"}
"""What stands in capitals in documents, besides files, which have the name that they have there."""


OF_RESULTS = ("compare", "evaluate", "report")
"""Commands that read the results of a run, which their own tests make: their options are checked."""
NOT_PLANNED = ("--unlock", "--report", "profiles/slurm")
"""Of Snakemake: no plan, or one that takes a plugin."""


class Command(NamedTuple):
    """A command on one line, and whether it is marked as one that needs what a test lacks."""

    text: str
    marked: bool


def commands_of(document: Path) -> set[Command]:
    """Collect the commands in fences, and in code within a paragraph."""
    text = document.read_text(encoding="utf-8")
    shown = [(line.partition(" #")[0], line) for fence in FENCE.findall(text)
             for line in fence.replace("\\\n", " ").splitlines()]  # fmt: skip
    shown += [(span[1], span[0]) for span in SPAN.finditer(FENCE.sub("", text))]
    plain = [(" ".join(command.split()).removeprefix(".venv/bin/"), whole) for command, whole in shown]
    found = [(command, whole) for command, whole in plain if PROGRAM.match(command)]
    return {Command(command, bool(MARK.search(whole)) or _is_of_results(command)) for command, whole in found}


def _is_of_results(command: str) -> bool:
    return "..." in command or command.split()[:4] in [["python", "-m", "terraform", name] for name in OF_RESULTS]


COMMANDS = sorted(set().union(*map(commands_of, DOCUMENTS)))


def of(program: str, marked: bool | None = None) -> list[str]:
    """Choose the commands of a program, by their mark or all of them."""
    chosen = [one.text.replace(" --cores 8", "") for one in COMMANDS if marked in (None, one.marked)]
    return sorted({text for text in chosen if f"{text} ".startswith(f"{program} ")})


def words(command: str) -> list[str]:
    """Split a command as a shell does, with values for what stands in capitals."""
    return [NAMES.get(word, word) for word in shlex.split(command)]


def test_documents_hold_commands_and_each_is_of_a_kind_that_is_tested():
    kinds = (
        "python -m terraform",
        "python -m benchmarks",
        "python -m tools",
        "python -m build",
        "snakemake",
        "make",
        "pytest",
    )
    assert len(COMMANDS) > 40
    assert [one.text for one in COMMANDS if not one.text.startswith(kinds)] == []


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project as it ships, with empty files where `files.yaml` expects rasters."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("workflow", "terraform", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "environment.yaml", "config.yaml", "regions.geojson"):
        shutil.copy2(ROOT / name, folder / name)
    expected = re.findall(r"\{rasters\}/[^\s\"]+", (ROOT / "workflow/config/files.yaml").read_text(encoding="utf-8"))
    for region in ("cali", "nepal", "andes", "tanzania", "nw", "italy"):
        for path in expected:
            file = folder / path.format(rasters="rasters", region=region)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    return folder


def plans() -> list[str]:
    """Choose what Snakemake is asked for, each once, whether as a dry run or not."""
    asked = {re.sub(" (-n|-p)(?= |$)", "", text) for text in of("snakemake")}
    return sorted(text for text in asked if not any(map(text.__contains__, NOT_PLANNED)))


@pytest.mark.parametrize("command", plans())
def test_what_snakemake_is_asked_for_can_be_planned(project, command):
    """A dry run: what it does is shown by `tests/workflow`."""
    done = snakemake(project, *words(command)[1:], "-n")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", of("make"))
def test_what_make_is_asked_for_is_known(command):
    done = subprocess.run([*words(command), "-n"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", of("pytest"))
def test_what_pytest_is_asked_for_exists(command):
    assert all((ROOT / word.replace("ROOM", "geo")).exists() for word in words(command)[1:])


@pytest.mark.parametrize("command", of("python -m benchmarks") + of("python -m tools"))
def test_what_is_measured_by_hand_has_its_options(command):
    """They take minutes and more."""
    module, options = words(command)[2], [word for word in words(command)[3:] if word.startswith("--")]
    found = importlib.util.find_spec(module)
    assert found is not None and found.origin is not None
    source = Path(found.origin).read_text(encoding="utf-8")
    assert [option for option in options if f'"{option}"' not in source] == []


@pytest.fixture(scope="module")
def place(project, tmp_path_factory) -> Path:
    """A working folder with small files under the names that documents use."""
    folder = tmp_path_factory.mktemp("place")
    for name in ("workflow", "config.yaml", "regions.geojson"):
        (folder / name).symlink_to(project / name)
    (folder / "models").symlink_to(ROOT / "models")
    (folder / "config.yaml").unlink()
    shutil.copy2(project / "config.yaml", folder / "config.yaml")
    model = folder / "results/model/default/weights.safetensors"
    model.parent.mkdir(parents=True)
    for path in (model, folder / "WEIGHTS.safetensors"):
        shutil.copy2(ROOT / "tests/learn/files/weights-format-2.safetensors", path)
    hill = 1500 + 500 * np.sin(np.arange(24) / 5)[None] * np.ones((24, 1))
    np.save(folder / "heights.npy", hill)
    write_raster(folder / "ANY.tif", hill.astype(np.float32), Affine(0.002, 0, 8, 0, -0.002, 45), "EPSG:4326")
    globe = np.zeros((18, 36), np.int16)
    globe[:9] = 3000
    write_raster(folder / "MARS.tif", globe, Affine(10, 0, -180, 0, -10, 90), "IAU_2015:49900")
    made = {"resources/mars/planet/elevation.tif": folder / "MARS.tif",
            "results/planet/default/mars/base.tif": ROOT / "models/mars-base.tif"}  # fmt: skip
    for name, source in made.items():
        (folder / name).parent.mkdir(parents=True)
        shutil.copy2(source, folder / name)
    return folder


@pytest.mark.parametrize("command", of("python -m terraform", marked=False))
def test_a_command_runs_as_it_stands(place, command, monkeypatch):
    monkeypatch.chdir(place)
    done = CliRunner().invoke(app, words(command)[3:] or ["--help"])
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"


@pytest.mark.parametrize("command", of("python -m terraform", marked=True))
def test_a_command_that_needs_more_has_its_options(command):
    given = [word for word in words(command)[3:] if word != "..."]
    given += ["--elevation", "e.tif", "--output", "o.tif"] if "..." in command else []
    context: Any = typer.main.get_command(app).make_context("terraform", given)
    rest = [*context._protected_args, *context.args]
    while isinstance(context.command, typer.core.TyperGroup):
        name, inner, rest = context.command.resolve_command(context, rest)
        assert name is not None and inner is not None
        context = inner.make_context(name, rest, parent=context)
        rest = context.args


def test_the_python_of_the_readme_runs(place, monkeypatch):
    monkeypatch.chdir(place)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102  (our own document)
    assert found["rgba"].shape == (24, 24, 4)

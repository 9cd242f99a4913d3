"""The three lists of dependencies agree, and none of them names a host."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
RENAMED = {"torch": "pytorch"}
CONDA_ONLY = {"python", "gdal"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = [line.partition(" ") for line in yaml.safe_load((ROOT / "environment.yaml").read_text())["dependencies"]]


def test_conda_has_the_names_and_bounds_of_the_project():
    conda = {name: set(filter(None, bounds.split(","))) for name, _, bounds in CONDA if name not in CONDA_ONLY}
    wanted = [Requirement(line) for line in PROJECT["dependencies"]]
    assert conda == {RENAMED.get(r.name, r.name): {str(bound) for bound in r.specifier} for r in wanted}


def test_conda_has_the_python_of_the_project():
    assert {name for name, _, _ in CONDA} >= CONDA_ONLY
    assert {name: bounds for name, _, bounds in CONDA}["python"] == PROJECT["requires-python"]


def test_the_lock_holds_every_dependency_within_its_bounds():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = [Requirement(line) for line in lines if line and not line.startswith((" ", "#", "-"))]
    wanted = [line for lines in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()) for line in lines]
    for requirement in map(Requirement, wanted):
        versions = [next(iter(r.specifier)).version for r in locked if r.name == requirement.name]
        assert versions, f"{requirement.name} is not in requirements.lock"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.parametrize("name", ["requirements.lock", "environment.yaml", "pyproject.toml", "Makefile", ".ci/run"])
def test_no_host_is_named(name):
    assert not re.search(r"https?://|--index|--extra-index|--find-links", (ROOT / name).read_text(encoding="utf-8"))


def test_make_lets_python_keep_what_it_compiled():
    """The set-up compiles nothing: where Python may not either, each process would compile the libraries anew."""
    shown = subprocess.run(
        ["make", "--eval", "shown:; @env", "shown"], cwd=ROOT, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "PATH=" in shown.stdout and "PYTHONDONTWRITEBYTECODE" not in shown.stdout

"""`make test-all`: every Python of the project, those that are here tested, the others named."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
ASKED = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"])
VERSIONS = [f"3.{minor}" for minor in range(8, 30) if ASKED.contains(f"3.{minor}.1")]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_they_are_those_that_the_package_asks_for():
    (listed,) = re.findall(r"^PYTHONS := (.*)$", MAKEFILE, re.MULTILINE)
    assert listed.split() == VERSIONS == ["3.11", "3.12", "3.13"]
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["core"]["strategy"]["matrix"]["python"] == VERSIONS[1:]  # .ci/run has the first


@pytest.mark.parametrize("place", ["bin", ".pyenv/versions/3.12.9/bin"])
def test_those_that_are_here_are_tested_and_the_others_named(tmp_path, place):
    """On a path with nothing but one of them, or a shim that leads nowhere."""
    python, shim = tmp_path / place / "python3.12", tmp_path / "bin/python3.13"
    for path, code in ((python, 0), (shim, 127)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\nexit {code}\n")
        path.chmod(0o755)
    (tmp_path / place / "python").symlink_to(python)
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run(
        [make, "-n", "test-all"], cwd=ROOT, env={"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ".venv-3.12/bin/python -m pytest tests/config" in done.stdout
    for version in ("3.11", "3.13"):
        assert f"Python {version} is not here" in done.stdout and f".venv-{version}" not in done.stdout


def test_the_core_exists():
    (core,) = re.findall(r"^CORE \?= (.*?[^\\])\n", MAKEFILE, re.MULTILINE | re.DOTALL)
    assert [path for path in core.replace("\\\n", " ").split() if not (ROOT / path).exists()] == []

"""The recipe of the container does what README.md says; there is no engine here that could build it."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TWO_COMMANDS = README.partition("## Two commands\n")[2]
FENCES = [fence.splitlines() for fence in re.findall(r"^```\n(.*?)^```", TWO_COMMANDS, re.MULTILINE | re.DOTALL)]


def instructions() -> list[tuple[str, str]]:
    """Steps of the recipe, in order: ("RUN", "make setup")."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def of(name: str) -> list[str]:
    return [rest for kind, rest in instructions() if kind == name]


def test_it_runs_the_two_commands():
    (command,) = of("CMD")
    shell = json.loads(command)
    assert shell[:2] == ["sh", "-c"]
    assert shell[2].split(" && ") == [line.partition("#")[0].strip() for line in FENCES[0]]


def test_it_installs_on_the_system_that_the_readme_names():
    (base,) = of("FROM")
    system, version, _ = re.split("[:-]", base)
    assert f"On {system.title()} {version} or the like" in TWO_COMMANDS
    packages, setup = of("RUN")
    assert {"make", "python3", "python3-venv"} <= set(shlex.split(packages))
    assert setup == "make setup"


@pytest.mark.parametrize("target", re.findall(r"make (\w+)", " ".join(of("RUN")[1:] + of("CMD"))))
def test_make_knows_its_targets(target):
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_results_come_out_where_the_readme_mounts_them():
    (folder,) = of("WORKDIR")
    (fence,) = [fence for fence in FENCES if fence[0].startswith("podman build")]
    build, run = map(shlex.split, fence)
    assert build[2:4] == ["--tag", run[-1]]
    assert run[run.index("--volume") + 1] == f"./results:{folder}/results"


def test_nothing_that_git_ignores_is_copied_into_it():
    def folders(name: str) -> set[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return {line.strip("/").removeprefix("**/") for line in lines if line.endswith(("/", "_cache"))}

    assert folders(".gitignore") <= folders(".containerignore")
    assert ".git" in folders(".containerignore")

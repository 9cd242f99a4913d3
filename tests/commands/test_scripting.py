"""What scripts and shells need: exit codes, JSON, completion."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from terraform import __main__ as program
from terraform import errors
from terraform.__main__ import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODES = dict(
    re.findall(r"^\| (\d+) \| (.+) \|$", README.partition("## Scripts\n")[2].partition("\n## ")[0], re.MULTILINE)
)


def kinds(of: type[errors.TerraformError]) -> list[type[errors.TerraformError]]:
    return [of, *(kind for below in of.__subclasses__() for kind in kinds(below))]


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A working folder with the configuration and regions that ship."""
    for name in ("config.yaml", "regions.geojson"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def called(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done.stdout


def test_every_exit_code_is_documented_and_no_other():
    assert set(CODES) == {"0", *(str(kind.exit_code) for kind in kinds(errors.TerraformError)), "129", "130", "143"}
    help_ = " ".join(called("--help").split()).partition("Exit codes: ")[2]
    assert set(re.findall(r"\d+", help_)) == set(CODES)


@pytest.mark.parametrize("error", [*kinds(errors.TerraformError), MemoryError])
def test_each_kind_of_error_ends_with_its_code_and_one_line(monkeypatch, capsys, error):
    def fail() -> None:
        raise error("told")

    monkeypatch.setattr(program, "app", fail)
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == getattr(error, "exit_code", 5)
    assert capsys.readouterr().err.startswith("error: ")


def test_settings_and_their_origins_as_json(place):
    (place / "config.yaml").write_text("train: {batch: 2}\n")
    told = json.loads(called("config", "show", "--json"))
    assert told["settings"]["train"]["batch"] == 2 and told["settings"]["seed"] == 0
    assert told["origins"] == {"train.batch": "config.yaml"}
    assert json.loads(called("config", "show", "tile", "--json")) == {
        "settings": {"tile_px": 256, "pixel_m": 200.0, "margin_px": 64}, "origins": {},
    }  # fmt: skip


def test_what_a_run_would_do_as_json(place):
    told = json.loads(called("config", "validate", "--json"))
    assert told["run"] == "default" and "cali" in told["learning"] and "olympus" in told["mosaics"]


def test_what_would_be_removed_as_json(place):
    (place / "results/pairs/gone").mkdir(parents=True)
    assert json.loads(called("prune", "--json")) == {
        "removed": False, "paths": [{"path": "results/pairs/gone", "why": ""}],
    }  # fmt: skip
    assert json.loads(called("clean", "--json", "--yes"))["removed"] is True
    assert not (place / "results").exists()


def test_what_was_judged_as_json(place, monkeypatch):
    from terraform.evaluation import evaluate

    def judge(weights, folders, output, *rest) -> None:
        output.mkdir()
        (output / "metrics.json").write_text('{"run": "default"}\n')

    monkeypatch.setattr(evaluate, "evaluate", judge)
    line = ["evaluate", "--weights", "w.safetensors", "--output", "judged", "pairs/italy"]
    assert called(*line) == ""
    (place / "judged/metrics.json").unlink(), (place / "judged").rmdir()
    assert json.loads(called(*line, "--json")) == {"run": "default"}


@pytest.fixture
def shell(tmp_path) -> dict[str, str]:
    """An environment in which `terraform-planets` is on the path, as an installation puts it there."""
    script = tmp_path / "bin/terraform-planets"
    script.parent.mkdir()
    code = "import sys; sys.argv[0] = 'terraform-planets'; from terraform.__main__ import main; main()"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    script.chmod(0o755)
    here = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": here}


def test_bash_completes_commands_options_and_values(shell):
    asked = [("gen", "generate"), ("config s", "show set"), ("generate --elev", "--elevation"),
             ("generate --nodata-means ", "sea void")]  # fmt: skip
    lines = ['eval "$(terraform-planets completion bash)"']
    for typed, _ in asked:
        words = ["terraform-planets", *typed.split(" ")]
        quoted = " ".join(f"'{word}'" for word in words)
        lines.append(f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}")
        lines.append('_terraform_planets_completion terraform-planets; echo "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", "\n".join(lines)], env=shell, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [wanted for _, wanted in asked], done.stderr


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_other_shells_can_read_their_script(name):
    script = called("completion", name)
    assert "terraform-planets" in script and "_TERRAFORM_PLANETS_COMPLETE" in script
    if shutil.which(name):
        subprocess.run([name, "-n"], input=script, text=True, check=True)

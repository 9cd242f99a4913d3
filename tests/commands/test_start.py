"""What a command imports before it works: heavy packages take longer than the commands that need none of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Not pydantic: typer uses it too.
HEAVY = {
    "terraform.config", "yaml", "rich", "numpy", "pyproj", "shapely", "rasterio", "geopandas", "pandas", "pyarrow",
    "PIL", "matplotlib", "jinja2", "torch", "torchvision", "torchmetrics", "snakemake", "ee", "pystac",
}  # fmt: skip
PROGRAM = f"""
import contextlib, io, json, sys
from terraform.__main__ import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
print(json.dumps(sorted({HEAVY!r} & sys.modules.keys())))
"""
SETTINGS = {"terraform.config", "yaml"}


def imported(folder: Path, *arguments: str) -> set[str]:
    """Heavy packages that a command has imported when it is done."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("", set()), ("--help", set()), ("generate --help", set()), ("train --help", set()), ("genrate", set()),
        ("completion zsh", set()), ("clean", set()), ("config show", SETTINGS), ("config show --json", SETTINGS),
        ("config set train.batch=2", SETTINGS), ("clean --stale", SETTINGS),
    ],
)  # fmt: skip
def test_the_start_imports_what_the_command_needs_and_no_more(tmp_path, line, needed):
    (tmp_path / "config.yaml").write_bytes((ROOT / "config.yaml").read_bytes())
    assert imported(tmp_path, *line.split()) == needed


@pytest.mark.parametrize("line", ["plan", "config validate", "prune"])
def test_what_reads_regions_needs_no_network(tmp_path, line):
    for name in ("config.yaml", "regions.geojson"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    found = imported(tmp_path, *line.split())
    assert {"shapely", "pyproj"} <= found
    assert found.isdisjoint({"torch", "geopandas", "pandas", "matplotlib", "snakemake", "rich"})

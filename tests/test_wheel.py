"""The wheel: what is in it, and that it works where there is no checkout."""

import email
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from exact import write_raster
from rasterio.transform import Affine

ROOT = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "models", "terraform")
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
CALLS = """
import sys
from terraform.__main__ import app
for line in sys.argv[1:]:
    print("==", line, flush=True)
    app(line.split(), standalone_mode=False)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The wheel of the source distribution of a copy, as `python -m build` makes it; building writes beside sources."""
    copy, output = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("dist")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, copy / name)
    build("build_sdist", copy, output)
    (archive,) = output.glob("*.tar.gz")
    shutil.unpack_archive(archive, output, filter="data")
    (sources,) = (path for path in output.iterdir() if path.is_dir())
    build("build_wheel", sources, output)
    return output


def build(what: str, sources: Path, output: Path) -> None:
    command = [sys.executable, "-c", BUILD, what, str(output)]
    done = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Deprecat" not in done.stdout + done.stderr and "!!" not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(built) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder of packages into which the wheel is installed; a wheel of Python alone is only unpacked."""
    folder = tmp_path_factory.mktemp("installed")
    wheel.extractall(folder)
    return folder


def python(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder with the installed package before that of the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    files = [path for path in (ROOT / "terraform").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files += (ROOT / "models").iterdir()  # rglob follows no link
    wanted = {f"terraform/{path.relative_to(ROOT)}" if path.parent.name == "models" and path.parent.parent == ROOT
              else path.relative_to(ROOT).as_posix() for path in files}  # fmt: skip
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == wanted
    assert {"terraform/py.typed", "terraform/models/generator.safetensors", "terraform/viewer/vendor/ol.js",
            "terraform/viewer/page/index.html", "terraform/report/page/report.html"} <= held  # fmt: skip


def test_its_licences_name_what_is_in_it(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    said = email.message_from_bytes(wheel.read(name))
    assert said["License-Expression"] == "MIT AND BSD-2-Clause AND CC-BY-NC-SA-4.0 AND LicenseRef-ITU"
    files = said.get_all("License-File") or []
    vendored = {"geotiff-LICENSE.txt", "ol-LICENSE.md", "three-LICENSE.txt"}
    assert {Path(file).name for file in files} == {"LICENSE", "README.md"} | vendored


def test_the_published_models_have_one_home():
    link = ROOT / "terraform/models"
    assert link.is_symlink() and link.resolve() == ROOT / "models"


def test_it_draws_checks_and_explains_from_an_empty_folder(installed, tmp_path):
    hill = 1500 + 500 * np.sin(np.arange(24) / 5)[None] * np.ones((24, 1))
    write_raster(tmp_path / "any.tif", hill.astype(np.float32), Affine(0.002, 0, 8, 0, -0.002, 45), "EPSG:4326")
    lines = ["doctor --json", "config show train", "generate --elevation any.tif --output out.png"]
    done = python(installed, tmp_path, "-c", CALLS, *lines)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out.png").is_file()
    assert f"the published base map {installed}/terraform/models/earth-base.tif" in done.stderr


def test_its_program_is_the_command_line(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    assert "terraform-planets = terraform.__main__:main" in wheel.read(name).decode()

"""Who may import whom: sources -> pairs -> learn -> mosaic -> show, with geo below; and what a GPU machine can lack."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "terraform"
LAYERS = ["geo", "sample_world", "sources", "pairs", "learn", "mosaic", "show", "workflow", "commands"]
FOUNDATION = {"errors", "provenance", "digest", "config", "storage"}
MODULES = sorted(PACKAGE.rglob("*.py"))

LIGHT = [
    path for path in MODULES if path.relative_to(PACKAGE).parts[0] == "learn" or path.relative_to(PACKAGE).as_posix() in
    ("pairs/relief.py", "pairs/store.py", "mosaic/inference.py")
]  # fmt: skip
ABSENT = [
    "rasterio", "osgeo", "geopandas", "pyogrio", "fiona", "pandas", "pyarrow", "snakemake", "shapely", "pyproj",
    "matplotlib", "PIL", "pystac", "ee", "torchvision", "torchmetrics",
]  # fmt: skip


def layer_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imports(path: Path) -> list[tuple[str, bool]]:
    """Modules of the package that a file imports, and whether only when a function runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {id(inner) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for inner in ast.walk(f)}
    late |= {id(inner) for f in ast.walk(tree) if is_for_types(f) for inner in ast.walk(f)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "terraform":
            names = [f"{node.module}.{a.name}" for a in node.names] if node.module == "terraform" else [node.module]
            found += [(name, id(node) in late) for name in names]
        elif isinstance(node, ast.Import):
            found += [(a.name, id(node) in late) for a in node.names if a.name.split(".")[0] == "terraform"]
    return found


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_one_way(path):
    own = path.relative_to(PACKAGE).parts[0]
    if own not in LAYERS:
        return
    for module, late in imports(path):
        other = layer_of(module)
        if other not in LAYERS or (late and own in ("learn", "mosaic") and other == "show"):
            continue  # boards are written while training, where matplotlib is there
        assert LAYERS.index(other) <= LAYERS.index(own), f"{own} must not import {module}"


def test_the_foundation_imports_no_layer():
    for path in MODULES:
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in FOUNDATION:
            assert [m for m, _ in imports(path) if layer_of(m) in LAYERS] == [], path.name


def test_gdal_has_one_door():
    doors = {path.relative_to(PACKAGE).as_posix() for path in MODULES if "osgeo" in path.read_text(encoding="utf-8")}
    assert doors == set()


def test_a_gpu_machine_needs_numpy_torch_and_safetensors_only():
    names = [f"terraform.{path.relative_to(PACKAGE).with_suffix('').as_posix().replace('/', '.')}" for path in LIGHT]
    names = [name.removesuffix(".__init__") for name in names]
    assert {"terraform.learn.train", "terraform.pairs.store", "terraform.mosaic.inference"} <= set(names)
    program = (
        f"import sys, importlib\nfor name in {ABSENT!r}: sys.modules[name] = None\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

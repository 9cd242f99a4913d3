"""Who may import whom, and how large a file and a folder may be; what a GPU machine can do without."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "terraform"
MODULES = sorted(PACKAGE.rglob("*.py"))
ORDER = [
    "version", "errors", "progress", "storage", "provenance", "digest", "config", "geo", "sample_world", "sources",
    "climate", "pairs", "learn", "basemap", "planet", "mosaic", "evaluation", "show", "viewer", "report", "workflow",
    "doctor", "commands", "__main__",
]  # fmt: skip
"""Each may import those before it, lazily or not (docs/architecture.md)."""

MOST_LINES = 300
MOST_FILES = 15

LIGHT_ROOMS = {"learn", "basemap"}
LIGHT_FILES = {"pairs/relief.py", "pairs/store.py", "mosaic/inference.py", "mosaic/array.py"}
LIGHT = [
    path
    for path in MODULES
    if path.relative_to(PACKAGE).parts[0] in LIGHT_ROOMS or path.relative_to(PACKAGE).as_posix() in LIGHT_FILES
]
ABSENT = [
    "rasterio", "osgeo", "geopandas", "pyogrio", "fiona", "pandas", "pyarrow", "snakemake", "shapely", "pyproj",
    "matplotlib", "PIL", "pystac", "ee", "torchvision", "torchmetrics",
]  # fmt: skip


def name_of(path: Path) -> str:
    return ".".join(["terraform", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")


NAMES = {name_of(path): path for path in MODULES}


def imported(path: Path) -> set[str]:
    """Modules of the package that a file imports, lazily or not, for types or not."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "terraform":
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in NAMES else node.module for name in inside}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in NAMES}
    return found - {name_of(path)}


GRAPH = {name: imported(path) for name, path in NAMES.items()}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules that import each other: what each can reach, and be reached from."""
    reach: dict[str, set[str]] = {}
    for start in graph:
        seen, waiting = set(), [start]
        while waiting:
            for other in graph.get(waiting.pop(), set()) - seen:
                seen.add(other)
                waiting.append(other)
        reach[start] = seen
    groups = [{other for other in reach[one] if one in reach[other]} for one in graph if one in reach[one]]
    return [group for number, group in enumerate(groups) if group not in groups[:number]]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_one_way(path):
    own = room_of(name_of(path))
    if not own:
        return
    assert own in ORDER, f"{own} is new: give it a place in ORDER and in docs/architecture.md"
    for module in GRAPH[name_of(path)]:
        other = room_of(module)
        assert not other or ORDER.index(other) <= ORDER.index(own), f"{own} must not import {module}"


def test_no_module_imports_itself_through_others():
    assert circles(GRAPH) == []


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [{"b", "c"}]


def test_what_runs_a_training_knows_nothing_that_trains():
    allowed = {"errors", "storage", "config", "provenance", ""}
    for path in (PACKAGE / "learn/runtime").glob("*.py"):
        others = {name for name in GRAPH[name_of(path)] if not name.startswith("terraform.learn.runtime")}
        assert {room_of(name) for name in others} <= allowed, f"{path.name} imports {others}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_file_is_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_no_folder_is_full():
    counts = {folder: len([p for p in folder.glob("*.py") if p.stem != "__init__"]) for folder in
              {path.parent for path in MODULES}}  # fmt: skip
    full = {folder.relative_to(PACKAGE).as_posix() for folder, count in counts.items() if count > MOST_FILES}
    assert full == set()


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

"""Kill every stage at random moments and run it again: `make kills`, 20 kills of each.

A stage is a command of `python -m terraform` in a tiny world; `tools.killing` says what is killed when, what must hold.
A trial that went wrong is told with the seed that makes it again: `python -m tools.kills cut --first 12 --trials 1`.
"""

import argparse
import csv
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from safetensors.numpy import load_file

from terraform.__main__ import app
from tests.tiny_world import CORNERS, SETTINGS, feature, write_regions
from tools.killing import Found, Stage, finish, kill_stage, preload

_EARTH, _MARS = "resources/earth", "resources/mars"
_PLANET = "results/planet"
_WEIGHTS = "results/model/weights.safetensors"
_CRATER = ("--region", "crater", "--elevation", f"{_MARS}/crater/elevation.tif")
_PAIRED = ("andes", "nw")
_PAIRS = tuple(f"results/pairs/{name}" for name in _PAIRED)


def _command(*words: str) -> Callable[[Path], None]:
    """Prepare a command line; `{}` is the folder of its output."""
    return partial(_do, words)


def _do(words: tuple[str, ...], output: Path) -> None:
    app([word.replace("{}", str(output)) for word in words], standalone_mode=False)


def _tensors(path: Path) -> object:
    """Read what a file of weights holds; safetensors orders its header by chance."""
    return {name: values.tobytes() for name, values in load_file(path).items()}


def _without_time(path: Path) -> object:
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    return [{name: value for name, value in row.items() if name not in ("seconds", "waited")} for row in rows]


def _card(path: Path) -> object:
    """Read a card without the line that tells how long the training took."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if not line.endswith(" seconds")]


def _state(path: Path) -> object:
    return _timeless(json.loads(path.read_text(encoding="utf-8")))


def _timeless(tree: Any) -> Any:
    """Drop from a tree what tells a time, or the digest of a file that does."""
    if isinstance(tree, dict):
        told = ("seconds", "waited", "sha256", "best_sha256")
        return {name: _timeless(value) for name, value in tree.items() if name not in told}
    return [_timeless(value) for value in tree] if isinstance(tree, list) else tree


def _there(path: Path) -> object:
    """Compare no more than that it is there."""
    return path.is_file()


_SAFETENSORS = {"*.safetensors": _tensors}
_WORLD = (
    *(
        ("fetch", "--region", name, "--kind", kind, "--output", f"{folder}/{name}/{kind}.tif")
        for name, folder, kinds in (
            ("andes", _EARTH, ("elevation", "imagery")),
            ("nw", _EARTH, ("elevation", "imagery")),
            ("crater", _MARS, ("elevation",)),
        )
        for kind in kinds
    ),
    *(
        ("fetch", "--planet", body, "--kind", kind, "--output", f"resources/{body}/planet/{kind}.tif")
        for body, kinds in (
            ("earth", ("elevation", "imagery", "temperature", "precipitation")),
            ("mars", ("elevation",)),
        )
        for kind in kinds
    ),
    *(
        ("simulate-climate", "--body", body, "--elevation", f"resources/{body}/planet/elevation.tif",
         "--output", f"{_PLANET}/{body}")
        for body in ("earth", "mars")
    ),
    ("fit-base-model", "--elevation", f"{_EARTH}/planet/elevation.tif", "--imagery", f"{_EARTH}/planet/imagery.tif",
     "--climate", f"{_PLANET}/earth/climate.tif", "--output", _PLANET),
    *(
        ("draw-base-colours", "--base-model", f"{_PLANET}/base-model.safetensors",
         "--elevation", f"resources/{body}/planet/elevation.tif", "--climate", f"{_PLANET}/{body}/climate.tif",
         "--output", f"{_PLANET}/{body}")
        for body in ("earth", "mars")
    ),
    *(
        ("cut", "--region", name, "--elevation", f"{_EARTH}/{name}/elevation.tif",
         "--imagery", f"{_EARTH}/{name}/imagery.tif", "--output", f"results/pairs/{name}")
        for name in _PAIRED
    ),
    ("train", "--output", "results/model", *_PAIRS),
    ("generate", "--weights", _WEIGHTS, *_CRATER, "--base", f"{_PLANET}/mars/base.tif",
     "--output", "results/mars/crater"),
)  # fmt: skip
"""Commands that make what stages start from."""

STAGES = {
    stage.name: stage
    for stage in (
        Stage("fetch", _command(
            "fetch", "--region", "andes", "--kind", "imagery", "--output", "{}/imagery.tif")),
        Stage("fetch-planet", _command(
            "fetch", "--planet", "earth", "--kind", "temperature", "--output", "{}/temperature.tif")),
        Stage("climate", _command(
            "simulate-climate", "--body", "mars", "--elevation", f"{_MARS}/planet/elevation.tif", "--output", "{}")),
        Stage("base-model", _command(
            "fit-base-model", "--elevation", f"{_EARTH}/planet/elevation.tif",
            "--imagery", f"{_EARTH}/planet/imagery.tif", "--climate", f"{_PLANET}/earth/climate.tif",
            "--output", "{}"), meaning=_SAFETENSORS),
        Stage("base-colours", _command(
            "draw-base-colours", "--base-model", f"{_PLANET}/base-model.safetensors",
            "--elevation", f"{_MARS}/planet/elevation.tif", "--climate", f"{_PLANET}/mars/climate.tif",
            "--output", "{}")),
        Stage("cut", _command(
            "cut", "--region", "andes", "--elevation", f"{_EARTH}/andes/elevation.tif",
            "--imagery", f"{_EARTH}/andes/imagery.tif", "--output", "{}")),
        Stage("temperature", _command(
            "add-temperature", "--elevation", f"{_EARTH}/planet/elevation.tif",
            "--temperature", f"{_EARTH}/planet/temperature.tif", "{}"), begin=_PAIRS[0]),
        Stage("sheet", _command("sheet", "--output", "{}/sheet.jpg", _PAIRS[0])),
        Stage("export-pairs", _command("export-pairs", "--output", "{}", _PAIRS[0])),
        Stage("train", _command("train", "--output", "{}", *_PAIRS),
              changing=("state/*", ".lock", "history.csv", "regions.csv", "samples.png", "losses.png",
                        "earlier-weights.safetensors"),
              meaning={**_SAFETENSORS, "*.csv": _without_time, "card.md": _card, "state/*.json": _state,
                       ".lock": _there}),
        Stage("evaluate", _command(
            "evaluate", "--weights", _WEIGHTS, "--base", f"{_PLANET}/earth/base.tif", "--output", "{}", *_PAIRS)),
        Stage("mosaic", _command(
            "generate", "--weights", _WEIGHTS, *_CRATER, "--base", f"{_PLANET}/mars/base.tif", "--output", "{}"),
            changing=(".*.strips/*",)),
        Stage("any-raster", _command(
            "generate", "--weights", _WEIGHTS, "--elevation", f"{_EARTH}/nw/elevation.tif",
            "--base", f"{_PLANET}/earth/base.tif", "--output", "{}/any.png"), changing=(".*.strips/*",)),
        Stage("planet-picture", _command(
            "render-planet", "--elevation", f"{_MARS}/planet/elevation.tif", "--base", f"{_PLANET}/mars/base.tif",
            "--output", "{}/mars.jpg")),
        Stage("export-onnx", _command("export-onnx", "--weights", _WEIGHTS, "--output", "{}/generator.onnx")),
        Stage("viewer", _command(
            "export-viewer", "--elevation", f"{_MARS}/planet/elevation.tif", "--base", f"{_PLANET}/mars/base.tif",
            "--climate", f"{_PLANET}/mars/climate.tif", "--mosaic", "results/mars/crater",
            "--download", f"{_MARS}/crater", "--output", "{}"), changing=("tiles/*/tiles.json",)),
    )
}  # fmt: skip


def make_world(folder: Path) -> None:
    """Make what stages start from, unless it is there.

    Raises
    ------
    RuntimeError
        A command fails.
    """
    if (folder / "made").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    settings = {**SETTINGS, "split": {"validation": ["nw"], "test": []}, "mosaics": {"window_px": 256}}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    write_regions(folder, [feature(name, *CORNERS[name]) for name in (*_PAIRED, "crater")])
    for words in _WORLD:
        finish(Stage(words[0], _command(*words)), folder, folder / "log")
    (folder / "made").touch()


def main() -> None:
    """Make the world, kill, tell; the exit code is 1 where something was wrong."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("stages", nargs="*", help=f"of {', '.join(STAGES)}; all by default")
    arguments.add_argument("--kills", type=int, default=20, help="of each stage")
    arguments.add_argument("--trials", type=int, default=10_000, help="at most, of each stage")
    arguments.add_argument("--first", type=int, default=0, help="seed of the first trial")
    arguments.add_argument("--world", type=Path, help="folder in which the world is kept, or made")
    given = arguments.parse_args()
    preload("tools.preloaded")
    everything: list[Found] = []
    killed = 0
    with tempfile.TemporaryDirectory() as folder:
        world = given.world or Path(folder) / "world"
        make_world(world.resolve())
        for name in given.stages or STAGES:
            output = Path(folder) / name / "output"
            output.parent.mkdir()
            seeds = range(given.first, given.first + given.trials)
            kills, found = kill_stage(STAGES[name], world.resolve(), output, seeds, given.kills)
            killed += kills
            everything += found
            shutil.rmtree(output.parent)
    print(f"{killed} kills, {len(everything)} wrong")
    for wrong in everything[:20]:
        print(f"\n{wrong.stage}, seed {wrong.seed}: {wrong.what}")
    sys.exit(bool(everything))


if __name__ == "__main__":
    main()

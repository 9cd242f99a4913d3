"""What each lever is worth on a region that training never saw, at equal images seen.

`python -m benchmarks.ablation PAIRS RASTERS --into FOLDER` trains every row of the table that `FOLDER` does not hold
yet, on the pairs that `make real` cut, and prints the table; `--write` puts it into `docs/quality.md`. One fold:
trained on andes, cali, nepal and tanzania, validated on nw, judged on italy. Base colours are the pairs' own, which are
smooth real ones; with `--base RASTER` (land and sea, six bands of the whole Earth) rows that know them are judged with
those too, with its tints where the row has them, and windows are drawn.
"""

import argparse
import contextlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import rasterio
import torch
from shapely.geometry import box

from benchmarks import measure
from benchmarks.levers import ORDER, Settings, names
from benchmarks.seams import drawn_by, score
from terraform.config import Config, Elevation, Mosaics, load, overlay, parse
from terraform.evaluation import schema
from terraform.evaluation.evaluate import evaluate
from terraform.geo import raster
from terraform.geo.bodies import EARTH
from terraform.geo.regions import Region
from terraform.learn import weights
from terraform.learn.train import train
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic import inputs
from terraform.mosaic.bands import Band, GlobalGrid, strips
from terraform.mosaic.base.air_choice import choose_air
from terraform.mosaic.base.base_map import BaseMap
from terraform.mosaic.base.choice import tints_beside
from terraform.mosaic.base.reading import read_base
from terraform.mosaic.terrain import BandTerrain, Span, Terrain, TerrainWindow
from terraform.mosaic.windows import RAMP_PX, plan
from terraform.pairs.tints import TintMap
from terraform.planet.tints import read_tints
from terraform.sources.fetch import fetch
from terraform.storage.atomic_write import write_text

DOCUMENT = Path("docs/quality.md")
ROLES = {"train": ["andes", "cali", "nepal", "tanzania"], "validation": ["nw"], "test": ["italy"]}
PLACE = (8.0, 43.6, 12.0, 46.2)
"""West, south, east, north of the part of italy that is drawn in windows: Alps, Po plain, Apennines and coast."""
SHIFT_PX = 112
_START, _END = "<!-- measured: start -->", "<!-- measured: end -->"

Result = dict[str, Any]

COLUMNS = {
    "l1": "L1, levels", "colour_given_relief": "colour given relief, levels", "base_drift": "drift from base, levels",
    "swd": "sliced Wasserstein", "spectrum_db": "spectrum, dB", "diversity": "diversity",
    "checkerboard": "checkerboard", "seam": "seam", "windows": "other windows, levels",
}  # fmt: skip


def config_of(name: str, seed: int, rasters: str) -> Config:
    """Make the configuration of a row."""
    settings = dict(names()[name][1])
    condition = {"tints": False} | {
        name: settings.pop(name) for name in ("encoding", "channels", "tints") if name in settings
    }
    files = load("config.yaml", "workflow/config/files.yaml").model_dump()
    return parse(overlay(files, {"seed": seed, "rasters": rasters, "condition": condition, "train": settings}))


def run(name: str, seed: int, pairs: Path, rasters: str, into: Path, base: Path | None = None) -> Result:
    """Train a row and judge it; what `into` holds already is read."""
    folder = into / f"{name}-{seed}"
    done = folder / "result.json"
    if done.is_file():
        kept: Result = json.loads(done.read_text(encoding="utf-8"))
        return kept
    config, before = config_of(name, seed, rasters), measure.cpu_seconds()
    folders = _folders(pairs)
    tints = _tints(base) if config.condition.tints else None
    with (into / f"{name}-{seed}.log").open("a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        train(folders, folder, config, False, lambda counters, board: None, tints)
    trained = measure.cpu_seconds() - before
    measured = _judged(folder, folder, folders, config, None, tints)
    trained_generator = weights.load(folder / "weights.safetensors")
    predicted: Mapping[str, Mapping[str, float]] = {}
    if base is not None and trained_generator.needs_base:
        predicted = _judged(folder, folder / "predicted", folders, config, read_base(base, EARTH), tints)
    real = measured["real"]
    flat = {name: _flat(measured[name], real) for name in ("generated", "table", "base", "base_hillshade", "real")}
    result = {
        "name": name, "seed": seed, "cpu_s": trained, **flat.pop("generated"), **flat,
        "real": flat["real"] | {"seam": _real_seam(config, into)},
        "predicted": _flat(predicted["generated"], predicted["real"]) if predicted else {},
        **_windows(trained_generator, config, into, base, tints),
    }  # fmt: skip
    write_text(done, json.dumps(result) + "\n")
    return result


def _folders(pairs: Path) -> Mapping[str, Sequence[Path]]:
    by_region = {}
    for file in sorted(pairs.glob("*/provenance.json")):
        details = json.loads(file.read_text(encoding="utf-8"))["details"]
        by_region[details["region"]] = file.parent
    return {role: [by_region[region] for region in regions] for role, regions in ROLES.items()}


def _tints(base: Path | None) -> TintMap:
    found = base and tints_beside(base)
    if found is None:
        raise SystemExit("rows with tints need --base, and its tints beside it: tints.tif beside base.tif")
    return read_tints(found, EARTH)


def _judged(
    trained: Path, folder: Path, folders: Mapping[str, Sequence[Path]], config: Config, base: BaseMap | None,
    tints: TintMap | None,
) -> Mapping[str, Mapping[str, float]]:  # fmt: skip
    """Judge on the test region: numbers by set of pictures and metric. All rows share the judging networks."""
    roles = {role: folders[role] for role in ("train", "test")}
    shared = trained.parent / "judges"
    for there, here in ((shared, folder), (folder, shared)):
        here.mkdir(parents=True, exist_ok=True)
        for file in there.glob("*.safetensors"):
            if file.name != "weights.safetensors":
                shutil.copy(file, here)
        if here is folder:
            evaluate(
                trained / "weights.safetensors", roles, folder, config, lambda role, board: None, base, tints=tints
            )
    found = schema.read(folder / "metrics.json").roles["test"].scores
    return {pictures: {name: score.value for name, score in scores.items()} for pictures, scores in found.items()}


def _flat(scores: Mapping[str, float], real: Mapping[str, float]) -> dict[str, float]:
    """Collect the numbers of a set of pictures, the highest peak, and how much they vary over how much real ones do."""
    peaks = [value for name, value in scores.items() if name.startswith("checkerboard")]
    spread = scores["deviation"] / real["deviation"]
    return {**scores, "checkerboard": max(peaks), "diversity": spread}


class _Moved:
    """A terrain whose pixels are counted from another place, so that windows fall elsewhere."""

    def __init__(self, terrain: Terrain, by: int) -> None:
        self._terrain, self._by = terrain, by
        self.pixel_m, self.top = terrain.pixel_m, terrain.top

    def patch(self, rows: Span, columns: Span) -> TerrainWindow:
        return self._terrain.patch(*self._there(rows, columns))

    def is_visible(self, rows: Span, columns: Span) -> bool:
        return self._terrain.is_visible(*self._there(rows, columns))

    def _there(self, rows: Span, columns: Span) -> tuple[Span, Span]:
        return (rows[0] + self._by, rows[1] + self._by), (columns[0] + self._by, columns[1] + self._by)


def _windows(
    trained: TrainedGenerator, config: Config, into: Path, base: Path | None, tints: TintMap | None
) -> dict[str, float]:
    """Measure steps at windows' borders, and what other windows change most; nothing where base colours are missing."""
    if trained.needs_base and base is None:
        return {}
    colours = replace(read_base(base, EARTH), tints=tints) if trained.needs_base and base is not None else None
    band, rows, columns = _place(trained.stride)
    climate = choose_air(None, None if base is None else str(base), trained, EARTH)
    air = climate and climate.make(0.0)
    settings = Mosaics(window_px=640, device="cpu", elevation=Elevation(policy="clip"))
    with raster.opened(_fetched(config, "elevation", into)) as dataset, TemporaryDirectory() as name:
        source = inputs.elevation_raster(dataset, EARTH)
        terrain = BandTerrain(inputs.elevation_model(source, EARTH, settings), band, colours, air)
        here = drawn_by(trained, terrain, rows, columns, settings, Path(name) / "here").read(rows, columns)[:3]
        up, left = ((first - SHIFT_PX, last - SHIFT_PX) for first, last in (rows, columns))
        moved = settings.model_copy(update={"window_px": 512})
        there = drawn_by(trained, _Moved(terrain, SHIFT_PX), up, left, moved, Path(name) / "there").read(up, left)[:3]
    if trained.tile_safe:
        at = [first for first, _ in plan(rows, columns, 640, trained.halo_px, trained.stride).columns]
        seam = score(here, [column - columns[0] for column in at], trained.stride, 2)
    else:
        step = trained.spec.tile_px - RAMP_PX
        ramps = [k for k in range(columns[0], columns[1]) if k % step < RAMP_PX]
        seam = score(here, [k - columns[0] for k in ramps], 1, 2)
    return {"seam": seam, "windows": float(np.abs(here.astype(np.int16) - there).max())}


def _place(stride: int) -> tuple[Band, Span, Span]:
    """Find the band, rows and columns of `PLACE`, as much of it as lies in one band."""
    west, south, east, north = PLACE
    globe = GlobalGrid(EARTH.radius_m)
    row = round((90 - (south + north) / 2) / globe.pixel_deg)
    band = next(strip for strip in strips(globe, stride) if isinstance(strip, Band) and strip.top <= row < strip.bottom)
    rows = max(band.top, round((90 - north) / globe.pixel_deg)), min(band.bottom, round((90 - south) / globe.pixel_deg))
    columns = tuple(round((degrees + 180) / 360 * band.columns) for degrees in (west, east))
    return band, rows, (columns[0], columns[1])


def _fetched(config: Config, what: Any, into: Path) -> Path:
    path = into / f"italy-{what}.tif"
    if not path.is_file():
        fetch(config, Region("italy", EARTH, "test", "italy", box(*PLACE)), what, path)
    return path


def _real_seam(config: Config, into: Path) -> float:
    """Score real imagery alike, where the windows of a network of stride 16 would meet."""
    band, rows, columns = _place(16)
    with rasterio.open(_fetched(config, "imagery", into)) as dataset:
        west = np.arange(*columns) * 360 / band.columns - 180
        picture = dataset.read()
        index = np.clip(((west - dataset.transform.c) / dataset.transform.a).astype(int), 0, dataset.width - 1)
    at = [first for first, _ in plan(rows, columns, 640, 96, 16).columns]
    return score(picture[:, :, index], [column - columns[0] for column in at], 16, 2)


def table(results: Sequence[Result]) -> str:
    """Rows of means over seeds, with half the range between them."""
    lines = ["| | seeds | " + " | ".join(COLUMNS.values()) + " | CPU s |", "|---" * (len(COLUMNS) + 3) + "|"]
    for name, (title, _) in _shown().items():
        mine = [result for result in results if result["name"] == name]
        if mine:
            values = [_of(mine, column) for column in COLUMNS]
            lines.append(f"| {title} | {len(mine)} | {' | '.join(values)} | {mean(r['cpu_s'] for r in mine):.0f} |")
            told = [result["predicted"] for result in mine if result.get("predicted")]
            if told:
                values = [_of(told, column) for column in COLUMNS]
                lines.append(
                    f"| the same, base colours predicted without italy | {len(told)} | {' | '.join(values)} | |"
                )
    baselines = {
        "table of colours by height and latitude": "table", "base colours alone": "base",
        "base colours and hillshade": "base_hillshade", "real imagery": "real",
    }  # fmt: skip
    for title, what in baselines.items():
        known = [result[what] for result in results[-1:] if what in result]
        values = [_of(known, column) for column in COLUMNS]
        lines.append(f"| {title} | | {' | '.join(values)} | |")
    return "\n".join(lines)


def _shown() -> dict[str, tuple[str, Settings]]:
    rows = names()
    first = {name: rows[name] for name in ("cnn", "l1")}
    return first | rows


def _of(results: Sequence[Result], column: str) -> str:
    known = [result[column] for result in results if column in result]
    return _spread(known) if known else ""


def _spread(values: Sequence[float]) -> str:
    middle, half = mean(values), (max(values) - min(values)) / 2
    return f"{middle:.3g}" if len(values) == 1 else f"{middle:.3g} ± {half:.2g}"


def main() -> None:
    """Run what is missing and print or write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("pairs", type=Path, help="results/pairs of `make real`")
    parser.add_argument("rasters", help="the folder given to `make real`")
    parser.add_argument("--into", type=Path, required=True, help="folder of weights and results; a second run goes on")
    parser.add_argument("--base", type=Path, help="base colours of the Earth, learnt without italy")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no row after so many minutes")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth row, from --first on")
    parser.add_argument("--first", type=int, default=0, metavar="K")
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT}")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    options.into.mkdir(parents=True, exist_ok=True)
    results, started = [], time.monotonic()
    for name, seed in ORDER[options.first :: options.every]:
        known = (options.into / f"{name}-{seed}" / "result.json").is_file()
        if known or time.monotonic() - started < 60 * options.minutes:
            results.append(run(name, seed, options.pairs, options.rasters, options.into, options.base))
            print(f"{name}, seed {seed}: {results[-1]}", flush=True)
    text = table(results)
    print(text)
    if options.write:
        document = DOCUMENT.read_text(encoding="utf-8")
        before, after = document.partition(_START)[0], document.partition(_END)[2]
        write_text(DOCUMENT, f"{before}{_START}\n{text}\n\n{measure.machine()}.\n{_END}{after}")


if __name__ == "__main__":
    main()

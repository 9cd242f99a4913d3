"""What base colours are worth on land never seen: `python -m benchmarks.basemap FOLDER [--save MODEL]`.

FOLDER holds `planet/` and `earth/`. The model learns from Blue Marble, matched to Sentinel-2 cloudless on four regions;
two regions and three boxes on other continents, and one degree around each, are left out. Errors are mean absolute
differences in levels of 255: in the regions from Sentinel-2's colours smoothed to 16 km, in the boxes from the matched
Blue Marble.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.earth_climate import read_earth
from benchmarks.earth_colours import (
    FINE,
    EarthRelief,
    earth_features,
    fine_climate,
    read_blue_marble,
    read_climate,
    read_relief,
    read_smooth,
)  # fmt: skip
from terraform.basemap.features import Relief
from terraform.basemap.fitting import Box, Cells, cells_of, fit, outside
from terraform.basemap.matching import Matching, match_anchored
from terraform.basemap.model import save
from terraform.climate.model import simulate
from terraform.climate.monthly import MonthlyClimate
from terraform.config.basemap import BaseTraining
from terraform.config.climate import EARTH_CLIMATE
from terraform.planet.earth_colours import gathered
from terraform.planet.region_colours import RegionColours
from terraform.sources.raster.planet import darkest

Array = NDArray[np.float32]
Levels = NDArray[np.uint8]
Predict = Callable[[Array], Array]

LEARNT = ("cali", "nepal", "andes", "tanzania")
JUDGED = ("italy", "nw")
BOXES: dict[str, Box] = {
    "Australia": (130, -40, 154, -15),
    "southern Africa": (12, -35, 36, -15),
    "central and east Asia": (90, 25, 122, 47),
}
MONTHS = (1, 4, 7, 8, 10)
DARKEST_OF = (4, 7, 8)
"""Months of the composite: of all that were tried, the nearest to Sentinel-2 on the regions learnt from."""
_REGIONS_SHARE = 0.05
_MONTHS_SHARE = 0.3
_PICKED = 0.25


class Earth(NamedTuple):
    """Its ground, the regions, and Blue Marble matched: by month, and the composite; (H, W, 3), 0 to 1."""

    ground: EarthRelief
    regions: dict[str, RegionColours]
    months: dict[int, Array]
    composite: Array
    matching: Matching


def read_all(folder: Path) -> Earth:
    """Read Earth and match its colours on the regions learnt from."""
    ground = read_relief(folder)
    regions = {name: read_smooth(folder, name) for name in LEARNT + JUDGED}
    months = {month: read_blue_marble(folder, month) for month in MONTHS}
    _compare_mixtures(months, ground, regions)
    composite = _darkest(months, DARKEST_OF)
    matching = _matched(composite, ground, regions)
    print(f"\nmatching: {255 * matching.before:.1f} levels before, {255 * matching.after:.1f} after\n")
    matched = {month: matching(_share(colours)) for month, colours in months.items()}
    return Earth(ground, regions, matched, matching(composite), matching)


def judged(predict: Predict, seen: Array, earth: Earth) -> list[float]:
    """Errors in the two regions and the three boxes, levels of 255; `seen` (H, W, F) is what the predictor sees."""
    errors = []
    for name in JUDGED:
        region, good = earth.regions[name], _good(earth, name)
        drawn = predict(seen[region.rows, region.columns][good])
        errors.append(255 * float(np.abs(drawn - region.colours[good]).mean()))
    for box in BOXES.values():
        inside = earth.ground.land & ~outside(FINE, [box], margin_deg=0)
        area = np.broadcast_to(FINE.area_weight, FINE.shape)[inside]
        difference = np.abs(predict(seen[inside]) - earth.composite[inside]).mean(axis=1)
        errors.append(255 * float(np.average(difference, weights=area)))
    return errors


def left_out(earth: Earth) -> NDArray[np.bool_]:
    """Land that may be learnt from when errors are reported."""
    return earth.ground.land & outside(FINE, [*(earth.regions[name].box for name in JUDGED), *BOXES.values()])


def region_cells(seen: Array, earth: Earth) -> Cells:
    """Cells of the regions learnt from, with Sentinel-2's own smooth colours."""
    parts = []
    for name in LEARNT:
        region, good = earth.regions[name], _good(earth, name)
        features = seen[region.rows, region.columns][good]
        parts.append(Cells(features, region.colours[good], np.ones(len(features), np.float32)))
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total.scaled_to(_REGIONS_SHARE)


def modelled_climate(folder: Path, relief: Relief) -> MonthlyClimate:
    """Earth's simulated climate on the relief at 1/12 degree."""
    earth = read_earth(folder / "planet", 2.0)
    made = simulate(earth.elevation_m, earth.sea, earth.grid, EARTH_CLIMATE)
    coarse = FINE.coarsened(relief.height_m, earth.grid)
    return made.downscaled(earth.grid, coarse, FINE, relief.height_m, EARTH_CLIMATE.lapse_rate_k_per_km)


def main(words: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="where to write a model that learnt from all land and months")
    parser.add_argument("--climate", choices=("observed", "modelled"), default="observed", help="what that model sees")
    given = parser.parse_args(words)
    earth, settings = read_all(given.folder), BaseTraining()
    _header()
    _straw_men(earth, settings, given.seed)
    observed = fine_climate(read_climate(given.folder), earth.ground.relief)
    modelled = modelled_climate(given.folder, earth.ground.relief)
    _climates(earth, observed, modelled, settings, given.seed)
    if given.save:
        chosen = observed if given.climate == "observed" else modelled
        save(given.save, fit(_all_cells(chosen, earth), settings, given.seed))
    return 0


def _climates(
    earth: Earth, observed: MonthlyClimate, modelled: MonthlyClimate, settings: BaseTraining, seed: int
) -> None:
    """Learn from the observed, the modelled and both climates; judge with both."""
    seen = earth_features(observed, earth.ground.relief, 0)
    simulated = earth_features(modelled, earth.ground.relief, 0)
    use = left_out(earth)
    of = {
        name: cells_of(features, earth.composite, use, FINE) + region_cells(features, earth)
        for name, features in (("observed", seen), ("modelled", simulated))
    }
    of["both"] = of["observed"] + of["modelled"]
    for name, cells in of.items():
        began = time.process_time()
        model = fit(cells, settings, seed)
        spent = time.process_time() - began
        for judge, features in (("observed", seen), ("modelled", simulated)):
            errors = judged(model.colours, features, earth)
            _row(f"learnt with {name}, drawn with {judge} climate ({spent:.0f} CPU s)", errors)


def _straw_men(earth: Earth, settings: BaseTraining, seed: int) -> None:
    use = left_out(earth)
    latitude = np.broadcast_to(FINE.latitude_deg[:, None] / 90, FINE.shape)
    height = np.log10(earth.ground.relief.height_m + 30) - 2.5
    seen = np.stack([height, latitude, np.abs(latitude)], axis=-1).astype(np.float32)
    cells = cells_of(seen, earth.composite, use, FINE)
    mean = np.average(cells.colours, axis=0, weights=cells.weight).astype(np.float32)
    _row("one colour", judged(lambda x: np.broadcast_to(mean, (len(x), 3)), seen, earth))
    _row("height and latitude", judged(fit(cells, settings, seed).colours, seen, earth))
    _row("Blue Marble itself, matched (the ceiling)", judged(lambda x: x, earth.composite, earth))


def _all_cells(climate: MonthlyClimate, earth: Earth) -> Cells:
    picked = earth.ground.land & (np.random.default_rng(0).random(FINE.shape) < _PICKED)
    seen = earth_features(climate, earth.ground.relief, 0)
    cells = cells_of(seen, earth.composite, picked, FINE) + region_cells(seen, earth)
    for month, colours in earth.months.items():
        seen = earth_features(climate, earth.ground.relief, month)
        cells = cells + cells_of(seen, colours, picked, FINE).scaled_to(_MONTHS_SHARE)
    return cells


def _compare_mixtures(months: dict[int, Levels], ground: EarthRelief, regions: dict[str, RegionColours]) -> None:
    print("| darkest of months | before, levels | matched |\n|---|---|---|")
    for chosen in ((1,), (4,), (7,), (8,), (10,), (7, 8), (7, 8, 10), DARKEST_OF, (4, 7, 8, 10), MONTHS):
        found = _matched(_darkest(months, chosen), ground, regions)
        print(f"| {', '.join(map(str, chosen))} | {255 * found.before:.1f} | {255 * found.after:.1f} |")


def _darkest(months: dict[int, Levels], chosen: Sequence[int]) -> Array:
    return _share(darkest([months[month] for month in chosen]))


def _share(levels: Levels) -> Array:
    return np.asarray(levels / np.float32(255), np.float32)


def _matched(colours: Array, ground: EarthRelief, regions: dict[str, RegionColours]) -> Matching:
    """Match to Sentinel-2 on the regions learnt from."""
    known = gathered([regions[name] for name in LEARNT], ground.land, FINE)
    return match_anchored(colours[known.good], known.colours[known.good])


def _good(earth: Earth, name: str) -> NDArray[np.bool_]:
    region = earth.regions[name]
    return np.asarray(region.good & earth.ground.land[region.rows, region.columns])


def _header() -> None:
    print("| | " + " | ".join((*JUDGED, *BOXES)) + " |")
    print("|---" * (1 + len(JUDGED) + len(BOXES)) + "|")


def _row(name: str, errors: list[float]) -> None:
    print(f"| {name} | " + " | ".join(f"{error:.1f}" for error in errors) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())

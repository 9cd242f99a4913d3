"""Skill of the simulated climate on Earth: `python -m benchmarks.climate FOLDER [--fit]`.

FOLDER holds `earth_{elevation,temperature,precipitation,koeppen}.tif`. Constants are fitted on two thirds of the
longitudes (sectors of 40 degrees) and judged on the rest.
"""

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.earth_climate import held_out, read_earth
from benchmarks.fitting import Knob, fit, residuals, value_of
from terraform.climate.model import simulate
from terraform.climate.skill import Skill, skill
from terraform.config.climate import EARTH_CLIMATE, ClimateModel

_STEPS = {
    "mean_temperature_c": 5.0,
    "energy.absorbed_poles": 0.1,
    "energy.land_warmer_k": 5.0,
    "energy.land_colder_poles_k": 5.0,
    "energy.ice_c": 5.0,
    "energy.snow_c": 5.0,
    "wind.belts_growth": 0.5,
    "wind.belts_season": 0.5,
    "moisture.heat": 0.5,
    "moisture.unstable": 0.1,
}
_FIXED = {
    "energy.absorbed", "wind.heated_reach_m", "wind.widest_cell_deg", "wetness", "shoreline_m", "gravity_m_s2",
    "cells_per_degree",
}  # fmt: skip


def knobs_of(settings: ClimateModel) -> list[Knob]:
    """Choose the constants that are fitted: all but the body's own and the knobs."""
    names = ["mean_temperature_c", "lapse_per_gravity"]
    for section in ("energy", "sea", "wind", "moisture"):
        names += [f"{section}.{field}" for field in type(getattr(settings, section)).model_fields]
    return [Knob(name, _STEPS.get(name, 0.0)) for name in names if name not in _FIXED]


def report(settings: ClimateModel, folder: Path, cells_per_degree: float) -> list[tuple[str, Skill]]:
    """Simulate Earth, print the table of skill, and what it cost."""
    earth = read_earth(folder, cells_per_degree)
    began = time.process_time()
    made = simulate(earth.elevation_m, earth.sea, earth.grid, settings)
    spent = time.process_time() - began
    apart = held_out(earth.grid)
    rows = {"fitted": ~earth.sea & ~apart, "held out": ~earth.sea & apart, "all land": ~earth.sea}
    table = [(name, skill(made, earth.climate, where, earth.grid, earth.classes)) for name, where in rows.items()]
    print("| longitudes | T year, K | T JJA | T DJF | r log P year | JJA | DJF | log10 bias | Koeppen |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, found in table:
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in found) + " |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"\n{spent:.1f} CPU seconds for {earth.grid.shape}, peak of this process {peak:.2f} GB", flush=True)
    return table


def main(words: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fit", type=int, default=0, metavar="ROUNDS")
    parser.add_argument("--cells-per-degree", type=float, default=2.0)
    parser.add_argument("--start", type=Path, help="JSON of constants to begin with")
    parser.add_argument("--expected", type=Path, help="JSON of constants that the fit is drawn to")
    parser.add_argument("--save", type=Path, help="where to write the fitted constants as JSON")
    given = parser.parse_args(words)
    settings = EARTH_CLIMATE
    if given.start:
        settings = ClimateModel.model_validate_json(given.start.read_text())
    if given.fit:
        settings = _fitted(settings, given.expected, given.folder, given.fit)
        if given.save:
            given.save.write_text(settings.model_dump_json(indent=1))
        for knob in knobs_of(settings):
            print(f"{knob.name:32s} {value_of(settings, knob.name):.4g}")
    report(settings, given.folder, given.cells_per_degree)
    return 0


def _fitted(settings: ClimateModel, expected: Path | None, folder: Path, rounds: int) -> ClimateModel:
    earth = read_earth(folder, 1.0)
    where = np.broadcast_to(~held_out(earth.grid), earth.grid.shape)
    return fit(
        settings,
        ClimateModel.model_validate_json(expected.read_text()) if expected else EARTH_CLIMATE,
        knobs_of(settings),
        lambda s: residuals(s, earth, where),
        rounds,
        lambda t: print(t, flush=True),
    )


if __name__ == "__main__":
    sys.exit(main())

"""Which scale of temperature snow and forest follow: `python -m benchmarks.snow_lines PAIRS`.

In tiles that hold ground below freezing, the correlation of the imagery's brightness with the year's mean temperature
at the pixel's own height, after each has lost its mean over the tile: base colours know that mean. Pairs need the
temperature of their places (`python -m terraform add-temperature`).
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terraform.geo.heights import SEA, VOID
from terraform.pairs.store import Pairs, open_pairs

_STEP_PX = 8
_SCALES_C = (3, 4, 5, 6, 8, 12, 20)
Field = NDArray[np.float64]


def fields(pairs: Pairs) -> tuple[Field, Field]:
    """Read temperature at the pixels, degrees Celsius, and brightness, levels, of every eighth pixel: (N, 32, 32)."""
    inner, margin, cell = pairs.spec.inner, pairs.spec.BASE_MARGIN_CELLS, pairs.spec.BASE_CELL_PX // _STEP_PX
    warmth, light = [], []
    assert pairs.temperature is not None
    for number in range(len(pairs)):
        stored = pairs.elevation[number][inner, inner][::_STEP_PX, ::_STEP_PX]
        metres = np.where((stored == SEA) | (stored == VOID), 0, stored)
        shoreline = pairs.temperature[number][margin:-margin, margin:-margin].repeat(cell, 0).repeat(cell, 1)
        warmth.append(shoreline - pairs.lapse_rate_k_per_km * metres / 1000)
        light.append(pairs.imagery[number][::_STEP_PX, ::_STEP_PX].mean(axis=-1))
    return np.array(warmth, np.float64), np.array(light, np.float64)


def correlation(one: Field, other: Field) -> float:
    """Correlate what differs from the tile's mean."""
    inside = [(part - part.mean(axis=(1, 2), keepdims=True)).ravel() for part in (one, other)]
    return float(np.corrcoef(*inside)[0, 1])


def main() -> None:
    """Print a row for every region that has frost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path, help="Folder of the regions' pairs.")
    print("| region | tiles | T |", " | ".join(f"tanh(T / {scale})" for scale in _SCALES_C), "|")
    for folder in sorted(path.parent for path in parser.parse_args().pairs.glob("*/temperature.npy")):
        warmth, light = fields(open_pairs(folder, climate=True))
        frost = warmth.min(axis=(1, 2)) < 0
        if frost.sum() < 5:
            continue
        laws = [warmth, *(np.tanh(warmth / scale) for scale in _SCALES_C)]
        found = " | ".join(f"{correlation(light[frost], law[frost]):.2f}" for law in laws)
        print(f"| {folder.name} | {frost.sum()} | {found} |", flush=True)


if __name__ == "__main__":
    main()

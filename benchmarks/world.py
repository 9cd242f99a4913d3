"""Pairs to measure on: as many as wanted, written as `cut` writes them, of no meaning."""

from pathlib import Path

import numpy as np

from terraform import provenance
from terraform.geo.tile_spec import TileSpec
from terraform.pairs.store import LAPSE_RATE, TILE, save_array
from terraform.provenance import Credit, Provenance


def make_pairs(folder: Path, count: int, seed: int = 0) -> Path:
    """Write `count` pairs of smooth relief and rough colours into a folder."""
    draw = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    coarse = draw.integers(0, 3000, (count, 24, 24)).astype(np.float32)
    save_array(folder / "elevation.npy", coarse.repeat(16, 1).repeat(16, 2).astype(np.int16))
    save_array(folder / "imagery.npy", draw.integers(1, 255, (count, 256, 256, 3), np.uint8))
    save_array(folder / "base.npy", draw.integers(60, 180, (count, *TileSpec().base_shape), np.uint8))
    save_array(folder / "temperature.npy", draw.uniform(0, 25, (count, *TileSpec().base_shape[1:3])).astype(np.float32))
    tiles = [(0, i, 0, 0, 10.25, seed + i / 2, 10.0, seed + i / 2 + 0.5, 10.5) for i in range(count)]
    save_array(folder / "tiles.npy", np.array(tiles, TILE))
    climate = Provenance((Credit("sample", "CC0-1.0", "a climate", True),), {LAPSE_RATE: 5.0})
    provenance.write(climate, folder / "temperature.json")
    made = Provenance((Credit("sample", "CC0-1.0", "synthetic", True),), {"body": "earth", "fingerprint": folder.name})
    provenance.write(made, folder / "provenance.json")
    return folder

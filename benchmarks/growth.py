"""Memory and time as pairs grow: 1,000, 10,000 and 100,000 pairs, simulated by files that are mostly holes."""

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import report
from benchmarks.world import make_pairs
from terraform.geo.tile_spec import TileSpec
from terraform.learn.data.dataset import collect
from terraform.learn.data.sampling import sample_indices
from terraform.pairs.store import TILE, save_array

_SIZES = (1_000, 10_000, 100_000)
_READ = 200


def grow(folder: Path, count: int) -> None:
    """Make a folder of pairs as large as `count` pairs are; what was not written reads as zeros and takes no disk."""
    stacks = (
        ("elevation", (384, 384), np.int16),
        ("imagery", (256, 256, 3), np.uint8),
        ("base", TileSpec().base_shape, np.uint8),
    )
    for name, shape, kind in stacks:
        (folder / f"{name}.npy").unlink()
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, (count, *shape)).flush()
    tiles = np.zeros(count, TILE)
    tiles["west"], tiles["north"] = np.arange(count) / 2, 10.5
    tiles["east"], tiles["south"] = tiles["west"] + 0.5, 10.0
    save_array(folder / "tiles.npy", tiles)


def measured(folder: Path) -> tuple[float, float, float]:
    """Seconds to open, seconds to read a pair in the order of training, memory of the process in MB at its peak."""
    started = time.process_time()
    collection = collect([folder])
    opened = time.process_time() - started
    started = time.process_time()
    for image in range(0, _READ, 4):
        collection.read(sample_indices(0, image, 4, len(collection)))
    each = (time.process_time() - started) / _READ
    return opened, each, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(sizes: tuple[int, ...] = _SIZES) -> None:
    """Time to read a pair among the last but one size, over that among the last: 1 is flat.

    Among the fewest, pairs come in part from what the system reads ahead of others.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_pairs(Path(scratch) / "pairs", 4)
        results = {}
        for count in sizes:
            grow(folder, count)
            results[count] = measured(folder)
    more = {
        "open_s": {str(count): opened for count, (opened, _, _) in results.items()},
        "read_ms": {str(count): each * 1e3 for count, (_, each, _) in results.items()},
        "peak_mb": {str(count): peak for count, (_, _, peak) in results.items()},
    }
    fewest, most = results[sizes[-2]][1], results[sizes[-1]][1]
    report(f"reading a pair of {sizes[-2]:,} against one of {sizes[-1]:,}", fewest / most, 0.8, **more)


if __name__ == "__main__":
    main()

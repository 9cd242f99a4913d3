"""A whole band of the embedded Mars at 200 m: windows of two sizes, windows from elsewhere, and its antimeridian."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import cpu_seconds
from benchmarks.seams import Score, drawn_by, embedded, say, score, settings
from terraform.geo import raster
from terraform.geo.bodies import MARS
from terraform.learn import weights
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic import inputs
from terraform.mosaic.bands import HIGHEST_ROWS, Band, GlobalGrid, strips
from terraform.mosaic.terrain import BandTerrain
from terraform.mosaic.windows import plan

ANY_OFFSET_PX = (37, 4001)
Planes = NDArray[np.uint8]


def whole_band(trained: TrainedGenerator, number: int, height: int, folder: Path) -> list[Score]:
    """Draw a band's uppermost rows, all round, in 512 and 1,024 px windows, and a part of them from another place."""
    globe = GlobalGrid(MARS.radius_m)
    band = strips(globe, trained.stride)[number]
    if not isinstance(band, Band):
        raise SystemExit(f"strip {number} is no band")
    north, south = (90 - globe.pixel_deg * row for row in (band.first, band.last))
    _, elevation = embedded("band", (-180.0, south, 180.0, north), folder)
    rows, columns = (band.first, min(band.last, band.first + height)), (0, band.columns)
    with raster.opened(elevation) as dataset:
        source = inputs.elevation_raster(dataset, MARS)
        drawn = {}
        for window_px in (1024, 512):
            chosen = settings(window_px)
            relief = inputs.elevation_model(source.with_row_cache(), MARS, chosen)
            before = cpu_seconds()
            drawn[window_px] = drawn_by(
                trained, BandTerrain(relief, band), rows, columns, chosen, folder / f"{window_px}.bytes"
            )
            print(f"band of {band.columns} x {rows[1] - rows[0]} px, windows of {window_px}: "
                  f"{cpu_seconds() - before:.0f} CPU seconds", flush=True)  # fmt: skip
        down, right = ANY_OFFSET_PX
        part = (rows[0] + down, min(rows[1], rows[0] + down + 500)), (right, right + 3000)
        relief = inputs.elevation_model(source, MARS, settings(512))
        moved = drawn_by(trained, BandTerrain(relief, band), *part, settings(512), folder / "part.bytes")
        heights = BandTerrain(relief, band).patch((rows[0] + 64, rows[0] + 128), columns).metres[None]
    small, large = (drawn[size].read(rows, columns) for size in (512, 1024))
    same = large[:, down : part[0][1] - rows[0], right : right + 3000]
    windows, turn = plan(rows, columns, 512, trained.halo_px, trained.stride), band.columns // 2
    across = [first for first, _ in windows.columns]
    below = [first - rows[0] for first, _ in windows.rows]
    found = [
        Score("512 against 1,024 px windows, most levels of 255", _levels(small, large)),
        Score(f"windows from {part[0][0]}, {part[1][0]} on, most levels of 255", _levels(moved.read(*part), same)),
        Score("standard deviation of the picture, levels", float(large[:3, ::3, ::3].std())),
        Score("windows, left and right", *(score(part, across, trained.stride, 2) for part in (small[:3], heights))),
        Score(
            "antimeridian of the band",
            *(score(np.roll(part, turn, 2), [turn], trained.stride, 2, 200) for part in (small[:3], heights)),
        ),
    ]
    if len(below) > 1:
        found.append(Score("windows, above and below", score(small[:3], below, trained.stride, 1)))
    return found


def _levels(a: Planes, b: Planes) -> int:
    return int(max(np.abs(x.astype(np.int16) - y).max() for x, y in zip(a, b, strict=True)))


def main(path: Path, height: int = HIGHEST_ROWS, number: int = 4) -> None:
    """Print the scores of a band of the embedded Mars: all of it, or its uppermost rows."""
    with TemporaryDirectory() as name:
        say(whole_band(weights.load(path), number, height, Path(name)))

"""Windows of a polar cap on relief of 463 m: the crater Korolev."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.seams import Score, drawn_by, embedded, say, score, settings
from terraform.geo import raster
from terraform.geo.bodies import MARS
from terraform.learn import weights
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic import inputs
from terraform.mosaic.bands import Cap, GlobalGrid, strips
from terraform.mosaic.terrain import CapTerrain
from terraform.mosaic.windows import plan

PLACE = (161.3, 70.2, 168.8, 74.3)
"""West, south, east, north, degrees."""
SIDE_PX = 320
"""Of a square round the crater, 64 km, as much as the relief covers."""

SMALL_PX = 320
"""Side of windows that draw 96 px each way: many borders in a small place."""


def crater(trained: TrainedGenerator, relief: Path, folder: Path) -> list[Score]:
    """Draw a square of the northern cap in small and in large windows."""
    cap = strips(GlobalGrid(MARS.radius_m), trained.stride)[0]
    assert isinstance(cap, Cap)
    west, south, east, north = PLACE
    x, y = cap.to_pixels(np.array([(west + east) / 2]), np.array([(south + north) / 2]))
    columns, rows = ((int(middle[0]) - SIDE_PX // 2, int(middle[0]) + SIDE_PX // 2) for middle in (x, y))
    _, elevation = embedded("korolev", PLACE, folder, relief)
    with raster.opened(elevation) as dataset:
        source, chosen = inputs.elevation_raster(dataset, MARS), settings(SMALL_PX)
        terrain = CapTerrain(inputs.elevation_model(source, MARS, chosen), cap, ((west, east), (south, north)))
        small, large = (
            drawn_by(trained, terrain, rows, columns, settings(side), folder / f"{side}.bytes").read(rows, columns)
            for side in (SMALL_PX, 1024)
        )
        heights = terrain.patch(rows, columns).metres[None]
    windows = plan(rows, columns, SMALL_PX, trained.halo_px, trained.stride)
    across, below = ([first for first, _ in spans] for spans in (windows.columns, windows.rows))
    return [
        Score("pixels without relief", float(small[3].sum())),
        Score(
            f"{SMALL_PX} against 1,024 px windows, most levels of 255",
            float(np.abs(small.astype(np.int16) - large).max()),
        ),
        Score("standard deviation of the picture, levels", float(small[:3].std())),
        Score(
            "windows, left and right",
            *(score(part, [k - columns[0] for k in across], trained.stride, 2) for part in (small[:3], heights)),
        ),
        Score(
            "windows, above and below",
            *(score(part, [k - rows[0] for k in below], trained.stride, 1) for part in (small[:3], heights)),
        ),
    ]


def main(path: Path, relief: Path) -> None:
    """Print the scores."""
    with TemporaryDirectory() as name:
        say(crater(weights.load(path), relief, Path(name)))

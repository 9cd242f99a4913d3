"""Seams: what a border's step is measured by, and the same of photographs, which have none.

A border's score is the mean step between the pixels on its two sides over the mean step between neighbours elsewhere at
the same phase of the network's stride: 1 where nothing is to be seen.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from shapely.geometry import box

from terraform.config import Config, Mosaics, load
from terraform.geo.bodies import MARS
from terraform.geo.regions import Region
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.checkpoint import StripBuffer
from terraform.mosaic.inference import Predictor, draw
from terraform.mosaic.terrain import Span, Terrain
from terraform.sources.fetch import fetch


class Score(NamedTuple):
    """Steps across borders against steps elsewhere: of the picture and, where it has any, of the relief."""

    name: str
    value: float
    relief: float | None = None


def score(values: NDArray[Any], borders: Iterable[int], period: int, axis: int, near: int = 1 << 30) -> float:
    """Mean step across borders, over the mean step elsewhere at the same phase.

    Parameters
    ----------
    values : (C, H, W)
    borders : ints
        Border k lies between lines k - 1 and k.
    near : int
        Compare with lines at most that far from the first border only: one line of a landscape differs from the next
        province by more than a seam.
    """
    lines = np.moveaxis(values, axis, -1)
    chosen = np.array([k for k in borders if 0 < k < lines.shape[-1]])
    phases = np.unique(chosen % period)
    every = np.arange(1, lines.shape[-1])
    others = every[np.isin(every % period, phases) & ~np.isin(every, chosen) & (np.abs(every - chosen[0]) <= near)]
    return step(lines, chosen) / max(step(lines, others), 1e-9)


def step(lines: NDArray[Any], borders: NDArray[np.int64]) -> float:
    """Compute the mean absolute step between the columns on both sides of borders, in the lines' unit."""
    parts = np.array_split(borders, max(1, len(borders) // 256))
    sums = [np.abs(lines[..., k].astype(np.float32) - lines[..., k - 1]).sum(dtype=np.float64) for k in parts]
    return float(np.sum(sums)) / max(1, len(borders) * lines[..., 0].size)


def fine_power(picture: NDArray[Any], fade: range) -> float:
    """Power of steps along the rows of a cross-fade over that of the rows above and below."""
    inside, above, below = (
        fine_power_of(picture[:, first:last])
        for first, last in ((fade[0], fade[-1]), (fade[0] - len(fade), fade[0]), (fade[-1], fade[-1] + len(fade)))
    )
    return inside / ((above + below) / 2)


def fine_power_of(picture: NDArray[Any]) -> float:
    """Compute the mean square of steps along the rows of a picture, (P, h, w)."""
    return float(np.square(np.diff(picture.astype(np.float32), axis=2)).mean())


def drawn_by(
    trained: TrainedGenerator, terrain: Terrain, rows: Span, columns: Span, settings: Mosaics, path: Path
) -> StripBuffer:
    """Draw a part of a strip into a file."""
    canvas = StripBuffer(rows, columns, path)
    canvas.create()
    for block in draw(Predictor(trained, settings), terrain, rows, columns):
        canvas.write(block)
    return canvas


def embedded(name: str, bounds: tuple[float, float, float, float], folder: Path,
             relief: Path | None = None) -> tuple[Region, Path]:  # fmt: skip
    """Make a region of Mars and its relief: the embedded one at 200 m, or a raster's."""
    region = Region(name, MARS, "mosaic", name, box(*bounds))
    path = folder / f"{name}.tif"
    files = {"source": "files", "path": str(relief), "licence": "LicenseRef-Public-Domain", "attribution": "MOLA"}
    sources = {} if relief is None else {"mars": {"elevation": files}}
    fetch(Config.model_validate({"sources": sources}), region, "elevation", path)
    return region, path


def settings(window_px: int) -> Mosaics:
    """As config.yaml draws Mars, on the processor."""
    return load(Path("config.yaml")).mosaics.model_copy(update={"window_px": window_px, "device": "cpu"})


def imagery(path: Path) -> list[Score]:
    """Score a photograph, which has no seams, where borders would lie."""
    with rasterio.open(path) as dataset:
        picture = dataset.read()
    fade, blocks = range(picture.shape[1] // 2 - 32, picture.shape[1] // 2 + 33), range(512, picture.shape[2], 512)
    return [
        Score(f"{path.parent.name}: rows as of a cross-fade", score(picture, fade, 1, 1, 160)),
        Score(f"{path.parent.name}: fine power of these rows", fine_power(picture, fade)),
        Score(f"{path.parent.name}: blocks of 512", score(picture, blocks, 16, 2)),
        Score(f"{path.parent.name}: standard deviation, levels", float(picture[:, ::3, ::3].std())),
    ]


def main(paths: Sequence[str]) -> None:
    """Print the scores of photographs."""
    for path in paths:
        say(imagery(Path(path)))


def say(scores: Iterable[Score]) -> None:
    """Print scores, that of the relief beside."""
    for found in scores:
        relief = "" if found.relief is None else f" (relief {found.relief:.3f})"
        print(f"{found.name}: {found.value:.3f}{relief}", flush=True)

"""Seams, and what windows change: a whole band of the embedded Mars at 200 m, and regions across every other border.

A border's score is the mean step between the pixels on its two sides over the mean step between neighbours elsewhere at
the same phase of the network's stride: 1 where nothing is to be seen.
"""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from shapely.geometry import box

from benchmarks.measure import cpu_seconds
from terraform.config import Config, Elevation, Mosaics
from terraform.geo import raster
from terraform.geo.bodies import MARS
from terraform.geo.regions import Region
from terraform.learn import weights
from terraform.learn.weights import Trained
from terraform.mars import mosaic
from terraform.mars.bands import Band, Globe, strips
from terraform.mars.canvas import Canvas
from terraform.mars.elevation import rows_kept
from terraform.mars.generate import Artist, draw, plan
from terraform.mars.terrain import BandTerrain
from terraform.sources.fetch import fetch

SEA_M = -4500.0
ANY_OFFSET_PX = (137, 4001)
Planes = NDArray[np.uint8]


class Score(NamedTuple):
    """Steps across borders against steps elsewhere."""

    name: str
    value: float


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
    return _step(lines, chosen) / max(_step(lines, others), 1e-9)


def _step(lines: NDArray[Any], borders: NDArray[np.int64]) -> float:
    parts = np.array_split(borders, max(1, len(borders) // 256))
    sums = [np.abs(lines[..., k].astype(np.float32) - lines[..., k - 1]).sum(dtype=np.float64) for k in parts]
    return float(np.sum(sums)) / max(1, len(borders) * lines[..., 0].size)


def embedded(name: str, bounds: tuple[float, float, float, float], folder: Path) -> tuple[Region, Path]:
    """A region of the embedded Mars and its relief at 200 m."""
    region = Region(name, MARS, "mosaic", name, box(*bounds))
    path = folder / f"{name}.tif"
    fetch(Config(), region, "elevation", path)
    return region, path


def whole_band(trained: Trained, number: int, folder: Path) -> list[Score]:
    """A whole band in 512 and in 1,024 px windows, and a part of it from another place."""
    globe = Globe(MARS.radius_m)
    band = strips(globe, trained.stride)[number]
    if not isinstance(band, Band):
        raise SystemExit(f"strip {number} is no band")
    north, south = (90 - globe.pixel_deg * row for row in (band.first, band.last))
    _, elevation = embedded("band", (-180.0, south, 180.0, north), folder)
    rows, columns = (band.first, band.last), (0, band.columns)
    with raster.opened(elevation) as dataset:
        source = mosaic.source_of(dataset, MARS)
        drawn = {}
        for window_px in (1024, 512):
            settings = _settings(window_px)
            relief = mosaic.relief_of(rows_kept(source), MARS, settings)
            before = cpu_seconds()
            drawn[window_px] = _drawn(
                trained, BandTerrain(relief, band), rows, columns, settings, folder / f"{window_px}.bytes"
            )
            print(f"band of {band.columns} x {rows[1] - rows[0]} px, windows of {window_px}: "
                  f"{cpu_seconds() - before:.0f} CPU seconds", flush=True)  # fmt: skip
        down, right = ANY_OFFSET_PX
        part = (rows[0] + down, rows[0] + down + 500), (right, right + 3000)
        relief = mosaic.relief_of(source, MARS, _settings(512))
        moved = _drawn(trained, BandTerrain(relief, band), *part, _settings(512), folder / "part.bytes")
        heights = BandTerrain(relief, band).patch((rows[0] + 200, rows[0] + 264), columns).metres[None]
    small, large = (drawn[size].read(rows, columns) for size in (512, 1024))
    same = large[:, down : down + 500, right : right + 3000]
    windows, turn = plan(rows, columns, 512, trained.halo_px, trained.stride), band.columns // 2
    across = [first for first, _ in windows.columns]
    below = [first - rows[0] for first, _ in windows.rows]
    return [
        Score("512 against 1,024 px windows, most levels of 255", _levels(small, large)),
        Score(f"windows from {part[0][0]}, {part[1][0]} on, most levels of 255", _levels(moved.read(*part), same)),
        Score("standard deviation of the picture, levels", float(large[:3, ::3, ::3].std())),
        Score("windows, left and right", score(small[:3], across, trained.stride, 2)),
        Score("windows, left and right: relief", score(heights, across, trained.stride, 2)),
        Score("windows, above and below", score(small[:3], below, trained.stride, 1)),
        Score("antimeridian of the band", score(np.roll(small[:3], turn, 2), [turn], trained.stride, 2, 200)),
        Score("antimeridian of the band: relief", score(np.roll(heights, turn, 2), [turn], trained.stride, 2, 200)),
    ]


def _settings(window_px: int) -> Mosaics:
    return Mosaics(window_px=window_px, elevation=Elevation(shoreline_m=SEA_M), device="cpu")


def _drawn(trained: Trained, terrain: BandTerrain, rows: tuple[int, int], columns: tuple[int, int], settings: Mosaics,
           path: Path) -> Canvas:  # fmt: skip
    canvas = Canvas(rows, columns, path)
    canvas.blank()
    for block in draw(Artist(trained, settings), terrain, rows, columns):
        canvas.put(block)
    return canvas


def _levels(a: Planes, b: Planes) -> int:
    return int(max(np.abs(x.astype(np.int16) - y).max() for x, y in zip(a, b, strict=True)))


def borders(path: Path, folder: Path) -> list[Score]:
    """Mosaics across a border of bands, of a cap, across the antimeridian and the blocks of the file."""
    globe = Globe(MARS.radius_m)
    every = strips(globe, 16)
    scores = []
    for name, number, west in (("bands", 4, 10.0), ("cap", 0, 40.0), ("antimeridian", 6, 172.0)):
        row = every[number].bottom
        middle = 90 - globe.pixel_deg * row
        region, elevation = embedded(name, (west, middle - 2.5, west + 16, middle + 2.5), folder)
        mosaic.draw_region(path, elevation, region, folder / name, _settings(1280))
        with rasterio.open(folder / name / "terraformed.tif") as dataset:
            picture = dataset.read()
            at = round((90 - dataset.transform.f / MARS.metres_per_degree) / globe.pixel_deg)
            left = round((dataset.transform.c / MARS.metres_per_degree + 180) / globe.pixel_deg)
        fade = range(row - at - globe.fade, row - at + globe.fade + 1)
        blocks = range(512, picture.shape[2], 512)
        scores += [
            Score(f"{name}: rows of the cross-fade", score(picture, fade, 1, 1, 160)),
            Score(f"{name}: fine power in the cross-fade", _fine_power(picture, fade)),
            Score(f"{name}: blocks of the file", score(picture, blocks, 16, 2)),
        ]
        if name == "antimeridian":
            for band in (every[number], every[number + 1]):
                assert isinstance(band, Band)
                rows = max(0, band.top + globe.fade - at), min(picture.shape[1], band.bottom - globe.fade - at)
                scores.append(Score(name, _antimeridian(picture[:, slice(*rows)], band, left)))
    return scores


def _antimeridian(picture: Planes, band: Band, left: int, stride: int = 16) -> float:
    """The step there over that at columns near it that lie at the same phase of the stride in the band."""
    border = band.globe.columns - left
    every = np.arange(1, picture.shape[2])
    phase = ((every + left) * band.columns / band.globe.columns + stride / 2) % stride - stride / 2
    others = every[(np.abs(phase) < 0.15) & (np.abs(every - border) < 700) & (every != border)]
    return _step(picture, np.array([border])) / _step(picture, others)


def _fine_power(picture: Planes, fade: range) -> float:
    """Power of steps along the rows of a cross-fade over that of the rows above and below."""
    inside, above, below = (
        _power(picture[:, first:last])
        for first, last in ((fade[0], fade[-1]), (fade[0] - len(fade), fade[0]), (fade[-1], fade[-1] + len(fade)))
    )
    return inside / ((above + below) / 2)


def _power(picture: Planes) -> float:
    return float(np.square(np.diff(picture.astype(np.float32), axis=2)).mean())


def main(path: Path, number: int = 4) -> None:
    """Print all scores."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for found in [*borders(path, folder), *whole_band(weights.load(path), number, folder)]:
            print(f"{found.name}: {found.value:.3f}", flush=True)

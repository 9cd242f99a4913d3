"""Mosaics across every border: of bands, of the caps, of the file's blocks, and the antimeridian."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
from numpy.typing import NDArray

from benchmarks.seams import Score, embedded, fine_power, say, score, settings, step
from terraform.geo import raster
from terraform.geo.bodies import MARS
from terraform.mosaic import inputs
from terraform.mosaic.bands import Band, GlobalGrid, Strip, strips
from terraform.mosaic.region import render_region

PLACES = (("bands", 4, 10.0), ("cap", 0, 40.0), ("south", -2, 40.0), ("antimeridian", 6, 172.0))
"""Name, the strip whose lower border it lies on, and the western edge, degrees."""
Planes = NDArray[np.uint8]


def borders(path: Path, folder: Path, relief: Path | None = None) -> list[Score]:
    """Mosaics across a border of bands, of a cap, across the antimeridian and the blocks of the file."""
    every = strips(GlobalGrid(MARS.radius_m), 16)
    scores: list[Score] = []
    for name, number, west in PLACES:
        middle = 90 - every[number].globe.pixel_deg * every[number].bottom
        region, elevation = embedded(name, (west, middle - 2.5, west + 16, middle + 2.5), folder, relief)
        render_region(path, elevation, region, folder / name, settings(1280))
        drawn = Mosaic.opened(folder / name / "terraformed.tif", elevation)
        scores += _across(name, drawn, every[number])
        if name == "antimeridian":
            scores += [_antimeridian(drawn, band) for band in (every[number], every[number + 1])]
    return scores


@dataclass(frozen=True)
class Mosaic:
    """A drawn mosaic and the relief under its pixels.

    Attributes
    ----------
    picture : (3, H, W) uint8
    heights : (1, H, W) float32
        Metres.
    top, left : int
        Its first row and column on the planet-wide grid.
    """

    picture: Planes
    heights: NDArray[np.float32]
    top: int
    left: int

    @classmethod
    def opened(cls, path: Path, elevation: Path) -> "Mosaic":
        """Open a mosaic of Mars in the equirectangular CRS."""
        globe = GlobalGrid(MARS.radius_m)
        with rasterio.open(path) as dataset:
            picture, t = dataset.read(), dataset.transform
        north, west = t.f / MARS.metres_per_degree, t.c / MARS.metres_per_degree
        top, left = round((90 - north) / globe.pixel_deg), round((west + 180) / globe.pixel_deg)
        with raster.opened(elevation) as dataset:
            latitudes = globe.latitudes.part(top, top + picture.shape[1])
            longitudes = globe.longitudes.part(left, left + picture.shape[2])
            heights = inputs.elevation_raster(dataset, MARS).on_axes(latitudes, longitudes).metres[None]
        return cls(picture, heights, top, left)

    @property
    def planes(self) -> tuple[Planes, NDArray[np.float32]]:
        """Picture and relief."""
        return self.picture, self.heights


def _across(name: str, drawn: Mosaic, strip: Strip) -> Iterator[Score]:
    """Rows of the cross-fade below a strip, and the blocks of the file."""
    middle = strip.bottom - drawn.top
    fade = range(middle - strip.fade_below, middle + strip.fade_below + 1)
    blocks = range(512, drawn.picture.shape[2], 512)
    yield Score(f"{name}: rows of the cross-fade", *_rows(drawn, middle, strip.fade_below))
    yield from _other_parallels(name, drawn, middle, strip.fade_below)
    yield Score(f"{name}: fine power in the cross-fade", *(fine_power(part, fade) for part in drawn.planes))
    yield Score(f"{name}: blocks of the file", *(score(part, blocks, 16, 2) for part in drawn.planes))
    yield Score(f"{name}: standard deviation, levels", float(drawn.picture[:, ::3, ::3].std()))


def _rows(drawn: Mosaic, middle: int, half: int) -> tuple[float, float]:
    """Scores of picture and relief, of as many rows as a cross-fade has."""
    picture, relief = (score(part, range(middle - half, middle + half + 1), 1, 1, 160) for part in drawn.planes)
    return picture, relief


def _other_parallels(name: str, drawn: Mosaic, middle: int, half: int) -> Iterator[Score]:
    """Score rows far from the border, and what they let one expect of rows with a relief like the border's."""
    far = [row for row in range(230, drawn.picture.shape[1] - 230, 16) if abs(row - middle) >= 230]
    pictures, reliefs = np.array([_rows(drawn, row, half) for row in far]).T
    for percent in (5, 95):
        found = (float(np.percentile(scores, percent)) for scores in (pictures, reliefs))
        yield Score(f"{name}: {len(far)} other parallels, {percent} %", *found)
    slope, start = np.polyfit(np.log(reliefs), np.log(pictures), 1)
    own = _rows(drawn, middle, half)[1]
    yield Score(
        f"{name}: other parallels, with a relief as at the border", float(np.exp(start + slope * np.log(own))), own
    )


def _antimeridian(drawn: Mosaic, band: Strip, stride: int = 16) -> Score:
    """Compare the step there with that at columns near it that lie at the same phase of the stride in the band."""
    assert isinstance(band, Band)
    rows = slice(max(0, band.top + band.fade_above - drawn.top), max(0, band.bottom - band.fade_below - drawn.top))
    border = band.globe.columns - drawn.left
    every = np.arange(1, drawn.picture.shape[2])
    phase = ((every + drawn.left) * band.columns / band.globe.columns + stride / 2) % stride - stride / 2
    others = every[(np.abs(phase) < 0.15) & (np.abs(every - border) < 700) & (every != border)]
    found = [step(part[:, rows], np.array([border])) / step(part[:, rows], others) for part in drawn.planes]
    alone = [step(drawn.picture[:, rows], np.array([k])) for k in others]
    low, high = np.percentile(alone, [5, 95]) / np.mean(alone)
    return Score(f"antimeridian in the mosaic (other single columns {low:.3f} to {high:.3f})", *found)


def main(path: Path, relief: Path | None = None) -> None:
    """Print the scores of every other border, of the embedded Mars or on a raster of heights."""
    with TemporaryDirectory() as name:
        say(borders(path, Path(name), relief))

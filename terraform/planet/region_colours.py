"""Smooth colours of a region's own imagery at the cells of the planet grid: what base colours are matched to."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform import provenance
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import SEA, VOID
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.resample import Axis, Taps, gather
from terraform.provenance import Provenance, beside

FULL_WIDTH_M = 16_000.0
"""Full width at half maximum of the Gaussian, metres, as base colours of pairs have it."""

_SIGMAS_PER_WIDTH = 2.3548
_SAMPLE_M = 800.0
_MARGIN_DEG = 0.1
_LEAST_SHARE = 0.5


class RegionColours(NamedTuple):
    """A region's smooth colours of land.

    Attributes
    ----------
    rows, columns : slice
        Cells of the planet grid.
    colours : (h, w, 3) float32
        0 to 1.
    good : (h, w) bool
        Cells most of whose surroundings are land that the imagery shows.
    box : tuple of float
        West, south, east, north, degrees.
    """

    rows: slice
    columns: slice
    colours: NDArray[np.float32]
    good: NDArray[np.bool_]
    box: tuple[float, float, float, float]


def read_region(folder: Path, grid: PlanetGrid) -> tuple[RegionColours, list[Provenance]]:
    """Read a region's imagery and elevation, as `fetch` writes them, and smooth the colours of its land.

    Parameters
    ----------
    folder : Path
        Holds `imagery.tif` and `elevation.tif`, each with its provenance.
    grid : PlanetGrid
        At whose cells the colours are wanted.

    Raises
    ------
    InputError
        A file is missing or damaged, or of another body.
    """
    paths = [folder / "imagery.tif", folder / "elevation.tif"]
    (imagery, lies), (stored, heights) = (_raster(path, grid) for path in paths)
    land = (stored != SEA) & (stored != VOID)
    index = [_nearest(own, other) for own, other in ((heights.latitudes, lies.latitudes),
                                                     (heights.longitudes, lies.longitudes))]  # fmt: skip
    found = smooth_colours(imagery, land[np.ix_(*index)], lies, grid)
    return found, [provenance.read(beside(path)) for path in paths]


def smooth_colours(
    imagery: NDArray[np.uint8], land: NDArray[np.bool_], lies: RasterGrid, grid: PlanetGrid,
    full_width_m: float = FULL_WIDTH_M,
) -> RegionColours:  # fmt: skip
    """Smooth the colours of a region's land by a Gaussian, at the cells of the planet grid.

    Parameters
    ----------
    imagery : (H, W, 3) uint8
        Black is void.
    land : (H, W) bool
        Pixels of land.
    lies : RasterGrid
        Where both lie, degrees.
    grid : PlanetGrid
        At whose cells the colours are wanted.
    full_width_m : float
        Full width at half maximum, metres.
    """
    metres_per_degree = grid.body.metres_per_degree
    factor = max(1, int(_SAMPLE_M / (abs(lies.latitudes.step) * metres_per_degree)))
    use = land & imagery.any(axis=-1)
    latitudes, longitudes = (
        Axis(a.origin, a.step * factor, a.count // factor) for a in (lies.latitudes, lies.longitudes)
    )
    rows, columns = _inside(grid.latitude_deg, latitudes), _inside(grid.longitude_deg, longitudes)
    width_deg = full_width_m / _SIGMAS_PER_WIDTH / metres_per_degree
    middle = float(np.cos(np.radians(latitudes.centres().mean())))
    down = _gaussian(latitudes, grid.latitude_deg[rows], width_deg)
    along = _gaussian(longitudes, grid.longitude_deg[columns], width_deg / middle)
    share = gather(_blocks(use, factor), down, along)
    layers = [gather(_blocks(imagery[..., k] * use, factor), down, along) for k in range(3)]
    colours = np.stack(layers, axis=-1) / np.maximum(share, 1e-6)[..., None] / 255
    west, east = sorted((longitudes.origin, longitudes.end))
    south, north = sorted((latitudes.origin, latitudes.end))
    return RegionColours(
        rows, columns, np.asarray(colours, np.float32), share > _LEAST_SHARE, (west, south, east, north)
    )


def _raster(path: Path, grid: PlanetGrid) -> tuple[NDArray[Any], RasterGrid]:
    with raster.opened(path) as dataset:
        lies = raster.grid_of(dataset)
        if lies.body != grid.body:
            raise InputError(
                f"{path} is of {lies.body.name}, colours of {grid.body.name} are matched: name a region of it"
            )
        return raster.read(dataset), lies


def _nearest(source: Axis, target: Axis) -> NDArray[np.intp]:
    at = np.floor((target.centres() - source.origin) / source.step)
    return np.clip(at, 0, source.count - 1).astype(np.intp)


def _blocks(values: NDArray[np.generic], factor: int) -> NDArray[np.float32]:
    """Means of blocks of pixels, (H, W) -> (H / factor, W / factor) float32."""
    height, width = (size // factor for size in values.shape)
    blocks = values[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32), np.float32)


def _inside(centres: NDArray[np.float64], axis: Axis) -> slice:
    low, high = sorted((axis.origin, axis.end))
    within = np.flatnonzero((centres > low + _MARGIN_DEG) & (centres < high - _MARGIN_DEG))
    return slice(int(within[0]), int(within[-1]) + 1)


def _gaussian(axis: Axis, centres: NDArray[np.float64], width: float) -> Taps:
    at = (centres - axis.origin) / axis.step - 0.5
    sigma = abs(width / axis.step)
    offsets = np.arange(-int(3 * sigma), int(3 * sigma) + 1)
    index = np.round(at).astype(np.int64)[:, None] + offsets
    weight = np.exp(-(((index - at[:, None]) / sigma) ** 2) / 2)
    weight /= weight.sum(axis=1, keepdims=True)
    weight = np.where((index >= 0) & (index < axis.count), weight, 0)
    return Taps(np.clip(index, 0, axis.count - 1), weight.astype(np.float32))

"""Tiles of a mosaic and of the relief below it, sampled on the ground as pairs are cut."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from rasterio.windows import Window
from torch import Tensor

from terraform.evaluation.judges.learning import Lesson
from terraform.geo import raster
from terraform.geo.bodies import Body
from terraform.geo.crs import degrees_crs, transformer
from terraform.geo.heights import SEA, VOID
from terraform.geo.tile_spec import TileSpec

_MOST_VOID, _MOST_SEA = 0.01, 0.8
_LEAST = 2
_BLOCK_TILES = 3
_MOST_TRIES = 8

Doubles = NDArray[np.float64]


class Mosaic(NamedTuple):
    """A drawn region.

    Attributes
    ----------
    region : str
    picture : Path
        `terraformed.tif`.
    elevation : Path
        The heights that it was drawn from.
    """

    region: str
    picture: Path
    elevation: Path


class MarsTiles(NamedTuple):
    """Tiles of mosaics.

    Attributes
    ----------
    tiles : Lesson
        Pictures, heights above the shoreline and land.
    places : (N, 2) float64
        Longitude and latitude of the tiles' middles, degrees.
    blocks : (N,) int64
        Group of neighbours that each belongs to.
    """

    tiles: Lesson
    places: Doubles
    blocks: NDArray[np.int64]


def sample(
    mosaics: Sequence[Mosaic], shoreline_m: float | None, spec: TileSpec, most: int, seed: int
) -> MarsTiles | None:
    """Sample tiles on a lattice over each mosaic, in random order, until there are enough.

    Parameters
    ----------
    mosaics : sequence of Mosaic
    shoreline_m : float, optional
        What lies below it is sea, metres; nothing is where there is none.
    spec : TileSpec
    most : int
        Tiles in all, as many of each mosaic.
    seed : int

    Returns
    -------
    MarsTiles or None
        None where fewer than two tiles are whole and have land: small regions, or sea and ice alone.
    """
    each = -(-most // len(mosaics))
    rows: list[tuple[Any, ...]] = []
    keys: list[tuple[int, int, int]] = []
    for number, mosaic in enumerate(mosaics):
        with raster.opened(mosaic.picture) as picture, raster.opened(mosaic.elevation) as elevation:
            found = 0
            for (row, column), place in _lattice(elevation, spec, each * _MOST_TRIES, seed):
                tile = _tile(picture, elevation, place, shoreline_m, spec)
                if tile is not None and len(rows) < most:
                    rows.append((*tile, place))
                    keys.append((number, row // _BLOCK_TILES, column // _BLOCK_TILES))
                    found += 1
                if found == each:
                    break
    if len(rows) < _LEAST:
        return None
    imagery, metres, land, places = zip(*rows, strict=True)
    blocks = np.unique(np.array(keys), axis=0, return_inverse=True)[1].reshape(-1)
    lesson = Lesson(*(torch.from_numpy(np.stack(part)) for part in (imagery, metres, land)))
    return MarsTiles(lesson, np.array(places), blocks)


def _lattice(elevation: Any, spec: TileSpec, most: int, seed: int) -> Iterator[tuple[tuple[int, int], Any]]:
    """List the middles of tiles that lie beside each other over a raster in degrees, in random order."""
    grid, body = raster.grid_of(elevation), raster.body_of(elevation)
    high = spec.tile_m / body.metres_per_degree
    north, west = grid.latitudes.origin, grid.longitudes.origin
    south = north + grid.latitudes.step * grid.latitudes.count
    east = west + grid.longitudes.step * grid.longitudes.count
    middles = []
    for row in range(int((north - south) / high)):
        latitude = north - (row + 0.5) * high
        wide = high / max(math.cos(math.radians(latitude)), 0.05)
        middles += [((row, k), (west + (k + 0.5) * wide, latitude)) for k in range(int((east - west) / wide))]
    order = np.random.default_rng(seed).permutation(len(middles))[:most]
    return (middles[number] for number in order)


def _tile(
    picture: Any, elevation: Any, place: tuple[float, float], shoreline_m: float | None, spec: TileSpec
) -> tuple[NDArray[np.uint8], NDArray[np.int16], NDArray[np.bool_]] | None:
    """Sample a tile; none where the mosaic is not whole or mostly sea."""
    longitude, latitude = _points(place, raster.body_of(elevation), spec)
    seen = _sampled(picture, longitude, latitude)
    if seen is None or (seen[3] < 254).mean() > _MOST_VOID:
        return None
    heights = _sampled(elevation, longitude, latitude, nearest=True)
    if heights is None:
        return None
    marked = (heights[0] == SEA) | (heights[0] == VOID)
    above = heights[0] - (shoreline_m or 0.0)
    land = ~marked & ((above >= 0) if shoreline_m is not None else True)
    if land.mean() < 1 - _MOST_SEA:
        return None
    imagery = np.ascontiguousarray(seen[:3].transpose(1, 2, 0).round().astype(np.uint8))
    return imagery, np.where(land, above, 0).astype(np.int16), land


def _points(place: tuple[float, float], body: Body, spec: TileSpec) -> tuple[Doubles, Doubles]:
    """Give longitude and latitude of a tile's pixels, (H, W) each."""
    offsets = (np.arange(spec.tile_px) + 0.5 - spec.tile_px / 2) * spec.pixel_m / body.metres_per_degree
    latitude = place[1] - offsets[:, None]
    longitude = place[0] + offsets / math.cos(math.radians(place[1]))
    full = np.broadcast_arrays(longitude, latitude)
    return full[0], full[1]


def _sampled(dataset: Any, longitude: Doubles, latitude: Doubles, nearest: bool = False) -> NDArray[np.float32] | None:
    """Sample all bands and, of several, the mask at points, (C, H, W) float32; None where they leave the raster."""
    body = raster.body_of(dataset)
    if dataset.crs.is_geographic:
        x, y = longitude, latitude
    else:
        x, y = transformer(degrees_crs(dataset.crs, body), dataset.crs).transform(longitude, latitude)
    back, x, y = ~dataset.transform, np.asarray(x), np.asarray(y)
    columns, rows = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
    top, left = int(np.floor(rows.min())) - 2, int(np.floor(columns.min())) - 2
    bottom, right = int(np.ceil(rows.max())) + 2, int(np.ceil(columns.max())) + 2
    if top < 0 or left < 0 or bottom > dataset.height or right > dataset.width:
        return None
    window = Window(left, top, right - left, bottom - top)
    values = raster.read(dataset, (top, bottom), (left, right)).astype(np.float32)
    if values.ndim == 3:
        mask = dataset.dataset_mask(window=window).astype(np.float32)
        values = np.concatenate([values[..., :3], mask[..., None]], 2)
    planes: Tensor = torch.from_numpy(np.ascontiguousarray(np.atleast_3d(values).transpose(2, 0, 1)))[None]
    size = np.array([right - left, bottom - top])
    at = np.stack([columns - left, rows - top], -1) / size * 2 - 1
    grid = torch.from_numpy(at.astype(np.float32))[None]
    mode = "nearest" if nearest else "bilinear"
    return np.asarray(F.grid_sample(planes, grid, mode, "border", align_corners=False)[0])

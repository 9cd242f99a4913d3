"""Elevation models in cloud-optimised tiles, from their heads to the raster of a request."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rasterio.crs import CRS

from terraform.errors import IntegrityError
from terraform.geo.bodies import EARTH, Body
from terraform.geo.grid import RasterGrid
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, Request
from terraform.sources.raster.assemble import write_raster
from terraform.sources.raster.classify import MaskedPixels, classify_heights
from terraform.sources.raster.formats import Pixels, Raster, Span
from terraform.sources.raster.georeference import GeoreferencedRaster, check_body, georeference
from terraform.sources.raster.resample import windows
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.store import RemoteStore
from terraform.sources.remote_raster.cog import BlockCache, Cog, fetch_all
from terraform.sources.remote_raster.one_degree import Cell, sea, share

WGS84 = CRS.from_epsg(4326)


class DemTile(NamedTuple):
    """One tile of an elevation model and the ground that it covers."""

    cog: Cog
    cell: Cell


def classify_zero_as_sea(pixels: Pixels, raster: Raster, body: Body) -> MaskedPixels:
    """Classify the pixels of a model whose sea is exactly 0: SRTM (version 3) and Copernicus flatten it so.

    Land of exactly 0 m counts as sea too; it is rare, and where pixels are averaged the larger share decides.
    """
    known = classify_heights(pixels, raster, body, missing_is_sea=False)
    sea = known.valid & (known.values[..., 0] == 0)
    return MaskedPixels(known.values, known.valid & ~sea, sea)


def tile_raster(tile: DemTile, block_cache: BlockCache, body: Body) -> GeoreferencedRaster:
    """Read a tile as a raster on its body.

    Raises
    ------
    IntegrityError
        It is of another body, or is of another place than its name says.
    """
    made, cog = tile.cog.layout, tile.cog
    check_body(made.crs, body, redact_url(cog.file.url))
    across, down = made.transform.a, made.transform.e
    left, top = made.transform.c, made.transform.f
    right, bottom = left + made.width * across, top + made.height * down
    wanted = (tile.cell.west, tile.cell.south, tile.cell.west + 1, tile.cell.south + 1)
    if max(abs(a - b) for a, b in zip((left, bottom, right, top), wanted, strict=True)) > 0.01:
        raise IntegrityError(
            f"{redact_url(cog.file.url)} covers {left:g}..{right:g} E, {bottom:g}..{top:g} N, not what its name says"
        )

    def read(rows: Span, columns: Span) -> Pixels:
        return Pixels(cog.read(rows, columns, block_cache), None)

    dtype = np.dtype(made.dtype).newbyteorder("=").name
    raster = Raster(
        redact_url(cog.file.url), WGS84, made.transform, made.height, made.width, 1, dtype, made.nodata, read
    )  # fmt: skip
    return georeference(raster, body)


def sea_tiles(
    here: Sequence[Cell], tiles: Sequence[DemTile], rasters: Sequence[GeoreferencedRaster], pixels: int
) -> list[GeoreferencedRaster]:
    """Tiles that are sea, on the lattice of those that exist."""
    like = (rasters[0].raster, tiles[0].cell) if tiles else None
    return [georeference(sea(cell, like, WGS84, pixels), EARTH) for cell in here]


def prefetch_headers(store: RemoteStore, tiles: Sequence[DemTile]) -> None:
    """Fetch the heads of tiles that the cache lacks, side by side; none may be of another version than is locked.

    Raises
    ------
    IntegrityError
        One is.
    """
    store.map(lambda tile: tile.cog.file.pin_version(), tiles)


def fetch_window(
    store: RemoteStore, tiles: Sequence[DemTile], rasters: Sequence[GeoreferencedRaster], grid: RasterGrid
) -> None:
    """Fetch the blocks that a window needs."""
    wanted = [
        (tile.cog, [n for w in windows(raster, grid) for n in tile.cog.blocks(w.rows, w.columns)])
        for tile, raster in zip(tiles, rasters, strict=True)
    ]
    fetch_all(store, [(cog, list(dict.fromkeys(blocks))) for cog, blocks in wanted])


def estimate_tiles(
    store: RemoteStore, tiles: Sequence[DemTile], grid: RasterGrid, typical_bytes: int, body: Body
) -> FetchEstimate:
    """Estimate what the tiles of a window would still ask for: exact where their heads are in the cache.

    Parameters
    ----------
    typical_bytes : int
        Size of a tile, for those that were never looked at.
    """
    total = FetchEstimate(store.cache.source)
    for tile in tiles:
        total = total.plus(_estimate_tile(store, tile, grid, typical_bytes, body))
    return total


def _estimate_tile(
    store: RemoteStore, tile: DemTile, grid: RasterGrid, typical_bytes: int, body: Body
) -> FetchEstimate:
    source = store.cache.source
    if not tile.cog.file.has_header:
        size = typical_bytes * share(tile.cell, grid)
        return FetchEstimate(source, 1 + max(1, round(size / (4 << 20))), round(size), 0, exact=False)
    raster = tile_raster(tile, BlockCache(), body)
    blocks = list(dict.fromkeys(n for w in windows(raster, grid) for n in tile.cog.blocks(w.rows, w.columns)))
    missing = tile.cog.missing(blocks)
    kept = tile.cog.size_of(blocks) - tile.cog.size_of(missing)
    return FetchEstimate(source, len(tile.cog.requests(missing)), tile.cog.size_of(missing), kept)


def write_dem(
    request: Request,
    groups: Sequence[Sequence[GeoreferencedRaster]],
    destination: Path,
    credit: Credit,
    version: str,
    tiles: Sequence[DemTile],
) -> Provenance:
    """Publish the raster of a request; its provenance names each file that had a part in it."""
    classify = partial(classify_zero_as_sea, body=request.region.body)
    write_raster(request, groups, classify, destination, Provenance((credit,)))
    return Provenance((credit,), {"version": version, "files": [tile.cog.provenance_record() for tile in tiles]})

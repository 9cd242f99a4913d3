"""Cut a region's rasters into pairs: whole rows, gathered once, sliced into tiles."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform import provenance
from terraform.config import Pairs as Settings
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.grid import RasterGrid, Row, columns_inside, left_over_deg, rows_of
from terraform.geo.heights import SEA, VOID, pack, unpack
from terraform.geo.regions import Region
from terraform.geo.resample import Axis, Taps, gather, gather_masked, taps
from terraform.geo.resample_torch import average
from terraform.geo.tile_spec import DEFAULT_TILE, TileSpec
from terraform.pairs import base_colours
from terraform.pairs.store import TILE, ArrayWriter, save_array
from terraform.storage.atomic_write import atomic_write, remove_file

_BLOCK = 8


class Tile(NamedTuple):
    """One tile as cut; sizes are those of the default tile.

    Attributes
    ----------
    record : tuple
        `store.TILE`.
    elevation : (384, 384) int16
    imagery : (256, 256, 3) uint8
    base : (2, 20, 20, 3) uint8
        Base colours of land and of sea.
    """

    record: tuple[float, ...]
    elevation: NDArray[np.int16]
    imagery: NDArray[np.uint8]
    base: NDArray[np.uint8]


@dataclass(frozen=True)
class _Window:
    """The part of a raster that all strips of a row of tiles are made from, (H, W) or (H, W, 3)."""

    values: NDArray[Any]
    latitudes: Axis
    longitudes: Axis
    wraps: bool

    def onto(self, latitudes: Axis, longitudes: Axis) -> tuple[NDArray[Any], Taps, Taps]:
        """Give the rows that a strip needs, and its taps in them."""
        top, bottom = _clipped(self.latitudes, latitudes)
        rows = taps(self.latitudes.part(top, bottom), latitudes)
        return self.values[top:bottom], rows, taps(self.longitudes, longitudes, wrap=self.wraps)


@dataclass(frozen=True)
class _Raster:
    """An open raster with its grid."""

    dataset: Any
    grid: RasterGrid

    def around(self, row: Row) -> _Window:
        """Read once what a row of tiles needs."""
        grid, wraps = self.grid, self.grid.wraps
        latitudes, longitudes = (_samples(axis) for axis in _around(row, row.spec.margin_px))
        top, bottom = _clipped(grid.latitudes, latitudes)
        left, right = (0, grid.longitudes.count) if wraps else _clipped(grid.longitudes, longitudes)
        values = raster.read(self.dataset, (top, bottom), (left, right))
        return _Window(values, grid.latitudes.part(top, bottom), grid.longitudes.part(left, right), wraps)


def cut(
    region: Region, elevation: Path, imagery: Path, output: Path, settings: Settings, spec: TileSpec = DEFAULT_TILE
) -> None:
    """Cut all tiles of a region and write its folder of pairs.

    Parameters
    ----------
    elevation, imagery : Path
        Rasters in degrees of the region's body: int16 heights (`terraform.geo.heights`), uint8 RGB.
    output : Path
        Folder; `provenance.json` is written last and says that it is complete.
    settings : Pairs
        Which tiles are kept.
    spec : TileSpec
        The size of a tile.

    Raises
    ------
    InputError
        A raster does not fit the region, or no tile passes the screening.
    """
    complete = output / "provenance.json"
    remove_file(complete)
    counts: Counter[str] = Counter()
    records = []
    with ExitStack() as stack:
        heights, colours = (_open(stack, path, region) for path in (elevation, imagery))
        writers = [
            _writer(stack, output / "elevation.npy", (spec.side_px, spec.side_px), np.int16),
            _writer(stack, output / "imagery.npy", (spec.tile_px, spec.tile_px, 3), np.uint8),
            _writer(stack, output / "base.npy", spec.base_shape, np.uint8),
        ]
        for tile in _tiles(region, heights, colours, spec):
            reason = screened(tile, settings)
            counts[reason or "kept"] += 1
            if reason is None:
                records.append(tile.record)
                arrays: tuple[NDArray[Any], ...] = (tile.elevation, tile.imagery, tile.base)
                for writer, array in zip(writers, arrays, strict=True):
                    writer.append(array)
        if not records:
            raise InputError(_nothing_left(region, counts))
    save_array(output / "tiles.npy", np.array(records, TILE))
    _write_index(output / "tiles.parquet", region, np.array(records, TILE))
    parents = [provenance.read(provenance.beside(path)) for path in (elevation, imagery)]
    made = provenance.merge(
        parents,
        region=region.name,
        body=region.body.name,
        fingerprint=region.fingerprint,
        tiles=dict(counts),
        left_over_deg=max(left_over_deg(row, region) for row in rows_of(region, spec)),
        tile=asdict(spec),
        settings=settings.model_dump(),
    )
    provenance.write(made, complete)


def screened(tile: Tile, settings: Settings) -> str | None:
    """Why a tile is left out: "void", "sea" or "cloud"; None when it is kept."""
    _, _, void, sea, *_ = tile.record
    if void > settings.max_void:
        return "void"
    if sea > settings.max_sea:
        return "sea"
    return "cloud" if cloud_share(tile.imagery) > settings.max_cloud else None


def cloud_share(imagery: NDArray[np.uint8]) -> float:
    """Share of white and structureless blocks of 8 x 8 pixels; snow on relief is white but has structure."""
    side = len(imagery)
    count = side // _BLOCK
    of_rows = imagery.reshape(count, _BLOCK, side * 3).sum(axis=1, dtype=np.uint32)
    sums = of_rows.reshape(count, count, _BLOCK, 3).sum(axis=2, dtype=np.uint32)
    white = sums.min(axis=-1) > 215 * _BLOCK**2
    blocks = imagery.reshape(count, _BLOCK, count, _BLOCK, 3).swapaxes(1, 2)[white]  # (K, 8, 8, 3)
    flat = blocks.astype(np.float32).mean(axis=-1).std(axis=(1, 2)) < 4
    return float(flat.sum() / white.size)


def _open(stack: ExitStack, path: Path, region: Region) -> _Raster:
    dataset = stack.enter_context(raster.opened(path))
    grid = raster.grid_of(dataset)
    if grid.body != region.body:
        raise InputError(
            f"{path} lies on {grid.body.name}, region {region.name!r} on {region.body.name}: fetch it again"
        )
    return _Raster(dataset, grid)


def _writer(stack: ExitStack, path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> ArrayWriter:
    temporary = stack.enter_context(atomic_write(path))
    writer = ArrayWriter(temporary, shape, np.dtype(dtype))
    stack.callback(writer.close)
    return writer


def _tiles(region: Region, heights: _Raster, colours: _Raster, spec: TileSpec) -> Iterator[Tile]:
    for row in rows_of(region, spec):
        inside = columns_inside(row, region)
        if not inside:
            continue
        ground, look = heights.around(row), colours.around(row)
        elevation, imagery = _elevation_strip(ground, row), _imagery_strip(look, row)
        base = _base_strip(ground, look, row)
        for column in inside:
            left, cell = column * spec.tile_px, column * spec.tile_px // spec.BASE_CELL_PX
            yield _tile(
                row, column,
                elevation[:, left : left + spec.side_px],
                imagery[:, left : left + spec.tile_px],
                base[:, :, cell : cell + spec.base_side_cells],
            )  # fmt: skip


def _tile(
    row: Row, column: int, elevation: NDArray[np.int16], imagery: NDArray[np.uint8], base: NDArray[np.uint8]
) -> Tile:
    middle = elevation[row.spec.inner, row.spec.inner]
    void = np.count_nonzero((middle == VOID) | ~_coloured(imagery)) / middle.size
    sea = np.count_nonzero(middle == SEA) / middle.size
    record = (row.index, column, void, sea, row.middle_deg, *row.tile_bounds(column))
    return Tile(record, elevation, imagery, base)


def _elevation_strip(source: _Window, row: Row) -> NDArray[np.int16]:
    stored, rows, columns = source.onto(row.latitudes(row.spec.margin_px), row.longitudes(row.spec.margin_px))
    heights = unpack(stored)
    metres, known = gather_masked(heights.metres, ~heights.void, rows, columns)
    sea = gather(heights.sea.view(np.uint8), rows, columns) if heights.sea.any() else np.zeros_like(metres)
    return pack(metres, known & (sea >= 0.5), ~known)


def _imagery_strip(source: _Window, row: Row) -> NDArray[np.uint8]:
    colours, rows, columns = source.onto(row.latitudes(), row.longitudes())
    mixed, known = gather_masked(colours, _coloured(colours), rows, columns)
    # Black means void: a dark pixel that is there stays visible.
    imagery = np.empty(mixed.shape, np.uint8)
    np.copyto(imagery, np.clip(np.rint(mixed, out=mixed), 1, 255, out=mixed), casting="unsafe")
    imagery[~known] = 0
    return imagery


def _base_strip(heights: _Window, colours: _Window, row: Row) -> NDArray[np.uint8]:
    """Smooth the imagery around a row of tiles to base colours, (2, 20, 16 per tile + 4, 3), so that tiles agree."""
    latitudes, longitudes = (_samples(axis) for axis in _around(row))
    stored, rows, columns = colours.onto(latitudes, longitudes)
    mixed, known = gather_masked(stored, _coloured(stored), rows, columns, average)
    stored, rows, columns = heights.onto(latitudes, longitudes)
    sea, certain = gather_masked((stored == SEA).view(np.uint8), stored != VOID, rows, columns, average)
    known &= certain
    kinds = np.stack([known & (sea < 0.01), known & (sea > 0.99)])
    return base_colours.smooth_by_kind(mixed, kinds, row.spec.pixel_m)


def _around(row: Row, least_px: int = 0) -> tuple[Axis, Axis]:
    """Give the pixels that the base colours of a row of tiles look at, and at least so many beyond it."""
    cell_px = row.spec.BASE_CELL_PX
    reach_px = max(base_colours.reach_cells(row.spec.pixel_m), -(-least_px // cell_px)) * cell_px
    return row.latitudes(reach_px), row.longitudes(reach_px)


def _samples(axis: Axis) -> Axis:
    return Axis(axis.origin, axis.step * base_colours.SAMPLE_PX, axis.count // base_colours.SAMPLE_PX)


def _coloured(imagery: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W): not black."""
    coloured: NDArray[np.bool_] = (imagery[..., 0] | imagery[..., 1] | imagery[..., 2]) > 0
    return coloured


def _clipped(source: Axis, target: Axis) -> tuple[int, int]:
    spare = int(abs(target.step / source.step)) + 2
    start, stop = source.covering(target.origin, target.end, spare)
    start, stop = max(0, start), min(source.count, stop)
    # A row entirely outside the raster still needs a window; its weights are all zero, so it reads as void.
    return (start, stop) if start < stop else (0, 1)


def _write_index(path: Path, region: Region, tiles: NDArray[Any]) -> None:
    import geopandas
    import shapely

    ground = shapely.box(tiles["west"], tiles["south"], tiles["east"], tiles["north"])
    columns = {name: tiles[name] for name in ("row", "column", "void", "sea", "latitude")}
    frame = geopandas.GeoDataFrame({"region": region.name, **columns}, geometry=ground, crs=region.body.geographic_crs)
    with atomic_write(path) as temporary:
        frame.to_parquet(temporary)


def _nothing_left(region: Region, counts: Counter[str]) -> str:
    reasons = (
        ", ".join(f"{number} {reason}" for reason, number in counts.items()) or "its polygon holds no tile's centre"
    )
    return (
        f"region {region.name!r} has no pairs left ({reasons}): move or enlarge its polygon in regions.geojson, or "
        "raise the limits under `pairs` in config.yaml"
    )

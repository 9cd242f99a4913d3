"""Cutting pairs: CPU time against its floor, reading, slicing and writing alone, and against GDAL tile by tile.

`python -m benchmarks.cutting [--json]`
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from benchmarks.measure import interleaved, report
from terraform import provenance
from terraform.config import Pairs
from terraform.geo import raster
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid, Row, columns_inside, download_grid, rows_of, tile_count
from terraform.geo.regions import Region, rectangle
from terraform.geo.tile_spec import TileSpec
from terraform.pairs.cut import cut
from terraform.pairs.store import ArrayWriter
from terraform.provenance import Credit, Provenance

_BOUNDS = (10.0, 42.0, 15.2, 45.3)
TILE_PX = TileSpec().tile_px
_SIDES = {"elevation": TileSpec().side_px, "imagery": TILE_PX}
_BLOCK_ROWS = 256


@dataclass(frozen=True)
class Ground:
    """A region and its rasters, as `fetch` leaves them."""

    region: Region
    files: dict[str, Path]

    @property
    def tiles(self) -> int:
        """How many lie in the region."""
        return tile_count(self.region)


def make_ground(folder: Path) -> Ground:
    """Rasters of hills and rough colours at 200 m."""
    region = Region("bench", EARTH, "train", "bench", rectangle(*_BOUNDS))
    grid = download_grid(region)
    made = Provenance((Credit("sample", "CC0-1.0", "synthetic", True),), {"body": "earth"})
    files = {name: folder / f"{name}.tif" for name in _SIDES}
    for (name, path), (bands, kind) in zip(files.items(), ((1, "int16"), (3, "uint8")), strict=True):
        raster.write_strips(path, grid, _strips(grid, name), bands, kind, {})
        provenance.write(made, provenance.beside(path))
    return Ground(region, files)


def _strips(grid: RasterGrid, name: str) -> Iterator[NDArray[Any]]:
    draw = np.random.default_rng(0)
    columns = np.arange(grid.longitudes.count)
    for top in range(0, grid.latitudes.count, _BLOCK_ROWS):
        rows = np.arange(top, min(top + _BLOCK_ROWS, grid.latitudes.count))
        hills = 1500 + 900 * np.sin(columns / 9) * np.cos(rows[:, None] / 7)
        if name == "elevation":
            yield (hills + draw.normal(0, 5, hills.shape)).astype(np.int16)
        else:
            yield np.clip(hills[..., None] / 20 + draw.normal(0, 8, (*hills.shape, 3)), 1, 254).astype(np.uint8)


def floor(ground: Ground, folder: Path) -> None:
    """Read every row once, slice it into tiles as they lie, write them: nothing is resample_last_axis."""
    for name, side in _SIDES.items():
        margin = (side - TILE_PX) // 2
        writer = _writer(ground, folder, name)
        with raster.opened(ground.files[name]) as dataset:
            for row in rows_of(ground.region):
                top = _first_row(dataset, row, margin)
                strip = raster.read(dataset, (top, top + side), (0, dataset.width))
                for column in columns_inside(row, ground.region):
                    left = min(column * TILE_PX, dataset.width - side)
                    writer.append(strip[:, left : left + side])
        writer.close()


def tile_by_tile(ground: Ground, folder: Path) -> None:
    """GDAL's warper, one dataset kept open a row, one window read a tile."""
    for name, side in _SIDES.items():
        margin = (side - TILE_PX) // 2
        writer = _writer(ground, folder, name)
        with raster.opened(ground.files[name]) as dataset:
            for row in rows_of(ground.region):
                with _warped(dataset, row, margin) as rows:
                    for column in columns_inside(row, ground.region):
                        tile = rows.read(window=Window(column * TILE_PX, 0, side, side))
                        writer.append(tile[0] if len(tile) == 1 else tile.transpose(1, 2, 0))
        writer.close()


def _warped(dataset: Any, row: Row, margin: int) -> Any:
    down, right = row.latitudes(margin), row.longitudes(margin)
    onto = Affine(right.step, 0, right.origin, 0, down.step, down.origin)
    return WarpedVRT(
        dataset, crs=dataset.crs, transform=onto, width=right.count, height=down.count, resampling=Resampling.bilinear
    )


def _first_row(dataset: Any, row: Row, margin: int) -> int:
    """Of the raster, where a row of tiles begins."""
    top: int = round((dataset.transform.f - row.latitudes(margin).origin) / -dataset.transform.e)
    lowest: int = dataset.height - TILE_PX - 2 * margin
    return max(0, min(top, lowest))


def _writer(ground: Ground, folder: Path, name: str) -> ArrayWriter:
    side, kind = _SIDES[name], np.dtype(np.int16 if name == "elevation" else np.uint8)
    shape = (side, side) if name == "elevation" else (side, side, 3)
    return ArrayWriter(folder / f"{name}.npy", shape, kind)


def main() -> None:
    """All three in turn; the floor over ours is 1 at best."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ground = make_ground(folder)
        sides = {
            "ours": lambda: cut(
                ground.region, ground.files["elevation"], ground.files["imagery"], folder / "pairs", Pairs()
            ),
            "floor": lambda: floor(ground, folder),
            "warped": lambda: tile_by_tile(ground, folder),
        }
        seconds = interleaved(sides)
    report(
        "cutting, the floor of reading and writing over all", seconds["floor"] / seconds["ours"], 0.5,
        times_gdal_tile_by_tile=seconds["warped"] / seconds["ours"], tiles=ground.tiles,
        pairs_per_cpu_s={name: ground.tiles / spent for name, spent in seconds.items()},
    )  # fmt: skip


if __name__ == "__main__":
    main()

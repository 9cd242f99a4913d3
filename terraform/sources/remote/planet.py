"""A map of a whole planet in one file of uncompressed rows: a window by ranges, most of the planet by one download."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine

from terraform.errors import IntegrityError
from terraform.geo.bodies import Body
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import to_cog
from terraform.provenance import Credit, Provenance
from terraform.publish import publish as published
from terraform.sources import Needs, Request, hgt
from terraform.sources.formats import Declared, Pixels, Raster, Span, opened
from terraform.sources.making import make
from terraform.sources.masking import heights
from terraform.sources.placing import Placed, lying
from terraform.sources.remote.access import shown
from terraform.sources.remote.bucket import Bucket, RemoteFile
from terraform.sources.remote.content import TIFF
from terraform.sources.remote.locks import Locks, sha256_of
from terraform.sources.remote.rows import Rows, contiguous
from terraform.sources.remote.tiff import HEAD_BYTES, Layout, layout, values
from terraform.sources.remote.whole import download
from terraform.sources.resampling import windows

WHOLE_FROM = 0.25
"""Share of a file from which on it is fetched whole, once, and kept as a cloud-optimised TIFF."""


@dataclass(frozen=True)
class Planet:
    """One remote map.

    Attributes
    ----------
    bucket : Bucket
    path : str
        Below the base URL.
    name : str
        On the shelf, and in the lock.
    body : Body
    crs : str
        That of the file. Such files name their CRS in many ways, so that it is stated here and its numbers checked.
    degrees : bool
        The units of the file are degrees, else metres.
    typical : tuple of int
        Rows and columns, for estimates before the first look.
    locks : Locks
    """

    bucket: Bucket
    path: str
    name: str
    body: Body
    crs: str
    degrees: bool
    typical: tuple[int, int]
    locks: Locks

    @cached_property
    def _file(self) -> RemoteFile:
        return RemoteFile(self.bucket, self.path, self.name, TIFF, HEAD_BYTES)

    @property
    def _local(self) -> Path:
        return self.bucket.shelf.path(f"{self.name}.tif")

    def plan(self, request: Request) -> Needs:
        """What a window needs, row by row, or the whole file."""
        service = self.bucket.shelf.source
        if self._local.exists():
            return Needs(service, 0, 0, self._local.stat().st_size)
        exact = self._file.looked_at
        rows, raster = self._described() if exact else self._assumed()
        cells = cells_of(rows, raster, request.grid)
        if _share(raster, request.grid) > WHOLE_FROM:
            return Needs(service, 1, rows.bytes, 0, exact)
        missing = rows.missing(cells)
        size, head = rows.bytes_of(missing), 0 if exact else HEAD_BYTES
        return Needs(
            service, rows.requests(missing) + (0 if exact else 1), size + head, rows.bytes_of(cells) - size, exact
        )

    def fetch(self, request: Request, destination: Path, credit: Credit) -> Provenance:
        """Publish the heights of a region.

        Raises
        ------
        RemoteError, IntegrityError
            The service fails; the file is not the one that is locked, or not a map of the planet.
        """
        with self._ready(request.grid) as (raster, record):
            sort = partial(heights, body=self.body, missing_is_sea=False)
            make(request, [[raster]], sort, destination, Provenance((credit,)))
            return Provenance((credit,), {"version": self.name, "files": [record()]})

    @contextmanager
    def _ready(self, grid: RasterGrid) -> Iterator[tuple[Placed, Callable[[], dict[str, Any]]]]:
        """The map with everything that a window needs fetched, and what is to be told of it afterwards."""
        with self.bucket.shelf.alone():
            if not self._local.exists():
                rows, raster = self._described()
                self.locks.hold(f"{self.bucket.shelf.source}/{self.name}", self._file.head.identity)
                if _share(raster, grid) > WHOLE_FROM:
                    self._download(rows)
                else:
                    rows.fetch(rows.missing(cells_of(rows, raster, grid)))
        if not self._local.exists():
            yield raster, rows.record
        else:
            with opened(self._local, Declared(self.crs, -32768), hgt.loader()) as local:
                yield lying(replace(local, crs=CRS.from_user_input(self.crs)), self.body), self._local_record

    def _download(self, rows: Rows) -> None:
        raw = self.bucket.shelf.path(f"{self.name}.raw.tif")
        lock = f"{self.bucket.shelf.source}/{self.name}"
        identity = self._file.head.identity

        def right(path: Path) -> None:
            self.locks.hold(lock, identity, sha256_of(path))

        if not raw.exists():
            download(self.bucket.client, self._file.url, raw, TIFF, rows.bytes, right)
        with published(self._local) as temporary:
            to_cog(raw, temporary)
        raw.unlink()

    def _local_record(self) -> dict[str, Any]:
        return self._file.record() | self.locks.entry(f"{self.bucket.shelf.source}/{self.name}")

    def _described(self) -> tuple[Rows, Placed]:
        made = layout(self._file.bytes_at, shown(self._file.url))
        self._check(made)

        def starts(first: int, last: int) -> NDArray[np.int64]:
            per, pitch = made.block_height, made.width * np.dtype(made.dtype).itemsize
            strips = np.arange(first, last) // per
            found = values(self._file.bytes_at, made.offsets, int(strips[0]), int(strips[-1]) + 1).astype(np.int64)
            return np.asarray(found[strips - strips[0]] + (np.arange(first, last) % per) * pitch, np.int64)

        rows = Rows(self._file, made.height, made.width, made.dtype, starts)
        return rows, lying(_raster(shown(self._file.url), self.crs, made, rows), self.body)

    def _assumed(self) -> tuple[Rows, Placed]:
        """The map as it is known, before anything of it was fetched."""
        height, width = self.typical
        step_x, step_y = 360 * self._unit / width, 180 * self._unit / height
        transform = Affine(step_x, 0, -180 * self._unit, 0, -step_y, 90 * self._unit)
        rows = Rows(self._file, height, width, "<i2", contiguous(0, width, 2))
        raster = Raster(
            self.name, CRS.from_user_input(self.crs), transform, height, width, 1, "int16", -32768.0, _unread
        )  # fmt: skip
        return rows, lying(raster, self.body)

    @property
    def _unit(self) -> float:
        """One degree in the units of the file."""
        return 1.0 if self.degrees else self.body.metres_per_degree

    def _check(self, made: Layout) -> None:
        if made.compression != 1 or made.tiled or np.dtype(made.dtype).newbyteorder("=") != np.int16:
            raise IntegrityError(
                f"{shown(self._file.url)} is not made of plain rows of 16-bit integers any more (compression "
                f"{made.compression}, {made.dtype}): it cannot be read in parts; tell the authors"
            )
        t, spare = made.transform, 0.01 * self._unit
        west, north = -180 * self._unit, 90 * self._unit
        off = (t.c - west, t.f - north, t.c + made.width * t.a + west, t.f + made.height * t.e + north)
        if max(abs(o) for o in off) > spare:
            raise IntegrityError(
                f"{shown(self._file.url)} does not cover the whole of {self.body.name} from -180 degrees: it is "
                "another map than before; set base_url"
            )


def cells_of(rows: Rows, raster: Placed, grid: RasterGrid) -> list[tuple[int, int]]:
    """The entries of the cache that a window touches."""
    found = [rows.cells(window.rows, window.columns) for window in windows(raster, grid)]
    return list(dict.fromkeys(cell for cells in found for cell in cells))


def _share(raster: Placed, grid: RasterGrid) -> float:
    """How much of a map a window needs, 0 to 1."""
    of = raster.raster
    needed = sum((w.rows[1] - w.rows[0]) * min(w.columns[1] - w.columns[0], of.width) for w in windows(raster, grid))
    return float(needed / (of.height * of.width))


def _raster(name: str, crs: str, made: Layout, rows: Rows) -> Raster:
    def read(down: Span, across: Span) -> Pixels:
        return Pixels(rows.read(down, across), None)

    nodata = -32768.0 if made.nodata is None else made.nodata
    return Raster(
        name, CRS.from_user_input(crs), made.transform, made.height, made.width, 1, "int16", nodata, read
    )  # fmt: skip


def _unread(rows: Span, columns: Span) -> Pixels:
    raise NotImplementedError

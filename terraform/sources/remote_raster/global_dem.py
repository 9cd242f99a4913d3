"""A map of a whole planet in one file of uncompressed rows: a window by ranges, most of the planet by one download."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS

from terraform.errors import IntegrityError
from terraform.geo.bodies import Body
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import to_cog
from terraform.geo.resample import Axis
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, Request, require
from terraform.sources.raster.assemble import write_raster
from terraform.sources.raster.classify import classify_heights
from terraform.sources.raster.formats import Pixels, Raster, Span
from terraform.sources.raster.georeference import Axes, GeoreferencedRaster, check_body, georeference
from terraform.sources.raster.metadata.declared import Declared
from terraform.sources.raster.opening import open_raster
from terraform.sources.raster.resample import PixelWindow, windows, windows_along
from terraform.sources.remote.download import download
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.response import TIFF
from terraform.sources.remote.store import RemoteStore
from terraform.sources.remote_raster.file import RemoteFile
from terraform.sources.remote_raster.rows import RowStripedRaster, contiguous
from terraform.sources.remote_raster.tiff import HEAD_BYTES, RangedTiff, TiffLayout
from terraform.storage.atomic_write import atomic_write
from terraform.storage.hashing import sha256_of

WHOLE_FROM = 0.25
"""Share of a file from which on it is fetched whole, once, and kept as a cloud-optimised TIFF."""


@dataclass(frozen=True)
class GlobalDemSource:
    """The source that is one remote map of heights.

    Attributes
    ----------
    store : RemoteStore
    path : str
        Below the base URL.
    name : str
        In the cache.
    body : Body
    crs : str
        That of the file. Such files name their CRS in many ways, so that it is stated here and its numbers checked.
    degrees : bool
        The units of the file are degrees, else metres.
    typical : tuple of int
        Rows and columns, for estimates before the first look.
    own : Credit
        Of the map.
    """

    store: RemoteStore
    path: str
    name: str
    body: Body
    crs: str
    degrees: bool
    typical: tuple[int, int]
    own: Credit

    @cached_property
    def _file(self) -> RemoteFile:
        return RemoteFile(self.store, self.path, self.name, TIFF, HEAD_BYTES)

    @property
    def _local(self) -> Path:
        return self.store.cache.path(f"{self.name}.tif")

    def credit(self) -> Credit:
        """Licence and attribution of the map."""
        return self.own

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate what a window needs: one request a row, or the whole file."""
        self._require(request)
        service = self.store.cache.source
        if self._local.exists():
            return FetchEstimate(service, 0, 0, self._local.stat().st_size)
        exact = self._file.has_header
        rows, found = self._foreseen(request.grid)
        cells = cells_of(rows, found)
        if _share(rows, found) > WHOLE_FROM:
            return FetchEstimate(service, 1, rows.bytes, 0, exact)
        missing = rows.missing(cells)
        size, head = rows.bytes_of(missing), 0 if exact else HEAD_BYTES
        return FetchEstimate(
            service, rows.requests(missing) + (0 if exact else 1), size + head, rows.bytes_of(cells) - size, exact
        )

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the heights of a region.

        Raises
        ------
        ConfigError
            Another body is asked for, or imagery.
        RemoteError, IntegrityError
            The service fails; the file is not the one that is locked, or not a map of the planet.
        """
        self._require(request)
        with self._ready(request.grid) as (raster, record):
            classify = partial(classify_heights, body=self.body, missing_is_sea=False)
            write_raster(request, [[raster]], classify, destination, Provenance((self.own,)))
            return Provenance((self.own,), {"version": self.name, "files": [record()]})

    def _require(self, request: Request) -> None:
        require(request, self.own.source, self.body, "elevation")

    @contextmanager
    def _ready(self, grid: RasterGrid) -> Iterator[tuple[GeoreferencedRaster, Callable[[], dict[str, Any]]]]:
        """Fetch everything that a window needs; give the map, and what makes its provenance record afterwards."""
        with self.store.cache.exclusive():
            if not self._local.exists():
                rows, raster = self._described()
                self._file.pin_version()
                found = windows(raster, grid)
                if _share(rows, found) > WHOLE_FROM:
                    self._download(rows)
                else:
                    rows.fetch(rows.missing(cells_of(rows, found)))
        if not self._local.exists():
            yield raster, rows.provenance_record
        else:
            with open_raster(self._local, Declared(self.crs, -32768)) as local:
                yield georeference(replace(local, crs=CRS.from_user_input(self.crs)), self.body), self._local_record

    def _download(self, rows: RowStripedRaster) -> None:
        raw = self.store.cache.path(f"{self.name}.raw.tif")
        if not raw.exists():
            download(self.store.client, self._file.url, raw, TIFF, rows.bytes, self._right)
        with atomic_write(self._local) as temporary:
            to_cog(raw, temporary)
        raw.unlink()

    def _right(self, path: Path) -> None:
        self._file.pin_version(sha256_of(path))

    def _local_record(self) -> dict[str, Any]:
        return self._file.provenance_record() | self.store.locks.entry(self._file.key)

    def _described(self) -> tuple[RowStripedRaster, GeoreferencedRaster]:
        tiff = RangedTiff(self._file.bytes_at, self._file.head.version.size, redact_url(self._file.url))
        made = tiff.layout
        self._check(made)

        def starts(first: int, last: int) -> NDArray[np.int64]:
            per, pitch = made.block_height, made.width * np.dtype(made.dtype).itemsize
            lines = np.arange(first, last)
            strips = lines // per
            found = np.array([start for start, _ in tiff.locate(range(strips[0], strips[-1] + 1))], np.int64)
            return np.asarray(found[strips - strips[0]] + (lines % per) * pitch, np.int64)

        rows = RowStripedRaster(self._file, made.height, made.width, made.dtype, starts)
        return rows, georeference(_raster(redact_url(self._file.url), self.crs, made, rows), self.body)

    def _foreseen(self, grid: RasterGrid) -> tuple[RowStripedRaster, list[PixelWindow]]:
        """Describe the rows of the map and what a window needs of them, as far as is known before the first look."""
        if self._file.has_header:
            rows, raster = self._described()
            return rows, windows(raster, grid)
        height, width = self.typical
        axes = Axes(Axis(90.0, -180 / height, height), Axis(-180.0, 360 / width, width))
        return RowStripedRaster(self._file, height, width, "<i2", contiguous(0, width, 2)), windows_along(axes, grid)

    @property
    def _unit(self) -> float:
        """One degree in the units of the file."""
        return 1.0 if self.degrees else self.body.metres_per_degree

    def _check(self, made: TiffLayout) -> None:
        if made.compression != "NONE" or made.tiled or np.dtype(made.dtype).newbyteorder("=") != np.int16:
            raise IntegrityError(
                f"{redact_url(self._file.url)} is not made of plain rows of 16-bit integers any more (compression "
                f"{made.compression}, {made.dtype}): it cannot be read in parts; tell the authors"
            )
        check_body(made.crs, self.body, redact_url(self._file.url))
        t, spare = made.transform, 0.01 * self._unit
        west, north = -180 * self._unit, 90 * self._unit
        off = (t.c - west, t.f - north, t.c + made.width * t.a + west, t.f + made.height * t.e + north)
        if max(abs(o) for o in off) > spare:
            raise IntegrityError(
                f"{redact_url(self._file.url)} does not cover the whole of {self.body.name} from -180 degrees: it is "
                "another map than before; set base_url"
            )


def cells_of(rows: RowStripedRaster, found: Sequence[PixelWindow]) -> list[tuple[int, int]]:
    """List the entries of the cache that windows touch."""
    touched = [rows.cells(window.rows, window.columns) for window in found]
    return list(dict.fromkeys(cell for cells in touched for cell in cells))


def _share(rows: RowStripedRaster, found: Sequence[PixelWindow]) -> float:
    """How much of a map windows need, 0 to 1."""
    needed = sum((w.rows[1] - w.rows[0]) * min(w.columns[1] - w.columns[0], rows.width) for w in found)
    return float(needed / (rows.height * rows.width))


def _raster(name: str, crs: str, made: TiffLayout, rows: RowStripedRaster) -> Raster:
    def read(down: Span, across: Span) -> Pixels:
        return Pixels(rows.read(down, across), None)

    nodata = -32768.0 if made.nodata is None else made.nodata
    return Raster(
        name, CRS.from_user_input(crs), made.transform, made.height, made.width, 1, "int16", nodata, read
    )  # fmt: skip

"""The source `mola`: heights of Mars by laser, the global map of 463 m or the archive's 128 pixels a degree."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rasterio.crs import CRS
from rasterio.transform import Affine

from terraform.config import Config, MolaSource
from terraform.errors import InputError, IntegrityError
from terraform.geo.bodies import MARS
from terraform.geo.grid import RasterGrid
from terraform.provenance import Credit, Provenance
from terraform.sources import Needs, Request, Source, require
from terraform.sources.raster.assemble import make
from terraform.sources.raster.classify import heights
from terraform.sources.raster.formats import Pixels, Raster, Span
from terraform.sources.raster.georeference import Placed, lying
from terraform.sources.raster.resample import reaches, windows
from terraform.sources.remote.access import shown
from terraform.sources.remote.content import Kind
from terraform.sources.remote.store import Bucket, bucket
from terraform.sources.remote_raster.file import RemoteFile
from terraform.sources.remote_raster.global_dem import Planet, cells_of
from terraform.sources.remote_raster.rows import Rows, contiguous

CREDIT = Credit("mola", "LicenseRef-Public-Domain", "MOLA, NASA/GSFC/MIT, USGS Astrogeology")
"""Smith and others (2001), J. Geophys. Res. 106, 23689; the map: Fergason, Hare and Laura (2018)."""

_MAP = "Mars_MGS_MOLA_DEM_mosaic_global_463m.tif"
_MAP_SHAPE = (23_040, 46_080)

_PER_DEGREE = 128
_TILE_DEG = (44, 90)
_TILE_SHAPE = (_TILE_DEG[0] * _PER_DEGREE, _TILE_DEG[1] * _PER_DEGREE)
_TILE_BYTES = 2 * _TILE_SHAPE[0] * _TILE_SHAPE[1]
_NORTHS, _WESTS = (88, 44, 0, -44), (0, 90, 180, 270)
_IMAGE = Kind("an image of MEGDR", ("application/octet-stream", "binary/octet-stream", "application/x-img"))
_HEAD_BYTES = 16


def build(settings: MolaSource, config: Config) -> Source:
    """The product as configured."""
    if settings.product == "463m":
        store = bucket(settings, config.downloads, "463m")
        return Planet(store, _MAP, "463m", MARS, "IAU_2015:49910", False, _MAP_SHAPE, CREDIT)
    archive = settings.model_copy(update={"base_url": settings.archive_url})
    return MolaArchive(bucket(archive, config.downloads, "128ppd"))


@dataclass(frozen=True)
class MolaArchive:
    """MEGDR, 128 pixels a degree: 16 tiles of big-endian integers, 0 to 360 E, 88 N to 88 S."""

    bucket: Bucket

    def credit(self) -> Credit:
        """Free of rights."""
        return CREDIT

    def plan(self, request: Request) -> Needs:
        """One request a row of the window, in each tile."""
        require(request, "mola", MARS, "elevation")
        total = Needs(self.bucket.shelf.source)
        for rows, raster in self._tiles(request.grid):
            cells = cells_of(rows, windows(raster, request.grid))
            missing = rows.missing(cells)
            size = rows.bytes_of(missing)
            if not rows.file.looked_at:
                total = total.plus(Needs(total.service, 1, _HEAD_BYTES))
            total = total.plus(Needs(total.service, rows.requests(missing), size, rows.bytes_of(cells) - size))
        return total

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the heights of a region of Mars.

        Raises
        ------
        ConfigError
            Another body is asked for, or imagery.
        InputError
            The region lies beyond 88 degrees.
        RemoteError, IntegrityError
            The service fails, or a tile is not the one that is locked.
        """
        require(request, "mola", MARS, "elevation")
        tiles = self._tiles(request.grid)
        if not tiles:
            raise InputError(f"region {request.region.name!r} lies beyond 88 degrees: use mola with product 463m there")
        with self.bucket.shelf.alone():
            for rows, raster in tiles:
                self._check_tile(rows)
                rows.fetch(rows.missing(cells_of(rows, windows(raster, request.grid))))
        sort = partial(heights, body=MARS, missing_is_sea=False)
        make(request, [[raster for _, raster in tiles]], sort, destination, Provenance((CREDIT,)))
        return Provenance((CREDIT,), {"version": "128ppd", "files": [rows.record() for rows, _ in tiles]})

    def _tiles(self, grid: RasterGrid) -> list[tuple[Rows, Placed]]:
        made = [self._tile(north, west) for north in _NORTHS for west in _WESTS]
        return [(rows, raster) for rows, raster in made if reaches(raster, grid)]

    def _tile(self, north: int, west: int) -> tuple[Rows, Placed]:
        name = f"megt{abs(north):02}{'n' if north >= 0 else 's'}{west:03}hb"
        file = RemoteFile(self.bucket, f"{name}.img", name, _IMAGE, _HEAD_BYTES)
        height, width = _TILE_SHAPE
        rows = Rows(file, height, width, ">i2", contiguous(0, width, 2))

        def read(down: Span, across: Span) -> Pixels:
            return Pixels(rows.read(down, across), None)

        transform = Affine(1 / _PER_DEGREE, 0, west, 0, -1 / _PER_DEGREE, north)
        crs = CRS.from_user_input(MARS.geographic_crs)
        raster = Raster(shown(file.url), crs, transform, height, width, 1, "int16", None, read)
        return rows, lying(raster, MARS)

    def _check_tile(self, rows: Rows) -> None:
        identity = rows.file.head.identity
        if identity.size != _TILE_BYTES:
            raise IntegrityError(
                f"{shown(rows.file.url)} has {identity.size:,} bytes, a tile of MEGDR has {_TILE_BYTES:,}: it is "
                "another product; set archive_url"
            )
        rows.file.hold()

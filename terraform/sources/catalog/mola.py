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
from terraform.sources import DataSource, FetchEstimate, Request, require
from terraform.sources.raster.assemble import write_raster
from terraform.sources.raster.classify import classify_heights
from terraform.sources.raster.formats import Pixels, Raster, Span
from terraform.sources.raster.georeference import GeoreferencedRaster, georeference
from terraform.sources.raster.resample import reaches, windows
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.response import ContentType
from terraform.sources.remote.store import RemoteStore, open_store
from terraform.sources.remote_raster.file import RemoteFile
from terraform.sources.remote_raster.global_dem import GlobalDemSource, cells_of
from terraform.sources.remote_raster.rows import RowStripedRaster, contiguous

CREDIT = Credit("mola", "LicenseRef-Public-Domain", "MOLA, NASA/GSFC/MIT, USGS Astrogeology")
"""Smith and others (2001), J. Geophys. Res. 106, 23689; the map: Fergason, Hare and Laura (2018)."""

_MAP = "Mars_MGS_MOLA_DEM_mosaic_global_463m.tif"
_MAP_SHAPE = (23_040, 46_080)

_PER_DEGREE = 128
_TILE_DEG = (44, 90)
_TILE_SHAPE = (_TILE_DEG[0] * _PER_DEGREE, _TILE_DEG[1] * _PER_DEGREE)
_TILE_BYTES = 2 * _TILE_SHAPE[0] * _TILE_SHAPE[1]
_NORTHS, _WESTS = (88, 44, 0, -44), (0, 90, 180, 270)
_IMAGE = ContentType("an image of MEGDR", ("application/octet-stream", "binary/octet-stream", "application/x-img"))
_HEAD_BYTES = 16


def build(settings: MolaSource, config: Config) -> DataSource:
    """The product as configured."""
    if settings.product == "463m":
        store = open_store(settings, config.downloads, "463m")
        return GlobalDemSource(store, _MAP, "463m", MARS, "IAU_2015:49910", False, _MAP_SHAPE, CREDIT)
    archive = settings.model_copy(update={"base_url": settings.archive_url})
    return MolaArchive(open_store(archive, config.downloads, "128ppd"))


@dataclass(frozen=True)
class MolaArchive:
    """MEGDR, 128 pixels a degree: 16 tiles of big-endian integers, 0 to 360 E, 88 N to 88 S."""

    store: RemoteStore

    def credit(self) -> Credit:
        """Free of rights."""
        return CREDIT

    def estimate(self, request: Request) -> FetchEstimate:
        """One request a row of the window, in each tile."""
        require(request, "mola", MARS, "elevation")
        total = FetchEstimate(self.store.cache.source)
        for rows, raster in self._tiles(request.grid):
            cells = cells_of(rows, windows(raster, request.grid))
            missing = rows.missing(cells)
            size = rows.bytes_of(missing)
            if not rows.file.has_header:
                total = total.plus(FetchEstimate(total.service, 1, _HEAD_BYTES))
            total = total.plus(FetchEstimate(total.service, rows.requests(missing), size, rows.bytes_of(cells) - size))
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
        with self.store.cache.exclusive():
            for rows, raster in tiles:
                self._check_tile(rows)
                rows.fetch(rows.missing(cells_of(rows, windows(raster, request.grid))))
        classify = partial(classify_heights, body=MARS, missing_is_sea=False)
        write_raster(request, [[raster for _, raster in tiles]], classify, destination, Provenance((CREDIT,)))
        return Provenance((CREDIT,), {"version": "128ppd", "files": [rows.provenance_record() for rows, _ in tiles]})

    def _tiles(self, grid: RasterGrid) -> list[tuple[RowStripedRaster, GeoreferencedRaster]]:
        made = [self._tile(north, west) for north in _NORTHS for west in _WESTS]
        return [(rows, raster) for rows, raster in made if reaches(raster, grid)]

    def _tile(self, north: int, west: int) -> tuple[RowStripedRaster, GeoreferencedRaster]:
        name = f"megt{abs(north):02}{'n' if north >= 0 else 's'}{west:03}hb"
        file = RemoteFile(self.store, f"{name}.img", name, _IMAGE, _HEAD_BYTES)
        height, width = _TILE_SHAPE
        rows = RowStripedRaster(file, height, width, ">i2", contiguous(0, width, 2))

        def read(down: Span, across: Span) -> Pixels:
            return Pixels(rows.read(down, across), None)

        transform = Affine(1 / _PER_DEGREE, 0, west, 0, -1 / _PER_DEGREE, north)
        crs = CRS.from_user_input(MARS.geographic_crs)
        raster = Raster(redact_url(file.url), crs, transform, height, width, 1, "int16", None, read)
        return rows, georeference(raster, MARS)

    def _check_tile(self, rows: RowStripedRaster) -> None:
        version = rows.file.head.version
        if version.size != _TILE_BYTES:
            raise IntegrityError(
                f"{redact_url(rows.file.url)} has {version.size:,} bytes, a tile of MEGDR has {_TILE_BYTES:,}: it is "
                "another product; set archive_url"
            )
        rows.file.pin_version()

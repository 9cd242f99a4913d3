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
from terraform.sources import DataSource, FetchEstimate, PlanetRequest, Request, require, require_planet
from terraform.sources.raster.assemble import write_raster
from terraform.sources.raster.classify import classify_heights
from terraform.sources.raster.formats import Pixels, Raster, Span
from terraform.sources.raster.georeference import GeoreferencedRaster, georeference
from terraform.sources.raster.planet import resample_planet
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
_MAPS = {4: "c", 16: "e", 32: "f"}
"""Pixels a degree of the maps of the whole planet, and the letter that names them."""
_NORTHS, _WESTS = (88, 44, 0, -44), (0, 90, 180, 270)
_IMAGE = ContentType("an image of MEGDR", ("application/octet-stream", "binary/octet-stream", "application/x-img"))
_HEAD_BYTES = 16


def build(settings: MolaSource, config: Config) -> DataSource:
    """Build the product as configured."""
    if settings.product == "463m":
        store = open_store(settings, config.downloads, "463m")
        return GlobalDemSource(store, _MAP, "463m", MARS, "IAU_2015:49910", False, _MAP_SHAPE, CREDIT)
    archive = settings.model_copy(update={"base_url": settings.archive_url})
    return MolaArchive(open_store(archive, config.downloads, "128ppd"))


def build_planet(settings: MolaSource, config: Config) -> "MolaPlanet":
    """Build the source of the whole planet; `product` is of regions."""
    return MolaPlanet(settings, config)


class MolaPlanet:
    """Heights of the whole of Mars by the archive's maps of 4, 16 or 32 pixels a degree, 2 to 133 MB.

    Parameters
    ----------
    settings : MolaSource
    config : Config
    """

    def __init__(self, settings: MolaSource, config: Config) -> None:
        self._settings, self._config = settings, config

    def credit(self) -> Credit:
        """Public domain."""
        return CREDIT

    def estimate_planet(self, request: PlanetRequest) -> FetchEstimate:
        """Estimate the requests for rows of the smallest map whose pixels are no larger than a cell."""
        rows, _ = self._map(request)
        everything = rows.cells((0, rows.height), (0, rows.width))
        missing = rows.missing(everything)
        head = 0 if rows.file.has_header else 1
        size = rows.bytes_of(missing)
        return FetchEstimate(
            rows.file.store.cache.source, rows.requests(missing) + head, size + head * _HEAD_BYTES,
            rows.bytes_of(everything) - size,
        )  # fmt: skip

    def fetch_planet(self, request: PlanetRequest, destination: Path) -> Provenance:
        """Publish the heights of Mars.

        Raises
        ------
        ConfigError
            Another body is asked for, or another kind.
        RemoteError, IntegrityError
            The service fails, or the map is not the one that is locked.
        """
        rows, raster = self._map(request)
        with rows.file.store.cache.exclusive():
            _check_size(rows)
            rows.fetch(rows.missing(rows.cells((0, rows.height), (0, rows.width))))
        classify = partial(classify_heights, body=MARS, missing_is_sea=False)
        resample_planet(request, [[raster]], classify, destination, Provenance((CREDIT,)))
        return Provenance(
            (CREDIT,), {"version": rows.file.store.cache.folder.name, "files": [rows.provenance_record()]}
        )

    def _map(self, request: PlanetRequest) -> tuple[RowStripedRaster, GeoreferencedRaster]:
        require_planet(request, "mola", MARS, ["elevation"])
        cells = request.grid.cells_per_degree
        per_degree = next((count for count in _MAPS if count >= cells), max(_MAPS))
        base = f"{self._settings.archive_url.rpartition('/')[0]}/meg{per_degree:03}"
        settings = self._settings.model_copy(update={"base_url": base})
        store = open_store(settings, self._config.downloads, f"{per_degree}ppd")
        return _megdr(store, f"megt90n000{_MAPS[per_degree]}b", (90, 0), per_degree, (180, 360))


@dataclass(frozen=True)
class MolaArchive:
    """MEGDR, 128 pixels a degree: 16 tiles of big-endian integers, 0 to 360 E, 88 N to 88 S."""

    store: RemoteStore

    def credit(self) -> Credit:
        """Public domain."""
        return CREDIT

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate one request a row of the window, in each tile."""
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
            The region is beyond 88 degrees.
        RemoteError, IntegrityError
            The service fails, or a tile is not the one that is locked.
        """
        require(request, "mola", MARS, "elevation")
        tiles = self._tiles(request.grid)
        if not tiles:
            raise InputError(f"region {request.region.name!r} is beyond 88 degrees: use mola with product 463m there")
        with self.store.cache.exclusive():
            for rows, raster in tiles:
                _check_size(rows)
                rows.fetch(rows.missing(cells_of(rows, windows(raster, request.grid))))
        classify = partial(classify_heights, body=MARS, missing_is_sea=False)
        write_raster(request, [[raster for _, raster in tiles]], classify, destination, Provenance((CREDIT,)))
        return Provenance((CREDIT,), {"version": "128ppd", "files": [rows.provenance_record() for rows, _ in tiles]})

    def _tiles(self, grid: RasterGrid) -> list[tuple[RowStripedRaster, GeoreferencedRaster]]:
        made = [self._tile(north, west) for north in _NORTHS for west in _WESTS]
        return [(rows, raster) for rows, raster in made if reaches(raster, grid)]

    def _tile(self, north: int, west: int) -> tuple[RowStripedRaster, GeoreferencedRaster]:
        name = f"megt{abs(north):02}{'n' if north >= 0 else 's'}{west:03}hb"
        return _megdr(self.store, name, (north, west), _PER_DEGREE, _TILE_DEG)


def _megdr(
    store: RemoteStore, name: str, corner: tuple[int, int], per_degree: int, extent_deg: tuple[int, int]
) -> tuple[RowStripedRaster, GeoreferencedRaster]:
    """Describe a file of MEGDR: its rows and its georeference; corner and extent are of latitude, longitude."""
    file = RemoteFile(store, f"{name}.img", name, _IMAGE, _HEAD_BYTES)
    height, width = extent_deg[0] * per_degree, extent_deg[1] * per_degree
    rows = RowStripedRaster(file, height, width, ">i2", contiguous(0, width, 2))

    def read(down: Span, across: Span) -> Pixels:
        return Pixels(rows.read(down, across), None)

    transform = Affine(1 / per_degree, 0, corner[1], 0, -1 / per_degree, corner[0])
    crs = CRS.from_user_input(MARS.geographic_crs)
    raster = Raster(redact_url(file.url), crs, transform, height, width, 1, "int16", None, read)
    return rows, georeference(raster, MARS)


def _check_size(rows: RowStripedRaster) -> None:
    """Refuse a file of another size, and pin its version."""
    size = rows.file.head.version.size
    if size != rows.bytes:
        raise IntegrityError(
            f"{redact_url(rows.file.url)} has {size:,} bytes, that part of MEGDR has {rows.bytes:,}: it is another "
            "product; set archive_url"
        )
    rows.file.pin_version()

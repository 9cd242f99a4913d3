"""The source `worldclim`: WorldClim 2.1, temperature and precipitation of the months on land, 1970 to 2000."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from terraform.config import Config, PlanetFilesSource, WorldClimSource
from terraform.errors import InputError
from terraform.geo.bodies import EARTH
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, PlanetKind, PlanetRequest, require_planet
from terraform.sources.raster.georeference import georeference
from terraform.sources.raster.months import classify_months, open_months
from terraform.sources.raster.planet import resample_planet
from terraform.sources.remote.download import download
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.ranges import FileVersion
from terraform.sources.remote.response import ContentType
from terraform.sources.remote.store import RemoteStore, open_store
from terraform.storage.hashing import sha256_of

CREDIT = Credit(
    "worldclim",
    "LicenseRef-WorldClim",
    "WorldClim 2.1 (Fick and Hijmans 2017, doi.org/10.1002/joc.5086), worldclim.org",
)
"""Free for academic and other non-commercial use; passing it on needs permission (worldclim.org)."""

VERSION = "2.1-10m"
_ARCHIVES: dict[PlanetKind, tuple[str, str, int]] = {
    "temperature": ("wc2.1_10m_tavg", "degC", 36_000_000), "precipitation": ("wc2.1_10m_prec", "mm/month", 7_000_000),
}  # fmt: skip
"""Name, unit, and roughly the bytes."""

_ZIP = ContentType("a zip archive", ("application/zip", "application/x-zip-compressed", "application/octet-stream"),
                   (b"PK\x03\x04",))  # fmt: skip
_MOST_MEMBER_BYTES = 64 << 20


def build(settings: WorldClimSource, config: Config) -> "WorldClim":
    """Build the source as configured."""
    return WorldClim(open_store(settings, config.downloads, VERSION))


@dataclass(frozen=True)
class WorldClim:
    """Two archives of twelve rasters of 10 minutes; the sea and Antarctica's sea are void."""

    store: RemoteStore

    def credit(self) -> Credit:
        """Non-commercial, and not to be passed on."""
        return CREDIT

    def estimate_planet(self, request: PlanetRequest) -> FetchEstimate:
        """Estimate one archive."""
        _require(request)
        name, _, size = _ARCHIVES[request.kind]
        path = self.store.cache.path(f"{name}.zip")
        if path.exists():
            return FetchEstimate("worldclim", 0, 0, path.stat().st_size)
        return FetchEstimate("worldclim", 1, size, 0, exact=False)

    def fetch_planet(self, request: PlanetRequest, destination: Path) -> Provenance:
        """Publish the twelve months; the archive is fetched once, and locked.

        Raises
        ------
        ConfigError
            Another body or kind is asked for.
        RemoteError, IntegrityError, InputError
            The service fails; the archive is not the one that is locked, or is damaged.
        """
        _require(request)
        name, unit, size = _ARCHIVES[request.kind]
        archive, url = self.store.cache.path(f"{name}.zip"), self.store.client.access.url(f"{name}.zip")
        with self.store.cache.exclusive():
            if not archive.exists():
                version = download(self.store.client, url, archive, _ZIP, size)
                self._pin(archive, name, version)
        self._pin(archive, name, FileVersion(archive.stat().st_size, ""))
        settings = PlanetFilesSource(source="files", path="", unit=unit)
        details = {"version": VERSION, "url": redact_url(url), "sha256_of_archive": sha256_of(archive)}
        provenance = Provenance((CREDIT,), details)
        with ExitStack() as stack:
            paths = stack.enter_context(_unpacked(archive, name))
            months = stack.enter_context(open_months(paths, settings, request.kind, EARTH))
            resample_planet(request, [[georeference(months, EARTH)]], classify_months, destination, provenance)
        return provenance

    def _pin(self, archive: Path, name: str, version: FileVersion) -> None:
        self.store.locks.pin_version(f"worldclim/{name}.zip", version, sha256_of(archive))


def _require(request: PlanetRequest) -> None:
    require_planet(request, "worldclim", EARTH, ["temperature", "precipitation"])


@contextmanager
def _unpacked(archive: Path, name: str) -> Iterator[list[Path]]:
    """Unpack the twelve rasters into a folder that goes at the end; the archive's own names are not used as paths."""
    wanted = [f"{name}_{month:02}.tif" for month in range(1, 13)]
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        paths = [Path(folder, member) for member in wanted]
        try:
            with zipfile.ZipFile(archive) as opened:
                for member, path in zip(wanted, paths, strict=True):
                    path.write_bytes(_member(opened, member))
        except (KeyError, zipfile.BadZipFile, EOFError, ValueError) as error:
            raise InputError(f"{archive} is no archive of WorldClim ({error}): remove it, and fetch it again") from None
        yield paths


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        content = file.read(_MOST_MEMBER_BYTES + 1)
    if len(content) > _MOST_MEMBER_BYTES:
        raise ValueError(f"{name} unpacks to more than {_MOST_MEMBER_BYTES >> 20} MB")
    return content

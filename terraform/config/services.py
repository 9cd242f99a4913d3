"""Remote services: how they are asked, and the settings of each source that is fetched."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from terraform.config.section import Section


class Downloads(Section):
    """How remote services are asked. Each source says for itself where it is."""

    cache: str = "resources/cache"
    """Folder of what was fetched; regions share it, and so may runs."""
    lock: str = "sources.lock.json"
    """File with the versions of fixed files: what changes at its source is refused until it is accepted."""
    contact: str = Field("", pattern=r"^[^\r\n]{0,100}$")
    """An address or page to put into the User-Agent, so that an operator can reach you."""
    connect_timeout_s: float = Field(10, gt=0, le=86_400)
    """Longest wait for a connection, seconds."""
    read_timeout_s: float = Field(60, gt=0, le=86_400)
    """Longest silence of a service, seconds."""
    deadline_s: float = Field(300, gt=0, le=10**7)
    """Longest time for one request with all its attempts, seconds; large ones get more, by `slowest_bytes_per_s`."""
    slowest_bytes_per_s: float = Field(20_000, gt=0)
    """What comes more slowly than this in the long run is given up."""
    attempts: int = Field(6, ge=1, le=20)
    """Attempts before a request is given up."""
    backoff_s: float = Field(1.0, ge=0, le=86_400)
    """Bound of the first pause between two attempts, seconds; it doubles, and the pause is drawn below it."""
    longest_wait_s: float = Field(120, ge=0, le=86_400)
    """Longest Retry-After that is waited for, seconds; a service that asks for more ends the run, to be resumed."""


class RemoteSource(Section):
    """A source that is fetched over the network. What is here says how, never what: it changes no result."""

    source: str
    """Name of the source."""
    base_url: str
    """Where it is. A mirror of your own may be http:// and in a private network."""
    hosts: list[str] = []
    """Hosts from which it may come, redirects included, by https."""
    connections: int = Field(8, ge=1, le=16)
    """Connections to a host at a time."""

    @model_validator(mode="after")
    def _without_secrets(self) -> Self:
        # Before anything is written: a workflow copies its settings beside its results.
        for name, value in self:
            if name.endswith("_url") and not _is_plain(value):
                raise ValueError(
                    f"{self.source}: {name} must be https://HOST/PATH alone, without a user, a key or a query: these "
                    "would be written into logs and results"
                )
        return self


def _is_plain(url: str) -> bool:
    """Whether an address holds nothing that could be a secret; the address itself is never quoted."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return not (parts.username or parts.password or parts.query or parts.fragment)


class OpenTopographySource(RemoteSource):
    """SRTM GL1, 30 m, without an account: tiles of the public bucket of OpenTopography."""

    source: Literal["opentopography"]
    """Name of the source."""
    base_url: str = "https://opentopography.s3.sdsc.edu/raster"
    """Where it is."""
    hosts: list[str] = ["opentopography.s3.sdsc.edu"]
    """Hosts from which it may come."""


class CopernicusSource(RemoteSource):
    """Copernicus GLO-30, and GLO-90 where GLO-30 is not public, without an account."""

    source: Literal["copernicus"]
    """Name of the source."""
    base_url: str = "https://copernicus-dem-30m.s3.amazonaws.com"
    """Where GLO-30 is."""
    coarse_url: str = "https://copernicus-dem-90m.s3.amazonaws.com"
    """Where GLO-90 is."""
    hosts: list[str] = ["copernicus-dem-30m.s3.amazonaws.com", "copernicus-dem-90m.s3.amazonaws.com"]
    """Hosts from which it may come."""


class TerrariumSource(RemoteSource):
    """AWS Terrain Tiles, many sources in one; below sea level counts as sea."""

    source: Literal["terrarium"]
    """Name of the source."""
    base_url: str = "https://s3.amazonaws.com/elevation-tiles-prod/terrarium"
    """Where it is."""
    hosts: list[str] = ["s3.amazonaws.com"]
    """Hosts from which it may come."""
    zoom: int = Field(10, ge=0, le=13)
    """Zoom level; 10 has pixels of 153 m on the equator."""


class Mosaic120Source(RemoteSource):
    """The Sentinel-2 L2A 120 m mosaic, CC BY 4.0: reflectance, drawn by a stretch of our own."""

    source: Literal["s2mosaic120"]
    """Name of the source."""
    base_url: str = "https://sentinel-s2-l2a-mosaic-120.s3.amazonaws.com"
    """Where it is."""
    hosts: list[str] = ["sentinel-s2-l2a-mosaic-120.s3.amazonaws.com"]
    """Hosts from which it may come."""
    date: str = Field("2019-07-10", pattern=r"^20(19|20)-\d{2}-\d{2}$")
    """First day of one of the mosaic's periods of ten days."""
    white_reflectance: float = Field(0.45, gt=0, le=1)
    """Reflectance that becomes 255; deserts reach it, snow and cloud lie beyond."""
    gamma: float = Field(1.8, ge=1, le=3)
    """Exponent of the stretch: 1 is linear, more brightens forests."""


class MolaSource(RemoteSource):
    """MOLA: the global mosaic of 463 m, or the archive's 128 pixels a degree between 88 N and 88 S."""

    source: Literal["mola"]
    """Name of the source."""
    product: Literal["463m", "128ppd"] = "463m"
    """Which of them."""
    base_url: str = "https://asc-pds-services.s3.us-west-2.amazonaws.com/mosaic"
    """Where the mosaic of 463 m is."""
    archive_url: str = "https://pds-geosciences.wustl.edu/mgs/mgs-m-mola-5-megdr-l3-v1/mgsl_300x/meg128"
    """Where the tiles of 128 pixels a degree are; the maps of the whole planet are in the folders beside it."""
    hosts: list[str] = [
        "asc-pds-services.s3.us-west-2.amazonaws.com",
        "planetarymaps.usgs.gov",
        "pds-geosciences.wustl.edu",
    ]
    """Hosts from which it may come."""


class HrscMolaSource(RemoteSource):
    """The HRSC-MOLA blend, 200 m: rows of a window, or for much of the planet the whole file (11.4 GB) once."""

    source: Literal["hrsc_mola"]
    """Name of the source."""
    base_url: str = "https://asc-pds-services.s3.us-west-2.amazonaws.com/mosaic/Mars/HRSC_MOLA_Blend"
    """Where it is."""
    hosts: list[str] = ["asc-pds-services.s3.us-west-2.amazonaws.com", "planetarymaps.usgs.gov"]
    """Hosts from which it may come."""
    connections: int = Field(16, ge=1, le=24)
    """Connections to a host at a time: a window is one small request a row."""


class S2CloudlessSource(RemoteSource):
    """Sentinel-2 cloudless by EOX, one mosaic a year, by WMS. Of 2016 on CC BY 4.0, later CC BY-NC-SA 4.0."""

    source: Literal["s2cloudless"]
    """Name of the source."""
    base_url: str = "https://tiles.maps.eox.at/wms"
    """Where its WMS is; https://s2maps-tiles.eu/wms is EOX's own mirror."""
    hosts: list[str] = ["tiles.maps.eox.at", "a.tiles.maps.eox.at", "s2maps-tiles.eu"]
    """Hosts from which it may come."""
    connections: int = Field(2, ge=1, le=8)
    """Connections to a host at a time: EOX publishes no limit, so be modest."""
    year: int = Field(2020, ge=2016, le=2025)
    """Year of the mosaic."""
    version: Literal["1.1.1", "1.3.0"] = "1.1.1"
    """WMS version; 1.3.0 takes latitude before longitude."""
    request_px: int = Field(1024, ge=128, le=2048)
    """Largest side of a picture, pixels."""
    licence: str | None = None
    """SPDX identifier, where you hold another licence than the public one; by default that of the year."""
    attribution: str | None = None
    """Text to show; by default that of the year."""


class BlueMarbleSource(RemoteSource):
    """Blue Marble Next Generation of 2004 by NASA Earth Observations (WMS): no relief shading, no sea floor."""

    source: Literal["blue_marble"]
    """Name of the source."""
    base_url: str = "https://neo.gsfc.nasa.gov/wms/wms"
    """Where its WMS is."""
    hosts: list[str] = ["neo.gsfc.nasa.gov", "neo.sci.gsfc.nasa.gov"]
    """Hosts from which it may come."""
    connections: int = Field(2, ge=1, le=8)
    """Connections to a host at a time."""
    layer: str = Field("BlueMarbleNG", pattern=r"^[\w.-]{1,80}$")
    """Its layer; BlueMarbleNG-TB is shaded and has the sea floor."""
    month: int = Field(7, ge=1, le=12)
    """Month of 2004."""
    darkest_of: list[Annotated[int, Field(ge=1, le=12)]] = Field([], max_length=12)
    """Instead of that month: channel by channel the darkest of these, a composite of the year."""
    version: Literal["1.1.1", "1.3.0"] = "1.1.1"
    """WMS version; 1.3.0 takes latitude before longitude."""
    request_px: int = Field(1024, ge=128, le=2048)
    """Largest side of a picture, pixels."""


class WorldClimSource(RemoteSource):
    """WorldClim 2.1, climate of 1970 to 2000 on land, at 10 minutes. Not for commercial use, not to be passed on."""

    source: Literal["worldclim"]
    """Name of the source."""
    base_url: str = "https://geodata.ucdavis.edu/climate/worldclim/2_1/base"
    """Where its archives are."""
    hosts: list[str] = ["geodata.ucdavis.edu", "biogeo.ucdavis.edu"]
    """Hosts from which it may come."""
    connections: int = Field(2, ge=1, le=8)
    """Connections to a host at a time."""


class EarthEngineSource(RemoteSource):
    """Elevation models by Earth Engine. Credentials and project come from the environment, never from here."""

    source: Literal["earthengine"]
    """Name of the source."""
    asset: Literal["USGS/SRTMGL1_003", "NASA/NASADEM_HGT/001", "COPERNICUS/DEM/GLO30_2024_1"] = "USGS/SRTMGL1_003"
    """The elevation model. SRTM and NASADEM reach from 56 S to 60 N."""
    base_url: str = "https://earthengine-highvolume.googleapis.com"
    """Where Earth Engine is."""
    hosts: list[str] = [
        "earthengine-highvolume.googleapis.com",
        "oauth2.googleapis.com",
        "sts.googleapis.com",
        "iamcredentials.googleapis.com",
    ]
    """Hosts that may be reached: the service, and where Google signs in."""
    connections: int = Field(8, ge=1, le=40)
    """Requests at a time; a project may have 40."""
    window_px: int = Field(256, ge=32, le=2048)
    """Largest side of a request, pixels; 2,048 make 17 of the 48 MB that are allowed."""

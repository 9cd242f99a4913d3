"""The source `s2cloudless`: Sentinel-2 cloudless, EOX's mosaic of a year, drawn by its WMS on our lattice."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from terraform.config import Config, S2CloudlessSource
from terraform.errors import InputError
from terraform.geo.bodies import EARTH
from terraform.geo.raster import write_strips
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, PlanetRequest, Request, require, require_planet
from terraform.sources.raster.planet import write_planet
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.response import JPEG, XML
from terraform.sources.remote.store import RemoteStore, open_store
from terraform.sources.remote.wms import LayerInfo, PlanetPictures, decode_jpeg, read_capabilities
from terraform.sources.remote_raster.request_grid import (
    ARC_SECOND,
    ROW_S,
    RequestGrid,
    RequestWindow,
    place,
    request_grid,
    strips,
)

_BYTES_PER_PX = 0.3
"""Of a JPEG of land at 200 m: 0.14 to 0.46 in six regions."""
_MOST_BYTES_PER_PX = 4
_MOST_CAPABILITIES = 16 << 20
_LEFT = "CC-BY-NC-SA-4.0"


def build(settings: S2CloudlessSource, config: Config) -> "S2Cloudless":
    """Build the source as configured."""
    return S2Cloudless(settings, open_store(settings, config.downloads, layer_of(settings.year)))


def layer_of(year: int) -> str:
    """Name the service's layer of a year in EPSG:4326; that of the first year has no suffix."""
    return "s2cloudless" if year == 2016 else f"s2cloudless-{year}"


def licence_of(year: int) -> str:
    """SPDX identifier of a year's public licence: all after the first are non-commercial and share-alike."""
    return "CC-BY-4.0" if year == 2016 else _LEFT


def attribution_of(year: int) -> str:
    """Write the text that EOX asks for (cloudless.eox.at, licence)."""
    return (
        "Sentinel-2 cloudless - https://s2maps.eu by EOX IT Services GmbH "
        f"(Contains modified Copernicus Sentinel data {'2016 & 2017' if year == 2016 else year})"
    )


@dataclass(frozen=True)
class S2Cloudless:
    """The mosaic of one year."""

    settings: S2CloudlessSource
    store: RemoteStore

    def credit(self) -> Credit:
        """Licence and attribution of the year, or those that the user states."""
        year = self.settings.year
        licence = self.settings.licence or licence_of(year)
        return Credit("s2cloudless", licence, self.settings.attribution or attribution_of(year))

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate the pictures that are still to be fetched, and their bytes."""
        require(request, "s2cloudless", EARTH, "imagery")
        windows = self._windows(request_grid(request.grid))
        missing = [window for window in windows if not self.store.cache.has(*_names(window))]
        kept = sum(_pixels(window) for window in windows) - sum(_pixels(window) for window in missing)
        wanted = sum(_pixels(window) for window in missing)
        more = 0 if self.store.cache.has("capabilities") else 1
        return FetchEstimate(
            "s2cloudless", len(missing) + more, round(wanted * _BYTES_PER_PX), round(kept * _BYTES_PER_PX), not missing
        )

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the colours of a region on the lattice.

        Raises
        ------
        ConfigError
            It has no such data: elevation, another body; or the service does not offer the year.
        RemoteError
            The service refuses, fails, or sends something else than a sound picture.
        """
        require(request, "s2cloudless", EARTH, "imagery")
        part = request_grid(request.grid)
        windows = self._windows(part)
        with self.store.cache.exclusive():
            offer = self._offer()
            missing = [window for window in windows if self.store.cache.read(*_names(window)) is None]
            self.store.map(self._fetch, missing)
        details = {
            "year": self.settings.year, "layer": layer_of(self.settings.year),
            "url": redact_url(self.settings.base_url), "windows": len(windows),
            "pictures_sha256": self.store.cache.digest(map(_names, windows)),
            "service_says": {"attribution": offer.attribution, "constraints": offer.constraints},
        }  # fmt: skip
        provenance = Provenance((self.credit(),), details)
        made = self._strips(part, windows, request)
        write_strips(destination, part.grid(request.grid), made, 3, "uint8", provenance.tags())
        return provenance

    def estimate_planet(self, request: PlanetRequest) -> FetchEstimate:
        """Estimate the pictures of a cell a pixel that are still to be fetched."""
        require_planet(request, "s2cloudless", EARTH, ["imagery"])
        pictures = self._planet(request)
        missing, windows = pictures.missing(), pictures.windows()
        more = 0 if self.store.cache.has("capabilities") else 1
        pixels = [sum(h * w for h, w in (window.shape for window in these)) for these in (missing, windows)]
        size, everything = (round(count * _BYTES_PER_PX) for count in pixels)
        return FetchEstimate("s2cloudless", len(missing) + more, size, everything - size, not missing)

    def fetch_planet(self, request: PlanetRequest, destination: Path) -> Provenance:
        """Publish the colours of the whole Earth, as the service draws them at the size of the cells.

        Raises
        ------
        ConfigError
            Anything else is asked for; the service does not offer the year.
        RemoteError
            The service refuses, fails, or sends something else than a sound picture.
        """
        require_planet(request, "s2cloudless", EARTH, ["imagery"])
        pictures = self._planet(request)
        with self.store.cache.exclusive():
            offer = self._offer()
            pictures.fetch()
        details = {
            "year": self.settings.year, "layer": layer_of(self.settings.year),
            "url": redact_url(self.settings.base_url), "windows": len(pictures.windows()),
            "pictures_sha256": pictures.digest(),
            "service_says": {"attribution": offer.attribution, "constraints": offer.constraints},
        }  # fmt: skip
        provenance = Provenance((self.credit(),), details)
        write_planet(request, pictures.strips(), destination, provenance)
        return provenance

    def _planet(self, request: PlanetRequest) -> PlanetPictures:
        parameters = {"LAYERS": layer_of(self.settings.year), "VERSION": self.settings.version}
        return PlanetPictures(
            self.store, self.settings.base_url, parameters, request.grid, self.settings.request_px
        )  # fmt: skip

    def _windows(self, part: RequestGrid) -> list[RequestWindow]:
        return part.windows(self.settings.request_px, -90, 90)

    def _offer(self) -> LayerInfo:
        """Read what the service says of itself, asked once.

        Raises
        ------
        ConfigError
            It does not offer the year.
        """
        path = "?" + urlencode({"SERVICE": "WMS", "VERSION": "1.1.1", "REQUEST": "GetCapabilities"})
        cache, layer = self.store.cache, layer_of(self.settings.year)
        content = cache.read("capabilities")
        if content is None:
            url = self.settings.base_url + path
            content = self.store.client.get(url, XML, _MOST_CAPABILITIES)
            read_capabilities(content, layer)
            cache.write(content, "capabilities")
        return read_capabilities(content, layer)

    def _fetch(self, window: RequestWindow) -> None:
        url = f"{self.settings.base_url}?{urlencode(query(window, self.settings), safe=':,/')}"
        most = max(65_536, _MOST_BYTES_PER_PX * _pixels(window))
        body = self.store.client.get(url, JPEG, most, lambda got: decode_jpeg(got, window.shape))
        self.store.cache.write(body, *_names(window))

    def _strips(self, part: RequestGrid, windows: list[RequestWindow], request: Request) -> Iterator[NDArray[np.uint8]]:
        """Put the region together from north to south, a row of pictures at a time."""
        seen = False
        for (top, bottom), row in strips(part, windows):
            strip = np.zeros((bottom - top, part.columns[1] - part.columns[0], 3), np.uint8)
            for window in row:
                picture = decode_jpeg(self.store.cache.require(*_names(window)), window.shape)
                place(strip, (top, part.columns[0]), picture, window)
            seen = seen or bool(strip.any())
            yield strip
        if not seen:
            raise InputError(f"region {request.region.name!r} has no imagery at all: choose another year or region")


def query(window: RequestWindow, settings: S2CloudlessSource) -> dict[str, object]:
    """List the parameters of a GetMap request.

    WMS 1.3.0 takes the axes of EPSG:4326 as they are defined, latitude first (OGC 06-042, 6.7.2), 1.1.1 does not.
    """
    height, width = window.shape
    west, south = window.west, window.north - height * ROW_S * ARC_SECOND
    east, north = west + width * window.step_deg, window.north
    newer = settings.version == "1.3.0"
    corners = (south, west, north, east) if newer else (west, south, east, north)
    return {
        "SERVICE": "WMS", "VERSION": settings.version, "REQUEST": "GetMap", "LAYERS": layer_of(settings.year),
        "STYLES": "", "CRS" if newer else "SRS": "EPSG:4326", "BBOX": ",".join(f"{edge:.12g}" for edge in corners),
        "WIDTH": width, "HEIGHT": height, "FORMAT": "image/jpeg",
    }  # fmt: skip


def _names(window: RequestWindow) -> tuple[str, str]:
    height, width = window.shape
    return f"{window.column_s}s", f"r{window.top}c{window.left}-{height}x{width}.jpg"


def _pixels(window: RequestWindow) -> int:
    return window.shape[0] * window.shape[1]

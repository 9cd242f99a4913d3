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
from terraform.sources import Needs, Request, require
from terraform.sources.catalog.picture import decoded
from terraform.sources.catalog.wms import Offered, offered
from terraform.sources.remote.access import shown
from terraform.sources.remote.content import JPEG, XML
from terraform.sources.remote.store import Bucket, bucket
from terraform.sources.remote_raster.request_grid import ARC_SECOND, ROW_S, Lattice, Window, lattice, place, strips

_BYTES_PER_PX = 0.3
"""Of a JPEG of land at 200 m: 0.14 to 0.46 in six regions."""
_MOST_BYTES_PER_PX = 4
_MOST_CAPABILITIES = 16 << 20
_LEFT = "CC-BY-NC-SA-4.0"


def build(settings: S2CloudlessSource, config: Config) -> "S2Cloudless":
    """The source as configured."""
    return S2Cloudless(settings, bucket(settings, config.downloads, layer_of(settings.year)))


def layer_of(year: int) -> str:
    """The service's layer of a year in EPSG:4326; that of the first year has no suffix."""
    return "s2cloudless" if year == 2016 else f"s2cloudless-{year}"


def licence_of(year: int) -> str:
    """SPDX identifier of a year's public licence: all after the first are non-commercial and share-alike."""
    return "CC-BY-4.0" if year == 2016 else _LEFT


def attribution_of(year: int) -> str:
    """The text that EOX asks for (cloudless.eox.at, licence)."""
    return (
        "Sentinel-2 cloudless - https://s2maps.eu by EOX IT Services GmbH "
        f"(Contains modified Copernicus Sentinel data {'2016 & 2017' if year == 2016 else year})"
    )


@dataclass(frozen=True)
class S2Cloudless:
    """The mosaic of one year."""

    settings: S2CloudlessSource
    bucket: Bucket

    def credit(self) -> Credit:
        """Licence and attribution of the year, or those that the user states."""
        year = self.settings.year
        licence = self.settings.licence or licence_of(year)
        return Credit("s2cloudless", licence, self.settings.attribution or attribution_of(year))

    def plan(self, request: Request) -> Needs:
        """Pictures that are still to be fetched; their bytes are estimated."""
        require(request, "s2cloudless", EARTH, "imagery")
        windows = self._windows(lattice(request.grid))
        missing = [window for window in windows if not self.bucket.shelf.has(*_names(window))]
        kept = sum(_pixels(window) for window in windows) - sum(_pixels(window) for window in missing)
        wanted = sum(_pixels(window) for window in missing)
        more = 0 if self.bucket.shelf.has("capabilities") else 1
        return Needs(
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
        part = lattice(request.grid)
        windows = self._windows(part)
        with self.bucket.shelf.alone():
            offer = self._offer()
            missing = [window for window in windows if self.bucket.shelf.read(*_names(window)) is None]
            self.bucket.each(self._fetch, missing)
        details = {
            "year": self.settings.year, "layer": layer_of(self.settings.year),
            "url": shown(self.settings.base_url), "windows": len(windows),
            "pictures_sha256": self.bucket.shelf.digest(map(_names, windows)),
            "service_says": {"attribution": offer.attribution, "constraints": offer.constraints},
        }  # fmt: skip
        provenance = Provenance((self.credit(),), details)
        made = self._strips(part, windows, request)
        write_strips(destination, part.grid(request.grid), made, 3, "uint8", provenance.tags())
        return provenance

    def _windows(self, part: Lattice) -> list[Window]:
        return part.windows(self.settings.request_px, -90, 90)

    def _offer(self) -> Offered:
        """What the service says of itself, asked once.

        Raises
        ------
        ConfigError
            It does not offer the year.
        """
        path = "?" + urlencode({"SERVICE": "WMS", "VERSION": "1.1.1", "REQUEST": "GetCapabilities"})
        shelf, layer = self.bucket.shelf, layer_of(self.settings.year)
        content = shelf.read("capabilities")
        if content is None:
            url = self.settings.base_url + path
            content = self.bucket.client.get(url, XML, _MOST_CAPABILITIES)
            offered(content, layer)
            shelf.write(content, "capabilities")
        return offered(content, layer)

    def _fetch(self, window: Window) -> None:
        url = f"{self.settings.base_url}?{urlencode(query(window, self.settings), safe=':,/')}"
        most = max(65_536, _MOST_BYTES_PER_PX * _pixels(window))
        body = self.bucket.client.get(url, JPEG, most, lambda got: decoded(got, window.shape))
        self.bucket.shelf.write(body, *_names(window))

    def _strips(self, part: Lattice, windows: list[Window], request: Request) -> Iterator[NDArray[np.uint8]]:
        """The region from north to south, a row of pictures at a time."""
        seen = False
        for (top, bottom), row in strips(part, windows):
            strip = np.zeros((bottom - top, part.columns[1] - part.columns[0], 3), np.uint8)
            for window in row:
                picture = decoded(self.bucket.shelf.held(*_names(window)), window.shape)
                place(strip, (top, part.columns[0]), picture, window)
            seen = seen or bool(strip.any())
            yield strip
        if not seen:
            raise InputError(f"region {request.region.name!r} has no imagery at all: choose another year or region")


def query(window: Window, settings: S2CloudlessSource) -> dict[str, object]:
    """The parameters of a GetMap request: WMS 1.3.0 takes the axes of EPSG:4326 as they are defined, latitude first
    (OGC 06-042, 6.7.2), 1.1.1 longitude first."""
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


def _names(window: Window) -> tuple[str, str]:
    height, width = window.shape
    return f"{window.column_s}s", f"r{window.top}c{window.left}-{height}x{width}.jpg"


def _pixels(window: Window) -> int:
    return window.shape[0] * window.shape[1]

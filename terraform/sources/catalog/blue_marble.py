"""The source `blue_marble`: Blue Marble Next Generation of 2004, the whole Earth, by NASA's map service.

One month, or the darkest of several.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terraform.config import BlueMarbleSource, Config
from terraform.geo.bodies import EARTH
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, PlanetRequest, require_planet
from terraform.sources.raster.planet import darkest_strips, write_planet
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote.store import RemoteStore, open_store
from terraform.sources.remote.wms import PlanetPictures

CREDIT = Credit(
    "blue_marble", "LicenseRef-Public-Domain", "Blue Marble: Next Generation by Reto Stockli, NASA Earth Observatory"
)
"""Stockli and others (2005), The Blue Marble Next Generation; NASA asks to be named, and restricts nothing."""

_BYTES_PER_PX = 0.3


def build(settings: BlueMarbleSource, config: Config) -> "BlueMarble":
    """Build the source as configured."""
    months = settings.darkest_of or [settings.month]
    names = {month: f"{settings.layer}-2004-{month:02}" for month in months}
    return BlueMarble(settings, {month: open_store(settings, config.downloads, name) for month, name in names.items()})


@dataclass(frozen=True)
class BlueMarble:
    """Colours of the whole Earth in one month, or the darkest of several; at 0.1 degree as the service has them.

    Attributes
    ----------
    settings : BlueMarbleSource
    stores : mapping of int to RemoteStore
        Of each month.
    """

    settings: BlueMarbleSource
    stores: Mapping[int, RemoteStore]

    def credit(self) -> Credit:
        """Public domain."""
        return CREDIT

    def estimate_planet(self, request: PlanetRequest) -> FetchEstimate:
        """Estimate the pictures that are still to be fetched."""
        missing = [window for pictures in self._pictures(request).values() for window in pictures.missing()]
        size = round(_BYTES_PER_PX * sum(h * w for h, w in (window.shape for window in missing)))
        kept = round(_BYTES_PER_PX * request.grid.height * request.grid.width * len(self.stores)) - size
        return FetchEstimate("blue_marble", len(missing), size, kept, not missing)

    def fetch_planet(self, request: PlanetRequest, destination: Path) -> Provenance:
        """Publish the colours of the whole Earth.

        Raises
        ------
        ConfigError
            Anything else is asked for.
        RemoteError
            The service refuses, fails, or sends something else than a sound picture.
        """
        months = self._pictures(request)
        for month, pictures in months.items():
            with self.stores[month].cache.exclusive():
                pictures.fetch()
        provenance = Provenance((CREDIT,), self._details(months))
        write_planet(request, darkest_strips([one.strips() for one in months.values()]), destination, provenance)
        return provenance

    def _details(self, months: Mapping[int, PlanetPictures]) -> dict[str, Any]:
        names = [f"2004-{month:02}" for month in months]
        digests = [pictures.digest() for pictures in months.values()]
        several = {"month": 0, "darkest_of": names, "pictures_sha256": digests}
        one = {"month": names[0], "pictures_sha256": digests[0]}
        windows = sum(len(pictures.windows()) for pictures in months.values())
        common = {"layer": self.settings.layer, "url": redact_url(self.settings.base_url), "windows": windows}
        return common | (several if self.settings.darkest_of else one)

    def _pictures(self, request: PlanetRequest) -> dict[int, PlanetPictures]:
        require_planet(request, "blue_marble", EARTH, ["imagery"])
        settings, common = self.settings, {"LAYERS": self.settings.layer, "VERSION": self.settings.version}
        return {
            month: PlanetPictures(
                store, settings.base_url, {**common, "TIME": f"2004-{month:02}-01"}, request.grid, settings.request_px
            )
            for month, store in self.stores.items()
        }

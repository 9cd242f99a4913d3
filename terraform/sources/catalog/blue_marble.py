"""The source `blue_marble`: Blue Marble Next Generation of a month of 2004, the whole Earth, by NASA's map service."""

from dataclasses import dataclass
from pathlib import Path

from terraform.config import BlueMarbleSource, Config
from terraform.geo.bodies import EARTH
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, PlanetRequest, require_planet
from terraform.sources.raster.planet import write_planet
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
    return BlueMarble(settings, open_store(settings, config.downloads, f"{settings.layer}-2004-{settings.month:02}"))


@dataclass(frozen=True)
class BlueMarble:
    """Colours of the whole Earth in one month; at 0.1 degree as the service has them."""

    settings: BlueMarbleSource
    store: RemoteStore

    def credit(self) -> Credit:
        """Public domain."""
        return CREDIT

    def estimate_planet(self, request: PlanetRequest) -> FetchEstimate:
        """Estimate the pictures that are still to be fetched."""
        pictures = self._pictures(request)
        missing = pictures.missing()
        size = round(_BYTES_PER_PX * sum(h * w for h, w in (window.shape for window in missing)))
        kept = round(_BYTES_PER_PX * request.grid.height * request.grid.width) - size
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
        pictures = self._pictures(request)
        with self.store.cache.exclusive():
            pictures.fetch()
        details = {
            "layer": self.settings.layer, "month": f"2004-{self.settings.month:02}",
            "url": redact_url(self.settings.base_url), "windows": len(pictures.windows()),
            "pictures_sha256": pictures.digest(),
        }  # fmt: skip
        provenance = Provenance((CREDIT,), details)
        write_planet(request, pictures.strips(), destination, provenance)
        return provenance

    def _pictures(self, request: PlanetRequest) -> PlanetPictures:
        require_planet(request, "blue_marble", EARTH, ["imagery"])
        parameters = {
            "LAYERS": self.settings.layer, "VERSION": self.settings.version,
            "TIME": f"2004-{self.settings.month:02}-01",
        }  # fmt: skip
        return PlanetPictures(self.store, self.settings.base_url, parameters, request.grid, self.settings.request_px)

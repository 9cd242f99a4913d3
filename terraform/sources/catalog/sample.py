"""The source `sample`: the embedded synthetic world, offline, any region of either body. Nothing of it was observed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.config import Config, SampleSource
from terraform.errors import ConfigError
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import pack
from terraform.geo.raster import write_strips
from terraform.provenance import Credit, Provenance
from terraform.sample_world import earth as sample_earth
from terraform.sample_world import mars as sample_mars
from terraform.sample_world.planet import sample_climate, sample_planet
from terraform.sources import FetchEstimate, PlanetKind, PlanetRequest, Request, require_planet
from terraform.sources.raster.planet import stored_months, write_planet

_STRIP_ROWS = 256

CREDIT = Credit("sample", "CC0-1.0", "synthetic world of terraform, not an observation", synthetic=True)
"""The world is made by this code alone."""


def build(settings: SampleSource, config: Config) -> "SyntheticWorld":
    """Build the world of a seed; there is nothing else to set."""
    return SyntheticWorld(config.seed)


@dataclass(frozen=True)
class SyntheticWorld:
    """A synthetic Earth and a synthetic Mars as functions of seed, longitude and latitude."""

    seed: int

    def credit(self) -> Credit:
        """Public domain, and marked as invented."""
        return CREDIT

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate nothing: it is computed."""
        return FetchEstimate("sample")

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the raster of a request on exactly its grid; it has no voids.

        Raises
        ------
        ConfigError
            Imagery of Mars is asked for.
        """
        if request.kind == "imagery" and request.region.body != EARTH:
            raise ConfigError(
                f"the synthetic world has no imagery of {request.region.body.name}: region {request.region.name!r} "
                "can only be drawn, not learnt from"
            )
        provenance = Provenance((CREDIT,), {"seed": self.seed})
        bands, dtype = (1, "int16") if request.kind == "elevation" else (3, "uint8")
        write_strips(destination, request.grid, self._strips(request), bands, dtype, provenance.tags())
        return provenance

    def estimate_planet(self, request: PlanetRequest) -> FetchEstimate:
        """Estimate nothing: it is computed."""
        return FetchEstimate("sample")

    def fetch_planet(self, request: PlanetRequest, destination: Path) -> Provenance:
        """Publish the raster of a whole synthetic planet, its climate too (`terraform.sample_world.climate`).

        Raises
        ------
        ConfigError
            Imagery of Mars is asked for.
        """
        kinds: list[PlanetKind] = ["elevation", "temperature", "precipitation"]
        require_planet(request, "sample", None, ["imagery", *kinds] if request.body == EARTH else kinds)
        provenance = Provenance((CREDIT,), {"seed": self.seed})
        write_planet(request, [self._planet(request)], destination, provenance)
        return provenance

    def _planet(self, request: PlanetRequest) -> NDArray[Any]:
        """Compute the raster as it is stored; the sea of Earth has its floor."""
        if request.kind in ("temperature", "precipitation"):
            months: NDArray[np.float32] = getattr(sample_climate(request.grid, self.seed), request.kind)
            return stored_months(np.moveaxis(months, 0, -1), np.ones(request.grid.shape, bool), request.kind)
        planet = sample_planet(request.grid, self.seed)
        if planet.imagery is not None and request.kind == "imagery":
            return np.maximum(planet.imagery, 1)
        none = np.zeros(request.grid.shape, bool)
        return pack(planet.height_m, none, none)

    def _strips(self, request: Request) -> Iterator[NDArray[Any]]:
        grid = request.grid
        for top in range(0, grid.latitudes.count, _STRIP_ROWS):
            rows = grid.latitudes.part(top, min(top + _STRIP_ROWS, grid.latitudes.count))
            block = RasterGrid(grid.body, rows, grid.longitudes)
            yield self._heights(block) if request.kind == "elevation" else self._colours(block)

    def _heights(self, block: RasterGrid) -> NDArray[np.int16]:
        lon, lat = _centres(block)
        if block.body == MARS:
            metres = sample_mars.elevation(lon, lat, self.seed)
            return pack(metres, np.zeros(metres.shape, bool), np.zeros(metres.shape, bool))
        relief = sample_earth.elevation(lon, lat, self.seed)
        return pack(relief.elevation_m, relief.sea, np.zeros(relief.sea.shape, bool))

    def _colours(self, block: RasterGrid) -> NDArray[np.uint8]:
        lon, lat = _centres(block)
        rgb = sample_earth.imagery(lon, lat, self.seed, (block.longitudes.step, abs(block.latitudes.step)))
        # Black in all bands would mean void.
        return np.where((rgb == 0).all(axis=-1, keepdims=True), np.uint8(1), rgb)


def _centres(block: RasterGrid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # The last row of a grid round a pole may have its centre just beyond it.
    return block.longitudes.centres(), np.clip(block.latitudes.centres(), -90, 90)

"""The source `earthengine`: elevation models of Earth Engine's catalogue, averaged there to the pixels we need."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.config import Config, Downloads, EarthEngineSource
from terraform.errors import InputError, RemoteError
from terraform.geo.bodies import EARTH
from terraform.geo.heights import VOID, unpack
from terraform.geo.raster import write_strips
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, Request, require
from terraform.sources.catalog.earthengine.assets import ASSETS, DTYPE, Asset, heights
from terraform.sources.catalog.earthengine.session import Session, TooMuch
from terraform.sources.remote.cache import Cache
from terraform.sources.remote.hosts import redact_url
from terraform.sources.remote_raster.request_grid import RequestGrid, RequestWindow, place, request_grid, strips

_SMALLEST_PX = 16
_VERSION = "1"
"""Of the bands that are asked for; kept windows of another are not used."""


def build(settings: EarthEngineSource, config: Config) -> "EarthEngineRelief":
    """Build the source with its settings; it signs in when something is missing in the cache."""
    return EarthEngineRelief(settings, config.downloads)


@dataclass(frozen=True)
class EarthEngineRelief:
    """An elevation model of Earth, by Earth Engine."""

    settings: EarthEngineSource
    downloads: Downloads

    @property
    def asset(self) -> Asset:
        """The elevation model."""
        return ASSETS[self.settings.asset]

    def credit(self) -> Credit:
        """Licence and notices of the asset."""
        return self.asset.credit

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate requests and bytes that are still to be made; what the cache has is left out."""
        _check(request, self.asset)
        cache = self._cache()
        windows = self._windows(request_grid(request.grid))
        missing = [window for window in windows if not cache.has(*_names(window))]
        kept = _bytes(windows) - _bytes(missing)
        return FetchEstimate("earthengine", len(missing), _bytes(missing), kept)

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the heights of a region on the lattice of whole arc seconds.

        Raises
        ------
        ConfigError
            It has no such data: imagery, another body.
        InputError
            The model does not reach the region.
        RemoteError
            No credentials, no project, or the service refuses, fails or asks to come back later.
        """
        _check(request, self.asset)
        part, cache = request_grid(request.grid), self._cache()
        windows = self._windows(part)
        with cache.exclusive():
            self._complete(cache, windows)
        details = {
            "asset": self.asset.id, "url": redact_url(self.settings.base_url), "windows": len(windows),
            "windows_sha256": cache.digest(map(_names, windows)),
        }  # fmt: skip
        provenance = Provenance((self.credit(),), details)
        made = _strips(part, windows, cache, request)
        write_strips(destination, part.grid(request.grid), made, 1, "int16", provenance.tags())
        return provenance

    def _cache(self) -> Cache:
        name = self.asset.id.replace("/", "-").lower()
        return Cache(Path(self.downloads.cache), "earthengine", f"{name}-{_VERSION}")

    def _windows(self, part: RequestGrid) -> list[RequestWindow]:
        return part.windows(self.settings.window_px, self.asset.south, self.asset.north)

    def _complete(self, cache: Cache, windows: list[RequestWindow]) -> None:
        """Fetch what the cache lacks, several windows at a time; each is kept as soon as it is there."""
        missing = [window for window in windows if cache.read(*_names(window)) is None]
        if not missing:
            return
        session = Session(self.settings, self.downloads)
        image = session.image(self.asset.image)

        def one(window: RequestWindow) -> None:
            cache.write(_packed(_pixels(session, image, window)), *_names(window))

        with ThreadPoolExecutor(self.settings.connections) as threads:
            tasks = [threads.submit(one, window) for window in missing]
            try:
                for task in tasks:
                    task.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise


def _check(request: Request, asset: Asset) -> None:
    require(request, "earthengine", EARTH, "elevation")
    _, south, _, north = request.region.bounds
    if south < asset.south or north > asset.north:
        raise InputError(
            f"region {request.region.name!r} reaches from {south:g} to {north:g} N, but {asset.id} has data from "
            f"{asset.south} to {asset.north} N: shorten the region, or use the asset COPERNICUS/DEM/GLO30_2024_1"
        )


def _pixels(session: Session, image: Any, window: RequestWindow) -> NDArray[np.void]:
    """Fetch the pixels of a window, in quarters where it is too much at once."""
    try:
        made = session.pixels(image, window)
    except TooMuch as error:
        if min(window.shape) <= _SMALLEST_PX:
            raise RemoteError(f"Earth Engine cannot compute even {window.shape} pixels at once: {error}") from None
        made = np.empty(window.shape, DTYPE)
        for quarter in window.quarters():
            rows = slice(quarter.top - window.top, quarter.bottom - window.top)
            columns = slice(quarter.left - window.left, quarter.right - window.left)
            made[rows, columns] = _pixels(session, image, quarter)
    _plausible(made, window)
    return made


def _plausible(pixels: NDArray[np.void], window: RequestWindow) -> None:
    """Refuse what cannot be heights of Earth."""
    metres = unpack(heights(pixels)).metres
    low, high = float(metres.min()), float(metres.max())
    if low < EARTH.lowest_m or high > EARTH.highest_m or (pixels["sea"] > pixels["seen"]).any():
        raise RemoteError(
            f"Earth Engine sends heights of {low:g} to {high:g} m in window {window}: expected {EARTH.lowest_m:g} to "
            f"{EARTH.highest_m:g} m; try again later, and if it stays, report it"
        )


def _names(window: RequestWindow) -> tuple[str, str]:
    height, width = window.shape
    return f"{window.column_s}s", f"r{window.top}c{window.left}-{height}x{width}.npy"


def _bytes(windows: list[RequestWindow]) -> int:
    return sum(window.shape[0] * window.shape[1] * DTYPE.itemsize for window in windows)


def _packed(pixels: NDArray[np.void]) -> bytes:
    text = io.BytesIO()
    np.save(text, pixels)
    return text.getvalue()


def _kept(cache: Cache, window: RequestWindow) -> NDArray[np.void]:
    made: NDArray[np.void] = np.load(io.BytesIO(cache.require(*_names(window))))
    return made


def _strips(
    part: RequestGrid, windows: list[RequestWindow], cache: Cache, request: Request
) -> Iterator[NDArray[np.int16]]:  # fmt: skip
    """Put the region together from north to south, a row of windows at a time; void where the model has no data."""
    known = False
    for (top, bottom), row in strips(part, windows):
        strip = np.full((bottom - top, part.columns[1] - part.columns[0]), VOID, np.int16)
        for window in row:
            place(strip, (top, part.columns[0]), heights(_kept(cache, window)), window)
        known = known or bool((strip != VOID).any())
        yield strip
    if not known:
        raise InputError(
            f"region {request.region.name!r} has no elevation at all in this asset: choose another one, or correct the "
            "region"
        )

"""The terrain of a strip as the generator sees it: heights on the strip's pixels, after the elevation policy."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from terraform.config import Elevation
from terraform.geo.heights import Heights
from terraform.geo.resample import Axis
from terraform.geo.tile_spec import DEFAULT_TILE, TileSpec
from terraform.mosaic import policy
from terraform.mosaic.bands import Band, Cap
from terraform.mosaic.base.air_map import AirMap, lifted
from terraform.mosaic.base.base_map import BaseMap
from terraform.mosaic.elevation import ElevationRaster
from terraform.mosaic.policy import Hypsometry
from terraform.pairs.context import Air, Context
from terraform.pairs.tints import Tints

Span = tuple[int, int]


class TerrainWindow(NamedTuple):
    """A rectangle of terrain, as the generator is to see it; row 0 is its top.

    Attributes
    ----------
    metres : (H, W) float32
        Heights after the elevation policy; anything where sea or void.
    sea, void : (H, W) bool
    latitude_deg : (H, 1) or (H, W) float32
    east : pair of float32 arrays that broadcast to (H, W)
        Local east along the patch's right and its up: (1, 0) in a band.
    rows, columns : (H,) and (W,) int64
        Where on the plane of noise its pixels lie.
    base : Context or None
        Base colours of its pixels without the margin of a tile, where a generator needs them.
    air : Air or None
        Its temperature as a law of `metres`, (1, 1, H, W), where a generator needs it.
    """

    metres: NDArray[np.float32]
    sea: NDArray[np.bool_]
    void: NDArray[np.bool_]
    latitude_deg: NDArray[np.float32]
    east: tuple[NDArray[np.float32], NDArray[np.float32]]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    base: Context | None = None
    air: Air | None = None


class Terrain(Protocol):
    """A strip's terrain on its own pixel grid, which has no ends: what is outside the data is void."""

    @property
    def pixel_m(self) -> float:
        """Side of a pixel, metres."""
        ...

    @property
    def top(self) -> int:
        """Where the rows of blended windows are counted from: the strip's first row."""
        ...

    def patch(self, rows: Span, columns: Span) -> TerrainWindow:
        """Give the terrain of rows and columns first to last-plus-one; both may be negative."""
        ...

    def is_visible(self, rows: Span, columns: Span) -> bool:
        """Whether some of it will be shown."""
        ...


class HeightField(Protocol):
    """The heights of a body at any place of it."""

    def on_axes(self, latitudes: Axis, longitudes: Axis, /) -> Heights:
        """Give the heights at rows and columns in degrees; longitudes count modulo 360."""
        ...

    def at_points(
        self, longitude_deg: NDArray[np.float64], latitude_deg: NDArray[np.float64], pixel_m: float, /
    ) -> Heights:
        """Give the heights at the pixels, of a side in metres, of a plane; all (H, W)."""
        ...

    def with_row_cache(self) -> "HeightField":
        """Make windows from north to south read each row once."""
        ...


class ImageWindow(NamedTuple):
    """A drawn rectangle.

    Attributes
    ----------
    top, left : int
        Its first row and column in the strip's pixels.
    rgba : (H, W, 4) uint8
        The picture and 255; all 0 where there was no elevation.
    """

    top: int
    left: int
    rgba: NDArray[np.uint8]


Float = NDArray[np.float32]

_EVERY_PX = 16
_FAR = 1 << 24


@dataclass(frozen=True)
class ElevationModel:
    """The heights of a body and how they are to be seen.

    Attributes
    ----------
    source : HeightField
    settings : Elevation
        The policy.
    hypsometry : Hypsometry
        Of the body.
    broad : ElevationRaster or None
        The broad average of the heights, where the policy needs it.
    """

    source: HeightField
    settings: Elevation
    hypsometry: Hypsometry
    broad: ElevationRaster | None

    @property
    def shoreline_m(self) -> float:
        """What lies below it is sea, metres; the policy `clip` knows none, and takes the datum."""
        return 0.0 if self.settings.policy == "clip" else self.settings.shoreline_m

    def with_source(self, source: HeightField) -> "ElevationModel":
        """Read the same heights in another way."""
        return replace(self, source=source)

    def apply_policy(self, heights: Heights, broad: Heights | None, places: tuple[NDArray[np.int64], NDArray[np.int64]],
               latitude_deg: NDArray[np.float64], east: tuple[Float, Float]) -> TerrainWindow:  # fmt: skip
        """Heights after the policy, as the generator wants them."""
        average = None if broad is None else broad.metres
        seen = policy.apply(self.settings, heights, self.hypsometry, average)
        return TerrainWindow(*seen, latitude_deg.astype(np.float32), east, *places)

    def air_over(self, seen: TerrainWindow, heights: Heights, air: Air) -> Air:
        """Give the law of temperature for the heights that the policy leaves, which makes nothing warmer."""
        rise = heights.metres - np.float32(self.shoreline_m) - seen.metres
        return lifted(air, np.where(seen.sea | seen.void, np.float32(0), rise))

    def tints_over(self, seen: TerrainWindow, heights: Heights, tints: Tints) -> Tints:
        """Give the tints for the heights that the policy leaves, which bring no snow to lower ground."""
        dry = ~(seen.sea | seen.void)
        return tints.lifted(np.where(dry, heights.metres - seen.metres, np.float32(self.shoreline_m)))


@dataclass(frozen=True)
class BandTerrain:
    """A band. Its rows are those of the planet-wide grid; its columns count on round the planet."""

    relief: ElevationModel
    band: Band
    base: BaseMap | None = None
    air: AirMap | None = None
    spec: TileSpec = DEFAULT_TILE

    @property
    def pixel_m(self) -> float:
        """Side of a pixel, metres."""
        return self.band.globe.pixel_m

    @property
    def top(self) -> int:
        """First row that is drawn, as the terrain counts them."""
        return self.band.first

    def is_visible(self, rows: Span, columns: Span) -> bool:
        """Whether some of it will be shown: always."""
        return True

    def patch(self, rows: Span, columns: Span) -> TerrainWindow:
        """Give the terrain of rows and columns first to last-plus-one; both may reach beyond it."""
        latitudes, longitudes = self.band.globe.latitudes.part(*rows), self.band.longitudes.part(*columns)
        found = [source.on_axes(latitudes, longitudes) for source in (self.relief.source, self.relief.broad) if source]
        latitude = np.clip(latitudes.centres(), -90, 90)[:, None]
        places = np.arange(*rows), np.arange(*columns) % self.band.columns
        east = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
        seen = self.relief.apply_policy(found[0], found[1] if len(found) > 1 else None, places, latitude, east)
        if self.air is not None:
            air = self.air.on_axes(latitudes, longitudes)
            seen = seen._replace(air=self.relief.air_over(seen, found[0], air))
        if self.base is None:
            return seen
        base = self.base.on_axes(*(_within(axis, self.spec) for axis in (latitudes, longitudes)))
        if self.base.tints is not None:
            tints = self.base.tints.on_axes(latitudes, longitudes)
            base = base._replace(tints=self.relief.tints_over(seen, found[0], tints))
        return seen._replace(base=base)


@dataclass(frozen=True)
class CapTerrain:
    """A cap.

    Attributes
    ----------
    extent_deg : pair of (float, float)
        Longitudes, continuous, and latitudes that the mosaic shows, degrees.
    """

    relief: ElevationModel
    cap: Cap
    extent_deg: tuple[tuple[float, float], tuple[float, float]]
    base: BaseMap | None = None
    air: AirMap | None = None
    spec: TileSpec = DEFAULT_TILE

    @property
    def pixel_m(self) -> float:
        """Side of a pixel, metres."""
        return self.cap.globe.pixel_m

    @property
    def top(self) -> int:
        """First row that is drawn, as the terrain counts them."""
        return 0

    def is_visible(self, rows: Span, columns: Span) -> bool:
        """Whether some of it lies near what is shown."""
        y = np.append(np.arange(*rows, _EVERY_PX), rows[1])[:, None] * np.ones((1, 1))
        x = np.append(np.arange(*columns, _EVERY_PX), columns[1])[None, :] * np.ones_like(y)
        lon, lat = self.cap.to_degrees(x, y * np.ones_like(x))
        (west, east), (south, north) = self.extent_deg
        spare = 2 * _EVERY_PX * self.cap.globe.pixel_deg
        # A step of a pixel turns through more degrees the nearer the pole.
        wide = spare / np.maximum(np.cos(np.radians(lat)), 1e-6)
        within = (lon - west + wide) % 360 <= east - west + 2 * wide
        return bool((within & (lat >= south - spare) & (lat <= north + spare)).any())

    def patch(self, rows: Span, columns: Span) -> TerrainWindow:
        """Give the terrain of rows and columns first to last-plus-one; both may reach beyond it."""
        x, y = np.meshgrid(np.arange(*columns) + 0.5, np.arange(*rows) + 0.5)
        lon, lat = self.cap.to_degrees(x, y)
        heights = self.relief.source.at_points(lon, lat, self.spec.pixel_m)
        broad = None if self.relief.broad is None else self.relief.broad.at_points(lon, lat, self.spec.pixel_m)
        right, up = (part.astype(np.float32) for part in self.cap.eastwards(lon))
        # The noise of a cap lies far from that of the bands and of the other cap.
        places = np.arange(*rows) + (_FAR if self.cap.north else 2 * _FAR), np.arange(*columns) + _FAR
        seen = self.relief.apply_policy(heights, broad, places, lat, (right, up))
        if self.air is not None:
            seen = seen._replace(air=self.relief.air_over(seen, heights, self.air.at_points(lon, lat)))
        if self.base is None:
            return seen
        within = slice(self.spec.margin_px, -self.spec.margin_px)
        base = self.base.at_points(*(part[within, within] for part in (lon, lat)))
        if self.base.tints is not None:
            base = base._replace(tints=self.relief.tints_over(seen, heights, self.base.tints.at_points(lon, lat)))
        return seen._replace(base=base)


def _within(axis: Axis, spec: TileSpec) -> Axis:
    """Cut off the margin that the relief channels use up."""
    return axis.part(spec.margin_px, axis.count - spec.margin_px)

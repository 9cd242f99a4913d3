"""The planet as strips of latitude on which the generator runs: bands that wrap round it, and a cap on each pole.

All strips stand on one planet-wide grid of rows, 200 m high, so that a regional mosaic is an exact window of the
whole-planet one. A band shares the rows of that grid and differs from it in the width of its pixels alone.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from terraform.geo.resample import Axis
from terraform.geo.tile_spec import DEFAULT_TILE

CAP_EDGE_DEG = 65.0
"""Latitude from which the polar caps serve."""
TRUE_LATITUDE_DEG = 75.0
"""Latitude at which a cap's scale is exact: from 62 degrees to the pole it is then right within 5 %."""
TOLERANCE = 0.05
"""Largest relative error of scale along the parallels of a band."""
HIGHEST_ROWS = 2048
"""Rows of a band, cross-fades included."""
FADE_ROWS = 64
"""Rows over which neighbouring strips are cross-faded."""


@dataclass(frozen=True)
class GlobalGrid:
    """The planet-wide equirectangular grid of square pixels, by default of 200 m on the equator.

    For Mars 106,694 columns of 2 pi R / 106,694 = 200.00085 m, so that the planet closes exactly.

    Attributes
    ----------
    radius_m : float
        Of the body, metres.
    nominal_m : float
        Side of a pixel that is wanted, metres; `pixel_m` is the nearest of which a whole number goes round.
    """

    radius_m: float
    nominal_m: float = DEFAULT_TILE.pixel_m

    @property
    def columns(self) -> int:
        """Pixels round the equator; even, so that the rows are whole."""
        return max(8, 2 * round(math.pi * self.radius_m / self.nominal_m))

    @property
    def rows(self) -> int:
        """Pixels from pole to pole."""
        return self.columns // 2

    @property
    def pixel_deg(self) -> float:
        """Side of a pixel, degrees."""
        return 360 / self.columns

    @property
    def pixel_m(self) -> float:
        """Side of a pixel on the equator and along every meridian, metres."""
        return 2 * math.pi * self.radius_m / self.columns

    @property
    def fade(self) -> int:
        """Rows by which a strip reaches beyond its border while it fades out; small bodies have no room for it."""
        return min(FADE_ROWS // 2, self.rows // 512)

    @property
    def latitudes(self) -> Axis:
        """The rows, north to south, degrees."""
        return Axis(90.0, -self.pixel_deg, self.rows)

    @property
    def longitudes(self) -> Axis:
        """The columns, west to east, degrees."""
        return Axis(-180.0, self.pixel_deg, self.columns)


@dataclass(frozen=True)
class Strip:
    """Rows of the planet-wide grid that one raster serves, without its cross-fades.

    Attributes
    ----------
    globe : GlobalGrid
    top, bottom : int
        First and last-plus-one row of the planet-wide grid.
    fade_above, fade_below : int
        Rows beyond top and bottom into which the strip reaches while it fades out; 0 at a pole.
    """

    globe: GlobalGrid
    top: int
    bottom: int
    fade_above: int
    fade_below: int

    @property
    def first(self) -> int:
        """First row that is drawn."""
        return self.top - self.fade_above

    @property
    def last(self) -> int:
        """Last-plus-one row that is drawn."""
        return self.bottom + self.fade_below

    def weights(self, rows: NDArray[np.integer | np.floating]) -> NDArray[np.float64]:
        """Share of this strip in rows of the planet-wide grid, 0 to 1; the shares of all strips sum to 1.

        A row counts from its middle: row 2.5 is halfway between the middles of rows 2 and 3.
        """
        return _risen(rows, self.top, self.fade_above) * (1 - _risen(rows, self.bottom, self.fade_below))


def _risen(rows: NDArray[np.integer | np.floating], border: int, fade: int) -> NDArray[np.float64]:
    if fade == 0:
        return (rows >= border).astype(np.float64)
    return np.clip((rows + 0.5 - (border - fade)) / (2 * fade), 0, 1)


@dataclass(frozen=True)
class Band(Strip):
    """A strip between the caps, true to scale at its middle latitude.

    Attributes
    ----------
    columns : int
        Pixels round the planet, a whole multiple of the network's stride: pixel `columns` is pixel 0 again.
    """

    columns: int

    @property
    def middle_deg(self) -> float:
        """The latitude of exact scale, degrees."""
        return 90 - self.globe.pixel_deg * (self.top + self.bottom) / 2

    @property
    def longitudes(self) -> Axis:
        """The columns, west to east from the planet-wide grid's western edge, degrees."""
        return Axis(-180.0, 360 / self.columns, self.columns)

    def scale_error(self, latitude_deg: float) -> float:
        """Relative error of the length of a pixel along a parallel: a true pixel's over this one's, less 1."""
        return math.cos(math.radians(latitude_deg)) / math.cos(math.radians(self.middle_deg)) - 1


@dataclass(frozen=True)
class Cap(Strip):
    """A polar strip on a stereographic plane (Snyder 1987, section 21), the pole on the corner of pixel (0, 0).

    The meridian of longitude 0 runs down from the north pole and up from the south pole. Row and column numbers are
    negative towards the upper left.
    """

    north: bool

    @property
    def _scale_m(self) -> float:
        return self.globe.radius_m * (1 + math.sin(math.radians(TRUE_LATITUDE_DEG)))

    def to_pixels(
        self, longitude_deg: NDArray[np.float64], latitude_deg: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Column and row of points in degrees; pixel i covers i to i + 1."""
        colatitude = 90 - latitude_deg if self.north else 90 + latitude_deg
        distance = self._scale_m * np.tan(np.radians(colatitude) / 2) / self.globe.pixel_m
        turn = np.radians(longitude_deg)
        return distance * np.sin(turn), distance * np.cos(turn) * (1 if self.north else -1)

    def to_degrees(
        self, column: NDArray[np.float64], row: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitude in -180..180 and latitude of points on the plane: the inverse of `to_pixels`."""
        distance = np.hypot(column, row) * self.globe.pixel_m
        colatitude = 2 * np.degrees(np.arctan(distance / self._scale_m))
        if self.north:
            return np.degrees(np.arctan2(column, row)), 90 - colatitude
        return np.degrees(np.arctan2(column, -row)), colatitude - 90

    def eastwards(self, longitude_deg: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute the unit vector of local east along the plane's right and its up.

        Local north is that, turned left by 90 degrees.
        """
        turn = np.radians(longitude_deg)
        return np.cos(turn), np.sin(turn) * (1 if self.north else -1)

    def scale_error(self, latitude_deg: float) -> float:
        """Relative error of a pixel's length on the ground: true over this one's, less 1."""
        return (1 + math.sin(math.radians(abs(latitude_deg)))) / (1 + math.sin(math.radians(TRUE_LATITUDE_DEG))) - 1


def strips(globe: GlobalGrid, stride: int) -> list[Band | Cap]:
    """All strips of a planet, north to south; whatever the region, they are the same.

    Between the caps there are as few bands as `TOLERANCE` and `HIGHEST_ROWS` allow, and then as equal as can be.

    Parameters
    ----------
    stride : int
        The network's: a band's width is the whole multiple of it that is nearest to the true one.
    """
    cap_rows = round((90 - CAP_EDGE_DEG) / globe.pixel_deg)
    north = _borders(globe, cap_rows)
    borders = [*north, *(globe.rows - row for row in reversed(north[:-1]))]
    fade = globe.fade
    bands: list[Band | Cap] = []
    for top, bottom in pairwise(borders):
        middle = math.radians(90 - globe.pixel_deg * (top + bottom) / 2)
        columns = max(1, round(globe.columns * math.cos(middle) / stride)) * stride
        bands.append(Band(globe, top, bottom, fade, fade, columns))
    north_cap = Cap(globe, 0, cap_rows, 0, fade, True)
    south_cap = Cap(globe, globe.rows - cap_rows, globe.rows, fade, 0, False)
    return [north_cap, *bands, south_cap]


def _borders(globe: GlobalGrid, cap_rows: int) -> list[int]:
    """Borders of the northern bands, north to south, the last on the equator."""
    best = _climb(globe, cap_rows, 1.0)
    low, high = 0.0, 1.0
    for _ in range(24):
        share = (low + high) / 2
        tried = _climb(globe, cap_rows, share)
        if len(tried) == len(best):
            best, high = tried, share
        else:
            low = share
    return best


def _climb(globe: GlobalGrid, cap_rows: int, share: float) -> list[int]:
    """Borders from the equator up to the cap, each band as high as `share` of what is allowed lets it be."""
    borders = [globe.rows // 2]
    while borders[0] > cap_rows:
        borders.insert(0, max(cap_rows, borders[0] - _height(globe, borders[0], share)))
    return borders


def _height(globe: GlobalGrid, bottom: int, share: float) -> int:
    """Most rows, at least 1, of a band that ends above row `bottom`."""
    fade = globe.fade
    low, high = max(1, 2 * fade), max(1, 2 * fade, int(share * (HIGHEST_ROWS - 2 * fade - 1)))
    while low < high:
        height = (low + high + 1) // 2
        band = Band(globe, bottom - height, bottom, fade, fade, 1)
        ends = (90 - globe.pixel_deg * row for row in (band.first, band.last))
        fits = all(abs(end) < 90 and abs(band.scale_error(end)) <= TOLERANCE * share for end in ends)
        low, high = (height, high) if fits else (low, height - 1)
    return low

"""Elevation policies: from the heights of another body to heights that the generator knows from Earth.

Every policy looks at one pixel (and, for `relief`, at a broad average that was made for the whole raster before), so
that a pixel's result never depends on the window it is drawn in.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.config import Elevation
from terraform.geo.bodies import EARTH, Body
from terraform.geo.bodies import MARS as MARS_BODY
from terraform.geo.heights import Heights
from terraform.geo.resample import Axis
from terraform.mosaic.elevation import ElevationRaster, from_array

REGIONAL_MEAN_M = 100_000.0
"""Full width at half maximum of the broad average that `relief` takes away, metres."""

_EARTH_AREAS = (80_780, 29_530, 15_726, 7_794, 5_283, 4_649, 3_351, 1_691, 749, 899, 877, 167, 18, 0.9, 0.15, 0.07)
"""Earth's land in steps of 500 m from the sea upwards, 1000 km²: S. Dutch, "Global Topographic Summary" (University of
Wisconsin - Green Bay), from a global grid of 5-minute average elevations."""
EARTH_HEIGHTS_M = np.arange(len(_EARTH_AREAS) + 1, dtype=np.float64) * 500
EARTH_SHARES = np.concatenate([[0.0], np.cumsum(_EARTH_AREAS) / np.sum(_EARTH_AREAS)])
"""Share of Earth's land below each of `EARTH_HEIGHTS_M`."""


class Hypsometry(NamedTuple):
    """How high a body's surface lies.

    Attributes
    ----------
    heights_m : (k,) float64
        Increasing.
    shares : (k,) float64
        Share of the body's area below each height, 0 to 1.
    """

    heights_m: NDArray[np.float64]
    shares: NDArray[np.float64]

    @property
    def highest_m(self) -> float:
        """The highest place."""
        return float(self.heights_m[-1])


MARS = Hypsometry(
    np.array(
        [-8068, -7003, -6129, -4690, -4276, -3953, -3702, -3242, -2682, -2069, -1478, -807, -154, 405, 796, 1081, 1332,
         1557, 1817, 2128, 2557, 3665, 5513, 6662, 7409, 13327, 19104, 21134], dtype=np.float64
    ),
    np.array(
        [0, 0.001, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85,
         0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999, 1]
    ),
)  # fmt: skip
"""Mars above the areoid, from MOLA MEGDR at 0.25 degrees (megt90n000cb.img, public domain): its 720 x 1440 big-endian
int16 heights sorted, each weighted by the cosine of its row's latitude (89.875 - 0.25 j), the cumulative weights
interpolated at these shares and rounded to a metre."""


def measured(heights_m: NDArray[np.floating], weights: NDArray[np.floating], steps: int = 1000) -> Hypsometry:
    """Measure the hypsometry of a raster.

    Parameters
    ----------
    heights_m, weights : (n,) float
        Heights of pixels and the area that each stands for; at least one pixel.
    """
    order = np.argsort(heights_m, kind="stable")
    area = np.cumsum(weights[order], dtype=np.float64)
    shares = np.linspace(0, 1, steps + 1)
    heights = np.interp(shares, (area - 0.5 * weights[order]) / area[-1], heights_m[order].astype(np.float64))
    return Hypsometry(heights, shares)


def apply(
    settings: Elevation, heights: Heights, hypsometry: Hypsometry, broad_m: NDArray[np.float32] | None = None
) -> Heights:
    """Apply the policy of the settings.

    Parameters
    ----------
    heights : Heights
        (H, W), above the body's datum. What the source itself calls sea stays sea.
    hypsometry : Hypsometry
        Of the whole body or raster; the same for every window.
    broad_m : (H, W) float32, optional
        The broad average of the heights; needed for `relief`.
    """
    metres, sea, void = heights
    if settings.policy == "clip":
        return heights
    if settings.policy == "relief":
        if broad_m is None:
            raise ValueError("the policy 'relief' needs the broad average of the heights")
        land = metres - broad_m
    else:
        land = _POINTWISE[settings.policy](metres, settings, hypsometry).astype(np.float32)
    return Heights(land, (sea | (metres < settings.shoreline_m)) & ~void, void)


def _above_shoreline(metres: NDArray[np.float32], settings: Elevation, _: Hypsometry) -> NDArray[np.floating]:
    return metres - np.float32(settings.shoreline_m)


def _stretched(metres: NDArray[np.float32], settings: Elevation, hypsometry: Hypsometry) -> NDArray[np.floating]:
    span = hypsometry.highest_m - settings.shoreline_m
    factor = settings.top_m / span if span > 0 else 1.0
    return (metres - np.float32(settings.shoreline_m)) * np.float32(factor)


def _matched(metres: NDArray[np.float32], settings: Elevation, hypsometry: Hypsometry) -> NDArray[np.floating]:
    """Find the height below which Earth has the same share of its land; the shoreline becomes 0 m."""
    heights, shares = hypsometry
    drowned = float(np.interp(settings.shoreline_m, heights, shares))
    if drowned >= 1 or heights[0] == heights[-1]:
        return _above_shoreline(metres, settings, hypsometry)
    on_land = heights > settings.shoreline_m
    knots = np.concatenate([[settings.shoreline_m], heights[on_land]])
    share = np.concatenate([[0.0], (shares[on_land] - drowned) / (1 - drowned)])
    # Knots where Earth's curve bends too, so that the composition of the two curves is exact.
    bends = np.interp(EARTH_SHARES, share, knots)
    knots = np.unique(np.concatenate([knots, bends]))
    earth = np.interp(np.interp(knots, np.concatenate([[settings.shoreline_m], heights[on_land]]), share),
                      EARTH_SHARES, EARTH_HEIGHTS_M)  # fmt: skip
    return np.asarray(np.interp(metres, knots, earth))


_POINTWISE: dict[str, Callable[[NDArray[np.float32], Elevation, Hypsometry], NDArray[np.floating]]] = {
    "sea_level": _above_shoreline,
    "affine": _stretched,
    "quantile": _matched,
}


_PARTS = 8
_FWHM = 2.3548


def hypsometry(body: Body, source: ElevationRaster) -> Hypsometry:
    """How high the body's surface lies: known of Mars and of Earth's land, else measured on the raster."""
    if body == MARS_BODY:
        return MARS
    if body == EARTH:
        return Hypsometry(EARTH_HEIGHTS_M, EARTH_SHARES)
    return measure_hypsometry(source)


def measure_hypsometry(source: ElevationRaster, flat: bool = False) -> Hypsometry:
    """Measure the hypsometry of a raster, from at most about a million of its pixels, and its very highest.

    Parameters
    ----------
    flat : bool
        The rows are metres on a plane, not degrees: all count alike.
    """
    rows, columns = source.latitudes.count, source.longitudes.count
    every = max(1, round((rows * columns / 1e6) ** 0.5))
    heights, weights, highest = [], [], -np.inf
    for row in range(0, rows, every):
        line = source.read((row, row + 1), (0, columns))
        known = line.metres[~(line.sea | line.void)]
        highest = max(highest, float(known.max(initial=-np.inf)))
        heights.append(known[::every])
        weights.append(np.full(heights[-1].shape, 1.0 if flat else np.cos(np.radians(source.latitudes.centres()[row]))))
    sampled = np.concatenate(heights)
    if not sampled.size:
        return Hypsometry(np.zeros(2), np.array([0.0, 1.0]))
    found = measured(sampled, np.maximum(np.concatenate(weights), 1e-6))
    return Hypsometry(np.append(found.heights_m, highest + 1e-3), np.append(found.shares, 1.0))


def low_pass(source: ElevationRaster, flat: bool = False) -> ElevationRaster:
    """Heights averaged over `REGIONAL_MEAN_M`, on pixels of an eighth of that.

    A Gaussian along the meridians and one along each parallel, of that width on the ground; sea counts as 0 m, voids do
    not count. Where `flat`, rows and columns are metres on a plane.
    """
    coarse, share = _joined(source)
    sigma_m = REGIONAL_MEAN_M / _FWHM
    rows, columns = coarse.latitudes, coarse.longitudes
    down = _kernel(sigma_m / (abs(rows.step) * source.metres_per_degree), rows.count)
    length_m = (
        columns.step
        * source.metres_per_degree
        * (np.ones(rows.count) if flat else np.maximum(np.cos(np.radians(rows.centres())), 1e-3))
    )
    heights = coarse.read((0, rows.count), (0, columns.count)).metres
    along = sigma_m / length_m
    sums = [_round(np.asarray(down @ plane, np.float32), along, coarse.wraps) for plane in (heights * share, share)]
    broad = np.where(sums[1] > 1e-6, sums[0] / np.maximum(sums[1], 1e-6), 0).astype(np.float32)
    nothing = np.zeros(broad.shape, np.bool_)
    return from_array(Heights(broad, nothing, nothing), rows, columns, source.metres_per_degree)


def _joined(source: ElevationRaster) -> tuple[ElevationRaster, NDArray[np.float32]]:
    """Average a source to coarse pixels, and give the share of each that is known."""
    goal = REGIONAL_MEAN_M / _PARTS / source.metres_per_degree
    down = max(1, round(goal / abs(source.latitudes.step)))
    right = max(1, round(goal / source.longitudes.step))
    rows, columns = -(-source.latitudes.count // down), -(-source.longitudes.count // right)
    if source.wraps:
        columns = max(1, round(360 / (right * source.longitudes.step)))
    edges = np.arange(columns) * source.longitudes.count // columns if source.wraps else np.arange(columns) * right
    metres, share = np.zeros((2, rows, columns), np.float32)
    for row in range(rows):
        last = min((row + 1) * down, source.latitudes.count)
        part = source.read((row * down, last), (0, source.longitudes.count))
        known = (~part.void).astype(np.float32).sum(0)
        number = np.add.reduceat(known, edges)
        total = np.add.reduceat(np.where(part.void, np.float32(0), part.metres).sum(0), edges)
        metres[row] = total / np.maximum(number, 1)
        share[row] = number / np.add.reduceat(np.full(known.shape, last - row * down, np.float32), edges)
    latitudes = Axis(source.latitudes.origin, source.latitudes.step * down, rows)
    step = 360 / columns if source.wraps else source.longitudes.step * right
    longitudes = Axis(source.longitudes.origin, step, columns)
    nothing = np.zeros(metres.shape, np.bool_)
    return from_array(Heights(metres, nothing, nothing), latitudes, longitudes, source.metres_per_degree), share


def _kernel(sigma_px: float, count: int) -> NDArray[np.float32]:
    """Gaussian weights of all rows for each, (count, count)."""
    away = np.abs(np.arange(count)[:, None] - np.arange(count))
    return np.asarray(np.exp(-0.5 * (away / sigma_px) ** 2), np.float32)


def _round(plane: NDArray[np.float32], sigma_px: NDArray[np.float64], wrap: bool) -> NDArray[np.float32]:
    """Each row under a Gaussian of its own width."""
    count = plane.shape[1]
    away = np.arange(count) if not wrap else np.minimum(np.arange(count), count - np.arange(count))
    weights = np.exp(-0.5 * (away / sigma_px[:, None]) ** 2)
    if wrap:
        return np.asarray(np.fft.irfft(np.fft.rfft(plane) * np.fft.rfft(weights), count), np.float32)
    mirrored = np.concatenate([weights, np.zeros_like(weights[:, :1]), weights[:, :0:-1]], axis=1)
    spectrum = np.fft.rfft(plane, 2 * count) * np.fft.rfft(mirrored)
    return np.asarray(np.fft.irfft(spectrum, 2 * count)[:, :count], np.float32)

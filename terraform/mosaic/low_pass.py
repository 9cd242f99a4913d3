"""The broad average of a raster's heights, made once for the whole of it, and how its heights are distributed."""

import numpy as np
from numpy.typing import NDArray

from terraform.geo.bodies import EARTH, Body
from terraform.geo.bodies import MARS as MARS_BODY
from terraform.geo.heights import Heights
from terraform.geo.resample import Axis
from terraform.mosaic import policy
from terraform.mosaic.elevation import Source, of_array
from terraform.mosaic.policy import Hypsometry

_PARTS = 8
_FWHM = 2.3548


def hypsometry_of(body: Body, source: Source) -> Hypsometry:
    """How high the body's surface lies: known of Mars and of Earth's land, else measured on the raster."""
    if body == MARS_BODY:
        return policy.MARS
    if body == EARTH:
        return Hypsometry(policy.EARTH_HEIGHTS_M, policy.EARTH_SHARES)
    return measured_on(source)


def measured_on(source: Source, flat: bool = False) -> Hypsometry:
    """The hypsometry of a raster, from at most about a million of its pixels, and its very highest.

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
    found = policy.measured(sampled, np.maximum(np.concatenate(weights), 1e-6))
    return Hypsometry(np.append(found.heights_m, highest + 1e-3), np.append(found.shares, 1.0))


def broad_average(source: Source, flat: bool = False) -> Source:
    """Heights averaged over `policy.BROAD_M`, on pixels of an eighth of that.

    A Gaussian along the meridians and one along each parallel, of that width on the ground; sea counts as 0 m, voids do
    not count. Where `flat`, rows and columns are metres on a plane.
    """
    coarse, share = _joined(source)
    sigma_m = policy.BROAD_M / _FWHM
    rows, columns = coarse.latitudes, coarse.longitudes
    down = _kernel(sigma_m / (abs(rows.step) * source.metres_per_degree), rows.count)
    length_m = (
        columns.step
        * source.metres_per_degree
        * (np.ones(rows.count) if flat else np.maximum(np.cos(np.radians(rows.centres())), 1e-3))
    )
    heights = coarse.read((0, rows.count), (0, columns.count)).metres
    along = sigma_m / length_m
    sums = [_round(np.asarray(down @ plane, np.float32), along, coarse.closes) for plane in (heights * share, share)]
    broad = np.where(sums[1] > 1e-6, sums[0] / np.maximum(sums[1], 1e-6), 0).astype(np.float32)
    nothing = np.zeros(broad.shape, np.bool_)
    return of_array(Heights(broad, nothing, nothing), rows, columns, source.metres_per_degree)


def _joined(source: Source) -> tuple[Source, NDArray[np.float32]]:
    """The source averaged to coarse pixels, and the share of each that is known."""
    goal = policy.BROAD_M / _PARTS / source.metres_per_degree
    down = max(1, round(goal / abs(source.latitudes.step)))
    right = max(1, round(goal / source.longitudes.step))
    rows, columns = -(-source.latitudes.count // down), -(-source.longitudes.count // right)
    if source.closes:
        columns = max(1, round(360 / (right * source.longitudes.step)))
    edges = np.arange(columns) * source.longitudes.count // columns if source.closes else np.arange(columns) * right
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
    step = 360 / columns if source.closes else source.longitudes.step * right
    longitudes = Axis(source.longitudes.origin, step, columns)
    nothing = np.zeros(metres.shape, np.bool_)
    return of_array(Heights(metres, nothing, nothing), latitudes, longitudes, source.metres_per_degree), share


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

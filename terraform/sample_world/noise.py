"""Noise of the synthetic worlds: smooth random functions on the sphere, the same wherever they are asked from.

Noise lives on a three-dimensional lattice that the unit sphere cuts through, so there is no seam at the antimeridian
and nothing special at the poles. Every octave has its own rotation and shift, which hides the lattice's axes.

Two speeds: what varies over more than about 10 km is evaluated at the *nodes* of a fixed geographic lattice and
interpolated (`Patch`); only finer detail is evaluated at every pixel. The nodes do not move with the window, so
a pixel's value depends on the seed and its place alone, to the last bit.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float32]
Double = NDArray[np.float64]
Index = NDArray[np.intp]

PERIOD = 4096  # lattice cells until the hash repeats: 1,600 km for the finest octave in use
OCTAVES = 64
NODES_PER_DEGREE = 64
MICRO = 1e-9  # degrees; coordinates are rounded to this (0.1 mm), so that lon and lon + 360 are the same number


class Tables(NamedTuple):
    """Everything random about a world, drawn once from its seed.

    Attributes
    ----------
    hashes : (2 * PERIOD,) intp
        A permutation of 0..PERIOD-1, twice over, so that `hashes[hashes[i] + j]` needs no wrap.
    gradients : (3, 2 * PERIOD) float32
        Unit vectors.
    values : (2 * PERIOD,) float32
        Uniform in -1..1.
    phases : (2 * PERIOD,) int32
        Fractions of a turn, `1 << 24` to the turn.
    frames : (OCTAVES, 3, 3) float64
        Rotations, one per octave.
    shifts : (OCTAVES, 3) float64
        Displacements in lattice cells, 0..PERIOD.
    """

    hashes: Index
    gradients: Float
    values: Float
    phases: NDArray[np.int32]
    frames: Double
    shifts: Double


@lru_cache(maxsize=4)
def tables(seed: int, world: int) -> Tables:
    """Make the random tables of a world; worlds of different numbers differ for the same seed."""
    rng = np.random.default_rng([world, abs(seed), int(seed < 0)])
    directions = rng.standard_normal((3, PERIOD))
    directions /= np.sqrt((directions**2).sum(axis=0))
    return Tables(
        hashes=np.tile(rng.permutation(PERIOD), 2).astype(np.intp),
        gradients=np.tile(directions, 2).astype(np.float32),
        values=np.tile(rng.uniform(-1, 1, PERIOD), 2).astype(np.float32),
        phases=np.tile(rng.integers(0, 1 << 24, PERIOD), 2).astype(np.int32),
        frames=np.linalg.qr(rng.standard_normal((OCTAVES, 3, 3)))[0],
        shifts=rng.uniform(0, PERIOD, (OCTAVES, 3)),
    )


def rounded(degrees: ArrayLike, period: float | None = None) -> Double:
    """Round a 1-D axis in degrees to the common raster of coordinates, brought into 0..period if one is given."""
    ticks = np.rint(np.atleast_1d(np.asarray(degrees, np.float64)) / MICRO)
    return np.asarray((np.mod(ticks, np.rint(period / MICRO)) if period else ticks) * MICRO, np.float64)


class Axes(NamedTuple):
    """Sines and cosines of a grid's longitudes (1, W) and latitudes (H, 1), float64."""

    sin_lon: Double
    cos_lon: Double
    sin_lat: Double
    cos_lat: Double


def axes(lon_deg: Double, lat_deg: Double) -> Axes:
    """Find the directions of a grid given by its 1-D axes."""
    lon, lat = np.radians(lon_deg)[None, :], np.radians(lat_deg)[:, None]
    return Axes(np.sin(lon), np.cos(lon), np.sin(lat), np.cos(lat))


class Cells(NamedTuple):
    """Where the pixels of a grid lie in the lattice of one octave.

    `corners` are hashes of the four (x, y) corners plus the cell's z index, each (H, W) intp: adding 0 or 1 and looking
    up a table gives the eight corners. `place` (3 x (H, W) float32) is the position within the cell, 0..1.
    """

    corners: tuple[Index, Index, Index, Index]
    place: tuple[Float, Float, Float]


def along(row: Double, axes: Axes) -> Double:
    """Compute the scalar product of a vector with a grid's unit vectors, (H, W) float64: two operations a pixel."""
    product: Double = axes.cos_lat * (row[0] * axes.cos_lon + row[1] * axes.sin_lon) + row[2] * axes.sin_lat
    return product


def locate(table: Tables, octave: int, cells_per_radius: float, axes: Axes, warp: tuple[Double, ...] = ()) -> Cells:
    """Lattice cells of every pixel; `warp`, in radii, displaces the pixels beforehand."""
    whole, place = [], []
    for axis in range(3):
        position = along(table.frames[octave, axis] * cells_per_radius, axes) + table.shifts[octave, axis]
        if warp:
            position += warp[axis] * cells_per_radius
        floor = np.floor(position)
        whole.append(floor.astype(np.intp) & (PERIOD - 1))
        place.append((position - floor).astype(np.float32))
    x, y, z = whole
    near, far = table.hashes[x] + y, table.hashes[x + 1] + y
    h = table.hashes
    return Cells((h[near] + z, h[near + 1] + z, h[far] + z, h[far + 1] + z), (place[0], place[1], place[2]))


def fade(t: Float) -> Float:
    """Perlin's quintic, `6t^5 - 15t^4 + 10t^3` (Improving Noise, 2002)."""
    inner: Float = t * (t * np.float32(6) - np.float32(15)) + np.float32(10)
    return t * t * t * inner


def smoothstep(low: float, high: float, x: Float) -> Float:
    """0 below `low`, 1 above `high`, a cubic between."""
    t: Float = np.clip((x - np.float32(low)) * np.float32(1 / (high - low)), np.float32(0), np.float32(1))
    return t * t * (np.float32(3) - np.float32(2) * t)


def _trilinear(corners: list[Float], u: Float, v: Float, w: Float) -> Float:
    for weight in (w, v, u):
        corners = [a + weight * (b - a) for a, b in zip(corners[::2], corners[1::2], strict=True)]
    return corners[0]


def gradient_noise(table: Tables, cells: Cells) -> Float:
    """Perlin noise, about -1..1 with a standard deviation near 0.3."""
    x, y, z = cells.place
    gx, gy, gz = table.gradients
    corners = []
    for number, base in enumerate(cells.corners):
        dx, dy = x - np.float32(number >> 1), y - np.float32(number & 1)
        for dz, place in ((0, base), (1, base + 1)):
            corners.append(gx[place] * dx + gy[place] * dy + gz[place] * (z - np.float32(dz)))
    return np.float32(1.25) * _trilinear(corners, fade(x), fade(y), fade(z))


def value_noise(table: Tables, cells: Cells) -> Float:
    """Interpolated random values, -1..1: cheaper than gradient noise, good enough for texture."""
    corners = [table.values[place] for base in cells.corners for place in (base, base + 1)]
    return _trilinear(corners, *(fade(t) for t in cells.place))


def cell_value(table: Tables, cells: Cells) -> Float:
    """One random value -1..1 for each lattice cell: parcels with sharp borders."""
    return table.values[cells.corners[0]]


def stripes(table: Tables, cells: Cells, wave: tuple[Float, Float, Float]) -> tuple[Float, Float]:
    """Waves of a given direction and random phase: the gullies of erosion.

    Parameters
    ----------
    cells : Cells
    wave : 3 x (H, W) float32
        Wave vector in the frame of the octave, turns per cell. Where it points across the slope, the stripes run
        downhill.

    Returns
    -------
    height, rise : (H, W) float32
        The wave, -1..1, and its derivative by the phase (1 turn = 2 pi), -1..1.

    Notes
    -----
    One wave per lattice corner, blended by trilinear weights, then normalised: the idea of "phacelle noise" in
    R. S. Johansen's terrain erosion filter (2025), after C. John's gullies of 2020. Sines are parabolas.
    """
    x, y, z = cells.place
    scale = np.float32(1 << 24)
    turns = ((x * wave[0] + y * wave[1] + z * wave[2]) * scale).astype(np.int32)
    step_x, step_y, step_z = ((component * scale).astype(np.int32) for component in wave)
    u, v, w = fade(x), fade(y), fade(z)
    far, far_v = u, u * v
    near = np.float32(1) - u
    near_v = v - far_v
    sides = (near - near_v, near_v, far - far_v, far_v)
    height, slack = np.zeros_like(x), np.zeros_like(x)
    for number, (base, side) in enumerate(zip(cells.corners, sides, strict=True)):
        start = turns
        if number & 2:
            start = start - step_x
        if number & 1:
            start = start - step_y
        side_w = side * w
        for place, phase, weight in ((base, start, side - side_w), (base + 1, start - step_z, side_w)):
            angle = ((phase + table.phases[place]) << 8).astype(np.float32) * np.float32(2.0**-31)
            size = np.abs(angle)
            slack += weight * size
            weight *= angle
            height += weight * (np.float32(1) - size)
    height *= np.float32(4)
    rise = np.float32(1) - np.float32(2) * slack
    norm = np.float32(1) / np.sqrt(height * height + rise * rise + np.float32(0.02))
    return height * norm, rise * norm


class Taps(NamedTuple):
    """Interpolation along one axis: nodes (n,), the four neighbours (4, W), Catmull-Rom weights and slopes (4, W)."""

    nodes: Double
    neighbours: Index
    weights: Float
    slopes: Float

    def part(self, pixels: slice) -> "Taps":
        """Take some of the positions, at the same nodes."""
        return Taps(self.nodes, self.neighbours[:, pixels], self.weights[:, pixels], self.slopes[:, pixels])


def taps(degrees: Double) -> Taps:
    """Nodes around the positions of an axis (Catmull and Rom 1974; slopes are per degree)."""
    position = degrees * NODES_PER_DEGREE
    floor = np.floor(position)
    t = position - floor
    wanted = floor.astype(np.int64) + np.arange(-1, 3)[:, None]
    nodes, inverse = np.unique(wanted, return_inverse=True)
    weights = [-t * (1 - t) ** 2, 2 - 5 * t**2 + 3 * t**3, t * (1 + 4 * t - 3 * t**2), -(t**2) * (1 - t)]
    slopes = [-1 + 4 * t - 3 * t**2, -10 * t + 9 * t**2, 1 + 8 * t - 9 * t**2, 3 * t**2 - 2 * t]
    return Taps(
        nodes / NODES_PER_DEGREE,
        inverse.reshape(wanted.shape).astype(np.intp),
        (np.array(weights) / 2).astype(np.float32),
        (np.array(slopes) / 2 * NODES_PER_DEGREE).astype(np.float32),
    )


def across(rows: Float, weights: Float, x: Taps) -> Float:
    """Interpolate (H, n) values at the nodes of one axis to (H, W)."""
    total: Float = rows.take(x.neighbours[0], axis=1) * weights[0]
    for tap in range(1, 4):
        total += rows.take(x.neighbours[tap], axis=1) * weights[tap]
    return total


def down(field: Float, weights: Float, y: Taps) -> Float:
    """Interpolate (n, m) values at the nodes to the rows of the other axis, (H, m)."""
    total: Float = field[y.neighbours[0]] * weights[0][:, None]
    for tap in range(1, 4):
        total += field[y.neighbours[tap]] * weights[tap][:, None]
    return total


def interpolate(field: Float, x: Taps, y: Taps) -> Float:
    """Interpolate a field from the nodes to the pixels: (n, m) to (H, W)."""
    return across(down(field, y.weights, y), x.weights, x)


def interpolate_with_slopes(field: Float, x: Taps, y: Taps) -> tuple[Float, Float, Float]:
    """As `interpolate`, and the derivatives per degree of longitude and of latitude."""
    rows = down(field, y.weights, y)
    return across(rows, x.weights, x), across(rows, x.slopes, x), across(down(field, y.slopes, y), x.weights, x)

"""Impact craters scattered over a sphere, as many of each size as an old surface has.

Every diameter class has its own grid of latitude rows; each cell of it may hold one crater, drawn from a hash of seed,
class, row and column. So a window finds all craters that touch it without knowing of any other, and adds them in
the same order as every other window does.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.sample_world import noise
from terraform.sample_world.noise import Double, Float

Words = NDArray[np.uint64]

SMALLEST_KM = 2.0
LARGEST_KM = 200.0
CLASSES = 7  # diameters 2-4, 4-8, ... 128-256 km
CELL_PER_DIAMETER = 5.0  # with one crater a cell: N(> D) = 0.05 D^-2 per km2, as in Mars's southern highlands
REACH = 2.6  # radii to which ejecta are drawn
BENT = 1.25  # by how much a ragged outline may reach farther


class Craters(NamedTuple):
    """Craters, each field (n,) float64: centres in degrees, diameters in km, freshness 0..1 (1 has its full depth)."""

    lon_deg: Double
    lat_deg: Double
    diameter_km: Double
    fresh: Double

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> "Craters":
        """Take some of the craters."""
        return Craters(*(field[which] for field in self))


def _mixed(words: Words) -> Words:
    """Mix bits by the finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _uniform(keys: Words, draw: int) -> Double:
    """Draw the draw-th random number of each key, 0..1."""
    stepped = _mixed(keys + np.uint64(draw * 0x9E3779B97F4A7C15 % 2**64))
    return (stepped >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _key(seed: int, number: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Words:
    start = _mixed(np.array([seed % 2**64, number], np.uint64))
    words = _mixed(rows.astype(np.uint64) + start[0] + start[1])
    return _mixed(words + columns.astype(np.uint64))


def scattered(seed: int, lat_deg: Double, radius_km: float, smallest_km: float = 0.0) -> list[Craters]:
    """List every cell's crater in the rows of cells that touch these latitudes, by class, largest first.

    Classes whose smallest crater is smaller than `smallest_km` across are left out.
    """
    numbers = [number for number in reversed(range(CLASSES)) if SMALLEST_KM * 2**number >= smallest_km]
    return [_class_of(seed, number, lat_deg, radius_km) for number in numbers]


def _class_of(seed: int, number: int, lat_deg: Double, radius_km: float) -> Craters:
    least = SMALLEST_KM * 2**number
    turn = 2 * np.pi * radius_km
    count = round(turn / 2 / (CELL_PER_DIAMETER * least))
    height = 180 / count
    reach = np.degrees(REACH * BENT * least / radius_km) + height  # the class's largest has radius `least`
    first, last = np.floor((np.array([lat_deg.min() - reach, lat_deg.max() + reach]) + 90) / height)
    rows = np.arange(max(first, 0), min(last, count - 1) + 1, dtype=np.int64)
    columns = np.maximum(np.rint(2 * count * np.cos(np.radians((rows + 0.5) * height - 90))), 3).astype(np.int64)
    row = np.repeat(rows, columns)
    column = np.arange(row.size) - np.repeat(np.cumsum(columns) - columns, columns)
    key = _key(seed, number, row, column)
    diameter = least / np.sqrt(1 - 0.75 * _uniform(key, 1))  # N(> D) falls with the square
    return Craters(
        (column + _uniform(key, 2)) * 360 / np.repeat(columns, columns),
        (row + _uniform(key, 3)) * height - 90,
        np.minimum(diameter, LARGEST_KM),
        0.15 + 0.85 * _uniform(key, 4) ** 1.5,
    )


def chance(seed: int, craters: Craters) -> Double:
    """Draw a random number for each crater, (n,) float64 0..1, to thin them out by."""
    words = np.stack([craters.lon_deg, craters.lat_deg]).view(np.uint64)
    return _uniform(_mixed(words[0]) + words[1] + np.uint64(seed % 2**64), 5)


def half_widths(craters: Craters, radius_km: float) -> tuple[Double, Double]:
    """Degrees of longitude and latitude from the centre in which a crater changes anything."""
    angle = REACH * BENT * craters.diameter_km / 2 / radius_km
    across = np.sin(angle) / np.maximum(np.cos(np.radians(craters.lat_deg)), 1e-9)
    polar = np.abs(np.radians(craters.lat_deg)) + angle >= np.pi / 2
    wide = np.where(polar, 180.0, np.degrees(np.arcsin(np.minimum(across, 1.0))) * 1.001)
    return wide, np.degrees(angle)


def touching(craters: Craters, lon_deg: Double, lat_deg: Double, radius_km: float) -> Craters:
    """Choose the craters that change at least one pixel of the grid with these axes (longitudes 0..360)."""
    wide, high = half_widths(craters, radius_km)
    around = np.sort(np.concatenate([lon_deg - 360, lon_deg, lon_deg + 360]))
    inside = _any_between(around, craters.lon_deg, wide) & _any_between(np.sort(lat_deg), craters.lat_deg, high)
    return craters.take(inside)


def _any_between(axis: Double, centre: Double, half: Double) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.searchsorted(axis, centre + half, "right") > np.searchsorted(axis, centre - half)
    return inside


def depth_km(diameter_km: float) -> float:
    """Depth from rim to floor: simple craters below 7 km, complex ones above (Garvin et al. 2003, for Mars)."""
    return float(0.21 * diameter_km**0.81 if diameter_km < 7 else 0.36 * diameter_km**0.49)


def rim_km(diameter_km: float) -> float:
    """Height of the rim above the surroundings (Garvin et al. 2003)."""
    return float(0.04 * diameter_km**0.31 if diameter_km < 7 else 0.02 * diameter_km**0.84)


def profile_m(distance: Float, diameter_km: float, fresh: float) -> Float:
    """Change of height in metres at a distance from the centre in crater radii: floor, peak, wall, rim, ejecta."""
    depth, rim = 1000 * fresh * depth_km(diameter_km), 1000 * (0.3 + 0.7 * fresh) * rim_km(diameter_km)
    complexity = float(np.clip((diameter_km - 4) / 12, 0, 1))
    floor = 0.55 * complexity
    wall = np.clip((distance - np.float32(floor)) * np.float32(1 / (1 - floor)), 0, 1)
    bowl = np.float32(depth) * (wall * wall - np.float32(1)) + np.float32(rim) * (noise.smoothstep(0.5, 1.0, distance))
    if 15 < diameter_km < 90:
        peak = np.maximum(np.float32(1) - distance * np.float32(1 / 0.16), 0)
        bowl += np.float32(0.3 * depth * fresh) * peak * np.sqrt(peak)
    out = np.maximum(distance, np.float32(1))
    ejecta = np.float32(rim) / (out * out * out) * (np.float32(1) - noise.smoothstep(1.6, REACH, distance))
    return np.where(distance < 1, bowl, ejecta)


def dug(
    shape: tuple[int, int], craters: Craters, lon_deg: Double, lat_deg: Double, ragged: Float, radius_km: float
) -> Float:
    """Dig the craters of one class, each wiping out what its forerunners left inside it.

    Parameters
    ----------
    shape : (H, W) of the grid with the axes `lon_deg`, 0..360, and `lat_deg`
    ragged : (H, W) float32
        -1.8..1.8, bends the outlines.
    """
    change = np.zeros(shape, np.float32)
    wide, high = half_widths(craters, radius_km)
    for number in range(craters.lon_deg.size):
        lon, lat = craters.lon_deg[number], craters.lat_deg[number]
        columns = np.flatnonzero(np.abs((lon_deg - lon + 180) % 360 - 180) <= wide[number])
        rows = np.flatnonzero(np.abs(lat_deg - lat) <= high[number])
        if not (rows.size and columns.size):
            continue
        place, diameter = _box(rows, columns), float(craters.diameter_km[number])
        distance = _chords(lon, lat, lon_deg[columns], lat_deg[rows]) * np.float32(2 * radius_km / diameter)
        distance *= np.float32(1) + np.float32(0.1) * ragged[place]
        old = noise.smoothstep(0.75, 1.1, distance)
        change[place] = change[place] * old + profile_m(distance, diameter, float(craters.fresh[number]))
    return change


def _chords(lon: float, lat: float, lon_deg: Double, lat_deg: Double) -> Float:
    """Chords from a place to a grid, in radii of the sphere."""
    lon, lat = np.radians(lon), np.radians(lat)
    centre = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    cosine = noise.along(centre, noise.axes(lon_deg, lat_deg))
    chord: Float = np.sqrt(np.maximum(2 - 2 * cosine, 0)).astype(np.float32)
    return chord


Box = tuple[slice, slice] | tuple[NDArray[np.intp], NDArray[np.intp]]


def _box(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Box:
    """Slices where the pixels are adjoining, else an index mesh."""
    if all(index.size and index[-1] - index[0] == index.size - 1 for index in (rows, columns)):
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return rows[:, None], columns[None, :]

"""A synthetic Earth: relief and satellite imagery as functions of seed, longitude and latitude.

Nothing here is real geography. What is real is the manner: continents and chains, valleys that branch, a snow line
that falls with latitude, wet and dry belts. The imagery follows a known law of the relief, so that what a network
learns from it can be checked.

Relief is made in two steps: `_ground` gives the smooth shape at the nodes of a fixed lattice (everything wider than
about 10 km), and `_eroded` cuts gullies into it at every pixel, each octave running down the slopes of the ones before.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terraform.sources import noise
from terraform.sources.noise import Axes, Float, Tables

RADIUS_KM = 6371.0088
KM_PER_DEGREE = np.pi * RADIUS_KM / 180
HIGHEST_M = 8_800.0
GULLY_CELLS_KM = (6.4, 3.2, 1.6, 0.8, 0.45)
TILE = 128  # pixels: the arrays of one tile stay in the processor's second cache
NODE_TILE = 512  # pixels whose nodes are evaluated together

_f = np.float32


class Relief(NamedTuple):
    """Heights (H, W) float32 in metres above the sea (0..8,800; 0 at sea), and where the sea is, (H, W) bool."""

    elevation_m: Float
    sea: NDArray[np.bool_]


class Ground(NamedTuple):
    """The smooth part of the land, at the nodes: heights and gully depths in metres, shares 0..1."""

    height: Float
    gully: Float
    moisture: Float
    river: Float


class Terrain(NamedTuple):
    """What the colour law sees of a tile with a margin of one pixel; heights in metres, negative under the sea."""

    height: Float
    gully: Float
    moisture: Float
    river: Float
    ravine: Float
    mottle: Float
    parcel: Float


class World:
    pass


def _noise(table: Tables, octave: int, cell_km: float, axes: Axes, warp: tuple[noise.Double, ...] = ()) -> Float:
    return noise.gradient_noise(table, noise.locate(table, octave, RADIUS_KM / cell_km, axes, warp))


def _warp(table: Tables, axes: Axes) -> tuple[noise.Double, ...]:
    """Displacements in Earth radii that bend coasts and chains."""
    def one(axis: int) -> noise.Double:
        bend = 260 * _noise(table, axis, 1500, axes) + 60 * _noise(table, 3 + axis, 330, axes)
        return (bend + 14 * _noise(table, 6 + axis, 80, axes)).astype(np.float64) / RADIUS_KM
    return one(0), one(1), one(2)


def _continent(table: Tables, axes: Axes, warp: tuple[noise.Double, ...]) -> Float:
    total = np.full(np.broadcast_shapes(axes.sin_lon.shape, axes.sin_lat.shape), 0.09, _f)
    for number in range(9):
        total += _f(0.62 * 0.53**number) * _noise(table, 10 + number, 2600 / 2**number, axes, warp)
    return total


def _ground(table: Tables, axes: Axes) -> Ground:
    warp = _warp(table, axes)
    c = _continent(table, axes, warp)
    inland = noise.smoothstep(0.0, 0.16, c)
    def belt(o, cell, width):
        n = _noise(table, o, cell, axes, warp)
        return np.clip(1 - np.abs(n) / _f(width), 0, 1)
    b = np.maximum(belt(20, 1500, 0.22), belt(21, 1100, 0.2) * noise.smoothstep(-.2, .2, _noise(table, 22, 900, axes)))
    m = noise.smoothstep(0.05, 0.95, b) * noise.smoothstep(-0.04, 0.14, c)
    def crease(o, cell, soft):
        n = _noise(table, o, cell, axes, warp)
        return np.sqrt(n * n + _f(soft * soft)) - _f(soft)
    v1, v2, v3 = crease(23, 70, 0.05), crease(24, 33, .06), crease(25, 16, .08)
    r = _noise(table, 26, 120, axes, warp)
    swell = _noise(table, 27, 400, axes, warp)
    hill = noise.smoothstep(-0.25, 0.5, swell) * inland
    land = np.where(c > 0, 380 * c + 700 * c * c, 2600 * c - 60 * (c < 0)* np.minimum(1, -c * 20))
    rise = noise.smoothstep(0.0, 0.35, v1)
    mass = _f(1.3) * v1 + _f(1.1) * v2 * (_f(0.15) + rise) + _f(0.65) * v3 * (_f(.1) + rise)
    high = np.clip(m + _f(0.5) * m * swell, 0, 1.3)
    height = land + high * (_f(1500) * m + _f(3900) * mass) + hill * _f(420) * (v1 + _f(.6) * v2 + _f(.3) * v3) + 40 * (v2 + v3 - .25)
    gully = _f(16) + _f(70) * hill + _f(340) * high
    gully *= noise.smoothstep(-0.06, 0.05, c) * _f(.85) + _f(0.15)
    lat = np.degrees(np.arctan2(axes.sin_lat, axes.cos_lat)).astype(_f)
    moisture = _belts(lat) + _f(0.22) * (_noise(table, 28, 1300, axes) + _f(0.5) * _noise(table, 29, 300, axes, warp)) + _f(0.12) * (1 - noise.smoothstep(0, 0.3, c))
    return Ground(height.astype(_f), gully.astype(_f), moisture.astype(_f), r)


def _belts(lat: Float) -> Float:
    """Moisture by latitude: wet at the equator, dry near 25 degrees, wet near 50."""
    a = np.abs(lat)
    return _f(0.22) + _f(0.6) * np.exp(-(a / _f(13)) ** 2) + _f(0.42) * np.exp(-((a - _f(52)) / _f(14)) ** 2)


def _eroded(table: Tables, axes: Axes, x: noise.Taps, y: noise.Taps, ground: Ground) -> Terrain:
    height, per_lon, per_lat = noise.interpolate_with_slopes(ground.height, x, y)
    gully = noise.interpolate(ground.gully, x, y)
    per_metre = 1 / (1000 * KM_PER_DEGREE)
    east = per_lon * (per_metre / np.maximum(axes.cos_lat, 1e-3)).astype(_f)
    north = per_lat * _f(per_metre)
    a = axes
    ravine = np.zeros_like(height)
    depth = gully
    for number, cell in enumerate(GULLY_CELLS_KM):
        octave = 30 + number
        cells = noise.locate(table, octave, RADIUS_KM / cell, axes)
        square = east * east + north * north
        norm = _f(1) / np.sqrt(square + _f(0.005))
        cut = depth * norm * np.sqrt(square)
        norm *= _f(0.68)
        e, n = -north * norm, east * norm
        wave = []
        for row in table.frames[octave]:
            to_east = (row[1] * a.cos_lon - row[0] * a.sin_lon).astype(_f)
            to_north = (row[2] * a.cos_lat - a.sin_lat * (row[0] * a.cos_lon + row[1] * a.sin_lon)).astype(_f)
            wave.append(e * to_east + n * to_north)
        wave_height, rise = noise.stripes(table, cells, (wave[0], wave[1], wave[2]))
        height += cut * wave_height
        ravine += wave_height * _f(0.5**number)
        steep = cut * rise * _f(2 * np.pi / (1000 * cell))
        east += steep * e
        north += steep * n
        depth = depth * _f(0.42)
        if number == 3: mottle = noise.value_noise(table, cells)
        if number == 4: parcel = noise.cell_value(table, cells)
    return Terrain(height, gully, noise.interpolate(ground.moisture, x, y), noise.interpolate(ground.river, x, y), ravine, mottle, parcel)

"""The relief of the synthetic Earth: continents, chains and gullies, none of them real.

Made in two steps. `ground` gives the smooth shape at the nodes of a fixed lattice (everything wider than about 10 km);
`eroded` cuts gullies into it at every pixel, each octave running down the slopes of the coarser ones, which makes
valleys branch. Both are functions of seed and place alone.
"""

from typing import NamedTuple

import numpy as np

from terraform.sample_world import noise
from terraform.sample_world.noise import Axes, Double, Float, Tables

RADIUS_KM = 6371.0088  # mean radius, IUGG
M_PER_DEGREE = 1000 * np.pi * RADIUS_KM / 180
HIGHEST_M = 8_800.0
LAND_BIAS = 0.065  # raises the continents: about two thirds of the sphere is land
GULLY_CELLS_KM = (6.4, 3.2, 1.6, 0.8, 0.45)
GULLY_GAIN = 0.42
TURNS_PER_CELL = 0.68

_f = np.float32


class Ground(NamedTuple):
    """The land's smooth part at the nodes, each (n, m) float32.

    Attributes
    ----------
    height : metres above the sea, negative below it.
    gully : depth of the largest gullies, metres.
    moisture : share, about 0..1, before height and valleys have their say.
    winding : -1..1, slowly varying; large valleys and their rivers run where it is 0.
    valley : 0..1, whether there are such valleys; plains have none.
    """

    height: Float
    gully: Float
    moisture: Float
    winding: Float
    valley: Float


class Terrain(NamedTuple):
    """The land in full at the pixels, each (H, W) float32.

    Attributes
    ----------
    height : metres above the sea, negative below it, at most 8,800.
    ravine : -2..2, negative in the gullies, positive on the ridges between.
    moisture, winding, valley : as in `Ground`.
    mottle, parcel : -1..1, texture of about 800 m, smooth and with sharp borders.
    """

    height: Float
    ravine: Float
    moisture: Float
    winding: Float
    valley: Float
    mottle: Float
    parcel: Float


def _noise(table: Tables, octave: int, cell_km: float, axes: Axes, warp: tuple[Double, ...] = ()) -> Float:
    return noise.gradient_noise(table, noise.locate(table, octave, RADIUS_KM / cell_km, axes, warp))


def _warp(table: Tables, axes: Axes) -> tuple[Double, ...]:
    """Displacements in radii, up to some 200 km, that bend coasts and chains."""
    sizes = ((1500, 260), (330, 60), (80, 14))  # cell and displacement, km
    return tuple(
        sum(
            ((km / RADIUS_KM) * _noise(table, 3 * level + axis, cell, axes) for level, (cell, km) in enumerate(sizes)),
            start=np.zeros(1),
        ).astype(np.float64)
        for axis in range(3)
    )


def _continents(table: Tables, axes: Axes, warp: tuple[Double, ...]) -> Float:
    """Positive on land, nine octaves from 2,600 km to 10 km."""
    total = _f(LAND_BIAS) + _f(0.62) * _noise(table, 10, 2600, axes, warp)
    for number in range(1, 9):
        total += _f(0.62 * 0.53**number) * _noise(table, 10 + number, 2600 / 2**number, axes, warp)
    return total


def _chains(table: Tables, axes: Axes, warp: tuple[Double, ...], continents: Float) -> Float:
    """Share of mountain, 0..1: bands along the zero lines of two noises, faded out at the coast."""
    first, second = (np.abs(_noise(table, octave, cell, axes, warp)) for octave, cell in ((20, 1500), (21, 1100)))
    broken = noise.smoothstep(-0.2, 0.2, _noise(table, 22, 900, axes))
    band = np.maximum(_f(1) - first * _f(1 / 0.22), (_f(1) - second * _f(1 / 0.2)) * broken)
    return noise.smoothstep(0.05, 0.95, band) * noise.smoothstep(-0.04, 0.14, continents)


def _crease(table: Tables, octave: int, cell_km: float, floor: float, axes: Axes, warp: tuple[Double, ...]) -> Float:
    """Valleys along the zero lines of a noise, 0 in the middle of a floor of the given width, up to 0.7 between."""
    return _valley(_noise(table, octave, cell_km, axes, warp), floor)


def _valley(line: Float, floor: float) -> Float:
    between: Float = np.sqrt(line * line + _f(floor * floor)) - _f(floor)
    return between


def belts(lat_deg: Float) -> Float:
    """Moisture by latitude: wet at the equator, dry near 25 degrees, wet near 50."""
    a = np.abs(lat_deg)
    tropics: Float = _f(0.6) * np.exp(-((a / _f(13)) ** 2))
    westerlies: Float = _f(0.42) * np.exp(-(((a - _f(52)) / _f(14)) ** 2))
    return _f(0.22) + tropics + westerlies


def _moisture(table: Tables, axes: Axes, warp: tuple[Double, ...], continents: Float) -> Float:
    latitude = np.degrees(np.arctan2(axes.sin_lat, np.abs(axes.cos_lat))).astype(_f)
    weather = _f(0.22) * _noise(table, 28, 1300, axes) + _f(0.11) * _noise(table, 29, 300, axes, warp)
    maritime = _f(0.12) * (_f(1) - noise.smoothstep(0.0, 0.3, continents))
    return belts(latitude) + weather + maritime


def ground(table: Tables, axes: Axes) -> Ground:
    """Compute the smooth shape of the land at the nodes of a lattice."""
    warp = _warp(table, axes)
    continents = _continents(table, axes, warp)
    chains = _chains(table, axes, warp, continents)
    winding = _noise(table, 23, 70, axes, warp)
    great, middle = _valley(winding, 0.05), _crease(table, 24, 33, 0.06, axes, warp)
    small = _crease(table, 25, 16, 0.08, axes, warp)
    swell = _noise(table, 27, 400, axes, warp)
    hills = noise.smoothstep(-0.25, 0.5, swell) * noise.smoothstep(0.0, 0.16, continents)
    high = np.clip(chains * (_f(1) + _f(0.5) * swell), 0, _f(1.3))
    aloft = noise.smoothstep(0.0, 0.35, great)  # small valleys stay out of the floors of great ones
    massif = _f(1.3) * great + _f(1.1) * middle * (_f(0.15) + aloft) + _f(0.65) * small * (_f(0.1) + aloft)
    shelf = _f(2600) * continents - _f(60) * np.clip(continents * _f(-20), 0, 1)
    plain = np.where(continents > 0, _f(380) * continents + _f(700) * continents * continents, shelf)
    rolling = hills * _f(420) * (great + _f(0.6) * middle + _f(0.3) * small) + _f(40) * (middle + small - _f(0.25))
    height = plain + rolling + high * (_f(1150) * chains + _f(4300) * massif)
    gully = (_f(16) + _f(70) * hills + _f(340) * high) * (
        _f(0.15) + _f(0.85) * noise.smoothstep(-0.06, 0.05, continents)
    )
    hollow: Float = _f(0.4) * (_f(0.22) - middle) + _f(0.3) * (_f(0.2) - small)  # moister than the ground between
    moisture: Float = _moisture(table, axes, warp, continents) + hollow * noise.smoothstep(0.0, 0.05, continents)
    valley: Float = np.minimum(_f(1.2) * hills * hills + _f(3) * high, _f(1))
    return Ground(height, gully, moisture, winding, valley)


def _to_frame(row: Double, axes: Axes) -> tuple[Float, Float]:
    """Components of the local east and north directions along one axis of an octave's frame."""
    east = row[1] * axes.cos_lon - row[0] * axes.sin_lon
    north = row[2] * axes.cos_lat - axes.sin_lat * (row[0] * axes.cos_lon + row[1] * axes.sin_lon)
    return east.astype(_f), north.astype(_f)


def _capped(height: Float) -> Float:
    """Bend heights above 6,500 m so that they approach, and never pass, the highest."""
    span = _f(HIGHEST_M - 6500)
    over = np.maximum(height - _f(6500), 0)
    capped: Float = np.minimum(height, _f(6500)) + span * over / (span + over)
    return capped


def level_terrain(ground: Ground) -> Terrain:
    """Take the smooth shape as the land itself: no gullies, no texture; for cells wider than these."""
    none = np.zeros_like(ground.height)
    return Terrain(_capped(ground.height), none, ground.moisture, ground.winding, none, none, none)


def eroded(table: Tables, axes: Axes, x: noise.Taps, y: noise.Taps, ground: Ground) -> Terrain:
    """Compute the land at the pixels: the smooth shape with gullies, five octaves from 6.4 km to 450 m."""
    height, per_lon, per_lat = noise.interpolate_with_slopes(ground.height, x, y)
    # A pole has no east for gullies to know downhill by: they end 3 km from it.
    depth = noise.interpolate(ground.gully, x, y) * noise.smoothstep(0.0005, 0.004, axes.cos_lat.astype(_f))
    east = per_lon * (1 / (M_PER_DEGREE * np.maximum(axes.cos_lat, 1e-3))).astype(_f)
    north = per_lat * _f(1 / M_PER_DEGREE)
    swells = _f(0.4) * np.minimum(depth, _f(16))
    ravine = np.zeros_like(height)
    mottle = parcel = ravine
    for number, cell_km in enumerate(GULLY_CELLS_KM):
        octave = 30 + number
        cells = noise.locate(table, octave, RADIUS_KM / cell_km, axes)
        square = east * east + north * north
        inverse = _f(1) / np.sqrt(square + _f(0.005))
        cut = depth * inverse * np.sqrt(square) + swells  # level land keeps its smoothness, nearly
        inverse *= _f(TURNS_PER_CELL)
        wave_east, wave_north = -north * inverse, east * inverse
        frame = (_to_frame(row, axes) for row in table.frames[octave])
        wave = [wave_east * to_east + wave_north * to_north for to_east, to_north in frame]
        ridge, rise = noise.stripes(table, cells, (wave[0], wave[1], wave[2]))
        height += cut * ridge
        ravine = ravine + ridge * _f(0.5**number)
        cut *= rise * _f(2 * np.pi / (1000 * cell_km))
        east += cut * wave_east
        north += cut * wave_north
        depth, swells = depth * _f(GULLY_GAIN), swells * _f(GULLY_GAIN)
        if number == 3:
            mottle, parcel = noise.value_noise(table, cells), noise.cell_value(table, cells)
    moisture, winding, valley = (
        noise.interpolate(field, x, y) for field in (ground.moisture, ground.winding, ground.valley)
    )
    return Terrain(_capped(height), ravine, moisture, winding, valley, mottle, parcel)

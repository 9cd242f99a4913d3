"""A synthetic Mars: relief as a function of seed, longitude and latitude.

The great features stand where Mars has them (lowlands in the north, Tharsis with its volcanoes, the canyons, Hellas
and Argyre, Korolev) in about their true size; everything else is invented: their outlines, every hill, every crater
but one. Positions and heights of the great features are those of the MOLA maps, rounded.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from terraform.sample_world import craters as sample_craters
from terraform.sample_world import noise
from terraform.sample_world.craters import Craters
from terraform.sample_world.noise import Axes, Double, Float, Tables
from terraform.sample_world.tiling import axis, blocks

RADIUS_KM = 3396.19  # the IAU's sphere
LOWEST_M, HIGHEST_M = -8_200.0, 21_200.0
WORLD = 4
TILE = 128  # pixels
NODE_TILE = 4 * TILE
ROUGH_CELLS_KM = ((3.2, 48.0), (1.5, 22.0), (0.7, 10.0))  # cell, metres

_f = np.float32


class Volcano(NamedTuple):
    """A shield: summit and foot in metres, radii in km, depth of the caldera in metres."""

    lon_deg: float
    lat_deg: float
    summit_m: float
    foot_m: float
    radius_km: float
    caldera_km: float
    caldera_m: float


class Basin(NamedTuple):
    """An impact basin: the level of its floor in metres, and its radius in km."""

    lon_deg: float
    lat_deg: float
    floor_m: float
    radius_km: float


class Trough(NamedTuple):
    """A canyon from west to east between two points, its half-width in km and its depth in metres."""

    west_deg: float
    west_lat_deg: float
    east_deg: float
    east_lat_deg: float
    half_km: float
    depth_m: float


VOLCANOES = (
    Volcano(-134.0, 18.6, 21_230, 4_000, 300, 38, 2_600),  # Olympus Mons
    Volcano(-120.5, -8.3, 17_700, 7_000, 220, 55, 3_200),  # Arsia Mons
    Volcano(-113.0, 0.8, 14_000, 6_500, 185, 30, 3_800),  # Pavonis Mons
    Volcano(-104.1, 11.3, 18_200, 6_500, 230, 28, 3_000),  # Ascraeus Mons
    Volcano(147.2, 25.0, 13_900, 1_000, 230, 12, 1_000),  # Elysium Mons
    Volcano(-109.6, 40.4, 6_600, 2_500, 500, 50, 1_000),  # Alba Mons
)
BASINS = (
    Basin(70.5, -42.4, -7_700, 1_050),  # Hellas
    Basin(-43.4, -49.8, -3_900, 480),  # Argyre
    Basin(87.0, 12.9, -4_000, 620),  # Isidis
)
TROUGHS = (
    Trough(-95, -6.5, -62, -10.5, 55, 6_800),
    Trough(-80, -5.0, -66, -5.6, 60, 6_400),
    Trough(-78, -8.6, -64, -8.2, 45, 6_900),
    Trough(-67, -11.8, -48, -14.2, 75, 7_000),
    Trough(-50, -13.5, -32, -9.0, 65, 5_200),
)
KOROLEV = Craters(*(np.array([value]) for value in (164.6, 72.8, 82.0, 0.95)))


class Ground(NamedTuple):
    """The smooth part at the nodes, each (n, m) float32: height and roughness in metres, raggedness -1..1."""

    height: Float
    rough: Float
    ragged: Float


def elevation(lon_deg: ArrayLike, lat_deg: ArrayLike, seed: int) -> Float:
    """Heights above the areoid of the grid with these axes.

    Parameters
    ----------
    lon_deg, lat_deg : (W,), (H,) in degrees east and north
        Centres of the columns and rows, in any order and spacing; longitudes in any turn.
    seed : int

    Returns
    -------
    (H, W) float32
        Metres, -8,200..21,200.

    Raises
    ------
    InputError
        An axis is not 1-D, or a latitude is beyond a pole.
    """
    lon, lat = noise.rounded(axis("lon_deg", lon_deg), 360.0), noise.rounded(axis("lat_deg", lat_deg))
    height = np.empty((lat.size, lon.size), np.float32)
    for rows, columns in product(blocks(lat.size, NODE_TILE), blocks(lon.size, NODE_TILE)):
        height[rows, columns] = _window(lon[columns], lat[rows], seed)
    clamped: Float = np.clip(height, _f(LOWEST_M), _f(HIGHEST_M))
    return clamped


def _window(lon: Double, lat: Double, seed: int) -> Float:
    table = noise.tables(seed, WORLD)
    x, y = noise.taps(lon), noise.taps(lat)
    smooth = _ground(table, noise.axes(x.nodes, y.nodes))
    height, ragged = np.empty((lat.size, lon.size), np.float32), np.empty((lat.size, lon.size), np.float32)
    for rows, columns in product(blocks(lat.size, TILE), blocks(lon.size, TILE)):
        part = noise.axes(lon[columns], lat[rows])
        height[rows, columns], ragged[rows, columns] = _detailed(table, part, x.part(columns), y.part(rows), smooth)
    found = [KOROLEV, *sample_craters.scattered(seed, lat, RADIUS_KM)]
    for number, craters in enumerate(found):
        seen = sample_craters.touching(craters, lon, lat, RADIUS_KM)
        kept = _kept(table, seed, seen) if number else seen
        height += sample_craters.dug(height.shape, kept, lon, lat, ragged, RADIUS_KM)
    return height


def smooth(lon_deg: Double, lat_deg: Double, seed: int, craters: list[Craters]) -> Float:
    """Compute heights without anything that is smaller than some craters.

    Parameters
    ----------
    lon_deg, lat_deg : (W,), (H,) float64
        Centres of columns (0..360) and rows, degrees.
    craters : list of Craters
        By class, the largest first, as `craters.scattered` lists them.

    Returns
    -------
    (H, W) float32
        Metres above the areoid.
    """
    table = noise.tables(seed, WORLD)
    ground = _ground(table, noise.axes(lon_deg, lat_deg))
    height, ragged = ground.height, np.clip(ground.ragged, _f(-1.8), _f(1.8))
    for number, found in enumerate([KOROLEV, *craters]):
        seen = sample_craters.touching(found, lon_deg, lat_deg, RADIUS_KM)
        kept = _kept(table, seed, seen) if number else seen
        height = height + sample_craters.dug(height.shape, kept, lon_deg, lat_deg, ragged, RADIUS_KM)
    clamped: Float = np.clip(height, _f(LOWEST_M), _f(HIGHEST_M))
    return clamped


def _kept(table: Tables, seed: int, craters: Craters) -> Craters:
    """All of the old highlands' craters, few of the young plains'."""
    points = noise.axes(craters.lon_deg, craters.lat_deg)
    each = Axes(points.sin_lon[0], points.cos_lon[0], points.sin_lat[:, 0], points.cos_lat[:, 0])
    return craters.take(sample_craters.chance(seed, craters) < _age(table, each))


def _noise(table: Tables, octave: int, cell_km: float, axes: Axes) -> Float:
    return noise.gradient_noise(table, noise.locate(table, octave, RADIUS_KM / cell_km, axes))


def _angle_km(lon_deg: float, lat_deg: float, axes: Axes) -> Float:
    """Distance of every point from a place, km along the chord."""
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    centre = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    chord: Float = (np.sqrt(np.maximum(2 - 2 * noise.along(centre, axes), 0)) * RADIUS_KM).astype(_f)
    return chord


def _highland(table: Tables, axes: Axes) -> Float:
    """0 in the northern lowlands, 1 in the south; the border winds."""
    winding = _f(0.65) * _noise(table, 0, 2600, axes) + _f(0.25) * _noise(table, 1, 800, axes)
    plateau = _angle_km(-62.0, -10.0, axes) * _f(1 / 1300)  # the canyons' own ground stays high
    south = _f(0.14) - axes.sin_lat.astype(_f) + winding + _f(0.6) * np.exp(-(plateau * plateau))
    return noise.smoothstep(-0.10, 0.10, south + _f(0.07) * _noise(table, 2, 160, axes))


def _bulge(axes: Axes) -> Float:
    """Tharsis, 0..1, with a flat top."""
    far = _angle_km(-105.0, 0.0, axes) * _f(1 / 2300)
    bulge: Float = np.exp(-(far * far * far * far) * _f(0.9) - _f(0.4) * far * far)
    return bulge


def _age(table: Tables, axes: Axes) -> Float:
    """Share of the craters that are kept, 0.06..0.95."""
    young = np.maximum(_f(1) - _highland(table, axes), _bulge(axes))
    for volcano in VOLCANOES:
        near = _angle_km(volcano.lon_deg, volcano.lat_deg, axes) * _f(1 / volcano.radius_km)
        young = np.maximum(young, _f(1.03) * (_f(1) - noise.smoothstep(0.9, 1.3, near)))
    young = np.maximum(young, _canyons(table, axes, np.zeros_like(young)) * _f(1 / 6000))
    age: Float = _f(0.95) - _f(0.86) * np.minimum(young, 1)
    return age


def _ground(table: Tables, axes: Axes) -> Ground:
    """Compute the smooth shape at the nodes of a lattice."""
    highland, bulge = _highland(table, axes), _bulge(axes)
    ragged = _noise(table, 20, 40, axes) + _f(0.5) * _noise(table, 21, 15, axes) + _f(0.3) * _noise(table, 22, 7, axes)
    hills = _hills(table, axes)
    rough = _f(0.22) + _f(0.78) * highland * (_f(1) - _f(0.6) * bulge)
    height = _f(-4300) + _f(5900) * highland + _f(900) * (_f(1) - highland) * _noise(table, 3, 2000, axes)
    height += hills * rough + bulge * (_f(5200) - _f(2600) * highland)
    height = _with_basins(height, axes, ragged)
    height = _with_volcanoes(height, axes, ragged)
    height -= _canyons(table, axes, ragged)
    return Ground(_with_caps(height, axes, ragged), rough, ragged)


def _hills(table: Tables, axes: Axes) -> Float:
    """Compute the rolling ground of the highlands, metres, seven octaves from 700 km to 11 km."""
    total = _f(520) * _noise(table, 4, 700, axes)
    for number in range(1, 7):
        total += _f(520 * 0.62**number) * _noise(table, 4 + number, 700 / 2**number, axes)
    return total


def _with_basins(height: Float, axes: Axes, ragged: Float) -> Float:
    for basin in BASINS:
        near = _angle_km(basin.lon_deg, basin.lat_deg, axes) * _f(1 / basin.radius_km) * (_f(1) + _f(0.05) * ragged)
        inside = _f(1) - noise.smoothstep(0.55, 1.05, near)
        rim = np.exp(-(((near - _f(1.12)) * _f(5)) ** 2)) * _f(900)
        height = height + rim + inside * (_f(basin.floor_m) + _f(0.14) * height - height)
    return height


def _with_volcanoes(height: Float, axes: Axes, ragged: Float) -> Float:
    for volcano in VOLCANOES:
        far = _angle_km(volcano.lon_deg, volcano.lat_deg, axes)
        near = far * _f(1 / volcano.radius_km) * (_f(1) + _f(0.07) * ragged)
        lip = volcano.caldera_km / volcano.radius_km
        down = np.maximum(near - _f(lip), 0) * _f(1 / (1 - lip))
        flank = _f(volcano.summit_m) - _f(volcano.summit_m - volcano.foot_m) * np.power(down, _f(0.85))
        inside = _f(1) - noise.smoothstep(0.85, 1.0, far * _f(1 / volcano.caldera_km) * (_f(1) + _f(0.15) * ragged))
        flank -= inside * _f(volcano.caldera_m)
        mask = _f(1) - noise.smoothstep(0.95, 1.04, near)  # the scarp
        height = height + mask * (np.maximum(flank, height) - height)
    return height


def _canyons(table: Tables, axes: Axes, ragged: Float) -> Float:
    """Depth of the canyons, metres; walls are ragged, and axes and widths wander."""
    lon = np.degrees(np.arctan2(axes.sin_lon, axes.cos_lon))
    lat = np.degrees(np.arctan2(axes.sin_lat, np.abs(axes.cos_lat)))
    km = np.pi * RADIUS_KM / 180
    wander, width = _f(75) * _noise(table, 23, 260, axes), _f(1) + _f(0.8) * _noise(table, 24, 180, axes)
    cut = np.zeros_like(ragged)
    for trough in TROUGHS:
        along = ((lon - trough.west_deg) / (trough.east_deg - trough.west_deg)).astype(_f)
        middle = trough.west_lat_deg + (trough.east_lat_deg - trough.west_lat_deg) * along
        ends = noise.smoothstep(-0.08, 0.1, along) * (_f(1) - noise.smoothstep(0.88, 1.06, along))
        off = np.abs(((lat - middle) * km).astype(_f) + wander) + _f(22) * ragged
        wall = _f(1) - noise.smoothstep(0.7, 1.0, off / (_f(trough.half_km) * width * ends + _f(1e-3)))
        cut = np.maximum(cut, wall * np.sqrt(ends) * _f(trough.depth_m))
    return cut


def _with_caps(height: Float, axes: Axes, ragged: Float) -> Float:
    """Layered domes at the poles, 2,700 m and 1,800 m thick."""
    polar = np.broadcast_to(axes.sin_lat.astype(_f), height.shape) + _f(0.002) * ragged
    north, south = noise.smoothstep(0.984, 0.999, polar), noise.smoothstep(0.984, 0.999, -polar)
    capped: Float = height + _f(2700) * north + _f(1800) * south
    return capped


def _detailed(table: Tables, axes: Axes, x: noise.Taps, y: noise.Taps, ground: Ground) -> tuple[Float, Float]:
    """Height and raggedness at the pixels: the smooth shape and three octaves of fine roughness."""
    height = noise.interpolate(ground.height, x, y)
    ragged = np.clip(noise.interpolate(ground.ragged, x, y), _f(-1.8), _f(1.8))
    rough = noise.interpolate(ground.rough, x, y)
    for number, (cell_km, metres) in enumerate(ROUGH_CELLS_KM):
        height += rough * _f(metres) * _noise(table, 30 + number, cell_km, axes)
    return height, ragged

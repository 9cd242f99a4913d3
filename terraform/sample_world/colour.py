"""The colour law of the synthetic Earth: what a satellite sees of a terrain, at half past ten on an equinox.

The law: a colour chart over moisture and the height below the snow line, then bare rock where it is steep, snow above
the line, rivers, the sea by its depth, texture by plant cover, and shading by the sun. All but moisture's random part
(at most 0.2 either way) follows from relief and latitude.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from terraform.sample_world.noise import Float, Index, smoothstep
from terraform.sample_world.relief import Terrain

_f = np.float32
CHART = 256
WARMEST_M = 5_200.0

BELOW_SNOW_M = (0, 450, 1000, 1500, 2600, 3800, 5200)
COLOURS = (  # rows: metres below the snow line; columns: moisture 0, 0.25, 0.5, 0.75, 1
    ((132, 122, 110), (126, 118, 106), (120, 114, 103), (114, 110, 100), (110, 107, 98)),  # scree
    ((150, 131, 104), (136, 122, 92), (117, 110, 80), (106, 104, 72), (98, 100, 68)),  # alpine meadow
    ((164, 141, 108), (140, 126, 88), (98, 98, 62), (74, 84, 50), (62, 76, 44)),  # the last trees
    ((182, 156, 120), (150, 131, 90), (84, 88, 52), (42, 58, 34), (34, 52, 31)),  # conifers
    ((202, 174, 136), (168, 146, 104), (112, 110, 66), (58, 76, 38), (42, 64, 33)),  # temperate
    ((216, 186, 144), (186, 154, 108), (128, 118, 70), (66, 82, 41), (44, 68, 32)),  # subtropical
    ((214, 174, 124), (182, 142, 90), (126, 114, 62), (58, 82, 37), (32, 60, 28)),  # tropical
)
ROCK = (122, 112, 100)
SNOW = (240, 245, 250)
RIVER = (38, 58, 52)
DEEP, SHALLOW = (10, 25, 50), (44, 92, 104)


def snow_line_m(lat_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Height above which snow stays: 5,200 m at the equator, 600 m at 65 degrees, negative towards the poles."""
    return 5200 - 4600 * (np.asarray(lat_deg) / 65) ** 2


@lru_cache(maxsize=1)
def _chart() -> Float:
    """Make the colour chart, (3, CHART * CHART) float32: height below the snow line runs slowest."""
    table = np.array(COLOURS, np.float64)
    steps = np.linspace(0, 1, CHART)
    columns = np.linspace(0, 1, table.shape[1])
    wide = np.array([[np.interp(steps, columns, row[:, band]) for band in range(3)] for row in table])
    rows = np.array(BELOW_SNOW_M) / WARMEST_M
    full = np.array([[np.interp(steps, rows, wide[:, band, i]) for i in range(CHART)] for band in range(3)])
    return np.ascontiguousarray(full.transpose(0, 2, 1).reshape(3, -1)).astype(np.float32)


def _index(share: Float) -> Index:
    index: Index = np.clip(share * _f(CHART), 0, CHART - 1).astype(np.intp)
    return index


def sun_direction(lat_deg: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """East, north and up components of the sun at 10.5 h local solar time on an equinox (declination 0)."""
    hour_angle = math.radians(15 * (12 - 10.5))
    lat = np.radians(lat_deg)
    return math.sin(hour_angle), -np.sin(lat) * math.cos(hour_angle), np.cos(lat) * math.cos(hour_angle)


def _shade(lat_deg: NDArray[np.float64], east: Float, north: Float, length: Float) -> Float:
    """Brightness against level ground: Lambert's law with part of the light from the sky."""
    to_east, to_north, up = sun_direction(lat_deg)
    level = np.maximum(up, 0)[:, None].astype(_f)
    facing = (level - east * _f(to_east) - north * to_north[:, None].astype(_f)) / length
    relative = (np.maximum(facing, 0) - level) / np.maximum(level, _f(0.4))
    shade: Float = np.clip(_f(1) + _f(0.8) * relative, _f(0.3), _f(1.45))
    return shade


def wetness(land: Terrain, slope: Float) -> Float:
    """Compute the moisture at each pixel: clouds rain out on middle slopes, heights are dry, gullies are moist.

    Parameters
    ----------
    land : Terrain of (H, W)
    slope : (H, W) float32
        Metres per metre.

    Returns
    -------
    (H, W) float32
        Share, about 0..1.
    """
    wet: Float = (
        land.moisture + _f(0.16) * smoothstep(200, 1600, land.height) - _f(0.2) * smoothstep(2600, 4600, land.height)
    )
    wet += _f(0.03) * land.mottle - land.ravine * (_f(0.03) + _f(0.08) * smoothstep(0.02, 0.12, slope))
    return wet


def colours(land: Terrain, lat_deg: NDArray[np.float64], east: Float, north: Float) -> NDArray[np.uint8]:
    """Imagery of a terrain.

    Parameters
    ----------
    land : Terrain of (H, W)
    lat_deg : (H,) float64
    east, north : (H, W) float32
        Slopes of the surface, metres per metre.

    Returns
    -------
    (H, W, 3) uint8
        Red, green, blue as displayed.
    """
    square = east * east + north * north
    slope, length = np.sqrt(square), np.sqrt(square + _f(1))
    line = snow_line_m(lat_deg)[:, None].astype(_f)
    below = line - land.height
    wet = wetness(land, slope)
    cover = np.clip(wet, 0, 1)
    flat = _f(1) - smoothstep(0.02, 0.12, slope)
    fields = flat * smoothstep(0.15, 0.45, wet) * (_f(1) - smoothstep(0.7, 0.95, wet)) * smoothstep(1300, 2200, below)
    texture = _f(1) + land.mottle * (_f(0.05) + _f(0.07) * cover) + _f(0.08) * fields * land.parcel
    light = texture * _shade(lat_deg, east, north, length)
    bare = smoothstep(0.28, 0.7, slope) * (_f(0.85) - _f(0.6) * cover * smoothstep(300, 1500, below))
    snow = smoothstep(-260, 520, _f(140) * land.mottle - _f(230) * land.ravine - below) * (
        _f(1) - _f(0.75) * smoothstep(0.5, 1.0, slope)
    )
    course = np.abs(land.winding + _f(0.005) * land.ravine)
    river = (_f(1) - smoothstep(0.003, 0.008, course)) * flat * land.valley * smoothstep(0.3, 0.5, wet) * _f(0.8)
    chart, cell = _chart(), _index(below * _f(1 / WARMEST_M)) * CHART + _index(wet)
    light -= snow * np.maximum(light - _f(1.03), 0)  # snow does not outshine white
    sea = land.height < 0
    shallow = np.exp(np.minimum(land.height, 0) * _f(1 / 45)) * _f(0.75)
    image = np.empty((*slope.shape, 3), np.uint8)
    for band in range(3):
        colour = chart[band][cell]
        for share, other in ((bare, ROCK), (river, RIVER), (snow, SNOW)):
            colour += share * (_f(other[band]) - colour)
        colour *= light
        water = _f(DEEP[band]) + shallow * _f(SHALLOW[band] - DEEP[band])
        image[..., band] = np.clip(np.where(sea, water, colour), 0, 255)
    return image

"""Where Mars lies outside what Earth taught: climates and reliefs that no land of Earth comes near.

A place is outside where its nearest place on Earth is further than all but one in a hundred of Earth's own places are
from the nearest place of another part of Earth. Climate and relief are asked apart.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from terraform.basemap.features import relief_of
from terraform.planet.rasters import StoredClimate

_STEP_DEG = 1.0
_PART_DEG = 10.0
_INSIDE = 0.99
_NEAR_M, _WIDE_M = 50_000.0, 300_000.0
_EARTH_GRAVITY_M_S2 = 9.81
_LEAST_RAIN_MM, _LEAST_M = 50.0, 30.0
_MOST_EARTH = 6000

Places = NDArray[np.float32]


class Ground(NamedTuple):
    """What teaches of a body, on cells of about a degree.

    Attributes
    ----------
    climate : (H, W, 3) float32
        Mean of the year and its range, degrees Celsius, and the logarithm of the year's rain.
    relief : (H, W, 2) float32
        Logarithms of height and of roughness, both less by the body's gravity, as base colours see them.
    land : (H, W) bool
    area : (H,) float32
        Relative area of a cell.
    """

    climate: Places
    relief: Places
    land: NDArray[np.bool_]
    area: NDArray[np.float32]


class Outside(NamedTuple):
    """Cells that lie outside.

    Attributes
    ----------
    climate, relief : (H, W) bool
    land : (H, W) bool
    climate_share, relief_share : float
        Of the land, by area.
    """

    climate: NDArray[np.bool_]
    relief: NDArray[np.bool_]
    land: NDArray[np.bool_]
    climate_share: float
    relief_share: float


def ground_of(body: StoredClimate) -> Ground:
    """Take what teaches from a body's climate, in steps of a degree."""
    monthly, grid = body.monthly, body.grid
    thin = np.float32(body.gravity_m_s2 / _EARTH_GRAVITY_M_S2)
    found = relief_of(body.height_m, grid, _NEAR_M, _WIDE_M)
    rain = np.log(monthly.annual_precipitation + _LEAST_RAIN_MM)
    climate = np.stack([monthly.annual_temperature, monthly.warmest - monthly.coldest, rain], -1)
    relief = np.log(np.stack([found.height_m, found.roughness_m], -1) * thin + _LEAST_M)
    every = max(1, round(_STEP_DEG / grid.cell_deg))
    first = every // 2
    area = np.cos(np.radians(grid.latitude_deg))[first::every].astype(np.float32)
    coarse = (slice(first, None, every),) * 2
    return Ground(climate[coarse], relief[coarse], body.height_m[coarse] > 0, area)


def outside(mars: Ground, earth: Ground) -> Outside:
    """Find the land of Mars that lies outside what the land of Earth taught."""
    climate = _far(mars.climate, mars.land, earth.climate, earth.land)
    relief = _far(mars.relief, mars.land, earth.relief, earth.land)
    weight = mars.area[:, None] * mars.land
    total = max(float(weight.sum()), 1e-9)
    shares = (float((weight * part).sum()) / total for part in (climate, relief))
    return Outside(climate, relief, mars.land, *shares)


def _far(there: Places, wanted: NDArray[np.bool_], here: Places, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find places whose nearest known one is further than Earth's own are from each other."""
    known_places = np.argwhere(known)
    every = max(1, -(-len(known_places) // _MOST_EARTH))
    known_places = known_places[::every]
    taught = here[tuple(known_places.T)]
    mean, scale = taught.mean(0), np.maximum(taught.std(0), 1e-6)
    learnt, asked = (torch.from_numpy((x - mean) / scale).float() for x in (taught, there[wanted]))
    side = _PART_DEG / (180 / known.shape[0])
    part = torch.from_numpy((known_places // side) @ np.array([1000, 1]))
    own = torch.cdist(learnt, learnt).masked_fill(part[:, None] == part, torch.inf).amin(1)
    limit = float(torch.quantile(own[own.isfinite()], _INSIDE)) if own.isfinite().any() else 0.0
    found = np.zeros(wanted.shape, bool)
    nearest = [torch.cdist(some, learnt).amin(1) for some in torch.split(asked, 2048)]
    found[wanted] = np.asarray(torch.cat(nearest) > limit) if nearest else False
    return found


COLOURS = {"sea": (40, 60, 90), "inside": (205, 200, 185), "climate": (215, 120, 40), "relief": (60, 120, 200),
           "both": (150, 30, 90)}  # fmt: skip


def draw(path: Path, found: Outside) -> None:
    """Draw the map as PNG, with its shares in the footer."""
    from terraform.planet.pictures import write_picture

    kind = np.where(found.land, 1 + found.climate + 2 * found.relief, 0)
    pixels = np.array(list(COLOURS.values()), np.uint8)[kind]
    large = max(1, 1080 // kind.shape[1])
    pixels = pixels.repeat(large, 0).repeat(large, 1)
    caption = (
        f"outside what Earth taught: climate {100 * found.climate_share:.0f} % of the land (orange), relief "
        f"{100 * found.relief_share:.0f} % (blue), purple: both, grey: neither, dark: sea"
    )
    write_picture(path, pixels, caption)

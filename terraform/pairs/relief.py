"""From heights to what the networks see: the one function that training and drawing share.

`encode` takes heights with a margin on every side that it does not return, so that slope, topographic position and the
distance to the sea are right up to the edge of what is returned, whatever window was cut out.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from terraform.config import Condition, Sheet
from terraform.errors import InputError
from terraform.geo.tile_spec import DEFAULT_TILE
from terraform.pairs.colormap import TURBO
from terraform.pairs.context import Air, Context
from terraform.pairs.smoothing import distance_px, known_empty, smooth

HIGHEST_M = 9000.0
_FILL_M = 7500.0
HILLSHADE_CONTRAST = 6.0
AIR_SCALE_C = 5.0
"""Where means of the year are told apart, degrees Celsius: in the Alps, the Cascades, the Andes and the Himalaya forest
ends and snow begins between 6 and -6 (benchmarks/snow_lines.py). How warm warm land is, base colours say already."""


@dataclass(frozen=True)
class ReliefBatch:
    """Heights of a batch of windows, row 0 towards the north.

    Attributes
    ----------
    metres : (N, 1, H, W) float32
        Heights above the datum or the chosen shoreline; anything where sea or void.
    sea, void : (N, 1, H, W) bool
    pixel_m : float
        Side of a pixel, metres.
    latitude_deg : Tensor
        Broadcasts to (N, 1, H, W), degrees.
    sun : Tensor
        Unit vectors towards the sun along the window's right, its up and the zenith; broadcasts to (N, 3, H, W).
    air : Air, optional
        Of the pixels, for the channel `air_temperature`.
    margin_px : int
        Pixels on every side that `encode` uses up.
    """

    metres: Tensor
    sea: Tensor
    void: Tensor
    pixel_m: float
    latitude_deg: Tensor
    sun: Tensor
    air: Air | None = None
    margin_px: int = DEFAULT_TILE.margin_px


def channels_of(condition: Condition) -> int:
    """Count the channels of an encoding."""
    return 3 if condition.encoding == "turbo" else len(condition.channels)


def sun_at(latitude_deg: Tensor, local_time_h: float) -> Tensor:
    """Compute unit vectors towards the sun at an equinox: east, north, zenith, along dimension 1.

    From spherical astronomy with declination 0: hour angle H = 15 degrees per hour before noon, latitude phi:
    (sin H, -sin phi cos H, cos phi cos H).

    Parameters
    ----------
    latitude_deg : (N, 1, ...) Tensor, degrees
    local_time_h : float
        Local solar time, hours.
    """
    hour_angle = math.radians(15 * (12 - local_time_h))
    phi = torch.deg2rad(latitude_deg)
    east = torch.full_like(phi, math.sin(hour_angle))
    return torch.cat([east, -torch.sin(phi) * math.cos(hour_angle), torch.cos(phi) * math.cos(hour_angle)], 1)


def encode(relief: ReliefBatch, condition: Condition, sheet: Sheet, context: Context | None = None) -> Tensor:
    """Encode heights, and base colours where they are given, as channels.

    Parameters
    ----------
    relief : ReliefBatch
        (N, 1, H, W) heights.
    condition, sheet : settings of the encoding
    context : Context, optional
        For a generator that needs base colours; they become the last three channels.

    Returns
    -------
    (N, C, H - 2 M, W - 2 M) float32 in [-1, 1]
        M, `relief.margin_px`, are used up on every side.

    Raises
    ------
    InputError
        A channel follows the climate, and none is given.
    """
    view = _View(relief, condition.resolution_m)
    if condition.encoding == "turbo":
        channels = [_turbo(relief, sheet)]
    else:
        channels = [_CHANNELS[name](view) for name in condition.channels]
    seen = [inside(channel, relief.margin_px) for channel in channels]
    if context is not None:
        seen.append(_base(view, context))
    return torch.cat(seen, 1)


def _base(view: "_View", context: Context) -> Tensor:
    """Give base colours of the pixels, those of land by height where there are tints."""
    relief = view.relief
    if context.tints is not None:
        more = inside(context.tints.relief(view.metres, relief.pixel_m), relief.margin_px)
        context = context._replace(land=(context.land + more).clamp(-1, 1))
    return context.composite(inside(relief.sea, relief.margin_px))


class _View:
    """What several channels share: the filled and band-limited heights and their gradient."""

    def __init__(self, relief: ReliefBatch, resolution_m: float) -> None:
        self.relief, self._resolution_px = relief, resolution_m / relief.pixel_m

    @cached_property
    def metres(self) -> Tensor:
        return smooth(_filled(self.relief), self._resolution_px)

    @cached_property
    def right(self) -> Tensor:
        return (self._padded[:, :, 1:-1, 2:] - self._padded[:, :, 1:-1, :-2]) / (2 * self.relief.pixel_m)

    @cached_property
    def up(self) -> Tensor:
        return (self._padded[:, :, :-2, 1:-1] - self._padded[:, :, 2:, 1:-1]) / (2 * self.relief.pixel_m)

    @cached_property
    def _padded(self) -> Tensor:
        return F.pad(self.metres, (1, 1, 1, 1), mode="replicate")


def _filled(relief: ReliefBatch) -> Tensor:
    land = torch.where(relief.sea | relief.void, 0.0, relief.metres)
    if known_empty(relief.void):
        return land
    width = _FILL_M / relief.pixel_m
    known = (~relief.void).to(land.dtype)
    share = smooth(known, width)
    around = torch.where(share > 1e-3, smooth(land * known, width) / share.clamp_min(1e-3), 0.0)
    return torch.where(relief.void, around, land)


def _elevation(view: _View) -> Tensor:
    """Signed root of the height over 9000 m: lowlands, where most land lies, get most of the range."""
    scaled = view.metres / HIGHEST_M
    return (scaled.sign() * scaled.abs().sqrt()).clamp(-1, 1)


def _slope(view: _View) -> Tensor:
    """Gradient g as 2 g / (g + 0.2) - 1: -1 on the flat, 0 at 11 degrees."""
    gradient = torch.hypot(view.right, view.up)
    return 2 * gradient / (gradient + 0.2) - 1


def _position(width_m: float, scale_m: float) -> Callable[[_View], Tensor]:
    """Height above the surroundings (topographic position, Weiss 2001) with a Gaussian neighbourhood."""

    def channel(view: _View) -> Tensor:
        return torch.tanh((view.metres - smooth(view.metres, width_m / view.relief.pixel_m)) / scale_m)

    return channel


def _hillshade(view: _View) -> Tensor:
    """Lambert's shading relative to flat ground, under the sun that the imagery was taken in.

    Most land differs by a twentieth from flat ground: the contrast spreads that over the range.
    """
    length = torch.sqrt(1 + view.right**2 + view.up**2)
    right, up, zenith = view.relief.sun.unbind(1)
    facing = (zenith - right * view.right[:, 0] - up * view.up[:, 0]) / length[:, 0]
    return torch.tanh(HILLSHADE_CONTRAST * (facing - zenith)).unsqueeze(1)


def _sea(view: _View) -> Tensor:
    """Mark the sea: 1 there, 0 on land.

    Were it -1 on land, it would be a bias, and what land teaches would turn the sea's colour the other way, which is
    seen too rarely to be put right.
    """
    return view.relief.sea.to(view.metres.dtype)


def _sea_distance(view: _View) -> Tensor:
    """Distance to the nearest sea pixel, capped at the margin: -1 on the shore, 1 from there on."""
    cap_px = view.relief.margin_px
    return distance_px(view.relief.sea, cap_px) * (2 / cap_px) - 1


def _latitude(view: _View) -> Tensor:
    return torch.sin(torch.deg2rad(view.relief.latitude_deg)).to(view.metres.dtype).expand_as(view.metres)


def _absolute_latitude(view: _View) -> Tensor:
    return _latitude(view).abs()


def _temperature(view: _View) -> Tensor:
    """Mean temperature T of a year at the height and latitude, as tanh(T / 15 degrees Celsius).

    At sea level 28.9 - 42 sin^2(latitude): the zonal mean in the first two Legendre polynomials, 14.9 - 28 P2 (North,
    Cahalan and Coakley 1981). 6.5 degrees less a kilometre (ISO 2533).
    """
    sine = torch.sin(torch.deg2rad(view.relief.latitude_deg)).to(view.metres.dtype)
    return torch.tanh((28.9 - 42.0 * sine**2 - 0.0065 * view.metres) / 15.0)


def _air_temperature(view: _View) -> Tensor:
    """Mean temperature T of a year at the pixel's own height, as tanh(T / 5 degrees Celsius).

    T = T0 - lapse rate x height: T0 is that of the place reduced to the shoreline, from the climate of the body; the
    height is the band-limited one that all channels see. Snow and forest end where T does, not where a cell does.
    """
    if view.relief.air is None:
        raise InputError(
            "the generator sees the air's temperature (channel air_temperature), and no climate is given: name one "
            "with `generate --climate`; pairs get it from `python -m terraform add-temperature`"
        )
    return torch.tanh(view.relief.air.at(view.metres) / AIR_SCALE_C)


@lru_cache
def _table(device: torch.device) -> Tensor:
    return torch.from_numpy(TURBO.copy()).to(device)


def _turbo(relief: ReliefBatch, sheet: Sheet) -> Tensor:
    table = _table(relief.metres.device)
    level = ((relief.metres - sheet.low_m) / (sheet.high_m - sheet.low_m) * 255).clamp(0, 255).to(torch.int64)
    colours = table[level[:, 0]].permute(0, 3, 1, 2).to(torch.float32)
    blank = relief.sea | relief.void | (relief.metres < sheet.low_m)
    return torch.where(blank, 255.0, colours) / 127.5 - 1


def inside(values: Tensor, margin_px: int) -> Tensor:
    """Cut off the margin: (..., H, W) -> (..., H - 2 margin, W - 2 margin)."""
    height, width = values.shape[-2:]
    return values[..., margin_px : height - margin_px, margin_px : width - margin_px]


_CHANNELS: dict[str, Callable[[_View], Tensor]] = {
    "elevation": _elevation,
    "slope": _slope,
    "position_2km": _position(2000.0, 100.0),
    "position_6km": _position(6000.0, 300.0),
    "hillshade": _hillshade,
    "sea": _sea,
    "sea_distance": _sea_distance,
    "latitude": _latitude,
    "absolute_latitude": _absolute_latitude,
    "temperature": _temperature,
    "air_temperature": _air_temperature,
}

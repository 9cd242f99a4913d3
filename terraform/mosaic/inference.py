"""The generator over one strip of a planet, in windows that see more than they draw.

A network that is safe to tile draws windows with a halo: with window origins on multiples of its stride, counted in the
strip's own pixels, a pixel comes out the same whatever the windows. Any other network draws 256-px windows that overlap
by 32 and are blended on a ramp, which hides their borders without making them agree.

Imports numpy and torch only: a machine without GDAL can draw.
"""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terraform.config import Climate, Condition, Mosaics
from terraform.learn.models.layers import fuse_batch_norm
from terraform.learn.runtime.malloc import give_back
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.terrain import ImageWindow, Span, Terrain, TerrainWindow
from terraform.mosaic.windows import RAMP_PX, Plan, plan, ramped
from terraform.pairs.context import Air
from terraform.pairs.noise import noise
from terraform.pairs.relief import ReliefBatch, encode, sun_at

_OF_LATITUDE = {"latitude", "absolute_latitude", "temperature"}
_CHANNELS_USING = {"latitude_shift_deg": _OF_LATITUDE, "latitude_scale": _OF_LATITUDE, "sun_azimuth_deg": {"hillshade"}}
"""The channels by which a generator hears of a setting of the climate."""


def ignored_climate_settings(condition: Condition, climate: Climate) -> list[str]:
    """Say of each setting of the climate that was set that it changes nothing, where that is so."""
    channels = set(condition.channels) if condition.encoding == "relief" else set()
    plain = Climate()
    return [
        f"mosaics.climate.{name} changes nothing: these weights were trained without any of the channels "
        f"{', '.join(sorted(heard))} (condition.channels)"
        for name, heard in _CHANNELS_USING.items()
        if getattr(climate, name) != getattr(plain, name) and not channels & heard
    ]


@dataclass(frozen=True)
class Predictor:
    """A generator, and what it is told besides the relief.

    Attributes
    ----------
    trained : TrainedGenerator
    settings : Mosaics
        Of which it takes the climate, the windows and the arithmetic.
    """

    trained: TrainedGenerator
    settings: Mosaics

    @property
    def device(self) -> str:
        """Where the network lies."""
        return str(next(iter(self.trained.network.parameters())).device)

    @cached_property
    def network(self) -> nn.Module:
        """The generator made fast: batch norms fused, channels last (on two cores 0.6 of the time)."""
        dtype = torch.bfloat16 if self.settings.precision == "bf16" else torch.float32
        network = fuse_batch_norm(self.trained.network).to(dtype)
        return network.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def forward(self, seen: Tensor) -> Tensor:
        """Run the network: (N, C, H, W) -> (N, 3, H, W) float32, [-1, 1]."""
        dtype = next(iter(self.network.parameters())).dtype
        drawn: Tensor = self.network(seen.to(dtype, memory_format=torch.channels_last))
        return drawn.float()

    @torch.inference_mode()
    def predict(self, patch: TerrainWindow, pixel_m: float) -> Tensor:
        """Draw a patch of H x W pixels: (3, H - 2 M, W - 2 M) float32, [-1, 1], M the margin of a tile."""
        trained, device = self.trained, self.device
        relief = relief_batch(patch, pixel_m, trained.condition.local_time_h, self.settings.climate, device)
        relief = replace(relief, margin_px=trained.spec.margin_px)
        base = None if patch.base is None else patch.base.to(device)
        seen = encode(relief, trained.condition, trained.sheet, base)
        if trained.settings.noise:
            rows, columns = (torch.from_numpy(place)[None].to(device) for place in (patch.rows, patch.columns))
            seen = torch.cat([seen, noise(rows, columns, trained.settings.noise, trained.spec.margin_px)], 1)
        drawn = self.forward(seen)
        if base is not None:
            margin = trained.spec.margin_px
            drawn = trained.with_sea(drawn, base.sea, relief.sea[..., margin:-margin, margin:-margin])
        return drawn[0]


def relief_batch(
    patch: TerrainWindow, pixel_m: float, local_time_h: float, climate: Climate, device: str = "cpu"
) -> ReliefBatch:
    """Make of a patch what the encoder takes, the sun turned into its right and up; the climate moves no shadow."""
    latitude = _batch(patch.latitude_deg, device)
    told = (latitude * climate.latitude_scale + climate.latitude_shift_deg).clamp(-90, 90)
    sun = _from(sun_at(latitude, local_time_h), climate.sun_azimuth_deg)
    east, north, zenith = sun.unbind(1)
    right_of, up_of = (_batch(part, device)[:, 0] for part in patch.east)
    sun = torch.stack([east * right_of - north * up_of, east * up_of + north * right_of, zenith], 1)
    metres, sea, void = (_batch(part, device) for part in (patch.metres, patch.sea, patch.void))
    air = None if patch.air is None else Air(*(part.to(device) for part in patch.air))
    return ReliefBatch(metres, sea, void, pixel_m, told, sun, air)


def _from(sun: Tensor, azimuth_deg: float | None) -> Tensor:
    """Turn the sun to another side, as high as it is."""
    if azimuth_deg is None:
        return sun
    east, north, zenith = sun.unbind(1)
    level, azimuth = torch.hypot(east, north), math.radians(azimuth_deg)
    return torch.stack([level * math.sin(azimuth), level * math.cos(azimuth), zenith], 1)


def _batch(values: NDArray[np.generic], device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None, None].to(device)


_ENOUGH = 2_500_000_000
"""Bytes of memory from which on holes between what is in use are given back after a window."""


def draw(predictor: Predictor, terrain: Terrain, rows: Span, columns: Span) -> Iterator[ImageWindow]:
    """Draw a rectangle of a strip, block by block, from its top; the blocks together cover it, or a little more.

    Parameters
    ----------
    rows, columns : first and last-plus-one pixel of the strip
    """
    trained = predictor.trained
    if trained.tile_safe:
        windows = plan(rows, columns, predictor.settings.window_px, trained.halo_px, trained.stride)
        blocks = _with_halo(predictor, terrain, windows)
    else:
        blocks = _blended(predictor, terrain, rows, columns)
    for block in blocks:
        yield block
        give_back(_ENOUGH)


def _with_halo(predictor: Predictor, terrain: Terrain, windows: Plan) -> Iterator[ImageWindow]:
    halo, margin_px = windows.halo, predictor.trained.spec.margin_px
    spans = [
        (row, column)
        for row in windows.rows
        for column in windows.columns
        if terrain.is_visible(_grown(row, 1), column)
    ]
    for (row, column), patch in zip(spans, _ahead(terrain, spans, halo + margin_px), strict=True):
        void = _inside(patch.void, halo + margin_px)
        if void.all():
            colours = np.zeros((*void.shape, 3), np.uint8)
        else:
            colours = _levels(_inside_tensor(predictor.predict(patch, terrain.pixel_m), halo))
        yield ImageWindow(row[0], column[0], _with_mask(colours, void))


def _ahead(terrain: Terrain, spans: list[tuple[Span, Span]], spare: int) -> Iterator[TerrainWindow]:
    """Read the next window's terrain while the network works on this one."""
    with ThreadPoolExecutor(1) as reader:
        following = None
        for number in range(len(spans)):
            row, column = spans[number]
            current = following or reader.submit(terrain.patch, _grown(row, spare), _grown(column, spare))
            if number + 1 < len(spans):
                row, column = spans[number + 1]
                following = reader.submit(terrain.patch, _grown(row, spare), _grown(column, spare))
            yield current.result()


def _blended(predictor: Predictor, terrain: Terrain, rows: Span, columns: Span) -> Iterator[ImageWindow]:
    """Windows that share a ramp with each neighbour, summed under weights that are a partition of unity."""
    side, margin_px = predictor.trained.spec.tile_px, predictor.trained.spec.margin_px
    step, origin = side - RAMP_PX, terrain.top - RAMP_PX
    down, across = ramped(rows, origin, side), ramped(columns, 0, side)
    device = predictor.device
    weight = _ramp(side, device)[:, None] * _ramp(side, device)
    width = len(across) * step
    sums = torch.zeros(3, side, width + RAMP_PX, device=device)
    for i in down:
        voids = np.ones((step, width + RAMP_PX), np.bool_)
        first = origin + i * step
        windows = [(j, ((first, first + side), (j * step, j * step + side))) for j in across]
        windows = [(j, spans) for j, spans in windows if terrain.is_visible(*spans)]
        for (j, _), patch in zip(windows, _ahead(terrain, [spans for _, spans in windows], margin_px), strict=True):
            at = (j - across[0]) * step
            void = _inside(patch.void, margin_px)
            if not void.all():
                sums[:, :, at : at + side] += _seeded(predictor, terrain.pixel_m, patch) * weight
            voids[:, at : at + side] = void[:step]
        yield ImageWindow(first, across[0] * step, _with_mask(_levels(sums[:, :step, :width]), voids[:, :width]))
        sums = torch.cat([sums[:, step:], torch.zeros_like(sums[:, :step])], 1)


def _ramp(side: int, device: str) -> Tensor:
    """Weights of a window along one direction: those of two neighbours sum to 1."""
    rise = torch.sin(torch.pi / 2 * (torch.arange(RAMP_PX, device=device) + 0.5) / RAMP_PX) ** 2
    return torch.cat([rise, torch.ones(side - 2 * RAMP_PX, device=device), rise.flip(0)])


def _seeded(predictor: Predictor, pixel_m: float, patch: TerrainWindow) -> Tensor:
    """Dropout that a network keeps while it draws depends on the place, not on what was drawn before."""
    with torch.random.fork_rng(devices=[predictor.device] if predictor.device != "cpu" else []):
        torch.manual_seed((int(patch.rows[0]) * 1_000_003 + int(patch.columns[0])) % 2**63)
        return predictor.predict(patch, pixel_m)


def _levels(colours: Tensor) -> NDArray[np.uint8]:
    levels = (colours.permute(1, 2, 0) + 1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
    return levels.cpu().numpy()


def _with_mask(colours: NDArray[np.uint8], void: NDArray[np.bool_]) -> NDArray[np.uint8]:
    rgba = np.full((*void.shape, 4), 255, np.uint8)
    rgba[..., :3] = colours
    if void.any():
        rgba[void] = 0
    return rgba


def _grown(span: Span, spare: int) -> Span:
    return span[0] - spare, span[1] + spare


def _inside(values: NDArray[np.bool_], spare: int) -> NDArray[np.bool_]:
    return values[spare : values.shape[0] - spare, spare : values.shape[1] - spare]


def _inside_tensor(values: Tensor, spare: int) -> Tensor:
    return values[:, spare : values.shape[1] - spare, spare : values.shape[2] - spare]

"""The generator over one strip of a planet, in windows that see more than they draw.

A network that is safe to tile draws windows with a halo: with window origins on multiples of its stride, counted in the
strip's own pixels, a pixel comes out the same whatever the windows. Any other network draws 256-px windows that overlap
by half and are blended under a Hann window, which hides their borders without making them agree.

Imports numpy and torch only: a machine without GDAL can draw.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform.geo.tile import MARGIN_PX
from terraform.learn.weights import Trained
from terraform.pairs.noise import noise
from terraform.pairs.relief import Relief, encode, sun_at

BLEND_PX = 256
"""Side of the windows of a network that is not safe to tile: what it was trained on."""

Span = tuple[int, int]


class Patch(NamedTuple):
    """A rectangle of terrain, as the generator is to see it; row 0 is its top.

    Attributes
    ----------
    metres : (H, W) float32
        Heights after the elevation policy; anything where sea or void.
    sea, void : (H, W) bool
    latitude_deg : (H, 1) or (H, W) float32
    east : pair of float32 arrays that broadcast to (H, W)
        Local east along the patch's right and its up: (1, 0) in a band.
    rows, columns : (H,) and (W,) int64
        Where on the plane of noise its pixels lie.
    """

    metres: NDArray[np.float32]
    sea: NDArray[np.bool_]
    void: NDArray[np.bool_]
    latitude_deg: NDArray[np.float32]
    east: tuple[NDArray[np.float32], NDArray[np.float32]]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


class Terrain(Protocol):
    """A strip's terrain on its own pixel grid, which has no ends: what is outside the data is void."""

    @property
    def pixel_m(self) -> float:
        """Side of a pixel, metres."""
        ...

    def patch(self, rows: Span, columns: Span) -> Patch:
        """The terrain of rows and columns first to last-plus-one; both may be negative."""
        ...

    def wanted(self, rows: Span, columns: Span) -> bool:
        """Some of it will be shown."""
        ...


class Block(NamedTuple):
    """A drawn rectangle.

    Attributes
    ----------
    top, left : int
        Its first row and column in the strip's pixels.
    rgba : (H, W, 4) uint8
        The picture and 255; all 0 where there was no elevation.
    """

    top: int
    left: int
    rgba: NDArray[np.uint8]


@dataclass(frozen=True)
class Plan:
    """Windows over a rectangle of a strip.

    Attributes
    ----------
    rows, columns : list of spans
        What the windows draw: together the rectangle, grown to whole strides.
    halo : int
        Pixels that the network sees beyond that on every side, a multiple of the stride.
    """

    rows: list[Span]
    columns: list[Span]
    halo: int


def plan(rows: Span, columns: Span, window_px: int, halo_px: int, stride: int) -> Plan:
    """Divide a rectangle into windows of at most `window_px` squared pixels, halo included, and about equal size.

    A rectangle that is lower than a window gets longer windows, so that less is drawn twice.
    """
    halo = -(-halo_px // stride) * stride
    height = max(stride, window_px // stride * stride - 2 * halo)
    down = _divided(rows, height, stride)
    tallest = max(last - first for first, last in down) + 2 * halo
    width = max(stride, window_px * window_px // tallest // stride * stride - 2 * halo)
    return Plan(down, _divided(columns, width, stride), halo)


def _divided(span: Span, most: int, stride: int) -> list[Span]:
    first, last = span[0] // stride, -(-span[1] // stride)
    count = -(-(last - first) // (most // stride))
    edges = [(first + (last - first) * k // count) * stride for k in range(count + 1)]
    return list(pairwise(edges))


def draw(
    trained: Trained, terrain: Terrain, rows: Span, columns: Span, window_px: int, device: str = "cpu"
) -> Iterator[Block]:
    """Draw a rectangle of a strip, block by block, from its top; the blocks together cover it, or a little more.

    Parameters
    ----------
    rows, columns : first and last-plus-one pixel of the strip
    window_px : int
        Side of the windows, halo included; memory grows with its square.
    """
    # On two cores the convolutions take 0.6 of the time in this order of memory.
    trained.network.to(memory_format=torch.channels_last)
    if trained.tile_safe:
        yield from _with_halo(trained, terrain, plan(rows, columns, window_px, trained.halo_px, trained.stride), device)
    else:
        yield from _blended(trained, terrain, rows, columns, device)


def _with_halo(trained: Trained, terrain: Terrain, windows: Plan, device: str) -> Iterator[Block]:
    halo = windows.halo
    spans = [
        (row, column) for row in windows.rows for column in windows.columns if terrain.wanted(_grown(row, 1), column)
    ]
    for (row, column), patch in zip(spans, _ahead(terrain, spans, halo + MARGIN_PX), strict=True):
        void = _inside(patch.void, halo + MARGIN_PX)
        if void.all():
            colours = np.zeros((*void.shape, 3), np.uint8)
        else:
            colours = _levels(_inside_tensor(_colours(trained, terrain.pixel_m, patch, device), halo))
        yield Block(row[0], column[0], _with_mask(colours, void))


def _ahead(terrain: Terrain, spans: list[tuple[Span, Span]], spare: int) -> Iterator[Patch]:
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


def _blended(trained: Trained, terrain: Terrain, rows: Span, columns: Span, device: str) -> Iterator[Block]:
    """Windows at every half window, summed under weights that are a partition of unity."""
    half = BLEND_PX // 2
    down = range(rows[0] // half - 1, -(-rows[1] // half))
    across = range(columns[0] // half - 1, -(-columns[1] // half))
    ramp = torch.sin(torch.pi * (torch.arange(BLEND_PX, device=device) + 0.5) / BLEND_PX) ** 2
    weight = ramp[:, None] * ramp
    left, width = (across[0] + 1) * half, (len(across) - 1) * half
    sums = torch.zeros(3, BLEND_PX, width + BLEND_PX, device=device)
    for i in down:
        voids = np.ones((half, width + BLEND_PX), np.bool_)
        for j in across:
            row, column = (i * half, i * half + BLEND_PX), (j * half, j * half + BLEND_PX)
            if not terrain.wanted(row, column):
                continue
            patch = terrain.patch(_grown(row, MARGIN_PX), _grown(column, MARGIN_PX))
            at = (j - across[0]) * half
            colours = _seeded(trained, terrain.pixel_m, patch, device, (i, j))
            sums[:, :, at : at + BLEND_PX] += colours * weight
            voids[:, at : at + BLEND_PX] = _inside(patch.void, MARGIN_PX)[:half]
        if i > down[0]:
            drawn = _levels(sums[:, :half, half : half + width])
            yield Block(i * half, left, _with_mask(drawn, voids[:, half : half + width]))
        sums = torch.cat([sums[:, half:], torch.zeros_like(sums[:, half:])], 1)


def _seeded(trained: Trained, pixel_m: float, patch: Patch, device: str, place: tuple[int, int]) -> Tensor:
    """Dropout that a network keeps while it draws depends on the place, not on what was drawn before."""
    with torch.random.fork_rng(devices=[device] if device != "cpu" else []):
        torch.manual_seed((place[0] * 1_000_003 + place[1]) % 2**63)
        return _colours(trained, pixel_m, patch, device)


@torch.inference_mode()
def _colours(trained: Trained, pixel_m: float, patch: Patch, device: str) -> Tensor:
    """The generator over a patch: (3, H - 128, W - 128) in [-1, 1]."""
    seen = encode(relief_of(patch, pixel_m, trained.condition.local_time_h, device), trained.condition, trained.sheet)
    if trained.settings.noise:
        rows, columns = (torch.from_numpy(place)[None].to(device) for place in (patch.rows, patch.columns))
        seen = torch.cat([seen, noise(rows, columns, trained.settings.noise)], 1)
    colours: Tensor = trained.network(seen.contiguous(memory_format=torch.channels_last))[0].float()
    return colours


def relief_of(patch: Patch, pixel_m: float, local_time_h: float, device: str = "cpu") -> Relief:
    """A patch as the encoder wants it, the sun turned into its right and up."""
    latitude = _batch(patch.latitude_deg, device)
    east, north, zenith = sun_at(latitude, local_time_h).unbind(1)
    right_of, up_of = (_batch(part, device)[:, 0] for part in patch.east)
    sun = torch.stack([east * right_of - north * up_of, east * up_of + north * right_of, zenith], 1)
    metres, sea, void = (_batch(part, device) for part in (patch.metres, patch.sea, patch.void))
    return Relief(metres, sea, void, pixel_m, latitude, sun)


def _batch(values: NDArray[np.generic], device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None, None].to(device)


def _levels(colours: Tensor) -> NDArray[np.uint8]:
    levels = ((colours + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(1, 2, 0).cpu().numpy()


def _with_mask(colours: NDArray[np.uint8], void: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(void[..., None], np.uint8(0), np.dstack([colours, np.full(void.shape, 255, np.uint8)]))


def _grown(span: Span, spare: int) -> Span:
    return span[0] - spare, span[1] + spare


def _inside(values: NDArray[np.bool_], spare: int) -> NDArray[np.bool_]:
    return values[spare : values.shape[0] - spare, spare : values.shape[1] - spare]


def _inside_tensor(values: Tensor, spare: int) -> Tensor:
    return values[:, spare : values.shape[1] - spare, spare : values.shape[2] - spare]

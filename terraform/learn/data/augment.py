"""From stored pairs to what the networks see: jitter the metres, then encode; one draw for both halves of a pair."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from terraform.config import Condition, Sheet, Train
from terraform.errors import InputError
from terraform.geo.heights import SEA, VOID
from terraform.geo.tile_spec import DEFAULT_TILE, TileSpec
from terraform.learn.data.dataset import StoredPairs
from terraform.learn.data.sampling import AugmentParams
from terraform.learn.runtime.device import to_device
from terraform.pairs.context import Air, Context
from terraform.pairs.noise import noise
from terraform.pairs.relief import ReliefBatch, encode, inside, sun_at
from terraform.pairs.tints import Tints


class Batch(NamedTuple):
    """What a training step needs; sizes are those of the default tile.

    Attributes
    ----------
    condition : (N, C, 256 + 2 halo, 256 + 2 halo) float32, [-1, 1]
        Relief; with base colours these are the last three channels. `train.halo_px` pixels around the tile are there
        for the generator alone.
    noise : (N, K, 256 + 2 halo, 256 + 2 halo) float32
    imagery : (N, 3, 256, 256) float32, [-1, 1]
    valid : (N, 1, 256, 256) float32
        1 where both elevation and imagery are known.
    """

    condition: Tensor
    noise: Tensor
    imagery: Tensor
    valid: Tensor

    @property
    def generator_input(self) -> Tensor:
        """What the generator sees: condition and noise, channels last in memory."""
        return torch.cat([self.condition, self.noise], 1).contiguous(memory_format=torch.channels_last)

    @property
    def tile_condition(self) -> Tensor:
        """The condition of the tile itself, without the halo."""
        return self.without_halo(self.condition)

    def squares(self, side_px: int) -> Iterator["Batch"]:
        """Cut into squares of `side_px`, row by row, each with its halo; the whole for 0."""
        whole = self.imagery.shape[-1]
        side, halo = side_px or whole, self.condition.shape[-1] - whole
        for top, left in product(range(0, whole, side), repeat=2):
            wide, narrow = ((..., slice(top, top + side + more), slice(left, left + side + more)) for more in (halo, 0))
            yield Batch(self.condition[wide], self.noise[wide], self.imagery[narrow], self.valid[narrow])

    def without_halo(self, values: Tensor) -> Tensor:
        """Cut off the halo: (N, C, 256 + 2 halo, 256 + 2 halo) -> (N, C, 256, 256)."""
        return inside(values, (values.shape[-1] - self.imagery.shape[-1]) // 2)


def no_augmentation(count: int) -> AugmentParams:
    """No jitter; the noise of each image lies at a place of its own."""
    zeros = torch.zeros(count, dtype=torch.int64).numpy()
    place = torch.stack([torch.arange(count) * 4096, torch.zeros(count, dtype=torch.int64)], 1).numpy()
    return AugmentParams(zeros, zeros, zeros > 0, place, zeros.astype(np.float64), np.zeros((count, 3)))


def prepare(
    stored: StoredPairs, params: AugmentParams, jitter: str, settings: Train, condition: Condition, sheet: Sheet,
    spec: TileSpec = DEFAULT_TILE,
) -> Batch:  # fmt: skip
    """Make a batch on the device where `stored` lies.

    Parameters
    ----------
    stored : StoredPairs
    params : AugmentParams
        One for each pair.
    jitter : {"resize", "mirror", "none"}
    settings : Train
        Of which `noise`, `vertical_jitter`, `base`, `recolour` and `halo_px` are asked.
    condition, sheet : settings of the encoding
    spec : TileSpec
        The size of the pairs' tiles.

    Returns
    -------
    Batch
    """
    heights = stored.elevation.unsqueeze(1)
    device, lapse = heights.device, stored.lapse_k_per_km.view(-1, 1, 1, 1)
    sea, void = heights == SEA, heights == VOID
    metres = torch.where(sea | void, 0, heights).to(torch.float32)
    if settings.vertical_jitter:
        stretch = to_device((1 + settings.vertical_jitter * params.stretch).astype(np.float32), device)
        metres = metres * stretch.view(-1, 1, 1, 1)
        lapse = lapse / stretch.view(-1, 1, 1, 1)  # a mountain drawn higher is as cold as it is
    else:
        stretch = torch.ones(len(heights), device=device)
    colours = stored.imagery.permute(0, 3, 1, 2).to(torch.float32)
    latitude = stored.latitude_deg[:, None, :, None]
    known = (colours > 0).any(1, keepdim=True)
    margin_px, halo_px = spec.margin_px, settings.halo_px
    resize = spec.tile_px / (spec.tile_px + spec.jitter_px)
    scale = resize if jitter == "resize" else 1.0
    top, left = (to_device(x if jitter == "resize" else np.zeros_like(x), device) for x in (params.top, params.left))
    if jitter == "resize":
        relief = torch.cat([metres, sea.float(), void.float(), latitude.expand_as(metres)], 1)
        relief = _crop(relief, top, left, scale, margin_px, "bilinear")
        metres, sea, void = relief[:, :1], relief[:, 1:2] >= 0.5, relief[:, 2:3] >= 0.01
        latitude = relief[:, 3:4, :, :1]
        colours = _crop(colours, top, left, scale, 0, "bicubic").clamp(0, 255)
        known = _crop(known.float(), top, left, scale, 0, "bilinear") > 0.99
    context = None
    if settings.base != "none":
        shift = to_device((255 * settings.recolour * params.recolour).astype(np.float32), device)[:, :, None, None]
        colours = (colours + shift).clamp(0, 255)
        context = _context(stored.base, shift, _Crop(top, left, scale, spec, halo_px))
        if condition.tints:
            context = context._replace(tints=_tints(stored, stretch, _Crop(top, left, scale, spec, halo_px)))
    known_climate = condition.needs_climate and stored.shoreline_c.numel() > 0
    shoreline = _shoreline(stored.shoreline_c, _Crop(top, left, scale, spec, halo_px)) if known_climate else None
    sun = sun_at(latitude, condition.local_time_h)
    if jitter != "none":
        mirror = to_device(params.mirror, device).view(-1, 1, 1, 1)
        metres, sea, void, colours, known = (
            torch.where(mirror, x.flip(3), x) for x in (metres, sea, void, colours, known)
        )
        if context is not None:
            context = _mirrored(context, mirror)
        if shoreline is not None:
            shoreline = torch.where(mirror, shoreline.flip(3), shoreline)
        # The picture's light is mirrored too, so the sun is: shading and hillshade agree.
        sun = torch.cat([torch.where(mirror, -sun[:, :1], sun[:, :1]), sun[:, 1:]], 1)
    air = None if shoreline is None else Air(shoreline, lapse)
    relief_batch = ReliefBatch(metres, sea, void, spec.pixel_m * scale, latitude, sun, air, margin_px - halo_px)
    encoded = encode(relief_batch, condition, sheet, context)
    valid = known & ~inside(void, margin_px)
    return Batch(encoded, _noise(params, settings, device, spec), colours / 127.5 - 1, valid.to(torch.float32))


class _Crop(NamedTuple):
    """Where a jittered picture lies in a tile: its corner in the enlarged tile, what a pixel measures, and its halo."""

    top: Tensor
    left: Tensor
    scale: float
    spec: TileSpec
    halo_px: int


def _context(base: Tensor, shift: Tensor, crop: _Crop) -> Context:
    """Enlarge base colours, (N, 2, 20, 20, 3) uint8, to the pixels of a crop, and recolour them."""
    cells = base.permute(0, 1, 4, 2, 3).flatten(1, 2).to(torch.float32)  # (N, 2 * 3, 20, 20)
    large = _enlarged(cells, crop)
    land, sea = ((part + shift).clamp(0, 255) / 127.5 - 1 for part in (large[:, :3], large[:, 3:]))
    return Context(land, sea)


def _tints(stored: StoredPairs, stretch: Tensor, crop: _Crop) -> Tints:
    """Place the tints of pairs over the pixels of a crop with its margin."""
    if not stored.tints.numel():
        raise InputError(
            "the generator knows tints (condition.tints), and none are given: name the run's with --tints, "
            "results/planet/<run>/earth/tints.tif"
        )
    spec, margin_px = crop.spec, crop.spec.margin_px
    along = torch.arange(-margin_px, spec.tile_px + margin_px, device=stretch.device, dtype=torch.float32)
    y, x = (_among_cells(corner, along, crop) for corner in (crop.top, crop.left))
    nothing = torch.zeros(1, 1, 1, 1, device=stretch.device)
    cells = stored.tints.float() / 127.5 - 1
    return Tints(cells, stored.tint_levels_m, y, x, nothing, stretch.view(-1, 1, 1, 1))


def _mirrored(context: Context, mirror: Tensor) -> Context:
    """Mirror some of a batch left to right."""
    land, sea = (torch.where(mirror, x.flip(3), x) for x in (context.land, context.sea))
    tints = context.tints
    if tints is not None:
        tints = tints._replace(x=torch.where(mirror.view(-1, 1), tints.x.flip(1), tints.x))
    return Context(land, sea, tints)


def _shoreline(cells: Tensor, crop: _Crop) -> Tensor:
    """Enlarge temperatures, (N, 20, 20), to the pixels of a crop with its margin, where nobody looks at them."""
    near = _enlarged(cells[:, None], crop)
    return F.pad(near, (crop.spec.margin_px - crop.halo_px,) * 4, mode="replicate")


def _enlarged(cells: Tensor, crop: _Crop) -> Tensor:
    """Enlarge cells, (N, C, 20, 20), to the 256 x 256 pixels of a crop and its halo."""
    along = torch.arange(-crop.halo_px, crop.spec.tile_px + crop.halo_px, device=cells.device, dtype=torch.float32)
    y, x = (_among_cells(corner, along, crop) for corner in (crop.top, crop.left))
    return _sampled(cells, y, x, "bicubic")


def _among_cells(corner: Tensor, along: Tensor, crop: _Crop) -> Tensor:
    """Where pixels of a crop, counted from its corner, lie among the cells, in the [-1, 1] of grid_sample."""
    side, margin = crop.spec.base_side_cells, crop.spec.BASE_MARGIN_CELLS
    return (((corner[:, None] + along + 0.5) * crop.scale) / crop.spec.BASE_CELL_PX + margin) / side * 2 - 1


def _noise(params: AugmentParams, settings: Train, device: torch.device, spec: TileSpec) -> Tensor:
    channels, side_px = settings.noise, spec.tile_px + 2 * settings.halo_px
    if not channels:
        return torch.zeros(len(params.top), 0, side_px, side_px, device=device)
    place = to_device(params.place, device)
    along = torch.arange(spec.side_px, device=device)
    return noise(place[:, :1] + along, place[:, 1:] + along, channels, spec.margin_px - settings.halo_px)


def _crop(values: Tensor, top: Tensor, left: Tensor, scale: float, margin: int, mode: str) -> Tensor:
    """Enlarge by 1 / `scale`, 286 / 256, and cut out at `top`, `left`, keeping `margin` pixels around."""
    side = values.shape[-1]
    along = torch.arange(side, device=values.device, dtype=torch.float32) - margin
    # Pixel centres of the crop, in pixels of the stored tile, then in the [-1, 1] of grid_sample.
    y, x = (((corner[:, None] + along + 0.5) * scale + margin) / side * 2 - 1 for corner in (top, left))
    return _sampled(values, y, x, mode)


def _sampled(values: Tensor, y: Tensor, x: Tensor, mode: str) -> Tensor:
    """Sample at rows and columns, (N, H) and (N, W) in the [-1, 1] of grid_sample."""
    grid = torch.stack([x[:, None, :].expand(-1, y.shape[1], -1), y[:, :, None].expand(-1, -1, x.shape[1])], 3)
    return F.grid_sample(values, grid, mode=mode, padding_mode="border", align_corners=False)

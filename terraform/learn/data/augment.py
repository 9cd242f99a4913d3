"""From stored pairs to what the networks see: jitter the metres, then encode; one draw for both halves of a pair."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from terraform.config import Condition, Sheet, Train
from terraform.geo.heights import SEA, VOID
from terraform.geo.tile_spec import BASE_CELL_PX, BASE_MARGIN_CELLS, BASE_SIDE_CELLS, MARGIN_PX, PIXEL_M, TILE_PX
from terraform.learn.data.dataset import StoredPairs
from terraform.learn.data.sampling import SLACK_PX, AugmentParams
from terraform.learn.runtime.device import to_device
from terraform.pairs.context import Air, Context
from terraform.pairs.noise import noise
from terraform.pairs.relief import ReliefBatch, encode, sun_at

_SCALE = TILE_PX / (TILE_PX + SLACK_PX)
_SIDE = TILE_PX + 2 * MARGIN_PX


class Batch(NamedTuple):
    """What a training step needs.

    Attributes
    ----------
    condition : (N, C, 256, 256) float32, [-1, 1]
        Relief; with base colours these are the last three channels.
    noise : (N, K, 256, 256) float32
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


def no_augmentation(count: int) -> AugmentParams:
    """No jitter; the noise of each image lies at a place of its own."""
    zeros = torch.zeros(count, dtype=torch.int64).numpy()
    place = torch.stack([torch.arange(count) * 4096, torch.zeros(count, dtype=torch.int64)], 1).numpy()
    return AugmentParams(zeros, zeros, zeros > 0, place, zeros.astype(np.float64), np.zeros((count, 3)))


def prepare(
    stored: StoredPairs, params: AugmentParams, jitter: str, settings: Train, condition: Condition, sheet: Sheet
) -> Batch:
    """Make a batch on the device where `stored` lies.

    Parameters
    ----------
    stored : StoredPairs
    params : AugmentParams
        One for each pair.
    jitter : {"resize", "mirror", "none"}
    settings : Train
        Of which `noise`, `vertical_jitter`, `base` and `recolour` are asked.
    condition, sheet : settings of the encoding

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
    colours = stored.imagery.permute(0, 3, 1, 2).to(torch.float32)
    latitude = stored.latitude_deg[:, None, :, None]
    known = (colours > 0).any(1, keepdim=True)
    scale = _SCALE if jitter == "resize" else 1.0
    top, left = (to_device(x if jitter == "resize" else np.zeros_like(x), device) for x in (params.top, params.left))
    if jitter == "resize":
        relief = torch.cat([metres, sea.float(), void.float(), latitude.expand_as(metres)], 1)
        relief = _crop(relief, top, left, MARGIN_PX, "bilinear")
        metres, sea, void = relief[:, :1], relief[:, 1:2] >= 0.5, relief[:, 2:3] >= 0.01
        latitude = relief[:, 3:4, :, :1]
        colours = _crop(colours, top, left, 0, "bicubic").clamp(0, 255)
        known = _crop(known.float(), top, left, 0, "bilinear") > 0.99
    context = None
    if settings.base != "none":
        shift = to_device((255 * settings.recolour * params.recolour).astype(np.float32), device)[:, :, None, None]
        colours = (colours + shift).clamp(0, 255)
        context = _context(stored.base, shift, top, left, scale)
    known_climate = condition.needs_climate and stored.shoreline_c.numel() > 0
    shoreline = _shoreline(stored.shoreline_c, top, left, scale) if known_climate else None
    sun = sun_at(latitude, condition.local_time_h)
    if jitter != "none":
        mirror = to_device(params.mirror, device).view(-1, 1, 1, 1)
        metres, sea, void, colours, known = (
            torch.where(mirror, x.flip(3), x) for x in (metres, sea, void, colours, known)
        )
        if context is not None:
            context = Context(*(torch.where(mirror, x.flip(3), x) for x in context))
        if shoreline is not None:
            shoreline = torch.where(mirror, shoreline.flip(3), shoreline)
        # The picture's light is mirrored too, so the sun is: shading and hillshade agree.
        sun = torch.cat([torch.where(mirror, -sun[:, :1], sun[:, :1]), sun[:, 1:]], 1)
    air = None if shoreline is None else Air(shoreline, lapse)
    encoded = encode(ReliefBatch(metres, sea, void, PIXEL_M * scale, latitude, sun, air), condition, sheet, context)
    valid = known & ~void[..., MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    return Batch(encoded, _noise(params, settings.noise, device), colours / 127.5 - 1, valid.to(torch.float32))


def _context(base: Tensor, shift: Tensor, top: Tensor, left: Tensor, scale: float) -> Context:
    """Enlarge base colours, (N, 2, 20, 20, 3) uint8, to the pixels of a crop at `top`, `left`, and recolour them."""
    cells = base.permute(0, 1, 4, 2, 3).flatten(1, 2).to(torch.float32)  # (N, 2 * 3, 20, 20)
    large = _enlarged(cells, top, left, scale)
    land, sea = ((part + shift).clamp(0, 255) / 127.5 - 1 for part in (large[:, :3], large[:, 3:]))
    return Context(land, sea)


def _shoreline(cells: Tensor, top: Tensor, left: Tensor, scale: float) -> Tensor:
    """Enlarge temperatures, (N, 20, 20), to the pixels of a crop with its margin, where nobody looks at them."""
    near = _enlarged(cells[:, None], top, left, scale)
    return F.pad(near, (MARGIN_PX,) * 4, mode="replicate")


def _enlarged(cells: Tensor, top: Tensor, left: Tensor, scale: float) -> Tensor:
    """Enlarge cells, (N, C, 20, 20), to the 256 x 256 pixels of a crop at `top`, `left`."""
    along = torch.arange(TILE_PX, device=cells.device, dtype=torch.float32)
    # Pixel centres of the crop, in cells, then in the [-1, 1] of grid_sample.
    y, x = (
        (((corner[:, None] + along + 0.5) * scale) / BASE_CELL_PX + BASE_MARGIN_CELLS) / BASE_SIDE_CELLS * 2 - 1
        for corner in (top, left)
    )
    return _sampled(cells, y, x, "bicubic")


def _noise(params: AugmentParams, channels: int, device: torch.device) -> Tensor:
    if not channels:
        return torch.zeros(len(params.top), 0, TILE_PX, TILE_PX, device=device)
    place = to_device(params.place, device)
    along = torch.arange(_SIDE, device=device)
    return noise(place[:, :1] + along, place[:, 1:] + along, channels)


def _crop(values: Tensor, top: Tensor, left: Tensor, margin: int, mode: str) -> Tensor:
    """Enlarge by 286 / 256 and cut out at `top`, `left`, keeping `margin` pixels around."""
    side = TILE_PX + 2 * margin
    along = torch.arange(side, device=values.device, dtype=torch.float32) - margin
    # Pixel centres of the crop, in pixels of the stored tile, then in the [-1, 1] of grid_sample.
    y, x = (((corner[:, None] + along + 0.5) * _SCALE + margin) / side * 2 - 1 for corner in (top, left))
    return _sampled(values, y, x, mode)


def _sampled(values: Tensor, y: Tensor, x: Tensor, mode: str) -> Tensor:
    """Sample at rows and columns, (N, H) and (N, W) in the [-1, 1] of grid_sample."""
    grid = torch.stack([x[:, None, :].expand(-1, y.shape[1], -1), y[:, :, None].expand(-1, -1, x.shape[1])], 3)
    return F.grid_sample(values, grid, mode=mode, padding_mode="border", align_corners=False)

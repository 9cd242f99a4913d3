"""From stored pairs to what the networks see: jitter the metres, then encode; one draw for both halves of a pair."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from terraform.config import Condition, Sheet
from terraform.geo.heights import SEA, VOID
from terraform.geo.tile_spec import MARGIN_PX, PIXEL_M, TILE_PX
from terraform.learn.data.dataset import StoredPairs
from terraform.learn.data.sampling import SLACK_PX, AugmentParams
from terraform.learn.runtime.device import to_device
from terraform.pairs.noise import noise
from terraform.pairs.relief import ReliefBatch, encode, sun_at

_SCALE = TILE_PX / (TILE_PX + SLACK_PX)
_SIDE = TILE_PX + 2 * MARGIN_PX


class Batch(NamedTuple):
    """What a training step needs.

    Attributes
    ----------
    condition : (N, C, 256, 256) float32, [-1, 1]
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
    return AugmentParams(zeros, zeros, zeros > 0, place, zeros.astype(np.float64))


def prepare(
    stored: StoredPairs,
    draw: AugmentParams,
    jitter: str,
    channels: int,
    condition: Condition,
    sheet: Sheet,
    vertical: float = 0.0,
) -> Batch:
    """Make a batch on the device where `stored` lies.

    Parameters
    ----------
    jitter : {"resize", "mirror", "none"}
    channels : int
        Channels of noise.
    vertical : float
        Largest share by which heights are stretched; the imagery stays.
    """
    heights = stored.elevation.unsqueeze(1)
    sea, void = heights == SEA, heights == VOID
    metres = torch.where(sea | void, 0, heights).to(torch.float32)
    if vertical:
        stretch = to_device((1 + vertical * draw.stretch).astype(np.float32), heights.device)
        metres = metres * stretch.view(-1, 1, 1, 1)
    colours = stored.imagery.permute(0, 3, 1, 2).to(torch.float32)
    latitude = stored.latitude_deg[:, None, :, None]
    known = (colours > 0).any(1, keepdim=True)
    if jitter == "resize":
        top, left = (to_device(x, heights.device) for x in (draw.top, draw.left))
        relief = torch.cat([metres, sea.float(), void.float(), latitude.expand_as(metres)], 1)
        relief = _crop(relief, top, left, MARGIN_PX, "bilinear")
        metres, sea, void = relief[:, :1], relief[:, 1:2] >= 0.5, relief[:, 2:3] >= 0.01
        latitude = relief[:, 3:4, :, :1]
        colours = _crop(colours, top, left, 0, "bicubic").clamp(0, 255)
        known = _crop(known.float(), top, left, 0, "bilinear") > 0.99
    sun = sun_at(latitude, condition.local_time_h)
    if jitter != "none":
        mirror = to_device(draw.mirror, heights.device).view(-1, 1, 1, 1)
        metres, sea, void, colours, known = (
            torch.where(mirror, x.flip(3), x) for x in (metres, sea, void, colours, known)
        )
        # The picture's light is mirrored too, so the sun is: shading and hillshade agree.
        sun = torch.cat([torch.where(mirror, -sun[:, :1], sun[:, :1]), sun[:, 1:]], 1)
    pixel_m = PIXEL_M * _SCALE if jitter == "resize" else PIXEL_M
    encoded = encode(ReliefBatch(metres, sea, void, pixel_m, latitude, sun), condition, sheet)
    valid = known & ~void[..., MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    return Batch(encoded, _noise(draw, channels, heights.device), colours / 127.5 - 1, valid.to(torch.float32))


def _noise(draw: AugmentParams, channels: int, device: torch.device) -> Tensor:
    if not channels:
        return torch.zeros(len(draw.top), 0, TILE_PX, TILE_PX, device=device)
    place = to_device(draw.place, device)
    along = torch.arange(_SIDE, device=device)
    return noise(place[:, :1] + along, place[:, 1:] + along, channels)


def _crop(values: Tensor, top: Tensor, left: Tensor, margin: int, mode: str) -> Tensor:
    """Enlarge by 286 / 256 and cut out at `top`, `left`, keeping `margin` pixels around."""
    side = TILE_PX + 2 * margin
    along = torch.arange(side, device=values.device, dtype=torch.float32) - margin
    # Pixel centres of the crop, in pixels of the stored tile, then in the [-1, 1] of grid_sample.
    y, x = (((corner[:, None] + along + 0.5) * _SCALE + margin) / side * 2 - 1 for corner in (top, left))
    grid = torch.stack([x[:, None, :].expand(-1, side, -1), y[:, :, None].expand(-1, -1, side)], 3)
    return F.grid_sample(values, grid, mode=mode, padding_mode="border", align_corners=False)

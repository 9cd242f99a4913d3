"""A generator, and what it sees of a patch of terrain: relief, light, climate, noise."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terraform.config import Climate, Condition, Mosaics
from terraform.learn.models.fusing import fuse_batch_norm
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.patch import Patch
from terraform.pairs.noise import noise
from terraform.pairs.relief import ReliefBatch, encode, sun_at

_OF_LATITUDE = {"latitude", "absolute_latitude", "temperature"}
_HEARD = {"latitude_shift_deg": _OF_LATITUDE, "latitude_scale": _OF_LATITUDE, "sun_azimuth_deg": {"hillshade"}}
"""The channels by which a generator hears of a setting of the climate."""


def unheard(condition: Condition, climate: Climate) -> list[str]:
    """What to say of each setting of the climate that was set and that changes nothing."""
    channels = set(condition.channels) if condition.encoding == "relief" else set()
    plain = Climate()
    return [
        f"mosaics.climate.{name} changes nothing: these weights were trained without any of the channels "
        f"{', '.join(sorted(heard))} (condition.channels)"
        for name, heard in _HEARD.items()
        if getattr(climate, name) != getattr(plain, name) and not channels & heard
    ]


@dataclass(frozen=True)
class Artist:
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
    def colours(self, seen: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 3, H, W) in [-1, 1], float32."""
        dtype = next(iter(self.network.parameters())).dtype
        drawn: Tensor = self.network(seen.to(dtype, memory_format=torch.channels_last))
        return drawn.float()

    @torch.inference_mode()
    def drawn(self, patch: Patch, pixel_m: float) -> Tensor:
        """A patch of H x W pixels -> (3, H - 128, W - 128) in [-1, 1], float32."""
        trained, device = self.trained, self.device
        relief = relief_of(patch, pixel_m, trained.condition.local_time_h, self.settings.climate, device)
        seen = encode(relief, trained.condition, trained.sheet)
        if trained.settings.noise:
            rows, columns = (torch.from_numpy(place)[None].to(device) for place in (patch.rows, patch.columns))
            seen = torch.cat([seen, noise(rows, columns, trained.settings.noise)], 1)
        return self.colours(seen)[0]


def relief_of(patch: Patch, pixel_m: float, local_time_h: float, climate: Climate, device: str = "cpu") -> ReliefBatch:
    """A patch as the encoder wants it, the sun turned into its right and up; the climate moves no shadow."""
    latitude = _batch(patch.latitude_deg, device)
    told = (latitude * climate.latitude_scale + climate.latitude_shift_deg).clamp(-90, 90)
    sun = _from(sun_at(latitude, local_time_h), climate.sun_azimuth_deg)
    east, north, zenith = sun.unbind(1)
    right_of, up_of = (_batch(part, device)[:, 0] for part in patch.east)
    sun = torch.stack([east * right_of - north * up_of, east * up_of + north * right_of, zenith], 1)
    metres, sea, void = (_batch(part, device) for part in (patch.metres, patch.sea, patch.void))
    return ReliefBatch(metres, sea, void, pixel_m, told, sun)


def _from(sun: Tensor, azimuth_deg: float | None) -> Tensor:
    """The sun as high as it is, from another side."""
    if azimuth_deg is None:
        return sun
    east, north, zenith = sun.unbind(1)
    level, azimuth = torch.hypot(east, north), math.radians(azimuth_deg)
    return torch.stack([level * math.sin(azimuth), level * math.cos(azimuth), zenith], 1)


def _batch(values: NDArray[np.generic], device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None, None].to(device)

"""What decides the colour of a place besides its relief: base colours, and how warm it is at the shoreline."""

from typing import NamedTuple

import torch
from torch import Tensor

from terraform.pairs.tints import Tints

BASE_CHANNELS = 3
"""Channels that base colours add to a condition: red, green, blue."""


class Context(NamedTuple):
    """Base colours of the pixels that `encode` returns, land and sea apart so that neither bleeds over a coast.

    Attributes
    ----------
    land, sea : (N, 3, H - 128, W - 128) float32, [-1, 1]
        Colours of a Gaussian of about 16 km full width at half maximum; each is anything where there is none of its
        kind within reach.
    tints : Tints, optional
        What land's colours follow within a cell, of the pixels and their margin.
    """

    land: Tensor
    sea: Tensor
    tints: Tints | None = None

    def to(self, device: str | torch.device) -> "Context":
        """Move to a device."""
        tints = None if self.tints is None else self.tints.to(device)
        return Context(self.land.to(device), self.sea.to(device), tints)

    def composite(self, sea: Tensor) -> Tensor:
        """Choose by pixel between the colours of the sea and of land.

        Parameters
        ----------
        sea : (N, 1, H - 128, W - 128) bool

        Returns
        -------
        (N, 3, H - 128, W - 128) float32, [-1, 1]
        """
        return torch.where(sea, self.sea, self.land)


class Air(NamedTuple):
    """The year's mean temperature of the air above some pixels, as a law of their height.

    Attributes
    ----------
    shoreline_c : Tensor
        Reduced to height 0, degrees Celsius; broadcasts to (N, 1, H, W) of the heights. Smooth: it knows no relief.
    lapse_k_per_km : Tensor
        Fall of temperature with height, K/km; broadcasts to (N, 1, 1, 1).
    """

    shoreline_c: Tensor
    lapse_k_per_km: Tensor

    def at(self, metres: Tensor) -> Tensor:
        """Take the temperature to heights.

        Parameters
        ----------
        metres : (N, 1, H, W) float32
            Above height 0 of the law.

        Returns
        -------
        (N, 1, H, W) float32
            Degrees Celsius.
        """
        return self.shoreline_c - self.lapse_k_per_km * (metres / 1000)

"""What decides the colour of a place besides its relief: base colours, the smooth colours of land and of sea."""

from typing import NamedTuple

import torch
from torch import Tensor

BASE_CHANNELS = 3
"""Channels that base colours add to a condition: red, green, blue."""


class Context(NamedTuple):
    """Base colours of the pixels that `encode` returns, land and sea apart so that neither bleeds over a coast.

    Attributes
    ----------
    land, sea : (N, 3, H - 128, W - 128) float32, [-1, 1]
        Colours of a Gaussian of about 16 km full width at half maximum; each is anything where there is none of its
        kind within reach.
    """

    land: Tensor
    sea: Tensor

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

"""The temperature of the air over the pixels of a strip: smooth at the shoreline, colder with every metre above it.

Imports numpy and torch only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform.geo.bodies import Body
from terraform.geo.resample import Axis
from terraform.geo.spherical_spline import Doubles, SphericalSpline
from terraform.learn.weights import TrainedGenerator
from terraform.pairs.context import Air
from terraform.provenance import Provenance


@dataclass(frozen=True)
class AirMap:
    """The year's mean temperature of a whole body as a law of height.

    Attributes
    ----------
    shoreline_c : (H, 2 H) float32
        At the mosaic's height 0, degrees Celsius; plate carree, row 0 north, column 0 from 180 W.
    lapse_rate_k_per_km : float
        Fall of temperature with height.
    """

    shoreline_c: NDArray[np.float32]
    lapse_rate_k_per_km: float

    @cached_property
    def _spline(self) -> SphericalSpline:
        return SphericalSpline(self.shoreline_c[..., None])

    def on_axes(self, latitudes: Axis, longitudes: Axis) -> Air:
        """Sample where rows are parallels and columns are meridians; see `SphericalSpline.on_axes`."""
        return self._law(self._spline.on_axes(latitudes, longitudes))

    def at_points(self, longitude_deg: Doubles, latitude_deg: Doubles) -> Air:
        """Sample at any points; see `SphericalSpline.at_points`."""
        return self._law(self._spline.at_points(longitude_deg, latitude_deg))

    def _law(self, shoreline_c: Tensor) -> Air:
        return Air(shoreline_c[None], torch.full((1, 1, 1, 1), self.lapse_rate_k_per_km))


def lifted(air: Air, rise_m: NDArray[np.float32]) -> Air:
    """Let an elevation policy change how high the ground is told to be, not how cold it is.

    Parameters
    ----------
    air : Air
        (1, 1, H, W).
    rise_m : (H, W) float32
        Height above the shoreline minus the height that the generator is told, metres.
    """
    return air._replace(shoreline_c=air.at(torch.from_numpy(rise_m)[None, None]))


class ChosenAir(NamedTuple):
    """A climate and where it comes from.

    Attributes
    ----------
    make : callable
        From the height of the mosaic's shoreline above the datum, metres, to its temperatures.
    origin : str
        For people.
    version : list
        What strips depend on: the version of a file, or the law's name.
    provenance : Provenance or None
        Whose climate it is; None for a law.
    """

    make: Callable[[float], AirMap]
    origin: str
    version: list[Any]
    provenance: Provenance | None


AirChoice = Callable[[TrainedGenerator, Body], ChosenAir | None]
"""From weights and the body to its climate; None where the weights know none."""

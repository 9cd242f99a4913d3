"""Monthly means of temperature and rain on a planet grid, and what is read from them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform.errors import InputError
from terraform.geo.planet_grid import PlanetGrid

MONTHS = 12
_DAYS_PER_MONTH = 365.25 / MONTHS


@dataclass(frozen=True)
class MonthlyClimate:
    """Twelve months of a body's climate.

    Month 1 is Earth's January. On other bodies the year has twelve equal parts, counted so that the northern winter
    solstice falls late in the twelfth, as on Earth.

    Attributes
    ----------
    temperature : (12, H, W) float32
        Mean temperature of the air near the ground, degrees Celsius.
    precipitation : (12, H, W) float32
        Rain and melted snow, millimetres per month of 30.4 Earth days, at least 0.

    Raises
    ------
    InputError
        The two are not twelve maps of one shape.
    """

    temperature: NDArray[np.float32]
    precipitation: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse maps of two shapes, or of other than twelve months."""
        shapes = self.temperature.shape, self.precipitation.shape
        if shapes[0] != shapes[1] or shapes[0][0] != MONTHS:
            raise InputError(f"a climate is twelve maps of temperature and of rain of one shape, not {shapes}")

    @cached_property
    def annual_temperature(self) -> NDArray[np.float32]:
        """Mean of the year, (H, W) float32 degrees Celsius."""
        return np.asarray(self.temperature.mean(axis=0), np.float32)

    @cached_property
    def warmest(self) -> NDArray[np.float32]:
        """Temperature of the warmest month, (H, W) float32 degrees Celsius."""
        return np.asarray(self.temperature.max(axis=0))

    @cached_property
    def coldest(self) -> NDArray[np.float32]:
        """Temperature of the coldest month, (H, W) float32 degrees Celsius."""
        return np.asarray(self.temperature.min(axis=0))

    @cached_property
    def annual_precipitation(self) -> NDArray[np.float32]:
        """Rain of twelve months, (H, W) float32 millimetres."""
        return np.asarray(self.precipitation.sum(axis=0), np.float32)

    @cached_property
    def driest(self) -> NDArray[np.float32]:
        """Rain of the driest month, (H, W) float32 millimetres."""
        return np.asarray(self.precipitation.min(axis=0))

    @cached_property
    def wettest(self) -> NDArray[np.float32]:
        """Rain of the wettest month, (H, W) float32 millimetres."""
        return np.asarray(self.precipitation.max(axis=0))

    @cached_property
    def growing_degree_days(self) -> NDArray[np.float32]:
        """Warmth above 5 degrees Celsius, summed over a year of 365 days, (H, W) float32 kelvin days."""
        return np.asarray(np.maximum(self.temperature - 5, 0).sum(axis=0) * _DAYS_PER_MONTH, np.float32)

    def warm_half(self) -> NDArray[np.bool_]:
        """Months of the warmer half-year, April to September or October to March: (12, H, W)."""
        april = np.zeros(MONTHS, np.bool_)
        april[3:9] = True
        northern = self.temperature[april].mean(axis=0) >= self.temperature[~april].mean(axis=0)
        return np.asarray(april[:, None, None] == northern)

    def at_heights(self, height_difference_m: NDArray[Any], lapse_rate_k_per_km: float) -> "MonthlyClimate":
        """Move to other heights above the same ground plan.

        Parameters
        ----------
        height_difference_m : (H, W)
            New height minus the height that the temperatures belong to, metres.
        lapse_rate_k_per_km : float
            Fall of temperature with height.

        Returns
        -------
        MonthlyClimate
            The same rain, colder where it is higher.
        """
        colder = np.asarray(height_difference_m, np.float32) * np.float32(lapse_rate_k_per_km / 1000)
        return MonthlyClimate(self.temperature - colder, self.precipitation)

    def at_sea_level(self, height_m: NDArray[Any], lapse_rate_k_per_km: float) -> "MonthlyClimate":
        """Reduce temperatures to the shoreline: `height_m` (H, W) is the height above it, metres."""
        return self.at_heights(-np.asarray(height_m), lapse_rate_k_per_km)

    def downscaled(
        self,
        grid: PlanetGrid,
        height_m: NDArray[Any],
        finer: PlanetGrid,
        finer_height_m: NDArray[Any],
        lapse_rate_k_per_km: float,
    ) -> "MonthlyClimate":
        """Refine to a finer grid and its own heights.

        Parameters
        ----------
        grid : PlanetGrid
            The grid of this climate.
        height_m : (H, W)
            Heights above the shoreline that this climate's temperatures belong to, metres; 0 at sea.
        finer : PlanetGrid
            The grid to refine to.
        finer_height_m : (h, w)
            Heights above the shoreline there, metres; 0 at sea.
        lapse_rate_k_per_km : float
            Fall of temperature with height.

        Returns
        -------
        MonthlyClimate
            (12, h, w): interpolated smoothly at sea level, then taken to the finer heights.
        """
        level = self.at_sea_level(height_m, lapse_rate_k_per_km)
        smooth = MonthlyClimate(grid.refined(level.temperature, finer), grid.refined(level.precipitation, finer))
        return smooth.at_heights(finer_height_m, lapse_rate_k_per_km)

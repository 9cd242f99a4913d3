"""The planets: what a grid, a source and a mosaic need to know of each."""

import math
from dataclasses import dataclass
from functools import cached_property

from terraform.errors import ConfigError


@dataclass(frozen=True)
class Body:
    """A body taken as a sphere.

    Attributes
    ----------
    name : str
        Lower-case name, as in `regions.geojson`.
    radius_m : float
        Radius of the sphere on which tiles are measured, metres.
    geographic_crs : str
        CRS of longitudes and latitudes in degrees.
    lowest_m, highest_m : float
        Physical range of its heights, metres; what lies outside is not an elevation.
    """

    name: str
    radius_m: float
    geographic_crs: str
    map_crs: str
    lowest_m: float
    highest_m: float

    @cached_property
    def metres_per_degree(self) -> float:
        """Length of one degree of a great circle, metres."""
        return math.pi * self.radius_m / 180


EARTH = Body("earth", 6_371_008.8, "EPSG:4326", "EPSG:4087", -500.0, 9_000.0)
"""Mean radius (IUGG); heights from the shore of the Dead Sea to Everest."""

MARS = Body("mars", 3_396_190.0, "IAU_2015:49900", "IAU_2015:49910", -8_600.0, 21_300.0)
"""The sphere of the IAU maps; heights of MOLA above the areoid, Hellas to Olympus Mons."""

BODIES = {body.name: body for body in (EARTH, MARS)}


def body_named(name: str) -> Body:
    """Look up a body by its name.

    Raises
    ------
    ConfigError
        There is no such body.
    """
    try:
        return BODIES[name]
    except KeyError:
        raise ConfigError(f"body {name!r} is unknown: use one of {', '.join(BODIES)}") from None

"""The layers of a whole body, as arrays: terraformed, base colours, relief, climate."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform import provenance
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import Body
from terraform.geo.planet_grid import PlanetGrid
from terraform.mosaic.base.choice import named_base
from terraform.mosaic.base.reading import read_base
from terraform.mosaic.picture.ground import PlanetRelief, as_source, read_relief
from terraform.mosaic.picture.planet import STRENGTH, bands
from terraform.mosaic.picture.shading import shade
from terraform.planet.pictures import PRECIPITATION_RAMP, TEMPERATURE_RAMP, Ramp
from terraform.planet.rasters import read_climate
from terraform.provenance import Credit, Provenance
from terraform.viewer.relief import grey, shaded_turbo

Colours = NDArray[np.uint8]
_MOST_CELLS, _CLIMATE_CELLS = 12, 4


class Legend(NamedTuple):
    """What the colours of a layer mean: places of a scale, a colour each, and their unit."""

    unit: str
    places: list[float]
    colours: list[str]


class PlanetLayer(NamedTuple):
    """One layer of a whole body.

    Attributes
    ----------
    name, title : str
        For the page's addresses and for people.
    colours : (H, 2 H, 3) uint8
        Plate carree, row 0 north, column 0 from 180 W.
    legend : Legend or None
    made : Provenance
    """

    name: str
    title: str
    colours: Colours
    legend: Legend | None
    made: Provenance


class Ground(NamedTuple):
    """Heights of a whole body.

    Attributes
    ----------
    relief : PlanetRelief
    metres : (H, W) float32
        Above the body's datum, the floor of the sea too.
    range_m : (float, float)
        Heights of the first and the last colour of the relief.
    made : Provenance
    """

    relief: PlanetRelief
    metres: NDArray[np.float32]
    range_m: tuple[float, float]
    made: Provenance


def read_ground(elevation: Path, shoreline_m: float) -> Ground:
    """Read the heights of a body at their own resolution, 1/12 degree at most.

    Raises
    ------
    InputError
        It is no raster of heights of a whole body.
    """
    with raster.opened(elevation) as dataset:
        rows = raster.grid_of(dataset).latitudes.count
    relief = read_relief(elevation, shoreline_m, min(_MOST_CELLS, max(1, round(rows / 180))))
    metres = relief.height_m - relief.depth_m + np.float32(shoreline_m)
    low, high = np.percentile(metres, (0.2, 99.8))
    beside = provenance.beside(elevation)
    made = provenance.read(beside) if beside.is_file() else _unknown(elevation)
    step = 500.0
    return Ground(relief, metres, (float(np.floor(low / step) * step), float(np.ceil(high / step) * step)), made)


def drawn_layers(base: str | None, ground: Ground, body: Body) -> list[PlanetLayer]:
    """Draw a body with light and sea, and its base colours alone.

    Raises
    ------
    InputError
        The base colours are no raster of the body.
    """
    chosen = named_base(base, body)
    colours = chosen.make(as_source(ground.relief), 0.0)
    parts = [part for part in (chosen.provenance, ground.made) if part is not None]
    made = provenance.merge(parts)
    lit = np.concatenate(list(bands(colours, ground.relief, STRENGTH)))
    flat = np.concatenate(list(bands(colours, ground.relief, 0.0)))
    return [
        PlanetLayer("terraformed", "Terraformed", lit, None, made),
        PlanetLayer("base", "Base colours", flat, None, made),
    ]


def relief_layers(ground: Ground) -> list[PlanetLayer]:
    """Draw heights in Turbo colours, and the light on them alone."""
    light = np.clip(shade(ground.metres, ground.relief.grid, 1.0), 0, 2)
    low, high = ground.range_m
    places = np.linspace(low, high, 6)
    ends = shaded_turbo(places.astype(np.float32)[None], np.ones((1, 6), np.float32), low, high)[0]
    legend = Legend("m", [round(float(place)) for place in places], [_hex(colour) for colour in ends])
    turbo = shaded_turbo(ground.metres, light, low, high)
    return [
        PlanetLayer("relief", "Relief", turbo, legend, ground.made),
        PlanetLayer("hillshade", "Hillshade", grey(light), None, ground.made),
    ]


def climate_layers(path: Path, body: Body) -> list[PlanetLayer]:
    """Draw the temperature and the rain of the year.

    Raises
    ------
    InputError
        It is no climate of the body.
    """
    stored, made = read_climate(path)
    if stored.grid.body != body:
        raise InputError(f"{path} is of {stored.grid.body.name}, the viewer of {body.name}: give its own climate")
    fine = PlanetGrid(body, max(stored.grid.cells_per_degree, _CLIMATE_CELLS))
    layers = []
    for name, title, ramp, values in (
        ("temperature", "Temperature", TEMPERATURE_RAMP, stored.monthly.annual_temperature),
        ("rain", "Precipitation", PRECIPITATION_RAMP, stored.monthly.annual_precipitation),
    ):
        colours = ramp.colour(stored.grid.refined(values, fine))
        layers.append(PlanetLayer(name, title, colours, _legend(ramp), made))
    return layers


def observed_layer(path: Path, body: Body) -> PlanetLayer:
    """Show a body as it is, from any picture of it with a georeference.

    Raises
    ------
    InputError
        It is no RGB raster of the body.
    """
    colours = np.ascontiguousarray(read_base(path, body).levels[..., :3])
    beside = provenance.beside(path)
    made = provenance.read(beside) if beside.is_file() else _unknown(path)
    return PlanetLayer("observed", f"{body.name.capitalize()} as it is", colours, None, made)


def _legend(ramp: Ramp) -> Legend:
    return Legend(ramp.unit, list(ramp.places), [_hex(colour) for colour in ramp.colours])


def _hex(colour: NDArray[np.integer]) -> str:
    return "#" + "".join(f"{int(level):02x}" for level in colour)


def _unknown(path: Path) -> Provenance:
    return Provenance((Credit("files", "LicenseRef-Unknown", path.name),))

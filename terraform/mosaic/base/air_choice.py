"""Which climate a mosaic is drawn with, for a generator that sees the temperature of the air."""

from functools import partial
from pathlib import Path

import numpy as np

from terraform.errors import InputError
from terraform.geo.bodies import Body
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.base.air_map import AirChoice, AirMap, ChosenAir
from terraform.mosaic.base.choice import say
from terraform.mosaic.base.zonal import zonal_air
from terraform.mosaic.checkpoint import file_version
from terraform.planet.temperature import of_climate
from terraform.storage.models import published

CLIMATE = "climate.tif"


def air_chooser(given: Path | None, base: str | None) -> AirChoice:
    """Choose as `choose_air` does, once weights and body are known."""
    return partial(choose_air, given, base)


def choose_air(given: Path | None, base: str | None, trained: TrainedGenerator, body: Body) -> ChosenAir | None:
    """Choose the climate of a mosaic and say which it is.

    Parameters
    ----------
    given : Path, optional
        `climate.tif`, as `simulate-climate` writes it. By default the one beside the base colours that were named, then
        the body's published one, `models/<body>-climate.tif`; where there is none, a zonal climate: the mean of Earth's
        parallels, and the body's own lapse rate.
    base : str, optional
        The base colours that were named: a raster or a colour.
    trained : TrainedGenerator
        Weights that know no climate get none.
    body : Body
        Whose mosaic it is.

    Returns
    -------
    ChosenAir or None
        None where the weights know no climate.

    Raises
    ------
    InputError
        What was given is no climate, or of another body.
    """
    if not trained.condition.needs_climate:
        if given is not None:
            say(f"warning: these weights were trained without the air's temperature: --climate {given} changes nothing")
        return None
    path = given or _beside(base) or published(f"{body.name}-{CLIMATE}")
    chosen = _zonal(body) if path is None else _stored(path, body)
    say(f"climate: {chosen.origin}")
    return chosen


def _beside(base: str | None) -> Path | None:
    path = None if base is None or base.startswith("#") else Path(base).parent / CLIMATE
    return path if path is not None and path.is_file() else None


def _zonal(body: Body) -> ChosenAir:
    law = zonal_air(body)
    return ChosenAir(lambda shoreline_m: law, "zonal, the mean of Earth's parallels", ["zonal"], None)


def _stored(path: Path, body: Body) -> ChosenAir:
    if not path.is_file():
        raise InputError(f"--climate {path} does not exist: make it with `snakemake planet`, or leave it out")
    level = of_climate(path)
    if level.grid.body != body:
        raise InputError(f"{path} is the climate of {level.grid.body.name}, the mosaic is of {body.name}")

    def make(shoreline_m: float) -> AirMap:
        higher = (shoreline_m - level.shoreline_m) * level.lapse_rate_k_per_km / 1000
        return AirMap(level.celsius - np.float32(higher), level.lapse_rate_k_per_km)

    return ChosenAir(make, str(path), file_version(path), level.provenance)

"""Learn the base model from Earth's climate, relief and imagery; say how good it is on land that was left out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terraform import provenance
from terraform.basemap import model as models
from terraform.basemap.fitting import Box, fit, outside
from terraform.basemap.matching import Matching
from terraform.basemap.model import BaseModel
from terraform.config.basemap import BaseMap
from terraform.geo.planet_grid import PlanetGrid
from terraform.planet.earth_colours import Sample, learnt_from, read_colours, sampled
from terraform.planet.rasters import read_climate, read_land
from terraform.provenance import beside, merge
from terraform.storage.atomic_write import write_text


def fit_base_model(
    elevation: Path,
    imagery: Path,
    climate: Path,
    output: Path,
    settings: BaseMap,
    left_out: Mapping[str, Box],
    seed: int,
    regions: Sequence[Path] = (),
) -> None:
    """Learn a base model: `base-model.safetensors` and `skill.json`.

    Parameters
    ----------
    elevation, imagery : Path
        Rasters of the whole Earth, `fetch --planet`.
    climate : Path
        Its climate, `make_climate`.
    output : Path
        A folder.
    settings : BaseMap
        Roughness and training.
    left_out : mapping of str to (west, south, east, north)
        Regions that are held out, degrees; nothing within a degree of them is learnt from.
    seed : int
    regions : sequence of Path
        Folders with `imagery.tif` and `elevation.tif` of regions, as `fetch` writes them: the imagery of the whole
        Earth is matched to theirs, and their own colours are learnt too.

    Raises
    ------
    InputError
        The rasters do not fit each other, or too little land is left.
    """
    stored, climate_made = read_climate(climate)
    land = read_land(elevation, stored.shoreline_m)
    colours = read_colours(imagery, regions, land, list(left_out.values()))
    known, regional = sampled(land, colours, stored, settings, seed)
    free = known.at(outside(land.grid, left_out.values()))
    training = settings.training.model_copy(update={"months": [colours.month]})
    parts = [provenance.read(beside(elevation)), *colours.made, climate_made]
    matched = sorted(folder.name for folder in regions)
    made = merge(parts, kind="base model", month=colours.month, left_out=sorted(left_out), matched_to=matched)
    texts = made.tags() | {"PROVENANCE": provenance.to_json(made)}
    trained = fit(learnt_from(known, regional, free), training, seed, texts)
    quick = training.model_copy(update={"steps": max(1, training.steps // 5), "members": 1})
    straw = fit(known.cells(free, plain=True), quick, seed)
    models.save(output / "base-model.safetensors", trained)
    skill = _skill(trained, straw, known, free, land.grid, left_out) | _of_matching(colours.matching)
    write_text(output / "skill.json", json.dumps(skill, indent=1) + "\n")


def _skill(
    trained: BaseModel,
    straw: BaseModel,
    known: Sample,
    free: NDArray[np.bool_],
    grid: PlanetGrid,
    left_out: Mapping[str, Box],
) -> dict[str, Any]:
    """Mean absolute errors, levels of 255, on what was learnt from and on each region that was left out."""
    mean = np.average(known.colours[free], axis=0, weights=known.weight[free])
    errors = {
        "base_model": trained.colours(known.features) - known.colours,
        "height_and_latitude": straw.colours(known.plain) - known.colours,
        "one_colour": mean - known.colours,
    }
    places = {"learnt_from": free} | {
        name: known.at(~outside(grid, [box], margin_deg=0)) for name, box in left_out.items()
    }
    return {
        "unit": "mean absolute error, levels of 255",
        "cells": {name: int(where.sum()) for name, where in places.items()},
        **{
            who: {name: _level(error, known.weight, where) for name, where in places.items()}
            for who, error in errors.items()
        },
    }


def _of_matching(matching: Matching | None) -> dict[str, Any]:
    """How far the imagery was from that of the regions, before and after it was matched."""
    if matching is None:
        return {}
    return {"matching": {name: round(255 * getattr(matching, name), 2) for name in ("before", "after")}}


def _level(error: NDArray[np.floating], weight: NDArray[np.float32], where: NDArray[np.bool_]) -> float | None:
    if not where.any():
        return None
    return round(255 * float(np.average(np.abs(error[where]).mean(axis=1), weights=weight[where])), 2)

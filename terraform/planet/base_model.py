"""Learn the base model from Earth's climate, relief and imagery; say how good it is on land that was left out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform import provenance
from terraform.basemap import model as models
from terraform.basemap.features import climate_bands, features_of, relief_of
from terraform.basemap.fitting import Box, Cells, fit, outside
from terraform.basemap.model import BaseModel
from terraform.config.basemap import BaseMap
from terraform.errors import InputError
from terraform.geo.planet_grid import PlanetGrid
from terraform.planet.rasters import Land, StoredClimate, read_bands, read_climate, read_land
from terraform.provenance import beside, merge
from terraform.storage.atomic_write import write_text

_MOST_CELLS = 600_000
"""Cells that are learnt from, chosen at random where there is more land: their features take 50 MB."""


class _Known(NamedTuple):
    """Land whose colours are known, N cells.

    Attributes
    ----------
    features : (N, F) float32
    plain : (N, 3) float32
        Height, latitude and distance from the equator: what the straw man sees.
    colours : (N, 3) float32
        0 to 1.
    weight : (N,) float32
        Share of the sphere.
    place : (N, 2) int64
        Row and column.
    """

    features: NDArray[np.float32]
    plain: NDArray[np.float32]
    colours: NDArray[np.float32]
    weight: NDArray[np.float32]
    place: NDArray[np.int64]


def fit_base_model(
    elevation: Path,
    imagery: Path,
    climate: Path,
    output: Path,
    settings: BaseMap,
    left_out: Mapping[str, Box],
    seed: int,
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

    Raises
    ------
    InputError
        The rasters do not fit each other, or too little land is left.
    """
    stored, climate_made = read_climate(climate)
    land = read_land(elevation, stored.shoreline_m)
    colours, month = _imagery(imagery, land.grid)
    known = _known(land, colours, stored, settings, month, seed)
    free = outside(land.grid, left_out.values())[known.place[:, 0], known.place[:, 1]]
    training = settings.training.model_copy(update={"months": [month]})
    parts = [provenance.read(beside(path)) for path in (elevation, imagery)]
    made = merge([*parts, climate_made], kind="base model", month=month, left_out=sorted(left_out))
    texts = made.tags() | {"PROVENANCE": provenance.to_json(made)}
    trained = fit(_cells(known.features, known, free), training, seed, texts)
    quick = training.model_copy(update={"steps": max(1, training.steps // 5), "members": 1})
    straw = fit(_cells(known.plain, known, free), quick, seed)
    models.save(output / "base-model.safetensors", trained)
    skill = _skill(trained, straw, known, free, land.grid, left_out)
    write_text(output / "skill.json", json.dumps(skill, indent=1) + "\n")


def _imagery(path: Path, grid: PlanetGrid) -> tuple[NDArray[np.uint8], int]:
    """Colours (H, W, 3) and their month ("2004-07" or 7 in the provenance), 0 where they are of no single one."""
    own, colours, _ = read_bands(path)
    if own != grid:
        raise InputError(
            f"{path} has {own.cells_per_degree:g} cells per degree of {own.body.name}, the heights have "
            f"{grid.cells_per_degree:g} of {grid.body.name}: fetch both with the same sources.earth.planet"
        )
    return colours, int(str(provenance.read(beside(path)).details.get("month", 0))[-2:])


def _known(
    land: Land, colours: NDArray[np.uint8], climate: StoredClimate, settings: BaseMap, month: int, seed: int
) -> _Known:
    grid, height, lapse = land.grid, land.above_m, climate.lapse_rate_k_per_km
    relief = relief_of(height, grid, settings.roughness_m, settings.surroundings_m)
    use = land.land & colours.any(axis=-1)
    count = int(use.sum())
    if count > _MOST_CELLS:
        use &= np.random.default_rng(seed).random(grid.shape) < _MOST_CELLS / count
    parts = []
    for rows, level in climate_bands(climate.monthly, climate.grid, height, grid, lapse):
        here = level.at_heights(height[rows], lapse)
        parts.append(features_of(here, relief.part(rows), climate.gravity_m_s2, month)[use[rows]])
    place = np.argwhere(use)
    latitude = grid.latitude_deg[place[:, 0]] / 90
    plain = np.stack([np.log10(height[use] + 30) - 2.5, latitude, np.abs(latitude)], axis=-1).astype(np.float32)
    weight = grid.area_weight[place[:, 0], 0].astype(np.float32)
    return _Known(np.concatenate(parts), plain, np.asarray(colours[use] / np.float32(255), np.float32), weight, place)


def _cells(features: NDArray[np.float32], known: _Known, use: NDArray[np.bool_]) -> Cells:
    return Cells(features[use], known.colours[use], known.weight[use]).scaled_to(1.0)


def _skill(
    trained: BaseModel,
    straw: BaseModel,
    known: _Known,
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
    places = {"learnt_from": free} | {name: _inside(known, grid, box) for name, box in left_out.items()}
    return {
        "unit": "mean absolute error, levels of 255",
        "cells": {name: int(where.sum()) for name, where in places.items()},
        **{
            who: {name: _level(error, known.weight, where) for name, where in places.items()}
            for who, error in errors.items()
        },
    }


def _inside(known: _Known, grid: PlanetGrid, box: Box) -> NDArray[np.bool_]:
    return np.asarray(~outside(grid, [box], margin_deg=0)[known.place[:, 0], known.place[:, 1]])


def _level(error: NDArray[np.floating], weight: NDArray[np.float32], where: NDArray[np.bool_]) -> float | None:
    if not where.any():
        return None
    return round(255 * float(np.average(np.abs(error[where]).mean(axis=1), weights=weight[where])), 2)

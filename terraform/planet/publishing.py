"""Publish the base model, and base maps, tints and climates of the bodies, each small and with a card."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from terraform import provenance
from terraform.basemap import model as models
from terraform.climate.monthly import MonthlyClimate
from terraform.errors import ResourceError
from terraform.geo.bodies import BODIES, Body
from terraform.geo.planet_grid import PlanetGrid
from terraform.planet.rasters import read_base, read_climate, write_base, write_climate
from terraform.planet.tints import read_tints
from terraform.provenance import Provenance
from terraform.storage.atomic_write import atomic_write
from terraform.storage.hashing import sha256_of
from terraform.storage.sections import MODELS_TITLE, replace_sections

MOST_BYTES = 2_000_000
"""Largest base map that is published."""

_QUALITIES = range(95, 49, -3)
_CARD = """## {name}

{what}

* made by `{command}` (terraform {version}, {created})
* {bytes:,} bytes, sha256 `{sha256}`
* licence: **{licence}**, the most restrictive of the sources:
{credits}
* limits: {limits}
"""
_MODEL = "From the climate and the coarse relief of a cell of 1/12 degree to the smooth colours of its land."
_MAP = (
    "Base colours of {body} at {cells:g} cells a degree, {width:,} x {height:,} cells: bands 1 to 3 are red, green and "
    "blue of each cell as land, 4 to 6 as sea with its ice. JPEG of quality {quality}, each band for itself: "
    "{mean:.2f} levels of 255 from what was drawn on average, {most:.0f} at most in 999 of 1,000 values."
)
_CLIMATE = (
    "Temperature and precipitation of the months on {body}, {width:,} x {height:,} cells, the temperature "
    "reduced to height 0 by {rate:.2f} K/km: with a generator that sees the temperature of the air. The "
    "shoreline lies at {shoreline:g} m."
)
_TINTS = (
    "Hypsometric tints of {body}, {width:,} x {height:,} cells: red, green and blue of land of the cell's climate at "
    "each of {count} heights of {low:,.0f} to {high:,.0f} m above the shoreline, which lies at {shoreline:g} m. A "
    "generator that knows tints lays them over the base map."
)
_CLIMATE_CELLS_PER_DEGREE = 2 / 3
_CLIMATE_LIMITS = "smooth below some 200 km; without the heights that it was reduced by"
_LIMITS = (
    "it learnt from all of Earth, so nothing that is held out may be judged with it; smooth below some 16 km; its "
    "colours are those of a cloud-free composite, without seasons, cities or fields"
)


class _Compressed(NamedTuple):
    """How a base map was compressed, and by how many levels that changed it."""

    quality: int
    mean: float
    most: float


def publish_base(folder: Path, bodies: Sequence[str], output: Path, command: str) -> None:
    """Publish the base model, and base maps, tints and climates of bodies, of a finished run.

    Parameters
    ----------
    folder : Path
        `results/planet/RUN` of a run that left nothing out.
    bodies : sequence of str
        Whose base maps it holds.
    output : Path
        A folder: `base-model.safetensors`, `BODY-base.tif`, `BODY-tints.tif`, `BODY-climate.tif`, and a section for
        each in `README.md`.
    command : str
        How the run was made, for the cards.

    Raises
    ------
    InputError
        A file is missing or damaged.
    ResourceError
        A base map cannot be made small enough.
    """
    model = output / "base-model.safetensors"
    trained = models.load(folder / model.name)
    with atomic_write(model) as temporary:
        shutil.copyfile(folder / model.name, temporary)
    cards = {model.name: _card(model, _MODEL, provenance.from_json(trained.texts["PROVENANCE"]), command)}
    for body in bodies:
        path = output / f"{body}-base.tif"
        cards[path.name] = _publish_map(folder / body / "base.tif", path, command)
        path = output / f"{body}-tints.tif"
        cards[path.name] = _publish_tints(folder / body / "tints.tif", path, BODIES[body], command)
        path = output / f"{body}-climate.tif"
        cards[path.name] = _publish_climate(folder / body / "climate.tif", path, command)
    replace_sections(output / "README.md", MODELS_TITLE, cards)


def _publish_map(source: Path, path: Path, command: str) -> str:
    """Compress a base map as well as its size allows, and return its card."""
    grid, levels, made = read_base(source)
    for quality in _QUALITIES:
        write_base(path, grid, levels, made, quality)
        if path.stat().st_size <= MOST_BYTES:
            break
    else:
        raise ResourceError(f"{path} has more than {MOST_BYTES:,} bytes at any quality: draw it with larger cells")
    changed = np.abs(read_base(path)[1].astype(np.int16) - levels)
    found = _Compressed(quality, float(changed.mean()), float(np.quantile(changed, 0.999)))
    return _card(path, _MAP.format(**_size(grid), **found._asdict()), made, command)


def _publish_tints(source: Path, path: Path, body: Body, command: str) -> str:
    """Copy tints, which are small, and return their card."""
    tints = read_tints(source, body)
    with atomic_write(path) as temporary:
        shutil.copyfile(source, temporary)
    low, high = (float(tints.levels_m[at]) for at in (0, -1))
    about = {"count": len(tints.levels_m), "low": low, "high": high, "shoreline": tints.shoreline_m}
    grid = PlanetGrid(body, tints.colours.shape[0] / 180)
    assert tints.provenance is not None
    return _card(path, _TINTS.format(**_size(grid), **about), tints.provenance, command)


def _publish_climate(source: Path, path: Path, command: str) -> str:
    """Reduce a climate to height 0, average it to coarse cells, and return its card."""
    climate, made = read_climate(source)
    rate, grid = climate.lapse_rate_k_per_km, climate.grid.coarser(_CLIMATE_CELLS_PER_DEGREE)
    level = climate.monthly.at_sea_level(climate.height_m, rate)
    monthly = MonthlyClimate(
        *(climate.grid.coarsened(months, grid) for months in (level.temperature, level.precipitation))
    )
    reduced = climate._replace(grid=grid, monthly=monthly, height_m=np.zeros(monthly.temperature.shape[1:], np.float32))
    write_climate(path, reduced, made)
    what = _CLIMATE.format(**_size(grid), rate=rate, shoreline=climate.shoreline_m)
    return _card(path, what, made, command, _CLIMATE_LIMITS)


def _size(grid: PlanetGrid) -> dict[str, Any]:
    size = {"cells": grid.cells_per_degree, "width": grid.width, "height": grid.height}
    return {"body": grid.body.name.capitalize(), **size}


def _card(path: Path, what: str, made: Provenance, command: str, limits: str = _LIMITS) -> str:
    credits = "\n".join(f"  * {credit.attribution} ({credit.licence})" for credit in made.credits)
    return _CARD.format(
        name=path.name, what=what, command=command, version=made.code_version, created=made.created,
        bytes=path.stat().st_size, sha256=sha256_of(path), licence=made.licence, credits=credits, limits=limits,
    )  # fmt: skip

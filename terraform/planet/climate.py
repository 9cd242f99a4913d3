"""The climate of a body: observed where there are rasters of it, else simulated from relief and sea."""

from pathlib import Path

import numpy as np

from terraform import provenance
from terraform.climate.model import simulate
from terraform.climate.monthly import MonthlyClimate
from terraform.config.climate import ClimateModel
from terraform.errors import InputError
from terraform.planet import pictures
from terraform.planet.rasters import Land, StoredClimate, read_land, read_months, write_climate
from terraform.provenance import Provenance, beside, merge


def make_climate(
    elevation: Path,
    observed: tuple[Path, Path] | None,
    output: Path,
    settings: ClimateModel,
    cells_per_degree: float,
) -> None:
    """Make the climate of a body: `climate.tif`, and `temperature.jpg`, `precipitation.jpg`, `koeppen.png`.

    Parameters
    ----------
    elevation : Path
        Heights of the whole body, `fetch --planet`.
    observed : two paths or None
        Temperature and precipitation of its months; without them the climate is simulated.
    output : Path
        A folder.
    settings : ClimateModel
        The body's constants and the knobs; of an observed climate only shoreline, gravity and lapse rate count.
    cells_per_degree : float
        Of the result, at most.

    Raises
    ------
    InputError
        A raster is missing, damaged, or of another body or grid.
    """
    land = read_land(elevation, settings.shoreline_m)
    grid = land.grid.coarser(cells_per_degree)
    height = land.grid.coarsened(land.above_m, grid)
    share = land.grid.coarsened(land.land, grid)
    monthly = _observed(land, observed, grid.cells_per_degree) if observed else None
    if monthly is None:
        sea = share < 0.5
        own = np.where(sea, np.float32(0), height / np.maximum(share, np.float32(0.5)))
        made = simulate(own + np.float32(settings.shoreline_m), sea, grid, settings)
        monthly = made.at_heights(height - own, settings.lapse_rate_k_per_km)
    climate = StoredClimate(
        grid, monthly, height, settings.lapse_rate_k_per_km, settings.gravity_m_s2, settings.shoreline_m
    )
    write_climate(output / "climate.tif", climate, _provenance(elevation, observed))
    pictures.draw_climate(output, monthly, share < 0.5)


def _observed(land: Land, paths: tuple[Path, Path], cells_per_degree: float) -> MonthlyClimate:
    """Twelve months on a coarser grid of the body."""
    layers = []
    for path in paths:
        grid, months = read_months(path)
        if grid.body != land.grid.body:
            raise InputError(f"{path} is of {grid.body.name}, the heights are of {land.grid.body.name}")
        target = grid.coarser(cells_per_degree)
        if abs(target.cells_per_degree - cells_per_degree) > 1e-6:
            raise InputError(
                f"{path} has {grid.cells_per_degree:g} cells per degree, which are no whole parts of the climate's "
                f"{cells_per_degree:g}: set sources.{grid.body.name}.planet.cells_per_degree to a multiple"
            )
        layers.append(grid.coarsened(months, target))
    return MonthlyClimate(layers[0], np.maximum(layers[1], 0))


def _provenance(elevation: Path, observed: tuple[Path, Path] | None) -> Provenance:
    parts = [provenance.read(beside(path)) for path in (elevation, *(observed or ()))]
    return merge(parts, kind="climate", source="observed" if observed else "simulated")

"""Draw the base colours of a body from its climate and relief."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from terraform import provenance
from terraform.basemap import model as models
from terraform.basemap.render import Ground, composite, draw, hillshade
from terraform.basemap.tints import tints_of
from terraform.config.basemap import BaseMap
from terraform.errors import InputError
from terraform.planet import pictures
from terraform.planet.rasters import read_climate, read_land, write_base
from terraform.planet.tints import write_tints
from terraform.provenance import beside, merge


def draw_base_colours(base_model: Path, elevation: Path, climate: Path, output: Path, settings: BaseMap) -> None:
    """Draw a body: `base.tif`, six bands of land and sea, `tints.tif`, land by height, and `preview.jpg`.

    Parameters
    ----------
    base_model : Path
        `fit_base_model`.
    elevation : Path
        Heights of the whole body, `fetch --planet`.
    climate : Path
        Its climate, `make_climate`.
    output : Path
        A folder.
    settings : BaseMap
        Month, relief and the sea.

    Raises
    ------
    InputError
        A file is missing, damaged or of another body.
    """
    trained = models.load(base_model)
    _check_month(settings.month, trained.months)
    stored, climate_made = read_climate(climate)
    land = read_land(elevation, stored.shoreline_m)
    if land.grid.body != stored.grid.body:
        raise InputError(f"{elevation} is of {land.grid.body.name}, {climate} of {stored.grid.body.name}")
    share = land.land.astype(np.float32)
    ground = Ground(land.grid, land.height_m, share, stored.lapse_rate_k_per_km, stored.gravity_m_s2)
    colours = draw(trained, stored.monthly, stored.grid, ground, settings)
    learnt = provenance.from_json(trained.texts["PROVENANCE"])
    made = merge([provenance.read(beside(elevation)), climate_made, learnt], kind="base colours", month=settings.month)
    write_base(output / "base.tif", land.grid, np.concatenate([colours.land, colours.sea], axis=-1), made)
    tints = tints_of(trained, stored.monthly, stored.grid, ground, settings, stored.shoreline_m)
    write_tints(output / "tints.tif", land.grid.body, tints, replace(made, details={**made.details, "kind": "tints"}))
    shade = hillshade(ground, settings.hillshade) if settings.hillshade else None
    caption = f"{land.grid.body.name}: plausible, never predicted. {made.licence}; {made.attribution}"
    pictures.write_picture(output / "preview.jpg", composite(colours, share, shade), caption)


def _check_month(month: int, learnt: tuple[int, ...]) -> None:
    fits = 0 in learnt if month == 0 else any(learnt)
    if not fits:
        known = "the composite of the year (0)" if learnt == (0,) else f"the months {', '.join(map(str, learnt))}"
        raise InputError(
            f"basemap.month is {month}, the base model has learnt {known} only: choose one of these, or give "
            "sources.earth.planet.imagery of another month and learn again"
        )

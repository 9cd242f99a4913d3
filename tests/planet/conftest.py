"""Rasters of small synthetic planets, once for all tests of the planet stage."""

import pytest

from terraform.config import parse
from terraform.geo.bodies import EARTH, MARS
from terraform.planet.base_model import fit_base_model
from terraform.planet.climate import make_climate
from terraform.sources.fetch import fetch_planet

CELLS = 1
BOX = {"box": (10.0, 30.0, 40.0, 60.0)}


@pytest.fixture(scope="session")
def settings():
    planets = {body: {"planet": {"cells_per_degree": CELLS}} for body in ("earth", "mars")}
    return parse({"sources": planets, "basemap": {"training": {"steps": 60, "members": 1}}})


@pytest.fixture(scope="session")
def planets(settings, tmp_path_factory):
    """A folder with the rasters of both bodies, their climates, and the base model that Earth taught."""
    folder = tmp_path_factory.mktemp("planets")
    for body, kinds in ((EARTH, ("elevation", "imagery", "temperature", "precipitation")), (MARS, ("elevation",))):
        for kind in kinds:
            fetch_planet(settings, body, kind, folder / body.name / f"{kind}.tif")
    earth, mars = folder / "earth", folder / "mars"
    observed = earth / "temperature.tif", earth / "precipitation.tif"
    make_climate(earth / "elevation.tif", observed, earth, settings.climate.earth, 0.5)
    make_climate(mars / "elevation.tif", None, mars, settings.climate.mars, 0.5)
    fit_base_model(
        earth / "elevation.tif", earth / "imagery.tif", earth / "climate.tif", folder, settings.basemap, BOX, 0
    )
    return folder

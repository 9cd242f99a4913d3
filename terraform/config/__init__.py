"""The configuration: every setting with its default, unit and range; the one place where these stand."""

from terraform.config.basemap import BaseMap
from terraform.config.climate import ClimateModel
from terraform.config.learning import Condition, Train
from terraform.config.mosaics import Climate, Elevation, Mosaics, Viewer
from terraform.config.pairs import Pairs, Regions, Sheet, Split
from terraform.config.planet import Climates, Planet
from terraform.config.renames import current, renamed
from terraform.config.services import (
    BlueMarbleSource,
    CopernicusSource,
    Downloads,
    EarthEngineSource,
    HrscMolaSource,
    MolaSource,
    Mosaic120Source,
    OpenTopographySource,
    RemoteSource,
    S2CloudlessSource,
    TerrariumSource,
    WorldClimSource,
)
from terraform.config.sources import (
    SOURCES,
    AnyPlanetSource,
    AnySource,
    FilesSource,
    PlanetFilesSource,
    PlanetSources,
    SampleSource,
    Sources,
)
from terraform.config.tile import Tile
from terraform.config.whole import Config, load, overlay, parse, schema_yaml

__all__ = [
    "SOURCES",
    "AnyPlanetSource",
    "AnySource",
    "BaseMap",
    "BlueMarbleSource",
    "Climate",
    "ClimateModel",
    "Climates",
    "Condition",
    "Config",
    "CopernicusSource",
    "Downloads",
    "EarthEngineSource",
    "Elevation",
    "FilesSource",
    "HrscMolaSource",
    "MolaSource",
    "Mosaic120Source",
    "Mosaics",
    "OpenTopographySource",
    "Pairs",
    "Planet",
    "PlanetFilesSource",
    "PlanetSources",
    "Regions",
    "RemoteSource",
    "S2CloudlessSource",
    "SampleSource",
    "Sheet",
    "Sources",
    "Split",
    "TerrariumSource",
    "Tile",
    "Train",
    "Viewer",
    "WorldClimSource",
    "current",
    "load",
    "overlay",
    "parse",
    "renamed",
    "schema_yaml",
]

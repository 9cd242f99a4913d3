"""The configuration: every setting with its default, unit and range; the one place where these stand."""

from terraform.config.learning import Condition, Train
from terraform.config.mosaics import Climate, Elevation, Mosaics
from terraform.config.pairs import Pairs, Regions, Sheet, Split
from terraform.config.renames import current, renamed
from terraform.config.services import (
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
)
from terraform.config.sources import SOURCES, AnySource, FilesSource, SampleSource, Sources
from terraform.config.whole import Config, load, overlay, parse, schema_yaml

__all__ = [
    "SOURCES",
    "AnySource",
    "Climate",
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
    "Regions",
    "RemoteSource",
    "S2CloudlessSource",
    "SampleSource",
    "Sheet",
    "Sources",
    "Split",
    "TerrariumSource",
    "Train",
    "current",
    "load",
    "overlay",
    "parse",
    "renamed",
    "schema_yaml",
]

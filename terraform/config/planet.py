"""The planet stage: which bodies, and the climate of each."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from terraform.config.climate import EARTH_CLIMATE, MARS_CLIMATE, ClimateModel
from terraform.config.section import Section

_OWN = {"earth": EARTH_CLIMATE, "mars": MARS_CLIMATE}


class Planet(Section):
    """The whole body first: its climate and its base colours."""

    bodies: list[Literal["earth", "mars"]] = ["earth", "mars"]
    """Bodies that the target `planet` makes; what a mosaic needs is made anyway."""
    climate_cells_per_degree: float = Field(2.0, gt=0, le=12)
    """Resolution of the climate, at most; it takes the next that divides the cells of the heights."""


class Climates(Section):
    """The climate of each body.

    It is observed where `sources.<body>.planet` names temperature and precipitation; otherwise it is simulated with
    these settings. Settings that are left out are the body's own.
    """

    earth: ClimateModel = EARTH_CLIMATE
    """Earth."""
    mars: ClimateModel = MARS_CLIMATE
    """Mars; its shoreline is that of `mosaics.elevation` unless both are set."""

    @model_validator(mode="before")
    @classmethod
    def _over_the_bodys_own(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {body: _merged(_OWN[body].model_dump(), settings) if body in _OWN else settings
                for body, settings in given.items()}  # fmt: skip


def _merged(base: dict[str, Any], over: Any) -> Any:
    if not isinstance(over, Mapping):
        return over
    both = {key: _merged(base[key], value) if isinstance(base.get(key), dict) else value for key, value in over.items()}
    return base | both


def one_shoreline(document: dict[str, Any]) -> dict[str, Any]:
    """Carry a shoreline that is set for mosaics or for the climate of Mars, but not for both, to the other.

    Parameters
    ----------
    document : dict
        A configuration before it is checked.

    Returns
    -------
    dict
        The same with both, where one was set.
    """
    places = ("mosaics", "elevation"), ("climate", "mars")
    found = [_at(document, place).get("shoreline_m") for place in places]
    for place, own, other in zip(places, found, reversed(found), strict=True):
        if own is None and other is not None:
            document = _with(document, place, other)
    return document


def _at(document: Any, path: tuple[str, ...]) -> Mapping[str, Any]:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}


def _with(document: Any, path: tuple[str, ...], shoreline_m: Any) -> Any:
    """Copy a document with a shoreline at a path; what is no section there is left for the check to refuse."""
    if not isinstance(document, Mapping):
        return document
    if not path:
        return {**document, "shoreline_m": shoreline_m}
    return {**document, path[0]: _with(document.get(path[0], {}), path[1:], shoreline_m)}

"""Which base colours a mosaic is drawn with: those that were named, else the body's published ones."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from terraform import provenance
from terraform.basemap.model import load as load_base_model
from terraform.digest import code_digest
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import Body
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.base.base_map import BaseChoice, BaseMap, ChosenBase, colour_map
from terraform.mosaic.base.reading import read_base
from terraform.mosaic.base.zonal import zonal_base
from terraform.mosaic.checkpoint import file_version
from terraform.mosaic.elevation import ElevationRaster
from terraform.planet.tints import read_tints
from terraform.provenance import Credit, Provenance
from terraform.storage.models import published

BASE_MODEL = "base-model.safetensors"
GENERATOR = "generator.safetensors"
_PROVENANCE = "PROVENANCE"


def chooser(given: str | None) -> BaseChoice:
    """Choose as `choose_base` does, once weights and body are known."""
    return partial(choose_base, given)


def choose_base(given: str | None, trained: TrainedGenerator, body: Body) -> ChosenBase | None:
    """Choose the base colours of a mosaic and say which they are.

    Parameters
    ----------
    given : str, optional
        A colour such as `#7a6a4f`, or the path of a raster (`read_base`). By default the body's published base map,
        `models/<body>-base.tif`; where there is none, zonal colours by `models/base-model.safetensors`.
    trained : TrainedGenerator
        Weights that need no base colours get none.
    body : Body
        Whose mosaic it is.

    Returns
    -------
    ChosenBase or None
        None where the weights know no base colours.

    Raises
    ------
    InputError
        The weights need base colours and there are none, or what was given is neither a colour nor such a raster.
    """
    if not trained.needs_base:
        if given is not None:
            say(f"warning: these weights were trained without base colours: --base {given} changes nothing")
        return None
    return named_base(given, body, trained.condition.tints)


def named_base(given: str | None, body: Body, tints: bool = False) -> ChosenBase:
    """Read the base colours that were named, or a body's published ones, and say which they are; see `choose_base`.

    Parameters
    ----------
    given : str, optional
    body : Body
    tints : bool
        Whether their tints are wanted, too, from the file beside them (`tints_beside`); of a colour, and of a raster
        that has none, there are none.

    Raises
    ------
    InputError
        There are none, or what was given is neither a colour nor a raster of base colours.
    """
    chosen = _published(body, tints) if given is None else _named(given, body, tints)
    say(f"base colours: {chosen.origin}")
    return chosen


def tints_beside(base: Path) -> Path | None:
    """Find the tints beside base colours: `tints.tif` beside `base.tif`, `mars-tints.tif` beside `mars-base.tif`."""
    path = base.with_name(base.name.replace("base", "tints"))
    return path if path != base and path.is_file() else None


def _of_file(path: Path, body: Body, origin: str, tints: bool) -> ChosenBase:
    found = tints_beside(path) if tints else None
    base, version = read_base(path, body), file_version(path)
    if found is not None:
        base, version = replace(base, tints=read_tints(found, body)), [*version, *file_version(found)]
    if tints:
        origin += " with tints" if found is not None else ", without tints: none lie beside it"
    return ChosenBase.of(base, origin, version, _provenance_of(path))


def _named(given: str, body: Body, tints: bool) -> ChosenBase:
    if given.startswith("#"):
        return ChosenBase.of(colour_map(given), f"the colour {given}", [given.lower()], None)
    path = Path(given)
    if not path.is_file():
        raise InputError(f"--base {given} is neither a colour such as #7a6a4f nor a raster that exists: correct it")
    return _of_file(path, body, given, tints)


def _published(body: Body, tints: bool) -> ChosenBase:
    name = f"{body.name}-base.tif"
    found, model = published(name), published(BASE_MODEL)
    if found is not None:
        return _of_file(found, body, f"the published base map {found}", tints)
    if model is None:
        raise InputError(
            f"base colours are needed, and {body.name} has no published base map (models/{name}), nor is there a base "
            f"model (models/{BASE_MODEL}): give a raster of its colours or a colour, such as --base "
            "results/planet/default/mars/base.tif or --base '#7a6a4f'"
        )
    trained = load_base_model(model)
    stored = trained.texts.get(_PROVENANCE)
    made = provenance.from_json(stored) if stored else _unknown(model)

    def zonal(source: ElevationRaster, shoreline_m: float) -> BaseMap:
        return zonal_base(trained, source, body, shoreline_m, tints)

    version = ["zonal", code_digest([zonal_base.__module__]), *file_version(model)]
    return ChosenBase(zonal, f"zonal, from latitude and height by {model}", version, made)


def published_generator() -> Path:
    """Find the published generator.

    Raises
    ------
    InputError
        There is none.
    """
    found = published(GENERATOR)
    if found is None:
        raise InputError(f"there is no published generator (models/{GENERATOR}) here: name one with --weights")
    return found


def _provenance_of(path: Path) -> Provenance:
    """Read what a raster says of itself, in a file beside it or in its tags."""
    beside = provenance.beside(path)
    if beside.is_file():
        return provenance.read(beside)
    if path.suffix.lower() in (".tif", ".tiff"):
        with raster.opened(path) as dataset:
            stored = dataset.tags().get(_PROVENANCE)
        if stored:
            return provenance.from_json(stored)
    return _unknown(path)


def _unknown(path: Path) -> Provenance:
    return Provenance((Credit("files", "LicenseRef-Unknown", f"base colours from {path.name}"),))


def say(text: str) -> None:
    """Tell people what was chosen, apart from results."""
    print(text, file=sys.stderr, flush=True)

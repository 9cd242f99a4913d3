"""Open what a mosaic is drawn from: the generator, the heights, and a fingerprint of both."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from terraform.config import Mosaics, overlay, parse
from terraform.digest import Stage, stage_digest
from terraform.errors import ConfigError, InputError
from terraform.geo import raster
from terraform.geo.bodies import EARTH, Body
from terraform.geo.heights import Heights, unpack
from terraform.geo.resample import Axis
from terraform.geo.tile_spec import DEFAULT_TILE
from terraform.learn import weights as weights_file
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.array import read_heights
from terraform.mosaic.base.air_map import ChosenAir
from terraform.mosaic.base.base_map import ChosenBase
from terraform.mosaic.checkpoint import Part, file_version
from terraform.mosaic.elevation import ElevationRaster
from terraform.mosaic.inference import ignored_climate_settings
from terraform.mosaic.policy import hypsometry, low_pass
from terraform.mosaic.terrain import ElevationModel
from terraform.sources.raster.bands import heights_of
from terraform.sources.raster.classify import ANY_BODY, classify_heights, require_heights
from terraform.sources.raster.metadata.declared import METRES, NOTHING, NOWHERE, Declared
from terraform.sources.raster.opening import open_raster

Span = tuple[int, int]

_MISSING = -9999.0
"""No place of any body lies so deep to the metre; many files mark with it what is missing, and do not say so."""


@dataclass(frozen=True)
class Stated:
    """What the user says of a raster and of how it is drawn, beside the settings.

    Attributes
    ----------
    declared : Declared
        Of the file: CRS, body, unit, missing value.
    missing_is_sea : bool
        What missing heights stand for.
    settings : mapping of str to value
        Settings of `mosaics`, nested as there, that hold on every body.
    part : Part, optional
        Only this part of the strips is drawn, for the command that joins them.
    """

    declared: Declared = NOTHING
    missing_is_sea: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    part: Part | None = None

    def settings_on(self, body: Body | None, settings: Mosaics) -> Mosaics:
        """Choose the settings that hold on a body; see `inputs.settings_of`."""
        return settings_of(body, settings, self.settings)

    def require_plane(self) -> None:
        """Refuse what means nothing for heights that lie on no map, instead of dropping it.

        Raises
        ------
        ConfigError
            Some of it was said.
        """
        of = self.declared
        said = {
            "--part": self.part, "--crs": of.crs, "--body": of.body, "--nodata-means sea": self.missing_is_sea,
            "--grid": self.settings.get("grid"),
        }  # fmt: skip
        given = [name for name, value in said.items() if value]
        if given:
            raise ConfigError(
                f"{', '.join(given)}: heights that lie on no map (an .npy, or --pixel-size with --latitude) are of no "
                "body, have no sea and are drawn in one piece: leave it out"
            )

    def identity(self) -> list[Any]:
        """Tell what the strips of a drawing depend on, as values that JSON holds."""
        of = self.declared
        return [of.crs, of.body, of.unit, of.nodata, self.missing_is_sea]


def settings_of(body: Body | None, settings: Mosaics, own: Mapping[str, Any]) -> Mosaics:
    """Choose the settings that hold on a body.

    Earth's heights and latitudes are those that the generator knows: what suits other bodies changes neither.

    Parameters
    ----------
    body : Body or None
        None where it is not known: heights on a plane.
    settings : Mosaics
        Of other bodies.
    own : mapping of str to value
        Settings of `mosaics`, nested as there, that hold on every body, Earth too.

    Raises
    ------
    ConfigError
        One of `own` is wrong.
    """
    chosen = settings.model_dump()
    if body == EARTH:
        floods = "shoreline_m" in own.get("elevation", {})
        chosen |= {"elevation": {"policy": "sea_level" if floods else "clip"}, "climate": {}}
    return parse({"mosaics": overlay(chosen, own)}, "command line").mosaics


def load_generator(weights: Path, settings: Mosaics) -> TrainedGenerator:
    """Load the generator onto the device that the settings name; warn of settings of the climate that it ignores."""
    trained = weights_file.load(weights, device_of(settings))
    if trained.spec != DEFAULT_TILE:
        spec = trained.spec
        print(
            f"{weights} learnt from tiles of {spec.tile_px} pixels of {spec.pixel_m:g} m: what it draws has pixels of "
            f"{spec.pixel_m:g} m",
            flush=True,
        )
    instead = "; base colours follow the settings of climate.<body>, such as mean_temperature_c" * trained.needs_base
    for told in ignored_climate_settings(trained.condition, settings.climate):
        print(f"warning: {told}{instead}", file=sys.stderr, flush=True)
    return trained


def device_of(settings: Mosaics) -> str:
    """Choose the device that the settings name; `auto` is the GPU where there is one."""
    import torch

    if settings.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise InputError("device is cuda, and torch sees no GPU here: use auto or cpu")
    return settings.device


def source_pixel_m(dataset: Any, body: Body) -> float:
    """Give the height of a pixel of a download, metres, or of what it was made from where that is coarser."""
    own = float(abs(dataset.transform.e)) * body.metres_per_degree
    return max(own, float(dataset.tags().get(raster.SOURCE_PIXEL, 0)))


def elevation_raster(dataset: Any, body: Body) -> ElevationRaster:
    """Wrap the heights of an open download."""

    def read(rows: Span, columns: Span) -> Heights:
        heights = unpack(raster.read(dataset, rows, columns))
        _check(dataset.name, heights, body)
        return heights

    t = dataset.transform
    latitudes, longitudes = Axis(t.f, t.e, dataset.height), Axis(t.c, t.a, dataset.width)
    return ElevationRaster(read, latitudes, longitudes, body.metres_per_degree)


def _check(name: str, heights: Heights, body: Body) -> None:
    lowest, highest = float(heights.metres.min()), float(heights.metres.max())
    if lowest < body.lowest_m or highest > body.highest_m:
        raise InputError(
            f"{name} holds {lowest:g} to {highest:g}, heights on {body.name} are {body.lowest_m:g} to "
            f"{body.highest_m:g} m: is it a radius, or another unit? Get heights above the datum in metres"
        )


def plane_heights(path: Path, declared: Declared) -> Heights:
    """Read heights that are to lie on no map: an `.npy`, or a raster with its own unit, scale, masks, missing value.

    Raises
    ------
    InputError
        It is damaged, has no heights at all, or values that are none on any body.
    """
    if path.suffix.lower() == ".npy":
        made = read_heights(path, declared.nodata, METRES[declared.unit or "m"])
    else:
        made = _plane_of_raster(path, declared)
    known = made.metres[~made.void]
    require_heights(float(known.min()), float(known.max()), str(path), ANY_BODY, declared)
    if known.min() == _MISSING:
        raise InputError(f"{path} holds {_MISSING:g}: if that is the missing value, say so with --nodata {_MISSING:g}")
    return made


def _plane_of_raster(path: Path, declared: Declared) -> Heights:
    with open_raster(path, replace(declared, nowhere=True)) as found:
        if found.crs != NOWHERE:
            print(
                f"warning: {path.name} says where it lies ({found.crs}): --pixel-size and --latitude put it on a plane "
                "instead, and the result on no map",
                file=sys.stderr,
                flush=True,
            )
        heights = heights_of(found, ANY_BODY)
        pixels = heights.read((0, heights.height), (0, heights.width))
        sorted_ = classify_heights(pixels, heights, ANY_BODY, missing_is_sea=False)
    if not sorted_.valid.any():
        raise InputError(f"{path} has no heights at all: every pixel is missing")
    return Heights(sorted_.values[..., 0], np.zeros_like(sorted_.valid), ~sorted_.valid)


def elevation_model(source: ElevationRaster, body: Body, settings: Mosaics) -> ElevationModel:
    """Join heights with what the elevation policy needs to know of all of them."""
    broad = low_pass(source) if settings.elevation.policy == "relief" else None
    return ElevationModel(source, settings.elevation, hypsometry(body, source), broad)


def mosaic_fingerprint(
    weights: Path,
    elevation: Path,
    trained: TrainedGenerator,
    settings: Mosaics,
    place: str | list[Any],
    stage: Stage = "mosaic",
    base: ChosenBase | None = None,
    air: ChosenAir | None = None,
) -> dict[str, Any]:
    """List what the strips of a drawing depend on."""
    own = {name: part.version for name, part in (("base", base), ("air", air)) if part is not None}
    return {
        **own,
        "weights": file_version(weights),
        "elevation": file_version(elevation),
        "settings": settings.of_strips(),
        "device": next(iter(trained.network.parameters())).device.type,
        "place": place,
        "code": stage_digest(stage),
    }

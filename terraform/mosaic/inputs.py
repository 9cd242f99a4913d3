"""Open what a mosaic is drawn from: the generator, the heights, and a fingerprint of both."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from terraform.config import Mosaics, overlay, parse
from terraform.digest import Stage, stage_digest
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import EARTH, Body
from terraform.geo.heights import VOID, Heights, unpack
from terraform.geo.resample import Axis
from terraform.geo.tile_spec import DEFAULT_TILE
from terraform.learn import weights as weights_file
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.base.air_map import ChosenAir
from terraform.mosaic.base.base_map import ChosenBase
from terraform.mosaic.checkpoint import file_version
from terraform.mosaic.elevation import ElevationRaster
from terraform.mosaic.inference import ignored_climate_settings
from terraform.mosaic.policy import hypsometry, low_pass
from terraform.mosaic.terrain import ElevationModel

Span = tuple[int, int]


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


def is_download(path: Path) -> bool:
    """Whether a raster was written by this project: then -32767 is sea, and -32768 void."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        return False
    with raster.opened(path) as dataset:
        ours = str(dataset.tags().get("SOFTWARE", "")).startswith("terraform")
        return bool(ours and dataset.dtypes[0] == "int16" and dataset.nodata == VOID)


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

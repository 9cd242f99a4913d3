"""A mosaic of a region: strips drawn by the generator, cross-faded into one georeferenced picture."""

import sys
from pathlib import Path
from typing import Any

from terraform.config import Climate, Elevation, Mosaics
from terraform.digest import stage_digest
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import EARTH, Body
from terraform.geo.heights import Heights, unpack
from terraform.geo.regions import Region
from terraform.geo.resample import Axis
from terraform.learn import weights as weights_file
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.checkpoint import identity_of_file, kept
from terraform.mosaic.elevation import Source
from terraform.mosaic.grid_window import View
from terraform.mosaic.low_pass import broad_average, hypsometry_of
from terraform.mosaic.output import cog, preview
from terraform.mosaic.output import stac as item
from terraform.mosaic.output.metadata import labelled
from terraform.mosaic.output_grid import Chart, own, polar
from terraform.mosaic.pipeline import Painter, paint
from terraform.mosaic.predictor import Artist, unheard
from terraform.mosaic.terrain import Relief

Span = tuple[int, int]


def draw_region(weights: Path, elevation: Path, region: Region, output: Path, settings: Mosaics,
                resume: bool | None = None) -> None:  # fmt: skip
    """Draw a region into a folder: `terraformed.tif`, `preview.jpg` and `item.json`.

    The mosaic is an exact window of the whole-planet equirectangular grid (`bands.Globe`), or lies on another map where
    the settings say so; what lies outside the region's polygon, or has no elevation, is masked.

    Parameters
    ----------
    weights : Path
        A trained generator.
    elevation : Path
        The region's download: int16 heights in degrees, in the body's geographic CRS, with a halo.
    output : Path
        A folder.
    resume : bool or None
        What to do with strips of an unfinished drawing; see `kept`.

    Raises
    ------
    InputError
        Weights or elevation are missing, damaged or of another body.
    ResourceError
        The disk has no room.
    """
    settings = _of_body(settings, region.body)
    trained = load(weights, settings)
    mosaic = output / "terraformed.tif"
    with raster.opened(elevation) as dataset:
        grid = raster.grid_of(dataset)
        if grid.body != region.body:
            raise InputError(f"{elevation} is on {grid.body.name}, region {region.name!r} on {region.body.name}")
        target = _target(region, dataset, settings)
        label = labelled(trained, elevation, pixel_m(dataset, region.body))
        identity = identity_of(weights, elevation, trained, settings, region.fingerprint)
        with kept(mosaic, identity, resume) as strips:
            relief = relief_of(source_of(dataset, grid.body), grid.body, settings)
            paint(Painter(Artist(trained, settings), relief), target, mosaic, settings, label.tags(), strips)
    title = f"{region.title}, terraformed"
    preview.draw(cog.small(mosaic, preview.WIDTH_PX), label.caption(title), output / "preview.jpg")
    item.write(output / "item.json", region.name, title, region.body, target.frame, mosaic.name, label, "preview.jpg")


def _of_body(settings: Mosaics, body: Body) -> Mosaics:
    """Earth's heights and latitudes are those that the generator knows: what suits other bodies changes neither."""
    own = {"elevation": Elevation(policy="clip"), "climate": Climate()}
    return settings.model_copy(update=own) if body == EARTH else settings


def _target(region: Region, dataset: Any, settings: Mosaics) -> View | Chart:
    """The map that the settings name."""
    view = View.of(region.body, region.bounds, region)
    if settings.grid == "polar":
        return polar(region.body, view, region.bounds, region)
    if settings.grid == "input":
        return own(view, dataset.shape, dataset.transform, dataset.crs, region.body, region)
    return view


def identity_of(
    weights: Path, elevation: Path, trained: TrainedGenerator, settings: Mosaics, place: str | list[float]
) -> dict[str, Any]:
    """What the strips of a drawing depend on."""
    return {
        "weights": identity_of_file(weights),
        "elevation": identity_of_file(elevation),
        "settings": settings.of_strips(),
        "device": next(iter(trained.network.parameters())).device.type,
        "place": place,
        "code": stage_digest("mosaic"),
    }


def draw_raster(
    weights: Path,
    elevation: Path,
    output: Path,
    settings: Mosaics,
    pixel_m: float | None = None,
    latitude_deg: float | None = None,
    resume: bool | None = None,
) -> None:
    """Draw any raster of heights of any body into one cloud-optimised GeoTIFF.

    Beside a map lies its STAC item, `<output>.item.json`.

    Whatever the raster's CRS, the result covers it in the equirectangular CRS of its body at 200 m (on the equator),
    on the same whole-planet grid as regions, or on the map that the settings name; nodata stays nodata. A raster
    without a CRS, or an `.npy`, takes a pixel size and a latitude, and the result has 200 m pixels on a plane.

    Parameters
    ----------
    elevation : Path
        Any format that the source `files` reads, or `.npy`, metres.
    output : Path
        The file to write; for an `.npy` also `.png` or `.npy`.
    pixel_m, latitude_deg : float, optional
        For a raster that does not say where it lies.
    resume : bool or None
        What to do with strips of an unfinished drawing; see `kept`.

    Raises
    ------
    InputError
        It is no raster of heights, or its heights look like a radius or another unit.
    """
    from terraform.mosaic import any_raster as anywhere
    from terraform.mosaic import array as plane

    trained = load(weights, settings)
    if elevation.suffix.lower() == ".npy" or (pixel_m is not None and latitude_deg is not None):
        plane.draw(trained, elevation, output, settings, pixel_m, latitude_deg)
    else:
        anywhere.draw(weights, trained, elevation, output, settings, resume)


def load(weights: Path, settings: Mosaics) -> TrainedGenerator:
    """The generator, on the device that the settings name; warns of a climate that it cannot hear of."""
    trained = weights_file.load(weights, device_of(settings))
    for told in unheard(trained.condition, settings.climate):
        print(f"warning: {told}", file=sys.stderr, flush=True)
    return trained


def device_of(settings: Mosaics) -> str:
    """The device that the settings name; `auto` is the GPU where there is one."""
    import torch

    if settings.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise InputError("device is cuda, and torch sees no GPU here: use auto or cpu")
    return settings.device


def pixel_m(dataset: Any, body: Body) -> float:
    """Height of a pixel of a download, metres, or of what it was made from where that is coarser."""
    own = float(abs(dataset.transform.e)) * body.metres_per_degree
    return max(own, float(dataset.tags().get(raster.SOURCE_PIXEL, 0)))


def source_of(dataset: Any, body: Body) -> Source:
    """The heights of an open download."""

    def read(rows: Span, columns: Span) -> Heights:
        heights = unpack(raster.read(dataset, rows, columns))
        _check(dataset.name, heights, body)
        return heights

    t = dataset.transform
    latitudes, longitudes = Axis(t.f, t.e, dataset.height), Axis(t.c, t.a, dataset.width)
    return Source(read, latitudes, longitudes, body.metres_per_degree)


def _check(name: str, heights: Heights, body: Body) -> None:
    lowest, highest = float(heights.metres.min()), float(heights.metres.max())
    if lowest < body.lowest_m or highest > body.highest_m:
        raise InputError(
            f"{name} holds {lowest:g} to {highest:g}, heights on {body.name} are {body.lowest_m:g} to "
            f"{body.highest_m:g} m: is it a radius, or another unit? Get heights above the datum in metres"
        )


def relief_of(source: Source, body: Body, settings: Mosaics) -> Relief:
    """The heights with what the elevation policy needs to know of all of them."""
    broad = broad_average(source) if settings.elevation.policy == "relief" else None
    return Relief(source, settings.elevation, hypsometry_of(body, source), broad)

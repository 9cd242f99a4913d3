"""A mosaic of a region: strips drawn by the generator, cross-faded into one georeferenced picture."""

from pathlib import Path
from typing import Any

from terraform.config import Climate, Elevation, Mosaics
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import EARTH, Body
from terraform.geo.regions import Region
from terraform.mosaic import inputs
from terraform.mosaic.checkpoint import kept
from terraform.mosaic.inference import Artist
from terraform.mosaic.output import cog, preview
from terraform.mosaic.output import stac as item
from terraform.mosaic.output.metadata import labelled
from terraform.mosaic.output_grid import Chart, View, own, polar
from terraform.mosaic.pipeline import Painter, paint

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
    trained = inputs.load(weights, settings)
    mosaic = output / "terraformed.tif"
    with raster.opened(elevation) as dataset:
        grid = raster.grid_of(dataset)
        if grid.body != region.body:
            raise InputError(f"{elevation} is on {grid.body.name}, region {region.name!r} on {region.body.name}")
        target = _target(region, dataset, settings)
        label = labelled(trained, elevation, inputs.pixel_m(dataset, region.body))
        identity = inputs.identity_of(weights, elevation, trained, settings, region.fingerprint)
        with kept(mosaic, identity, resume) as strips:
            relief = inputs.relief_of(inputs.source_of(dataset, grid.body), grid.body, settings)
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

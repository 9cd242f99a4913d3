"""A mosaic of a region: strips drawn by the generator, cross-faded into one georeferenced picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from terraform.config import Mosaics
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.regions import Region
from terraform.mosaic import inputs
from terraform.mosaic.base.air_map import AirChoice
from terraform.mosaic.base.base_map import BaseChoice
from terraform.mosaic.checkpoint import Part, open_checkpoint
from terraform.mosaic.inference import Predictor
from terraform.mosaic.output import cog, preview, stac
from terraform.mosaic.output.metadata import describe
from terraform.mosaic.output_grid import GridWindow, OutputGrid, from_raster, polar_stereographic
from terraform.mosaic.pipeline import StripRenderer, render
from terraform.storage.atomic_write import require_replaceable

Span = tuple[int, int]


def render_region(
    weights: Path,
    elevation: Path,
    region: Region,
    output: Path,
    settings: Mosaics,
    resume: bool | None = None,
    base: BaseChoice | None = None,
    own: Mapping[str, Any] | None = None,
    air: AirChoice | None = None,
    part: Part | None = None,
) -> None:
    """Draw a region into a folder: `terraformed.tif`, `preview.jpg` and `item.json`; of a part, its strips alone.

    The mosaic is an exact window of the whole-planet equirectangular grid (`bands.GlobalGrid`), or lies on another map
    where the settings say so; what lies outside the region's polygon, or has no elevation, is masked.

    Parameters
    ----------
    weights : Path
        A trained generator.
    elevation : Path
        The region's download: int16 heights in degrees, in the body's geographic CRS, with a halo.
    output : Path
        A folder.
    resume : bool or None
        What to do with strips of an unfinished drawing; see `checkpoint`.
    base : BaseChoice, optional
        How base colours are chosen (`base.choice.chooser`), for weights that need them.
    own : mapping, optional
        Settings of `mosaics` that hold on Earth too; see `inputs.settings_of`.
    air : AirChoice, optional
        How the climate is chosen (`base.air_choice.air_chooser`), for weights that know the air's temperature.
    part : Part, optional
        Which part of the strips to draw, for the job that joins them.

    Raises
    ------
    InputError
        Weights or elevation are missing, damaged or of another body.
    ResourceError
        The disk has no room.
    """
    if output.is_file():
        raise InputError(f"{output} is a file: a region is drawn into a folder, name another or leave out --region")
    settings = inputs.settings_of(region.body, settings, own or {})
    trained = inputs.load_generator(weights, settings)
    mosaic = output / "terraformed.tif"
    for path in (mosaic, output / "preview.jpg", output / "item.json"):
        require_replaceable(path)
    with raster.opened(elevation) as dataset:
        grid = raster.grid_of(dataset)
        if grid.body != region.body:
            raise InputError(f"{elevation} is on {grid.body.name}, region {region.name!r} on {region.body.name}")
        chosen = base(trained, region.body) if base else None
        climate = air(trained, region.body) if air else None
        target = _target(region, dataset, settings, trained.spec.pixel_m)
        parts = [part.provenance for part in (chosen, climate) if part and part.provenance]
        label = describe(trained, elevation, inputs.source_pixel_m(dataset, region.body), parts)
        identity = inputs.mosaic_fingerprint(
            weights, elevation, trained, settings, region.fingerprint, base=chosen, air=climate
        )
        with open_checkpoint(mosaic, identity, resume, part) as strips:
            heights = inputs.elevation_raster(dataset, grid.body)
            relief = inputs.elevation_model(heights, grid.body, settings)
            renderer = StripRenderer(
                Predictor(trained, settings),
                relief,
                chosen and chosen.make(heights, relief.shoreline_m),
                climate and climate.make(relief.shoreline_m),
            )
            render(renderer, target, mosaic, settings, label.tags(), strips, part)
    if part is not None:
        return
    title = f"{region.title}, terraformed"
    preview.write_preview(cog.small(mosaic, preview.WIDTH_PX), label.caption(title), output / "preview.jpg")
    stac.write_item(
        output / "item.json", region.name, title, region.body, target.frame, mosaic.name, label, "preview.jpg"
    )


def _target(region: Region, dataset: Any, settings: Mosaics, pixel_m: float) -> GridWindow | OutputGrid:
    """Choose the map that the settings name."""
    view = GridWindow.of(region.body, region.bounds, region, pixel_m)
    if settings.grid == "polar":
        return polar_stereographic(region.body, view, region.bounds, region)
    if settings.grid == "input":
        return from_raster(view, dataset.shape, dataset.transform, dataset.crs, region.body, region)
    return view

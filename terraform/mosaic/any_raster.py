"""Any raster of heights of any body, in any format and CRS with an ellipsoid, drawn as regions are.

It is put on a grid in degrees, as the source `files` does with one's own rasters; from there on a raster is a region
with the raster's bounds. Of a raster in another projection the strips take their heights from the raster itself.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from terraform.config import Mosaics
from terraform.errors import ConfigError, InputError
from terraform.geo import raster as door
from terraform.geo.bodies import Body
from terraform.geo.grid import Bounds, covering_grid
from terraform.geo.heights import Heights
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic import array, inputs
from terraform.mosaic.bands import GlobalGrid
from terraform.mosaic.base.air_choice import choose_air
from terraform.mosaic.base.choice import choose_base
from terraform.mosaic.checkpoint import Part, open_checkpoint
from terraform.mosaic.inference import Predictor
from terraform.mosaic.output import stac
from terraform.mosaic.output.announce import announce
from terraform.mosaic.output.destination import COGS, check_destination, write_picture
from terraform.mosaic.output.metadata import describe
from terraform.mosaic.output.picture_file import PICTURES, check_picture
from terraform.mosaic.output_grid import GridWindow, OutputGrid, from_raster, polar_stereographic
from terraform.mosaic.pipeline import StripRenderer, render
from terraform.sources.raster.assemble import write_heights
from terraform.sources.raster.bands import heights_of
from terraform.sources.raster.classify import classify_heights
from terraform.sources.raster.formats import Raster
from terraform.sources.raster.georeference import (
    GeoreferencedRaster,
    body_of_crs,
    bounds_of,
    georeference,
    require_centric,
)
from terraform.sources.raster.metadata.declared import METRES, NOTHING, Declared
from terraform.sources.raster.opening import open_raster
from terraform.sources.raster.plane import read_plane, require_plane
from terraform.sources.raster.resample import Classify
from terraform.sources.raster.sampling import SampledRaster
from terraform.storage.atomic_write import remove_file

_MANY = 1e9
"""Pixels to draw beyond which a coarser picture may have been meant."""
_STRETCHED = 4.0
"""A picture of so many times the pixels that its ground takes is mostly stretched or void."""


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
        return inputs.settings_of(body, settings, self.settings)

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


def render_raster(
    weights: Path,
    elevation: Path,
    output: Path,
    settings: Mosaics,
    pixel_m: float | None = None,
    latitude_deg: float | None = None,
    resume: bool | None = None,
    base: str | None = None,
    stated: Stated | None = None,
    climate: Path | None = None,
) -> None:
    """Draw any raster of heights of any body into one cloud-optimised GeoTIFF, or into a picture.

    Beside a map lies its STAC item, `<output>.item.json`.

    Whatever the raster's CRS, the result covers it in the equirectangular CRS of its body at 200 m (on the equator),
    on the same whole-planet grid as regions, or on the map that the settings name; nodata stays nodata. A raster
    without a CRS, or an `.npy`, takes a pixel size and a latitude, and the result has 200 m pixels on a plane.

    Parameters
    ----------
    elevation : Path
        Any format that the source `files` reads, or `.npy`, metres.
    output : Path
        The file to write: `.tif`, `.png`, `.jpg` or `.webp`; for heights on a plane also `.npy`.
    settings : Mosaics
        Of other bodies than Earth, whose heights and climate stay as they are (`inputs.settings_of`).
    pixel_m, latitude_deg : float, optional
        For a raster that does not say where it lies.
    resume : bool or None
        What to do with strips of an unfinished drawing; see `checkpoint`.
    base : str, optional
        A raster of base colours, or a colour; see `choose_base`.
    stated : Stated, optional
        What the user says of the raster.
    climate : Path, optional
        `climate.tif`; see `choose_air`.

    Raises
    ------
    InputError
        It is no raster of heights, or its heights look like a radius or another unit; the output cannot be written;
        nothing would be drawn.
    """
    stated = stated or Stated()
    on_a_plane = elevation.suffix.lower() == ".npy" or (pixel_m is not None and latitude_deg is not None)
    suffixes = (*COGS, *PICTURES, ".npy") if on_a_plane else (*COGS, *PICTURES)
    check_destination(output, [weights, elevation, Path(base) if base and base[0] != "#" else None], suffixes)
    if on_a_plane:
        stated.require_plane()
        settings = stated.settings_on(None, settings)
        trained = inputs.load_generator(weights, settings)
        read = partial(plane_heights, elevation, stated.declared)
        array.draw(trained, read, elevation, output, settings, pixel_m, latitude_deg, base, climate)
        return
    if (pixel_m is None) != (latitude_deg is None):
        raise ConfigError("heights on a plane take --pixel-size and --latitude: give both, or neither")
    if not weights.is_file():
        raise InputError(f"{weights} does not exist: train first, or name a weights file")
    render_georeferenced(weights, None, elevation, output, settings, resume, base, stated, climate)


def plane_heights(path: Path, declared: Declared) -> Heights:
    """Read heights that are to lie on no map: an `.npy`, or a raster.

    Raises
    ------
    InputError
        It is damaged, has no heights at all, or values that are none on any body.
    """
    of_array = path.suffix.lower() == ".npy"
    unit_m = METRES[declared.unit or "m"]
    made = array.read_heights(path, declared.nodata, unit_m) if of_array else read_plane(path, declared)
    require_plane(made, path, declared)
    return made


def render_georeferenced(
    weights: Path, trained: TrainedGenerator | None, elevation: Path, output: Path, settings: Mosaics,
    resume: bool | None, base: str | None = None, stated: Stated | None = None, climate: Path | None = None,
) -> None:  # fmt: skip
    """Draw a raster that has a CRS or control of its own with a generator, loaded here or before.

    See `render_raster`.
    """
    stated = stated or Stated()
    with open_raster(elevation, stated.declared) as found:
        body = body_of_crs(found.crs, elevation.name)
        raster = heights_of(found, body)
        require_centric(raster, body)
        placed = georeference(raster, body)
        settings = stated.settings_on(body, settings)
        trained = trained or inputs.load_generator(weights, settings)
        chosen = choose_base(base, trained, body)
        air = choose_air(climate, base, trained, body)
        bounds = bounds_of(placed)
        target = _target(raster, body, bounds, settings, trained.spec.pixel_m)
        check_picture(output, target.frame.height, target.frame.width)
        predictor = Predictor(trained, settings)
        _tell(placed, target, settings, chosen.origin if chosen else "none", predictor)
        parts = [part.provenance for part in (chosen, air) if part and part.provenance]
        label = describe(trained, elevation, placed.pixel_m, parts)
        place = [*bounds, *stated.identity()]
        identity = inputs.mosaic_fingerprint(weights, elevation, trained, settings, place, "raster", chosen, air)
        with open_checkpoint(output, identity, resume, stated.part) as strips:
            degrees = strips.folder / "elevation.tif"
            classify = partial(classify_heights, body=body, missing_is_sea=stated.missing_is_sea)
            # A link is made anew: where it leads, the raster may have moved away.
            if degrees.is_symlink() or not degrees.exists():
                _put_in_degrees(placed, bounds, degrees, inputs.is_download(elevation), classify)
            with door.opened(degrees) as dataset:
                heights = inputs.elevation_raster(dataset, body)
                relief = inputs.elevation_model(heights, body, settings)
                colours = chosen and chosen.make(heights, relief.shoreline_m)
                if placed.axes is None:
                    # Strips read the raster itself; what is in degrees serves what is broad: means, base colours.
                    relief = relief.with_source(SampledRaster(placed, classify))
                renderer = StripRenderer(predictor, relief, colours, air and air.make(relief.shoreline_m))
                picture = output.suffix.lower() in PICTURES
                made = strips.folder / "mosaic.tif" if picture else output
                render(renderer, target, made, settings, label.tags(), strips, stated.part)
                if stated.part is not None:
                    return
                if picture:
                    write_picture(made, output, label.tags())
    title = f"{elevation.name}, terraformed"
    beside = output.with_suffix(".item.json")
    stac.write_item(beside, output.stem, title, body, target.frame, output.name, label)


def _tell(
    placed: GeoreferencedRaster, target: GridWindow | OutputGrid, settings: Mosaics, base: str, predictor: Predictor
) -> None:
    """Say what is going to be drawn, where much finer relief comes out in few pixels, and what takes very many."""
    frame = target.frame
    parts = target.parts if isinstance(target, OutputGrid) else 1
    learnt_m = predictor.trained.spec.pixel_m
    pixel_m = placed.pixel_m if settings.grid == "input" else learnt_m
    announce(placed.body, settings, base, (frame.height, frame.width), pixel_m, predictor, parts)
    pixels = frame.width * frame.height * parts**2
    if pixels > _MANY:
        _say(
            f"warning: {pixels / 1e9:,.0f} billion pixels of {learnt_m:g} m are drawn for this picture; render-planet "
            "draws a whole body at 1/12 degree in seconds"
        )
    own, name = placed.raster, Path(placed.raster.name).name
    needed = own.width * own.height * max(1.0, (placed.pixel_m / learnt_m) ** 2)
    if settings.grid == "equirectangular" and frame.width * frame.height > _STRETCHED * needed:
        _say(
            f"warning: the picture has {frame.width:,} x {frame.height:,} pixels, for near a pole the map of the whole "
            f"{placed.body.name} stretches places: --grid input draws {name} on its own map ({own.width:,} x "
            f"{own.height:,} pixels), --grid polar on a polar one of {learnt_m:g} m"
        )
    if placed.pixel_m < learnt_m / 2 and settings.grid != "input":
        _say(
            f"warning: {name} has {own.width:,} x {own.height:,} pixels of {placed.pixel_m:.3g} m, the picture has "
            f"{frame.width:,} x {frame.height:,} of {learnt_m:g} m, which is what was learnt from: --grid input keeps "
            f"its pixels (what is drawn at {learnt_m:g} m, enlarged); --pixel-size {learnt_m:g} --latitude DEGREES "
            f"draws each of them as if it were {learnt_m:g} m wide, on no map"
        )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _target(raster: Raster, body: Body, bounds: Bounds, settings: Mosaics, pixel_m: float) -> GridWindow | OutputGrid:
    """Choose the map that the settings name."""
    view = GridWindow.of(body, bounds, None, pixel_m)
    if settings.grid == "polar":
        return polar_stereographic(body, view, bounds, None)
    if settings.grid == "input":
        return from_raster(view, (raster.height, raster.width), raster.transform, raster.crs, body, None)
    return view


def _put_in_degrees(
    placed: GeoreferencedRaster, bounds: Bounds, path: Path, download: bool, classify: Classify
) -> None:
    """Write heights on a grid in degrees: the raster's own where it is in degrees, else 200 m or finer."""
    if download:
        # Already what is wanted; its sea must not be taken for a void.
        remove_file(path)
        path.symlink_to(Path(placed.raster.name).resolve())
        return
    window = covering_grid(placed.body, bounds, GlobalGrid(placed.body.radius_m).pixel_deg)
    write_heights(path, window, placed, classify)

"""From a generator to a mosaic, and a picture of a whole body: generate, render-planet."""

from pathlib import Path
from typing import Annotated, Any

import typer

from terraform.commands.options import Configs, Output, configured, region_named
from terraform.config import Mosaics, overlay, parse
from terraform.learn.runtime.malloc import keep_freed

Base = Annotated[
    str | None,
    typer.Option(
        help="Base colours: a raster of the body's colours in any georeference, or a colour such as '#7a6a4f'. "
        "Default: the body's published base map."
    ),
]


def generate(
    elevation: Annotated[Path, typer.Option(help="Any elevation raster of any body.")],
    output: Output,
    weights: Annotated[
        Path | None, typer.Option(help="A trained generator. Default: the published one, models/generator.safetensors.")
    ] = None,
    config: Configs = None,
    region: Annotated[str | None, typer.Option(help="A region to draw; the output is then a folder.")] = None,
    window: Annotated[int | None, typer.Option(help="Side of the generator's windows, pixels.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    policy: Annotated[str | None, typer.Option(help="clip, sea_level, affine, quantile or relief.")] = None,
    shoreline: Annotated[float | None, typer.Option(help="Height of the shoreline, metres above the datum.")] = None,
    grid: Annotated[str | None, typer.Option(help="equirectangular, polar or input.")] = None,
    base: Base = None,
    climate: Annotated[
        Path | None,
        typer.Option(
            help="climate.tif of the body, for a generator that sees the air's temperature. Default: the one beside "
            "--base, the body's published one, or else one of latitude alone."
        ),
    ] = None,
    compression: Annotated[str | None, typer.Option(help="zstd, deflate, jpeg or webp.")] = None,
    resume: Annotated[
        bool | None,
        typer.Option(
            help="Go on from the strips of an unfinished drawing, or fail where they do not fit; --no-resume "
            "starts afresh. By default it goes on where it can."
        ),
    ] = None,
    pixel_size: Annotated[float | None, typer.Option(help="Pixel size of an .npy elevation, metres.")] = None,
    latitude: Annotated[float | None, typer.Option(help="Middle latitude of an .npy elevation, degrees.")] = None,
) -> None:
    """Draw an elevation raster as if it were alive."""
    from terraform.mosaic.any_raster import render_raster
    from terraform.mosaic.base.air_choice import air_chooser
    from terraform.mosaic.base.choice import chooser, published_generator
    from terraform.mosaic.region import render_region

    weights = weights or published_generator()
    keep_freed()
    settings = configured(config, required=region is not None)
    given = {"window_px": window, "device": device, "grid": grid, "compression": compression}
    wanted = _drawn(settings.mosaics, policy=policy, shoreline_m=shoreline, **given)
    if region is not None:
        place, choices = region_named(settings, region), (chooser(base), air_chooser(climate, base))
        render_region(weights, elevation, place, output, wanted, resume, *choices)
    else:
        render_raster(weights, elevation, output, wanted, pixel_size, latitude, resume, base, climate)


def render_planet(
    elevation: Annotated[Path, typer.Option(help="Heights of a whole body, at any resolution.")],
    output: Annotated[Path, typer.Option(help="A .jpg, .png or .tif.")],
    config: Configs = None,
    base: Base = None,
    shoreline: Annotated[float | None, typer.Option(help="Height of the shoreline, metres above the datum.")] = None,
) -> None:
    """Draw a whole body at 1/12 degree: base colours, light on its relief, its sea by depth."""
    from terraform.mosaic.picture import planet

    wanted = _drawn(configured(config, required=False).mosaics, None, shoreline)
    planet.render_planet(base, elevation, output, wanted.elevation.shoreline_m)


def _drawn(settings: Mosaics, policy: str | None, shoreline_m: float | None, **own: Any) -> Mosaics:
    """Lay the settings of the command line over others, checked by the same rules."""
    elevation = {"policy": policy, "shoreline_m": shoreline_m}
    given = {**_given(own), "elevation": _given(elevation)}
    return parse({"mosaics": overlay(settings.model_dump(), given)}, "command line").mosaics


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}

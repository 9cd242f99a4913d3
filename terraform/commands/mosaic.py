"""From a generator to a mosaic, and a picture of a whole body: generate, render-planet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from terraform.commands.options import Output, configured, region_named
from terraform.errors import ConfigError

if TYPE_CHECKING:
    from terraform.config import Config

Base = Annotated[
    str | None,
    typer.Option(
        help="Base colours: a raster of the body's colours in any georeference, or a colour such as '#7a6a4f'. "
        "Default: the body's published base map."
    ),
]


NoData = Annotated[float | None, typer.Option(help="The value that stands for missing heights.")]
Crs = Annotated[
    str | None, typer.Option(help="CRS of the raster, such as IAU_2015:49900; it wins over the file's own.")
]
BodyName = Annotated[
    str | None, typer.Option(help="Body of a raster in degrees (earth, mars, moon, ...); it wins over the file's.")
]
Unit = Annotated[
    Literal["m", "km", "ft", "us-ft"] | None, typer.Option(help="Unit of the heights; it wins over the file's.")
]
NamedConfigs = Annotated[
    list[Path] | None,
    typer.Option("--config", help="Configuration; repeat it for overlays. Default: none; of a region, config.yaml."),
]


def generate(
    elevation: Annotated[Path, typer.Option(help="Any elevation raster of any body.")],
    output: Output,
    weights: Annotated[
        Path | None, typer.Option(help="A trained generator. Default: the published one, models/generator.safetensors.")
    ] = None,
    config: NamedConfigs = None,
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
    part: Annotated[
        str | None,
        typer.Option(
            help="Draw only the strips of one of several parts, such as 2/4; the same command without it joins them."
        ),
    ] = None,
    pixel_size: Annotated[
        float | None, typer.Option(help="Side of a pixel of heights that lie on no map, such as an .npy, metres.")
    ] = None,
    latitude: Annotated[
        float | None, typer.Option(help="Middle latitude of heights that lie on no map, degrees.")
    ] = None,
    nodata: NoData = None,
    nodata_means: Annotated[Literal["sea", "void"], typer.Option(help="What missing heights stand for.")] = "void",
    crs: Crs = None,
    body: BodyName = None,
    unit: Unit = None,
) -> None:
    """Draw an elevation raster as if it were alive.

    The picture is the same in every folder: a config.yaml holds where --config names it, and with --region, for which
    OUTPUT is a folder. Earth keeps its own shoreline and climate; those of a configuration are for other bodies.
    OUTPUT is .tif, .png, .jpg or .webp.
    """
    from terraform.config import parse
    from terraform.learn.runtime.malloc import keep_freed
    from terraform.mosaic.any_raster import Stated, render_raster
    from terraform.mosaic.base.air_choice import air_chooser
    from terraform.mosaic.base.choice import chooser, published_generator
    from terraform.mosaic.checkpoint import Part
    from terraform.mosaic.region import render_region
    from terraform.sources.raster.metadata.declared import Declared

    weights = weights or published_generator()
    keep_freed()
    only = Part.parse(part) if part else None
    settings = configured(config) if region is not None else _named(config)
    elevated = _given({"policy": policy, "shoreline_m": shoreline})
    own = _given({"window_px": window, "device": device, "grid": grid, "compression": compression})
    own |= {"elevation": elevated} if elevated else {}
    parse({"mosaics": own}, "command line")
    declared = Declared(crs, nodata, unit, body and body.lower(), wins=True, options=True)
    if region is not None:
        if declared != Declared(wins=True, options=True) or nodata_means != "void" or pixel_size or latitude:
            raise ConfigError(
                "a region's download says what it is: --crs, --body, --unit, --nodata, --nodata-means, --pixel-size "
                "and --latitude are for other rasters; leave them out, or leave out --region"
            )
        place, air = region_named(settings, region), air_chooser(climate, base)
        render_region(weights, elevation, place, output, settings.mosaics, resume, chooser(base), own, air, only)
    else:
        stated = Stated(declared, nodata_means == "sea", own, only)
        render_raster(weights, elevation, output, settings.mosaics, pixel_size, latitude, resume, base, stated, climate)


def render_planet(
    elevation: Annotated[Path, typer.Option(help="Heights of a whole body, at any resolution.")],
    output: Annotated[Path, typer.Option(help="A .jpg, .png or .tif.")],
    config: NamedConfigs = None,
    base: Base = None,
    shoreline: Annotated[float | None, typer.Option(help="Height of the shoreline, metres above the datum.")] = None,
    nodata: NoData = None,
    crs: Crs = None,
    body: BodyName = None,
    unit: Unit = None,
) -> None:
    """Draw a whole body at 1/12 degree: base colours, light on its relief, its sea by depth."""
    from terraform.mosaic.inputs import settings_of
    from terraform.mosaic.picture import planet
    from terraform.mosaic.picture.ground import body_named_by
    from terraform.sources.raster.metadata.declared import Declared

    declared = Declared(crs, nodata, unit, body and body.lower(), wins=True, options=True)
    own = {"elevation": _given({"shoreline_m": shoreline})}
    chosen = settings_of(body_named_by(elevation, declared), _named(config).mosaics, own)
    planet.render_planet(base, elevation, output, chosen.elevation.shoreline_m, declared=declared)


def _named(config: list[Path] | None) -> "Config":
    """Read the configuration files that were named; the working folder's says nothing of one's own rasters."""
    from terraform.config import Config

    if config:
        return configured(config)
    if Path("config.yaml").is_file():
        typer.echo("config.yaml is not read: name it with --config if its `mosaics` shall hold")
    return Config()


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}

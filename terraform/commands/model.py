"""From pairs to a planet: train, evaluate, generate; a generator for other programs: export-onnx."""

from pathlib import Path
from typing import Annotated, Any

import typer

from terraform.commands.options import Configs, Folders, Output, Weights, by_role, configured, region_named
from terraform.config import Mosaics, overlay, parse
from terraform.learn.runtime.malloc import keep_freed

Base = Annotated[
    str | None,
    typer.Option(
        help="Base colours: a raster of the body's colours in any georeference, or a colour such as '#7a6a4f'. "
        "Default: the body's published base map."
    ),
]


def train(
    pairs: Folders,
    output: Output,
    config: Configs = None,
    resume: Annotated[bool, typer.Option(help="Go on from the saved state, or fail where it does not fit.")] = False,
) -> None:
    """Train a generator on pairs: weights.safetensors, history.csv, regions.csv, samples.png, losses.png, card.md and
    states.

    How is said under `train` in the configuration, every setting with its unit and range in terraform/config. A run
    that was stopped goes on from its last state when the same command is given again. `train.tensorboard: true` writes
    for TensorBoard too (extra `board`). Several GPUs or processes:
    `torchrun --nproc-per-node N -m terraform train ...`; `train.batch` is then that of all together.

    Exit codes: 2 configuration, 3 pairs, 5 memory, disk or a folder in use, 6 losses that stay infinite, 130 and 143
    stopped by Ctrl-C or SIGTERM after saving.
    """
    from terraform.learn import train as learning
    from terraform.learn.runtime import distributed as processes
    from terraform.show import boards

    keep_freed()
    settings = configured(config)
    watch = boards.of_training(output, settings.sheet.high_m, settings.train.tensorboard)
    state = learning.train(by_role(settings, pairs), output, settings, resume, watch)
    if processes.is_first():
        boards.card(output, state, settings)


def evaluate(
    weights: Weights,
    pairs: Folders,
    output: Output,
    config: Configs = None,
    base: Annotated[
        Path | None, typer.Option(help="Base colours of the whole body; by default the smooth colours of the pairs.")
    ] = None,
) -> None:
    """Judge a trained generator on held-out pairs."""
    from terraform.learn import evaluate as judging
    from terraform.pairs.planet_base import read_planet_base
    from terraform.show import boards

    settings = configured(config)
    watch = boards.of_evaluation(output / "boards", settings.sheet.high_m)
    planet = read_planet_base(base) if base is not None else None
    judging.evaluate(weights, by_role(settings, pairs), output, settings, watch, planet)


def draw_networks(output: Output, config: Configs = None) -> None:
    """Draw every generator and discriminator as SVG into a folder; needs the extra `drawings` and Graphviz."""
    from terraform.pairs.relief import channels_of
    from terraform.show import networks

    settings = configured(config, required=False)
    for path in networks.draw(output, channels_of(settings.condition), settings.train):
        typer.echo(path)


def export_onnx(weights: Weights, output: Output) -> None:
    """Write a trained generator as ONNX, compared with the original; needs the extra `onnx`.

    Input `seen`: condition and noise, (N, C, H, W); output `colours`: (N, 3, H, W) in [-1, 1]. How the condition is
    made, licence and attribution are in its metadata.
    """
    from terraform.learn import onnx

    difference = onnx.export(weights, output)
    typer.echo(f"{output}: differs by at most {difference:.2g} levels of 255 from {weights}")


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
    from terraform.mosaic.base.choice import published_generator
    from terraform.mosaic.region import render_region

    weights = weights or published_generator()
    keep_freed()
    settings = configured(config, required=region is not None)
    given = {"window_px": window, "device": device, "grid": grid, "compression": compression}
    wanted = _drawn(settings.mosaics, policy=policy, shoreline_m=shoreline, **given)
    if region is not None:
        render_region(weights, elevation, region_named(settings, region), output, wanted, resume, base)
    else:
        render_raster(weights, elevation, output, wanted, pixel_size, latitude, resume, base)


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
    """The settings with those of the command line over them, checked by the same rules."""
    elevation = {"policy": policy, "shoreline_m": shoreline_m}
    given = {**_given(own), "elevation": _given(elevation)}
    return parse({"mosaics": overlay(settings.model_dump(), given)}, "command line").mosaics


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}

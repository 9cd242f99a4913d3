"""A whole body: simulate-climate, add-temperature, fit-base-model, draw-base-colours."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from terraform.commands.options import Configs, Folder, Output, configured, region_named
from terraform.errors import ConfigError

BodyName = Annotated[Literal["earth", "mars"], typer.Option("--body", help="Which body.")]
Elevation = Annotated[Path, typer.Option(help="Heights of the whole body, as `fetch --planet` writes them.")]
ClimateFile = Annotated[Path, typer.Option("--climate", help="climate.tif, as `simulate-climate` writes it.")]


def simulate_climate(
    body: BodyName,
    elevation: Elevation,
    output: Output,
    config: Configs = None,
    temperature: Annotated[Path | None, typer.Option(help="Observed temperature of the months.")] = None,
    precipitation: Annotated[Path | None, typer.Option(help="Observed precipitation of the months.")] = None,
) -> None:
    """Make the climate of a body into a folder: climate.tif, temperature.jpg, precipitation.jpg, koeppen.png.

    It is that of the rasters where both are given, else simulated from relief and sea with `climate.<body>` of the
    configuration.
    """
    from terraform.planet.climate import make_climate

    settings = configured(config, required=False)
    if (temperature is None) != (precipitation is None):
        raise ConfigError("an observed climate takes --temperature and --precipitation: give both, or neither")
    observed = (temperature, precipitation) if temperature is not None and precipitation is not None else None
    cells = settings.planet.climate_cells_per_degree
    make_climate(elevation, observed, output, getattr(settings.climate, body), cells)


def add_temperature(
    pairs: Folder,
    elevation: Elevation,
    temperature: Annotated[Path, typer.Option(help="Temperature of the months, as `fetch --planet` writes it.")],
) -> None:
    """Add the observed temperature of their places to a folder of pairs, for the channel air_temperature."""
    from terraform.planet import temperature as shoreline

    shoreline.add_temperature(pairs, temperature, elevation)


def fit_base_model(
    elevation: Elevation,
    imagery: Annotated[Path, typer.Option(help="Colours of the whole Earth, as `fetch --planet` writes them.")],
    climate: ClimateFile,
    output: Output,
    config: Configs = None,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="A region that is held out; repeat it. A degree around it is left out too.")
    ] = None,
    match: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of a region's imagery.tif and elevation.tif, as `fetch` writes them, to which the colours are "
            "matched; repeat it."
        ),
    ] = None,
) -> None:
    """Learn base colours of land from Earth into a folder: base-model.safetensors, skill.json."""
    from terraform.planet import base_model

    settings = configured(config, required=False)
    boxes = {name: region_named(settings, name).bounds for name in leave_out or ()}
    base_model.fit_base_model(elevation, imagery, climate, output, settings.basemap, boxes, settings.seed, match or [])


def draw_base_colours(
    base_model: Annotated[Path, typer.Option(help="base-model.safetensors, as `fit-base-model` writes it.")],
    elevation: Elevation,
    climate: ClimateFile,
    output: Output,
    config: Configs = None,
) -> None:
    """Draw the base colours of a body into a folder.

    Writes base.tif (land and sea apart), tints.tif (land by height), preview.jpg.
    """
    from terraform.planet import base_colours

    settings = configured(config, required=False).basemap
    base_colours.draw_base_colours(base_model, elevation, climate, output, settings)


def publish_base(
    folder: Annotated[Path, typer.Argument(help="results/planet/RUN of a run that left nothing out.")],
    output: Annotated[Path, typer.Option(help="A folder.")] = Path("models"),
    body: Annotated[list[str] | None, typer.Option(help="Whose base map; repeat it. Default: earth and mars.")] = None,
    made_by: Annotated[str, typer.Option(help="How the run was made, for the cards.")] = "make models-base",
) -> None:
    """Publish a base model and base maps: small files, with a card for each in README.md."""
    from terraform.planet import publishing

    publishing.publish_base(folder, body or ["earth", "mars"], output, made_by)

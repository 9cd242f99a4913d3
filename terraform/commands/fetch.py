"""From a source to a raster of a region or of a whole body: fetch."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from terraform.commands.options import Configs, Output, configured, region_named
from terraform.errors import ConfigError

if TYPE_CHECKING:
    from terraform.config import Config
    from terraform.sources import PlanetKind


def fetch(
    kind: Annotated[
        Literal["elevation", "imagery", "temperature", "precipitation"],
        typer.Option("--kind", "--what", help="Which raster."),
    ],
    output: Output,
    region: Annotated[str | None, typer.Option(help="Name of a region of the regions file.")] = None,
    planet: Annotated[
        Literal["earth", "mars"] | None, typer.Option(help="Instead of a region: the raster of this whole body.")
    ] = None,
    config: Configs = None,
    accept_new: Annotated[
        bool, typer.Option("--accept-new", help="Accept that the source's files have changed: forget those before.")
    ] = False,
    attempt: Annotated[
        int, typer.Option(min=1, help="From the second on, what a service has just refused is not asked again.")
    ] = 1,
) -> None:
    """Fetch a region's elevation or imagery, or a raster of a whole body, from its source as a GeoTIFF."""
    from terraform.sources.fetch import accept_changes, skip_after_refusal

    settings = configured(config)
    source, work = _task(settings, region, planet, kind, output)
    if accept_new:
        for name in accept_changes(settings, source):
            typer.echo(f"forgotten: {name}")
    with skip_after_refusal(output, attempt):
        work()


def _task(
    config: "Config", region: str | None, planet: str | None, kind: "PlanetKind", output: Path
) -> tuple[str, Callable[[], object]]:
    """Find the source that serves a request of the command line, and what fetches from it."""
    import terraform.sources.fetch as sources
    from terraform.geo.bodies import body_named

    if planet is not None and region is None:
        body = body_named(planet)
        settings = sources.planet_settings_of(config, body, kind)
        return settings.source, lambda: sources.fetch_planet(config, body, kind, output)
    if region is None or planet is not None:
        raise ConfigError("fetch takes --region NAME or --planet BODY: give one of them")
    if kind not in ("elevation", "imagery"):
        raise ConfigError(f"a region has elevation and imagery, {kind} is of a whole body: give --planet instead")
    place = region_named(config, region)
    source = sources.settings_of(config, place, kind).source
    return source, lambda: sources.fetch(config, place, kind, output)

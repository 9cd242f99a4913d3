"""A planet in the browser: export-viewer, view."""

from pathlib import Path
from typing import Annotated

import typer

from terraform.commands.options import Configs, Output, configured
from terraform.errors import ConfigError


def export_viewer(
    elevation: Annotated[Path, typer.Option(help="Heights of the whole body, as `fetch --planet` writes them.")],
    output: Output,
    config: Configs = None,
    base: Annotated[str | None, typer.Option(help="Base colours of the body. Default: its published base map.")] = None,
    climate: Annotated[Path | None, typer.Option(help="climate.tif, as `simulate-climate` writes it.")] = None,
    mosaic: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of a region's terraformed.tif, named after the region; repeat it."),
    ] = None,
    download: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of a region's elevation.tif and imagery.tif, named after the region; repeat it."),
    ] = None,
    observed: Annotated[
        Path | None, typer.Option(help="A picture of the body as it is: any RGB raster of it with a georeference.")
    ] = None,
    body: Annotated[str, typer.Option(help="The body of the map and of the globe.")] = "mars",
    shoreline: Annotated[float | None, typer.Option(help="Height of the shoreline, metres above the datum.")] = None,
    from_cog: Annotated[
        bool | None,
        typer.Option(help="Read mosaics from their files by byte ranges: no tiles, but a server. Default: `viewer`."),
    ] = None,
) -> None:
    """Make a page with map, globe and comparisons into a folder: index.html and tiles, no server needed.

    Mosaics of the body lie on its map; a mosaic of Earth is compared with the imagery of its download.
    """
    from terraform.geo.bodies import body_named
    from terraform.geo.regions import load_regions
    from terraform.viewer.export import ViewerInputs
    from terraform.viewer.export import export_viewer as export

    settings = configured(config, required=False)
    file = Path(settings.regions.file)
    inputs = ViewerInputs(
        body_named(body), base, elevation, climate,
        settings.mosaics.elevation.shoreline_m if shoreline is None else shoreline,
        {name: path / "terraformed.tif" for name, path in _by_name(mosaic).items()},
        _by_name(download), load_regions(file) if file.is_file() else {}, observed,
        settings.viewer.from_cog if from_cog is None else from_cog,
    )  # fmt: skip
    export(inputs, output)


def view(
    folder: Annotated[Path, typer.Argument(help="A viewer, as `export-viewer` makes it.")] = Path("results/viewer"),
    port: Annotated[int, typer.Option(help="0: any that is free.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Serve a viewer on this machine alone, with byte ranges, and open the browser; Ctrl+C ends it."""
    from terraform.viewer.serve import serve

    serve(folder, port, browser)


def _by_name(folders: list[Path] | None) -> dict[str, Path]:
    named = {folder.resolve().name: folder for folder in folders or []}
    if len(named) < len(folders or []):
        raise ConfigError("two folders are named after the same region: give each once")
    return named

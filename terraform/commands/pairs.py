"""From a source to pairs: fetch, cut, sheet, export-pairs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from terraform.commands.options import Configs, Folder, Output, RegionName, configured, region_named


def fetch(
    region: RegionName,
    kind: Annotated[Literal["elevation", "imagery"], typer.Option("--kind", "--what", help="Which raster.")],
    output: Output,
    config: Configs = None,
    accept_new: Annotated[
        bool, typer.Option("--accept-new", help="Accept that the source's files have changed: forget those before.")
    ] = False,
    attempt: Annotated[
        int, typer.Option(min=1, help="From the second on, what a service has just refused is not asked again.")
    ] = 1,
) -> None:
    """Fetch a region's elevation or imagery from its source as a GeoTIFF."""
    from terraform.sources.fetch import accept_changes, skip_after_refusal
    from terraform.sources.fetch import fetch as fetched

    settings = configured(config)
    if accept_new:
        for name in accept_changes(settings, region_named(settings, region), kind):
            typer.echo(f"forgotten: {name}")
    with skip_after_refusal(output, attempt):
        fetched(settings, region_named(settings, region), kind, output)


def cut(
    region: RegionName,
    elevation: Annotated[Path, typer.Option(help="The region's heights, as `fetch` writes them.")],
    imagery: Annotated[Path, typer.Option(help="The region's colours, as `fetch` writes them.")],
    output: Output,
    config: Configs = None,
) -> None:
    """Cut a region's rasters into a folder of pairs."""
    from terraform.pairs import cut as pairs

    settings = configured(config)
    pairs.cut(region_named(settings, region), elevation, imagery, output, settings.pairs)


def sheet(pairs: Folder, output: Output, config: Configs = None) -> None:
    """Draw a region's pairs side by side, to look at."""
    from terraform.pairs import sheet as picture

    picture.draw(pairs, output, configured(config).sheet)


def export_pairs(pairs: Folder, output: Output, config: Configs = None) -> None:
    """Write pairs as the A|B pictures that other pix2pix trainers read."""
    from terraform.pairs.export import export

    count = export(pairs, output, configured(config).sheet)
    typer.echo(f"{count} pairs written to {output}")

"""From rasters to pairs: cut, sheet, export-pairs."""

from pathlib import Path
from typing import Annotated

import typer

from terraform.commands.options import Configs, Folder, Output, RegionName, configured, region_named


def cut(
    region: RegionName,
    elevation: Annotated[Path, typer.Option(help="The region's heights, as `fetch` writes them.")],
    imagery: Annotated[Path, typer.Option(help="The region's colours, as `fetch` writes them.")],
    output: Output,
    config: Configs = None,
) -> None:
    """Cut a region's rasters into a folder of pairs."""
    from terraform.geo.tile_spec import TileSpec
    from terraform.pairs import cut as pairs

    settings = configured(config)
    pairs.cut(region_named(settings, region), elevation, imagery, output, settings.pairs, TileSpec.of(settings.tile))


def sheet(
    pairs: Folder,
    output: Output,
    config: Configs = None,
    card: Annotated[Path | None, typer.Option(help="Where a card of the pairs goes, for those who get them.")] = None,
) -> None:
    """Draw a region's pairs side by side, to look at."""
    from terraform.pairs import sheet as picture

    picture.draw(pairs, output, configured(config).sheet)
    if card is not None:
        from terraform.show import cards

        cards.write_of_pairs(card, pairs)


def export_pairs(pairs: Folder, output: Output, config: Configs = None) -> None:
    """Write pairs as the A|B pictures that other pix2pix trainers read."""
    from terraform.pairs.export import export

    count = export(pairs, output, configured(config).sheet)
    typer.echo(f"{count} pairs written to {output}")

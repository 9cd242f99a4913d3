"""Keeping order: prune, clean, schema."""

from pathlib import Path
from typing import Annotated

import typer

from terraform.commands.options import Configs, configured
from terraform.workflow.cleanup import orphans, remove, results

Yes = Annotated[bool, typer.Option("--yes", help="Remove; without it the list is only shown.")]


def prune(config: Configs = None, yes: Yes = False) -> None:
    """Remove downloads and results of regions that are no longer in the regions file."""
    from terraform.geo.regions import load_regions

    regions = load_regions(configured(config).regions.file)
    _remove(orphans({name: region.body.name for name, region in regions.items()}), yes)


def clean(
    downloads: Annotated[bool, typer.Option("--downloads", help="The downloads in resources/ too.")] = False,
    yes: Yes = False,
) -> None:
    """Remove all results and logs."""
    _remove(results(downloads), yes)


def schema() -> None:
    """Print the schema of config.yaml, as workflow/schemas/config.schema.yaml holds it."""
    from terraform.config import schema_yaml

    typer.echo(schema_yaml(), nl=False)


def _remove(paths: list[Path], yes: bool) -> None:
    for path in paths:
        typer.echo(path)
    if not paths:
        typer.echo("nothing to remove")
    elif yes:
        remove(paths)
    else:
        typer.echo("nothing was removed: run it again with --yes")

"""Keeping order: prune, clean, schema."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from terraform.commands.options import AsJson, Configs, configured
from terraform.errors import ConfigError

Yes = Annotated[bool, typer.Option("--yes", help="Remove; without it the list is only shown.")]


def prune(config: Configs = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove downloads and results of regions that are no longer in the regions file."""
    from terraform.geo.regions import load_regions
    from terraform.workflow.cleanup import orphans, remove

    regions = load_regions(configured(config).regions.file)
    paths = orphans({name: region.body.name for name, region in regions.items()})
    _remove(dict.fromkeys(paths, ""), lambda: remove(paths), yes, as_json)


def clean(
    downloads: Annotated[bool, typer.Option("--downloads", help="The downloads in resources/ too.")] = False,
    stale: Annotated[
        bool,
        typer.Option(
            "--stale",
            help="Instead of results: temporary files and locks of dead processes, states and strips of runs that the "
            "configuration does not name.",
        ),
    ] = False,
    config: Configs = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove all results and logs, or only what is stale; what a living process holds is never removed."""
    from terraform.workflow import cleanup
    from terraform.workflow import stale as left_over

    if not stale:
        paths = cleanup.results(downloads)
        _remove(dict.fromkeys(paths, ""), lambda: cleanup.remove(paths), yes, as_json)
        return
    if downloads:
        raise ConfigError("--stale and --downloads were both given: choose one")
    left = left_over.leftovers(configured(config).run)
    _remove({one.path: one.why for one in left}, lambda: left_over.remove(left), yes, as_json)


def schema() -> None:
    """Print the schema of config.yaml, as workflow/schemas/config.schema.yaml holds it."""
    from terraform.config import schema_yaml

    typer.echo(schema_yaml(), nl=False)


def _remove(paths: dict[Path, str], remove: Callable[[], None], yes: bool, as_json: bool) -> None:
    """Tell what is to be removed, each with what it is where that is known, and remove it if that was asked for."""
    if as_json:
        if yes:
            remove()
        rows = [{"path": str(path), "why": why} for path, why in paths.items()]
        typer.echo(json.dumps({"removed": yes, "paths": rows}, indent=1))
        return
    for path, why in paths.items():
        typer.echo(f"{path}  ({why})" if why else path)
    if not paths:
        typer.echo("nothing to remove")
    elif yes:
        remove()
    else:
        typer.echo("nothing was removed: run it again with --yes")

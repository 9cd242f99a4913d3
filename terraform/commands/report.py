"""What a run is worth: report, compare."""

from pathlib import Path
from typing import Annotated

import typer

from terraform.commands.options import AsJson, Configs, configured
from terraform.errors import ConfigError, InputError


def report(
    config: Configs = None,
    output: Annotated[Path, typer.Option(help="An .html file.")] = Path("results/report.html"),
    command: Annotated[str, typer.Option(help="What makes the run again, for the page.")] = "snakemake --cores 8 all",
) -> None:
    """Make one page of a run from its files: learnt from, losses, metrics, pictures, settings, licences.

    It needs no server and no network. What was not made yet is left out, with a line that says so.
    """
    from terraform.geo.regions import select
    from terraform.report.files import RunFiles
    from terraform.report.page import write_report
    from terraform.workflow.plan import planned

    plan = planned(configured(config))
    names = dict.fromkeys((*plan.paired, *plan.mosaics))
    regions = select(plan.regions, names, plan.config.split.model_dump())
    write_report(RunFiles(plan.config, regions, plan.paired, plan.mosaics, command), output)


def compare(
    runs: Annotated[list[str], typer.Argument(help="Names of evaluated runs, or paths of their metrics.json.")],
    picture: Annotated[Path, typer.Option(help="A .png file.")] = Path("results/evaluation/comparison.png"),
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A row for each metric and run.")] = False,
) -> None:
    """Set the metrics of runs side by side, with their intervals: a table, and a picture.

    What keeps them from being compared, other held-out regions or numbers of pairs, is said.
    """
    from terraform.report import compare as comparing
    from terraform.report import compare_picture, compare_table

    if as_json and as_csv:
        raise ConfigError("--json and --csv were both given: choose one")
    found = comparing.read_runs(runs, Path())
    lines = comparing.lines_of(found)
    if not lines:
        raise InputError("none of the runs has a score of its generator: evaluate them again")
    compare_picture.draw(picture, found, lines)
    if as_json or as_csv:
        typer.echo((comparing.as_json if as_json else comparing.as_csv)(found, lines).rstrip("\n"))
    else:
        compare_table.show(found, lines)
        typer.echo(f"as a picture: {picture}")

"""What a run is worth: report, compare."""

from pathlib import Path
from typing import Annotated

import typer

from terraform.commands.options import Configs, configured


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

"""The configuration: show, validate, set."""

import json
from pathlib import Path
from typing import Annotated

import typer

from terraform.commands.options import AsJson, Configs, configured

app = typer.Typer(help="Show, check or change the configuration.", no_args_is_help=True)


@app.command()
def show(
    section: Annotated[str | None, typer.Argument(help="Only this part, such as train or mosaics.elevation.")] = None,
    config: Configs = None,
    as_json: AsJson = False,
) -> None:
    """Print every setting that holds, and behind it where it comes from: a file, or the default."""
    from terraform.config.origins import told, told_as_json

    default = Path("config.yaml")
    paths = config or [default] * default.exists()
    typer.echo(told_as_json(paths, section) if as_json else told(paths, section), nl=as_json)


@app.command()
def validate(config: Configs = None, as_json: AsJson = False) -> None:
    """Check configuration and regions as a run does, and say what it would do; exit code 2 where something is wrong."""
    from terraform.workflow.plan import planned

    plan = planned(configured(config))
    if as_json:
        regions = {"learning": plan.learning, "testing": plan.testing, "mosaics": plan.mosaics}
        typer.echo(json.dumps({"run": plan.config.run} | {role: list(names) for role, names in regions.items()}))
        return
    for what, names in (("learns from", plan.learning), ("is tested on", plan.testing), ("draws", plan.mosaics)):
        typer.echo(f"run {plan.config.run} {what}: {', '.join(names) or 'nothing'}")


@app.command("set")
def set_(
    assignments: Annotated[list[str], typer.Argument(help="Such as train.total_images=5; the value is YAML.")],
    config: Annotated[Path, typer.Option(help="The file to change; its comments stay.")] = Path("config.yaml"),
) -> None:
    """Change settings in a configuration file, one after the other; a wrong one changes nothing and ends it."""
    from terraform.config.origins import set_value

    for assignment in assignments:
        set_value(config, assignment)
        typer.echo(f"{config}: {assignment}")

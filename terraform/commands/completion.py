"""What a shell needs to complete commands and options: completion."""

import os
from typing import Annotated, Literal

import typer

PROGRAM = "terraform-planets"
_VARIABLE = "_TERRAFORM_PLANETS_COMPLETE"
"""Set by the script of a shell when it asks what can follow."""


def completion(shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Which shell.")]) -> None:
    """Print what makes a shell complete `terraform-planets`: eval "$(terraform-planets completion bash)"."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=_VARIABLE, shell=shell))


def prepare() -> None:
    """Have typer answer the scripts of shells; it costs nothing where none asks."""
    if _VARIABLE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()

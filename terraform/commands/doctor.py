"""Before a run: doctor."""

import json
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from terraform.commands.options import AsJson, Configs, configured

if TYPE_CHECKING:
    from terraform.config import Config
    from terraform.doctor import Check, Finding

_MARKS = {"ok": "ok     ", "warning": "warning", "failure": "FAILURE"}


def doctor(
    config: Configs = None,
    online: Annotated[bool, typer.Option("--online", help="Ask each configured service for a small piece.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check this machine, the accounts and, on demand, the services; say what to do about each failure."""
    from terraform.doctor import as_json as in_json
    from terraform.doctor import examine, failed, machine

    settings = configured(config, required=False)
    checks: list[tuple[str, Check]] = [
        ("versions", machine.versions), ("gdal", machine.gdal), ("proj", machine.proj),
        ("disk", partial(machine.disk, settings)), ("memory", machine.memory),
        ("shared memory", machine.shared_memory), ("gpu", partial(machine.graphics, settings)),
        *_of_services(settings, online),
    ]  # fmt: skip
    findings: list[Finding] = []
    for name, check in checks:
        made = examine(name, check)
        findings += made
        if not as_json:
            typer.echo("\n".join(map(_line, made)))
    if as_json:
        typer.echo(json.dumps(in_json(findings), indent=1))
    if failed(findings):
        raise typer.Exit(1)


def _of_services(settings: "Config", online: bool) -> list[tuple[str, "Check"]]:
    try:
        from terraform.doctor import services
    except ImportError as error:  # the versions above say which package is missing
        return [("services", partial(_missing, str(error.name)))]
    return [("accounts", partial(services.accounts, settings)), *(services.online(settings) if online else [])]


def _missing(package: str) -> Iterator["Finding"]:
    from terraform.doctor import Finding

    yield Finding("services", "failure", f"cannot be looked at without {package}", "run `make setup`")


def _line(finding: "Finding") -> str:
    remedy = f"\n        -> {finding.remedy}" if finding.remedy else ""
    return f"{_MARKS[finding.state]} {finding.name}: {finding.says}{remedy}"

"""Looks at everything a run needs before it starts: the machine, the accounts, and on demand the services."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from terraform.errors import TerraformError

State = Literal["ok", "warning", "failure"]


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes
    ----------
    name : str
        What was looked at.
    state : {"ok", "warning", "failure"}
        A warning lets a run go on, a failure does not.
    says : str
        What is there; never a credential, a project or a place in a home folder.
    remedy : str
        What to do; empty where all is well.
    """

    name: str
    state: State
    says: str
    remedy: str = ""


Check = Callable[[], Iterator[Finding]]


def examine(name: str, check: Check) -> list[Finding]:
    """Collect the findings of a check; what it raises is a finding too."""
    found: list[Finding] = []
    try:
        found.extend(check())
    except TerraformError as error:
        found.append(Finding(name, "failure", str(error), "the message says what to do"))
    except Exception as error:
        # The text of a foreign exception may hold a path or an address with a key.
        found.append(
            Finding(name, "failure", f"the check itself failed ({type(error).__name__})", "install the package anew")
        )
    return found


def as_json(findings: list[Finding]) -> dict[str, Any]:
    """For machines."""
    return {"ok": not failed(findings), "findings": [asdict(finding) for finding in findings]}


def failed(findings: list[Finding]) -> bool:
    """Something must be mended before a run."""
    return any(finding.state == "failure" for finding in findings)

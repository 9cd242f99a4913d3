"""A run that is finished and shall be longer: said before Snakemake starts it afresh."""

import json
import shlex
from pathlib import Path
from typing import Any

from terraform.config import renamed
from terraform.workflow.plan import Plan


def how_to_continue(plan: Plan, config_file: Path) -> str | None:
    """Say how a finished run is continued where only `train.total_images` was raised.

    Parameters
    ----------
    plan : Plan
        What is going to be done.
    config_file : Path
        The configuration that holds, as jobs read it.

    Returns
    -------
    str or None
        One line; None where nothing was raised, or the longer run has begun.
    """
    model = Path("results", "model", plan.config.run)
    wanted = json.loads(json.dumps(plan.config.of_training()))
    total = wanted["train"].pop("total_images")
    begun = [_settings(path) for path in sorted(model.glob("state/*/settings.json"))]
    same = [shown for old, shown in begun if _like(old, wanted)]
    if not same or max(same) >= total:
        return None
    pairs = " ".join(f"results/pairs/{name}" for name in plan.paired)
    count = plan.config.train.gpus
    start = "python -m" if count == 1 else f"torchrun --standalone --nproc-per-node {count} -m"
    command = f"{start} terraform train --continue --config {shlex.quote(str(config_file))} --output {model} {pairs}"
    return (
        f"run {plan.config.run} has weights of {max(same):,} images and train.total_images is {total:,}: training "
        f"starts afresh; to continue it instead, stop, and give this before the same command: {command}"
    )


def _settings(path: Path) -> tuple[dict[str, Any], int]:
    """Read the settings of a run, without how many images it sees, and that number; empty where they cannot be read."""
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
        train = renamed("train", old["train"])
        return {**old, "train": train}, int(train.pop("total_images"))
    except (OSError, ValueError, KeyError, TypeError):
        return {}, 0


def _like(old: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(name in old and old[name] == value for name, value in wanted.items())

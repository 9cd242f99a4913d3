"""The weights of the last finished run, kept until better ones are published.

Snakemake removes the weights before it trains anew; the states of earlier runs stay, and with them their best weights.
"""

import json
import shutil
from pathlib import Path

from terraform.learn.runtime.checkpoint import states_in
from terraform.storage.atomic_write import atomic_write

PUBLISHED = "weights.safetensors"
EARLIER = "earlier-weights.safetensors"


def keep_earlier(output: Path) -> Path | None:
    """Keep the weights of the last finished run under another name while those of the new one are not there.

    Parameters
    ----------
    output : Path
        Folder of the model.

    Returns
    -------
    Path or None
        Where they are; None where the published ones are still there, or no run was ever finished.
    """
    kept = output / EARLIER
    if (output / PUBLISHED).exists():
        return None
    finished = [best for folder in (output / "state").glob("*") if (best := _finished(folder)) is not None]
    if finished:
        newest = max(finished, key=lambda best: best.stat().st_mtime_ns)
        with atomic_write(kept) as temporary:
            shutil.copyfile(newest, temporary)
    return kept if kept.exists() else None


def drop_earlier(output: Path) -> None:
    """Remove what `keep_earlier` kept, once new weights are published."""
    if (output / PUBLISHED).exists():
        (output / EARLIER).unlink(missing_ok=True)


def _finished(folder: Path) -> Path | None:
    """Find the best weights of a run that has seen all of its images; None where it has not."""
    try:
        total = json.loads((folder / "settings.json").read_text(encoding="utf-8"))["train"]["total_images"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    newest = next(states_in(folder), None)
    if newest is None or newest.images < total or not newest.best_in(folder).is_file():
        return None
    return newest.best_in(folder)

"""The weights of the last finished run, kept until better ones are published.

Snakemake removes the weights before it trains anew; the states of earlier runs stay, and with them their best weights.
"""

import json
import shutil
from pathlib import Path

from terraform.storage.atomic_write import atomic_write, remove_file
from terraform.storage.hashing import sha256_of

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
    finished = list(filter(None, map(_best_of, (output / "state").glob("*"))))
    if finished:
        newest = max(finished, key=lambda best: best.stat().st_mtime_ns)
        with atomic_write(kept) as temporary:
            shutil.copyfile(newest, temporary)
    return kept if kept.exists() else None


def drop_earlier(output: Path) -> None:
    """Remove what `keep_earlier` kept, once new weights are published."""
    if (output / PUBLISHED).exists():
        remove_file(output / EARLIER)


def _best_of(folder: Path) -> Path | None:
    """Find the best weights of a run that has seen all of its images, if they are whole."""
    newest = max(folder.glob("images-*.json"), default=None)
    if newest is None:
        return None
    try:
        total = json.loads((folder / "settings.json").read_text(encoding="utf-8"))["train"]["total_images"]
        state = json.loads(newest.read_text(encoding="utf-8"))
        best = folder / f"best-{state['best_images']:09d}.safetensors"
        whole = int(newest.stem.partition("-")[2]) >= total and sha256_of(best) == state["best_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return best if whole else None

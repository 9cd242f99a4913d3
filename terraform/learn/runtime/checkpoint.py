"""A run's state on disk: the newest two, each one file of tensors and one of state with its digest."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from terraform.storage.atomic_write import atomic_write, write_text
from terraform.storage.hashing import sha256_of

_KEPT = 2


@dataclass
class TrainState:
    """Where a run stands.

    Attributes
    ----------
    images, steps : int
        Images seen and steps made.
    seconds : float
        Time spent so far, over all resumptions.
    waited : float
        Of it, seconds in which steps waited for pairs to be read.
    history : list of rows
        One per line of `history.csv`.
    best : float
        Lowest distance so far by `train.checkpoint_metric`; infinite before the first.
    best_images : int
        Images seen at the best.
    """

    images: int = 0
    steps: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    best: float = float("inf")
    best_images: int = 0


def save(folder: Path, state: TrainState, tensors: dict[str, Tensor]) -> None:
    """Publish a state, then drop those older than the newest two."""
    path = folder / f"images-{state.images:09d}.safetensors"
    with atomic_write(path) as temporary:
        save_file(tensors, temporary)
        digest = sha256_of(temporary)
    write_text(path.with_suffix(".json"), json.dumps({"sha256": digest, **asdict(state)}))
    for old in sorted(folder.glob("images-*.safetensors"))[:-_KEPT]:
        old.with_suffix(".json").unlink(missing_ok=True)
        old.unlink()


def latest(folder: Path) -> tuple[TrainState, dict[str, Tensor], list[str]] | None:
    """The newest state that is whole, and a line for each newer one that is not; None when there is none."""
    complaints: list[str] = []
    either = {
        path.with_suffix(".safetensors") for path in folder.glob("images-*") if path.suffix in (".safetensors", ".json")
    }
    for path in sorted(either, reverse=True):
        try:
            document: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
            if document.pop("sha256") != sha256_of(path):
                raise ValueError("its digest differs")
            return TrainState(**document), load_file(path), complaints
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            complaints.append(f"{path} is damaged ({error}): going on from the state before")
    return None

"""A run's state on disk: the newest two, each one file of tensors and one of state with its digest."""

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from terraform.errors import InputError, IntegrityError
from terraform.storage.atomic_write import atomic_write, remove_file, write_text
from terraform.storage.hashing import sha256_of

FORMAT = 3
"""3: the best weights are named by their images and have a digest.
2: rows of the history as `Row`, L1 by region in a table of its own. States without a number are of format 1."""
_KEPT = 2


@dataclass
class Row:
    """A row of the history: means over the steps since the row before, and a validation where one was due.

    Attributes
    ----------
    images : int
        Images seen.
    seconds, waited : float
        Time spent, and of it time in which steps waited for pairs to be read.
    epochs : float
        How often every pair was seen.
    lr : float
        The generator's learning rate.
    g_adv, g_l1, d_real, d_fake : float
        Losses.
    skipped : int
        Steps skipped because losses or gradients were non-finite.
    val_l1, val_swd : float, optional
        Distances on held-out pairs: L1 in levels of 255, sliced Wasserstein.
    train_l1 : float, optional
        `val_l1` of pairs that were trained on.
    mode_gap : float, optional
        What the statistics of a batch would change of the pictures, levels of 255.
    val_spread : float, optional
        Standard deviation of generated over that of real pictures.
    best : float, optional
        1 where the weights were kept.
    by_region : dict
        L1 in levels of 255 by role ("train", "validation") and region.
    """

    images: int
    seconds: float
    waited: float
    epochs: float
    lr: float
    g_adv: float
    g_l1: float
    d_real: float
    d_fake: float
    skipped: int
    val_l1: float | None = None
    val_swd: float | None = None
    train_l1: float | None = None
    mode_gap: float | None = None
    val_spread: float | None = None
    best: float | None = None
    by_region: dict[str, dict[str, float]] = field(default_factory=dict)

    def scalars(self) -> dict[str, float]:
        """List the numbers of the row by name, without those by region."""
        named = {name: value for name, value in asdict(self).items() if name != "by_region"}
        return {name: value for name, value in named.items() if value is not None}


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
    history : list of Row
        One per line of `history.csv`.
    best : float
        Lowest distance so far by `train.checkpoint_metric`; infinite before the first.
    best_images : int
        Images seen at the best.
    best_sha256 : str
        Digest of the best weights' file; empty before the first.
    """

    images: int = 0
    steps: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    history: list[Row] = field(default_factory=list)
    best: float = float("inf")
    best_images: int = 0
    best_sha256: str = ""

    def best_in(self, folder: Path) -> Path:
        """Name the file of the best weights: each state has its own, so that none is lost by resuming an older one."""
        return folder / f"best-{self.best_images:09d}.safetensors"


_STATE = TypeAdapter(TrainState)


def save(folder: Path, state: TrainState, tensors: dict[str, Tensor]) -> None:
    """Publish a state, then drop those older than the newest two, and the best weights that none names any more."""
    path = folder / f"images-{state.images:09d}.safetensors"
    with atomic_write(path) as temporary:
        save_file(tensors, temporary)
    write_text(path.with_suffix(".json"), json.dumps({"format": FORMAT, "sha256": sha256_of(path), **asdict(state)}))
    for old in sorted(folder.glob("images-*.safetensors"))[:-_KEPT]:
        remove_file(old.with_suffix(".json"))
        remove_file(old)
    named = {state.best_in(folder), *(found.best_in(folder) for found in _states_in(folder))}
    for weights in set(folder.glob("best-*.safetensors")) - named:
        remove_file(weights)


def latest(folder: Path) -> tuple[TrainState, dict[str, Tensor], list[str]] | None:
    """Read the newest state that is whole, as are the best weights that it names.

    Where no state has its best weights any more, the newest is resumed as if it had had none.

    Returns
    -------
    (TrainState, dict of Tensor, list of str) or None
        The state, its tensors, and a line for each newer one that is damaged; None when there is none.

    Raises
    ------
    InputError
        A state is of another format.
    """
    require_format(folder)
    complaints: list[str] = []
    without_best: tuple[TrainState, dict[str, Tensor]] | None = None
    for path in _names_in(folder):
        try:
            state, digest = _read(path)
            if digest != sha256_of(path):
                raise ValueError("its digest differs")
            if _has_best(folder, state):
                return state, load_file(path), complaints
            complaints.append(f"{state.best_in(folder)} is damaged: resuming from a state before it")
            without_best = without_best or (state, load_file(path))
        except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
            complaints.append(f"{path} is damaged ({error}): resuming from the state before")
    if without_best is None:
        return None
    state, tensors = without_best
    complaints.append(f"no state has its best weights: resuming from {state.images} images, the best is sought anew")
    return replace(state, best=float("inf"), best_images=0, best_sha256=""), tensors, complaints


def _names_in(folder: Path) -> list[Path]:
    """Name the tensors of all states, newest first, also of those of which only the other file is there."""
    files = (path for path in folder.glob("images-*") if path.suffix in (".safetensors", ".json"))
    return sorted({path.with_suffix(".safetensors") for path in files}, reverse=True)


def _read(path: Path) -> tuple[TrainState, str]:
    """Read what is said of a state's tensors, and their digest."""
    document = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError("its description is no JSON object")
    return _STATE.validate_python(document), str(document["sha256"])


def _states_in(folder: Path) -> Iterator[TrainState]:
    for path in _names_in(folder):
        with suppress(OSError, ValueError, KeyError, RecursionError):
            yield _read(path)[0]


def _has_best(folder: Path, state: TrainState) -> bool:
    best = state.best_in(folder)
    return not state.best_images or (best.is_file() and sha256_of(best) == state.best_sha256)


def publish_best(folder: Path, state: TrainState, output: Path) -> None:
    """Publish the best weights of a run, unless they broke since they were kept.

    Raises
    ------
    IntegrityError
        They are not those that the state names.
    """
    best = state.best_in(folder)

    def verify(copied: Path) -> None:
        if sha256_of(copied) != state.best_sha256:
            raise IntegrityError(f"{best} is damaged: run the same command to resume from a state before it")

    with atomic_write(output, verify) as temporary:
        shutil.copyfile(best, temporary)


def require_format(folder: Path) -> None:
    """Refuse the states of a folder that another version of the program wrote.

    Raises
    ------
    InputError
        A state is of another format: what it says of the run cannot be carried over.
    """
    for path in sorted(folder.glob("images-*.json"), reverse=True):
        try:
            found = json.loads(path.read_text()).get("format", 1)
        except (OSError, ValueError, AttributeError, RecursionError):
            continue  # damaged: `latest` says so
        if found != FORMAT:
            raise InputError(
                f"{path.with_suffix('')} is a state of format {found}, this version reads {FORMAT} and cannot "
                "carry over its history: finish that run with the version of terraform that began it, or remove its "
                "folder and start from scratch"
            )

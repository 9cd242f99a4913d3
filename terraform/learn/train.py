"""The training loop: batches in a fixed order, validation, the best weights, states to go on from."""

import csv
import io
import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from terraform.config import Config
from terraform.errors import ConfigError, InputError, IntegrityError
from terraform.learn import state, weights
from terraform.learn.augment import Batch, plain_draw, prepare
from terraform.learn.dataset import Collection, Stored, by_role
from terraform.learn.identity import identity_of, state_folder
from terraform.learn.learner import LOSSES, Learner
from terraform.learn.metrics import l1, sliced_wasserstein
from terraform.learn.order import draws, samples
from terraform.learn.signals import Stopped, noted_signals
from terraform.learn.state import Counters
from terraform.pairs.relief import channels_of
from terraform.publish import publish, write_text

COLUMNS = ("images", "seconds", *LOSSES, "lr", "val_l1", "val_swd")
_ROWS = 100
_STATISTICS_IMAGES = 32
_BOARD_PAIRS = 6
_LEAST_PAIRS = 4


class Board(NamedTuple):
    """Some held-out pairs as they stand.

    Attributes
    ----------
    stored : Stored
    generated : (N, 3, 256, 256) float32, [-1, 1]
    """

    stored: Stored
    generated: Tensor


Watch = Callable[[Counters, Board], None]
"""What is told of every validation: it draws plots and boards."""


@dataclass(frozen=True)
class _Run:
    """What stays the same during a run."""

    config: Config
    learner: Learner
    train: Collection
    validation: Collection
    folder: Path
    device: torch.device


def train(folders: Mapping[str, Sequence[Path]], output: Path, config: Config, resume: bool, watch: Watch) -> Counters:
    """Train a generator and write `weights.safetensors` and `history.csv` into `output`.

    A run with the same settings and pairs that was interrupted goes on from its last state; other settings start
    afresh.

    Parameters
    ----------
    folders : mapping of role ("train", "validation", "test") to folders of pairs
        Nothing that overlaps a validation or test pair is trained on.
    output : Path
    resume : bool
        Refuse to start afresh.
    watch : callable
        Told of every validation.

    Returns
    -------
    Counters
        Where the run ended, with its history.

    Raises
    ------
    ConfigError, InputError
        A role has no pairs; there is nothing to resume.
    IntegrityError
        Losses stay infinite.
    Stopped
        By a signal, after saving.
    """
    roles = by_role(folders)
    for role in ("train", "validation"):
        if role not in roles:
            raise ConfigError(
                f"no region has the role {role!r}: set it in regions.geojson or under `split` in config.yaml"
            )
    if len(roles["train"]) < _LEAST_PAIRS:
        raise InputError(
            f"{len(roles['train'])} pairs to train on, at least {_LEAST_PAIRS} are needed: enlarge a region in "
            "regions.geojson or add one"
        )
    folder = state_folder(output, identity_of(config, roles), resume)
    device = _device(config.train.device)
    learner = Learner(config.train, channels_of(config.condition), config.seed, device)
    run = _Run(config, learner, roles["train"], roles["validation"], folder, device)
    counters = _restored(run)
    _say(f"{len(run.train)} pairs to train on, {len(run.validation)} held out; {config.train.network} of "
         f"{weights.parameters_of(learner.generator):,} values on {device}; {counters.images} of {config.train.images} "
         "images seen")  # fmt: skip
    with noted_signals() as received:
        _loop(run, counters, received, watch)
    write_text(output / "history.csv", history_csv(counters))
    with publish(output / "weights.safetensors") as temporary:
        shutil.copyfile(folder / "best.safetensors", temporary)
    _say(f"kept the weights of {counters.best_images} images: sliced Wasserstein {counters.best:.1f} on held-out pairs")
    return counters


def history_csv(counters: Counters) -> str:
    """The history as CSV, one row a line, empty where nothing was validated."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in counters.history:
        writer.writerow({name: f"{value:.6g}" for name, value in row.items()})
    return text.getvalue()


def _loop(run: _Run, counters: Counters, received: list[int], watch: Watch) -> None:
    settings = run.config.train
    row_images = max(settings.batch, settings.images // _ROWS // settings.batch * settings.batch)
    sums = torch.tensor(counters.sums, device=run.device)
    started = time.monotonic() - counters.seconds
    for first, batch in _batches(run, counters.images):
        sums += run.learner.step(batch, first / settings.images)
        before, counters.images, counters.steps = counters.images, first + settings.batch, run.learner.steps
        counters.seconds = time.monotonic() - started
        last = counters.images >= settings.images
        if last or _crossed(before, counters.images, row_images):
            _add_row(run, counters, sums)
            if last or _crossed(_row_before(counters), counters.images, settings.validate_every):
                _validate(run, counters, watch)
            _say(_progress(counters, settings.images))
        if received or last or _crossed(before, counters.images, settings.state_every):
            counters.sums = sums.tolist()
            state.save(run.folder, counters, run.learner.tensors())
        if received:
            raise Stopped(received[0])


def _add_row(run: _Run, counters: Counters, sums: Tensor) -> None:
    """End a row of the history: the mean losses since the row before."""
    settings = run.config.train
    steps = (counters.images - _row_before(counters, 1)) // settings.batch
    losses = (sums / steps).tolist()
    _check_finite(losses, counters)
    rate = run.learner.rate((counters.images - settings.batch) / settings.images)
    named = dict(zip(LOSSES, losses, strict=True))
    counters.history.append({"images": counters.images, "seconds": counters.seconds, **named, "lr": rate})
    sums.zero_()


def _row_before(counters: Counters, back: int = 2) -> int:
    return int(counters.history[-back]["images"]) if len(counters.history) >= back else 0


def _batches(run: _Run, first: int) -> Iterator[tuple[int, Batch]]:
    """Batches from image `first` on; the next one is read while a step runs."""
    settings, size = run.config.train, len(run.train)

    def stored(image: int) -> Stored:
        return run.train.read(samples(run.config.seed, image, settings.batch, size))

    starts = range(first, settings.images, settings.batch)
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(stored, first)
        for image in starts:
            current = following.result()
            following = reader.submit(stored, image + settings.batch)
            yield image, _prepared(run, current, image, settings.jitter)


def _prepared(run: _Run, stored: Stored, image: int, jitter: str) -> Batch:
    config = run.config
    count = len(stored.imagery)
    draw = plain_draw(count) if jitter == "none" else draws(config.seed, image, count)
    on_device = Stored(*(tensor.to(run.device, non_blocking=True) for tensor in stored))
    return prepare(on_device, draw, jitter, config.train.noise, config.condition, config.sheet)


def _validate(run: _Run, counters: Counters, watch: Watch) -> None:
    network = _deployable(run)
    chosen = run.validation.spread(run.config.train.validation_pairs)
    pictures = [_draw(run, network, run.validation.read(part)) for part in np.array_split(chosen, -(-len(chosen) // 4))]
    generated, real, valid = (torch.cat(parts) for parts in zip(*pictures, strict=True))
    distance = sliced_wasserstein(generated * valid, real * valid)
    counters.history[-1] |= {"val_l1": l1(generated, real, valid), "val_swd": distance}
    if distance < counters.best:
        counters.best, counters.best_images = distance, counters.images
        config, made = run.config, run.train.provenance
        weights.save(run.folder / "best.safetensors", network, config.condition, config.sheet, config.train, made)
    board = run.validation.read(run.validation.spread(_BOARD_PAIRS))
    watch(counters, Board(board, _draw(run, network, board)[0]))


def _deployable(run: _Run) -> nn.Module:
    batch, size = run.config.train.batch, len(run.train)
    batches = [
        _prepared(run, run.train.read(samples(run.config.seed, image, batch, size)), image, run.config.train.jitter)
        for image in range(0, _STATISTICS_IMAGES, batch)
    ]
    return run.learner.deployable(batches)


def _draw(run: _Run, network: nn.Module, stored: Stored) -> tuple[Tensor, Tensor, Tensor]:
    batch = _prepared(run, stored, 0, "none")
    with torch.no_grad():
        return network(batch.seen).float().cpu(), batch.imagery.cpu(), batch.valid.cpu()


def _restored(run: _Run) -> Counters:
    found = state.newest(run.folder)
    if found is None:
        return Counters()
    counters, tensors, complaints = found
    for complaint in complaints:
        _say(complaint)
    run.learner.restore(tensors, counters.steps)
    return counters


def _check_finite(losses: list[float], counters: Counters) -> None:
    if not all(math.isfinite(loss) for loss in losses):
        named = ", ".join(f"{name} {loss:g}" for name, loss in zip(LOSSES, losses, strict=True))
        raise IntegrityError(
            f"the losses are no numbers any more at {counters.images} images ({named}): lower train.rate or use "
            "precision fp32; the last good weights and state are kept"
        )


def _device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("train.device is cuda, and torch finds no GPU: use auto or cpu")
    return torch.device("cuda" if name == "auto" and torch.cuda.is_available() else name.replace("auto", "cpu"))


def _crossed(before: int, now: int, every: int) -> bool:
    return before // every != now // every


def _progress(counters: Counters, images: int) -> str:
    row = counters.history[-1]
    rest = counters.seconds / counters.images * (images - counters.images)
    text = f"{counters.images:>7}/{images} images  {counters.images / counters.seconds:5.1f}/s  {rest:5.0f} s to go  "
    text += "  ".join(f"{name} {row[name]:.3f}" for name in LOSSES)
    return text + (f"  held out: L1 {row['val_l1']:.1f}, SWD {row['val_swd']:.0f}" if "val_swd" in row else "")


def _say(text: str) -> None:
    print(text, flush=True)

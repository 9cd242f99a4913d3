"""The training loop: batches in a fixed order, validation, the best weights, states to go on from."""

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch

from terraform.config import Config
from terraform.errors import ConfigError, InputError, IntegrityError
from terraform.learn import weights
from terraform.learn.data.dataset import Collection, by_role
from terraform.learn.data.loader import Feed
from terraform.learn.data.sampling import samples
from terraform.learn.fingerprint import identity_of, state_folder
from terraform.learn.runtime import checkpoint as state
from terraform.learn.runtime import distributed as processes
from terraform.learn.runtime import history, memory
from terraform.learn.runtime.by_region import ByRegion
from terraform.learn.runtime.checkpoint import Counters
from terraform.learn.runtime.distributed import Processes
from terraform.learn.runtime.lock import held
from terraform.learn.runtime.signals import Stopped, noted_signals
from terraform.learn.trainer import Learner
from terraform.learn.validate import Board, Watch, validate
from terraform.pairs.relief import channels_of
from terraform.storage.atomic_write import atomic_write, write_text

__all__ = ["Board", "Watch", "train"]

_ROWS = 100
_LEAST_PAIRS = 4
_LOOK_EVERY = 50
"""Steps between two looks at what lies on a GPU: each makes the processor wait for it."""


@dataclass(frozen=True)
class _Run:
    """What stays the same during a run."""

    config: Config
    learner: Learner
    feed: Feed
    validation: Collection
    folder: Path
    device: torch.device
    processes: Processes
    output: Path
    by_region: ByRegion


def train(folders: Mapping[str, Sequence[Path]], output: Path, config: Config, resume: bool, watch: Watch) -> Counters:
    """Train a generator and write `weights.safetensors`, `history.csv` and `regions.csv` into `output`.

    A run with the same settings and pairs that was interrupted goes on from its last state; other settings start
    afresh. Under `torchrun` several processes learn as one.

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
    ResourceError
        Another run works in `output`; the memory is full.
    IntegrityError
        Losses or gradients stay infinite.
    Stopped
        By a signal, after saving.
    """
    roles = _checked(by_role(folders))
    device = _device(config)
    together = processes.joined(device, config.train.batch)
    try:
        with held(output) if together.first else nullcontext():
            return _trained(roles, output, config, resume, watch, device, together)
    finally:
        processes.left()


def _trained(
    roles: Mapping[str, Collection],
    output: Path,
    config: Config,
    resume: bool,
    watch: Watch,
    device: torch.device,
    together: Processes,
) -> Counters:
    folder = state_folder(output, identity_of(config, roles), resume, together.first)
    with memory.explained(device, config.train.batch):
        learner = Learner(config.train, channels_of(config.condition), config.seed, device, together)
        feed = Feed(roles["train"], config, device, together)
    by_region = ByRegion(tuple(pairs.region for pairs in roles["train"].regions), device)
    run = _Run(config, learner, feed, roles["validation"], folder, device, together, output, by_region)
    counters = _restored(run)
    _say(run, f"{len(feed.collection)} pairs to train on, {len(run.validation)} held out; {config.train.network} of "
              f"{weights.parameters_of(learner.generator):,} values on {_where(run)}; {counters.images} of "
              f"{config.train.total_images} images seen")  # fmt: skip
    used = memory.used(device)
    with noted_signals() as received, memory.explained(device, config.train.batch, used, _one_image(run)):
        _loop(run, counters, received, watch)
    if together.first:
        _finish(run, counters)
    together.wait()
    return counters


def _finish(run: _Run, counters: Counters) -> None:
    with atomic_write(run.output / "weights.safetensors") as temporary:
        shutil.copyfile(run.folder / "best.safetensors", temporary)
    rule = {"swd": "sliced Wasserstein distance", "l1": "L1"}[run.config.train.checkpoint_metric]
    _say(run, f"kept the weights of {counters.best_images} images, whose {rule} on held-out pairs was the lowest: "
              f"{counters.best:.1f}; {counters.waited / max(counters.seconds, 1e-9):.1%} of the time went into waiting "
              "for pairs")  # fmt: skip


def _loop(run: _Run, counters: Counters, received: list[int], watch: Watch) -> None:
    settings = run.config.train
    row_images = max(settings.batch, settings.total_images // _ROWS // settings.batch * settings.batch)
    started, waited = time.monotonic() - counters.seconds, counters.waited
    for image, pairs, batch in run.feed.batches(counters.images):
        run.learner.step(batch, image / settings.total_images, image)
        run.by_region.add(run.learner.each_l1, run.feed.regions_of(pairs))
        before, counters.images, counters.steps = counters.images, image + settings.batch, run.learner.steps
        counters.seconds, counters.waited = time.monotonic() - started, waited + run.feed.waited
        last = counters.images >= settings.total_images
        row = last or _crossed(before, counters.images, row_images)
        looking = row or run.device.type == "cpu" or counters.steps % _LOOK_EVERY == 0
        if looking:
            _check(run)
        if row:
            _end_row(run, counters, last, watch)
        stopped = run.processes.largest(max(received, default=0), run.device) if looking else 0
        if stopped or last or _crossed(before, counters.images, settings.checkpoint_every):
            _save(run, counters)
        if stopped:
            raise Stopped(stopped)


def _end_row(run: _Run, counters: Counters, last: bool, watch: Watch) -> None:
    settings = run.config.train
    run.by_region.gather(run.processes)
    rate = run.learner.rate((counters.images - settings.batch) / settings.total_images)
    history.add_row(counters, run.learner.tally.read(), rate, len(run.feed.collection), run.by_region.read())
    run.learner.tally.clear()
    run.by_region.values.zero_()
    due = last or _crossed(history.row_before(counters), counters.images, settings.validate_every)
    if due and run.processes.first:
        validate(run.learner, run.feed, run.validation, counters, run.folder / "best.safetensors", watch)
        write_text(run.output / "history.csv", history.as_csv(counters))
        write_text(run.output / "regions.csv", history.regions_as_csv(counters))
    _say(run, history.progress(counters, settings.total_images))
    for warning in history.warnings(counters):
        _say(run, f"warning: {warning}")


def _one_image(run: _Run) -> Callable[[], int] | None:
    """Learn from one image and tell what that keeps; several processes cannot do it one by one."""
    return (lambda: run.learner.kept_by(run.feed.first())) if run.processes.count == 1 else None


def _check(run: _Run) -> None:
    """Stop where step after step has brought losses or gradients that are no numbers."""
    tallied, patience = run.learner.tally.read(), run.config.train.max_bad_steps
    if tallied.longest < patience:
        return
    first, last = tallied.since, tallied.since + patience * run.config.train.batch
    norms = ", ".join(
        f"{name} {norm:g}" for name, norm in zip(("generator", "discriminator"), tallied.norms, strict=True)
    )
    raise IntegrityError(
        f"losses or gradients were no numbers in {tallied.longest} steps in a row, from image {first} on (pairs "
        f"{_pairs_named(run, first, last)}); last norms of the gradients: {norms}. Lower train.learning_rate or use "
        f"precision fp32. Those steps changed nothing; the last state and the best weights are in {run.folder}"
    )


def _pairs_named(run: _Run, first: int, last: int) -> str:
    collection = run.feed.collection
    chosen = samples(run.config.seed, first, min(last - first, 16), len(collection))
    return ", ".join(f"{collection.region_of(int(pair))} {collection.places[pair, 1]}" for pair in chosen)


def _save(run: _Run, counters: Counters) -> None:
    run.by_region.gather(run.processes)
    if run.processes.first:
        state.save(run.folder, counters, run.learner.tensors() | {"by_region": run.by_region.values.cpu()})


def _restored(run: _Run) -> Counters:
    run.processes.wait()
    found = state.newest(run.folder)
    if found is None:
        return Counters()
    counters, tensors, complaints = found
    for complaint in complaints:
        _say(run, complaint)
    run.learner.restore(tensors, counters.steps)
    run.by_region.values.copy_(tensors["by_region"] * run.processes.first)
    return counters


def _checked(roles: dict[str, Collection]) -> dict[str, Collection]:
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
    return roles


def _device(config: Config) -> torch.device:
    name = config.train.device
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("train.device is cuda, and torch finds no GPU: use auto or cpu")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    if config.train.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = not config.train.deterministic
    return device


def _crossed(before: int, now: int, every: int) -> bool:
    return before // every != now // every


def _where(run: _Run) -> str:
    count = run.processes.count
    return str(run.device) if count == 1 else f"{count} processes, {run.device.type}"


def _say(run: _Run, text: str) -> None:
    if run.processes.first:
        print(text, flush=True)

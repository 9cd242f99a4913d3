"""The training loop: batches in a fixed order, validation, the best weights, states to resume from."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch

from terraform.config import Config
from terraform.errors import ConfigError, InputError, IntegrityError
from terraform.geo.tile_spec import TileSpec
from terraform.learn import weights
from terraform.learn.data.dataset import Collection, by_role
from terraform.learn.data.loader import BatchLoader
from terraform.learn.data.sampling import sample_indices
from terraform.learn.fingerprint import checkpoint_folder, run_fingerprint
from terraform.learn.runtime import checkpoint, distributed, history, memory
from terraform.learn.runtime.by_region import ByRegion
from terraform.learn.runtime.checkpoint import TrainState
from terraform.learn.runtime.device import choose_device
from terraform.learn.runtime.distributed import Processes
from terraform.learn.runtime.lock import exclusive_run
from terraform.learn.runtime.signals import Interrupted, deferred_signals
from terraform.learn.starting import images_before, start_from_weights
from terraform.learn.trainer import LOSSES, Trainer
from terraform.learn.validate import Callback, Samples, Validation
from terraform.pairs.relief import channels_of
from terraform.pairs.tints import TintMap
from terraform.progress import progress
from terraform.storage.atomic_write import write_text

__all__ = ["Callback", "Samples", "train"]

_ROWS = 100
_LEAST_PAIRS = 4
_LOOK_EVERY = 50
"""Steps between two looks at what lies on a GPU: each makes the processor wait for it."""


@dataclass(frozen=True)
class _Run:
    """What stays the same during a run."""

    config: Config
    trainer: Trainer
    loader: BatchLoader
    learnt: Collection
    validation: Validation
    folder: Path
    output: Path
    by_region: ByRegion

    @property
    def device(self) -> torch.device:
        """Where the networks lie."""
        return self.trainer.device

    @property
    def processes(self) -> Processes:
        """Those that learn together."""
        return self.trainer.processes


def train(
    folders: Mapping[str, Sequence[Path]], output: Path, config: Config, resume: bool, callback: Callback,
    tints: TintMap | None = None,
) -> TrainState:  # fmt: skip
    """Train a generator and write `weights.safetensors`, `history.csv` and `regions.csv` into `output`.

    A run with the same settings and pairs that was interrupted resumes from its last state; other settings start
    from scratch. Under `torchrun` several processes learn as one.

    Parameters
    ----------
    folders : mapping of role ("train", "validation", "test") to folders of pairs
        Nothing that overlaps a validation or test pair is trained on.
    output : Path
    resume : bool
        Refuse to start afresh.
    callback : callable
        Told of every validation.
    tints : TintMap, optional
        Of the body that the pairs are of, for `condition.tints`.

    Returns
    -------
    TrainState
        Where the run ended, with its history.

    Raises
    ------
    ConfigError, InputError
        A role has no pairs; there is nothing to resume.
    ResourceError
        Another run works in `output`; the memory is full.
    IntegrityError
        Losses or gradients stay infinite.
    Interrupted
        By a signal, after saving.
    """
    roles = _checked(by_role(folders, config.condition.needs_climate, tints), TileSpec.of(config.tile))
    device = choose_device(config.train)
    together = distributed.init(device, config.train.batch)
    try:
        with exclusive_run(output) if together.first else nullcontext():
            return _trained(roles, output, config, resume, callback, device, together)
    finally:
        distributed.shutdown()


def _trained(
    roles: Mapping[str, Collection],
    output: Path,
    config: Config,
    resume: bool,
    callback: Callback,
    device: torch.device,
    together: Processes,
) -> TrainState:
    folder = checkpoint_folder(output, run_fingerprint(config, roles), resume, together.first)
    with memory.explain_oom(device, config.train.batch):
        trainer = Trainer(config.train, channels_of(config.condition), config.seed, device, together)
        loader = BatchLoader(roles["train"], config, device, together)
    learnt, held_out = roles["train"], roles["validation"]
    by_region = ByRegion(tuple(pairs.region for pairs in learnt.regions), device)
    validation = Validation(config, loader.maker, learnt, held_out, folder, callback, images_before(config))
    run = _Run(config, trainer, loader, learnt, validation, folder, output, by_region)
    state = _restored(run)
    _say(run, f"{len(learnt)} pairs to train on, {len(held_out)} held out; {config.train.network} of "
              f"{weights.parameters_of(trainer.generator):,} values on {_where(run)}; {state.images} of "
              f"{config.train.total_images} images seen")  # fmt: skip
    used = memory.used(device)
    with (
        deferred_signals() as received,
        memory.explain_oom(device, config.train.batch, used, _one_image(run)),
        _bar(run, state) as seen,
    ):
        _loop(run, state, received, seen)
    if together.first:
        _finish(run, state)
    together.wait()
    return state


def _finish(run: _Run, state: TrainState) -> None:
    if not state.best_images:  # lost from a run that had ended: its last weights are judged again
        run.validation.run(run.trainer, state)
    if not state.best_images:
        raise IntegrityError(
            f"no validation of this run was finite, so no weights are the best: lower train.learning_rate (the state "
            f"is in {run.folder})"
        )
    checkpoint.publish_best(run.folder, state, run.output / "weights.safetensors")
    rule = {"swd": "sliced Wasserstein distance", "l1": "L1"}[run.config.train.checkpoint_metric]
    _say(run, f"kept the weights of {state.best_images} images, whose {rule} on held-out pairs was the lowest: "
              f"{state.best:.1f}; {state.waited / max(state.seconds, 1e-9):.1%} of the time went into waiting "
              "for pairs")  # fmt: skip


def _bar(run: _Run, state: TrainState) -> AbstractContextManager[Callable[[int], None]]:
    """Show the images seen, in the first process alone."""
    if not run.processes.first:
        return nullcontext(lambda now: None)
    return progress("images", run.config.train.total_images, state.images)


def _loop(run: _Run, state: TrainState, received: list[int], seen: Callable[[int], None]) -> None:
    settings = run.config.train
    row_images = max(settings.batch, settings.total_images // _ROWS // settings.batch * settings.batch)
    started, waited = time.monotonic() - state.seconds, state.waited
    for image, pairs, batch in run.loader.batches(state.images):
        run.trainer.step(batch, image / settings.total_images, image)
        run.by_region.add(run.trainer.per_image_l1, run.loader.regions_of(pairs))
        before, state.images, state.steps = state.images, image + settings.batch, run.trainer.steps
        state.seconds, state.waited = time.monotonic() - started, waited + run.loader.waited
        seen(state.images)
        last = state.images >= settings.total_images
        row = last or _crossed(before, state.images, row_images)
        looking = row or run.device.type == "cpu" or state.steps % _LOOK_EVERY == 0
        if looking:
            _check(run)
        if row:
            _end_row(run, state, last)
        stopped = run.processes.largest(max(received, default=0), run.device) if looking else 0
        if stopped or last or _crossed(before, state.images, settings.checkpoint_every):
            _save(run, state)
        if stopped:
            raise Interrupted(stopped)


def _end_row(run: _Run, state: TrainState, last: bool) -> None:
    settings = run.config.train
    run.by_region.gather(run.processes)
    rate = run.trainer.rate((state.images - settings.batch) / settings.total_images)
    summary = run.trainer.stats.read()
    losses = dict(zip(LOSSES, summary.losses, strict=True))
    history.add_row(state, losses, summary.skipped, rate, len(run.learnt), run.by_region.read())
    run.trainer.stats.clear()
    run.by_region.values.zero_()
    due = last or _crossed(history.row_before(state), state.images, settings.validate_every)
    if due and run.processes.first:
        run.validation.run(run.trainer, state)
        write_text(run.output / "history.csv", history.as_csv(state))
        write_text(run.output / "regions.csv", history.regions_as_csv(state))
    _say(run, history.progress(state, settings.total_images))
    for warning in history.warnings(state):
        _say(run, f"warning: {warning}")


def _one_image(run: _Run) -> Callable[[], int] | None:
    """Learn from one image and tell what that keeps; several processes cannot do it one by one."""
    if run.processes.count > 1:
        return None
    one, jitter = run.learnt.read([0]), run.config.train.jitter
    return lambda: run.trainer.activation_bytes(run.loader.maker.make(one, 0, jitter))


def _check(run: _Run) -> None:
    """Stop where step after step has brought non-finite losses or gradients."""
    summary, patience = run.trainer.stats.read(), run.config.train.max_bad_steps
    if summary.longest < patience:
        return
    first, last = summary.since, summary.since + patience * run.config.train.batch
    norms = ", ".join(
        f"{name} {norm:g}" for name, norm in zip(("generator", "discriminator"), summary.norms, strict=True)
    )
    raise IntegrityError(
        f"losses or gradients were non-finite in {summary.longest} steps in a row, from image {first} on (pairs "
        f"{_pairs_named(run, first, last)}); last norms of the gradients: {norms}. Lower train.learning_rate or use "
        f"precision fp32. Those steps changed nothing; the last state and the best weights are in {run.folder}"
    )


def _pairs_named(run: _Run, first: int, last: int) -> str:
    collection = run.learnt
    chosen = sample_indices(run.config.seed, first, min(last - first, 16), len(collection))
    return ", ".join(f"{collection.region_of(int(pair))} {collection.places[pair, 1]}" for pair in chosen)


def _save(run: _Run, state: TrainState) -> None:
    run.by_region.gather(run.processes)
    if run.processes.first:
        checkpoint.save(run.folder, state, run.trainer.tensors() | {"by_region": run.by_region.values.cpu()})


def _restored(run: _Run) -> TrainState:
    run.processes.wait()
    found = checkpoint.latest(run.folder)
    if found is None:
        if told := start_from_weights(run.trainer, run.config):
            _say(run, told)
        return TrainState()
    state, tensors, complaints = found
    for complaint in complaints:
        _say(run, complaint)
    run.trainer.restore(tensors, state.steps)
    start_from_weights(run.trainer, run.config, resumed=True)
    run.by_region.values.copy_(tensors["by_region"] * run.processes.first)
    return state


def _checked(roles: dict[str, Collection], spec: TileSpec) -> dict[str, Collection]:
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
    for collection in roles.values():
        _require_size(collection, spec)
    return roles


def _require_size(collection: Collection, spec: TileSpec) -> None:
    if collection.spec != spec:
        raise InputError(
            f"pairs of {collection.regions[0].region} were cut as {collection.spec}, the configuration asks for "
            f"{spec}: cut them again, or set `tile` to theirs"
        )


def _crossed(before: int, now: int, every: int) -> bool:
    return before // every != now // every


def _where(run: _Run) -> str:
    count = run.processes.count
    return str(run.device) if count == 1 else f"{count} processes, {run.device.type}"


def _say(run: _Run, text: str) -> None:
    if run.processes.first:
        print(text, flush=True)

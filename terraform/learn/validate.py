"""Judging a run while it goes on: held-out pairs, some that were trained on beside them, and which weights are kept."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from terraform.learn import weights
from terraform.learn.data.dataset import Collection, StoredPairs
from terraform.learn.data.loader import BatchLoader
from terraform.learn.metrics import l1, sliced_wasserstein
from terraform.learn.runtime.checkpoint import Row, TrainState
from terraform.learn.trainer import Trainer
from terraform.pairs.context import BASE_CHANNELS
from terraform.storage.hashing import sha256_of

_STATISTICS_IMAGES = 32
_BOARD_PAIRS = 6
_GAP_PAIRS = 16
_READ_AT_ONCE = 4


class Samples(NamedTuple):
    """Some held-out pairs as they stand; sizes are those of the default tile.

    Attributes
    ----------
    stored : StoredPairs
    generated : (N, 3, 256, 256) float32, [-1, 1]
    base : (N, 3, 256, 256) float32, [-1, 1], or None
        Base colours, where the generator knows them.
    """

    stored: StoredPairs
    generated: Tensor
    base: Tensor | None


Callback = Callable[[TrainState, Samples], None]
"""What is told of every validation: it draws plots and boards."""


def validate(
    trainer: Trainer, loader: BatchLoader, held_out: Collection, state: TrainState, folder: Path, callback: Callback
) -> None:
    """Measure the network as it would be deployed; keep it when it is the best so far by `train.checkpoint_metric`.

    Nothing of it touches the run: dropout, where a network is deployed with it, draws from a generator of its own.

    Parameters
    ----------
    held_out : Collection
    state : TrainState
        Its last row gets the results.
    folder : Path
        Where the best weights are kept, under the name that the state has for them.
    callback : callable
        Shown a board.
    """
    with torch.random.fork_rng():
        torch.manual_seed(loader.config.seed)
        network = _deployable(trainer, loader)
        row = _measured(loader, network, held_out, state.history[-1])
        score = {"swd": row.val_swd, "l1": row.val_l1}[loader.config.train.checkpoint_metric]
        assert score is not None
        row.best = float(score < state.best)
        state.history[-1] = row
        if row.best:
            state.best, state.best_images = score, state.images
            config, made, spec = loader.config, loader.collection.provenance, loader.collection.spec
            best = state.best_in(folder)
            weights.save(best, network, config.condition, config.sheet, config.train, made, spec)
            state.best_sha256 = sha256_of(best)
        stored = held_out.read(held_out.spread(_BOARD_PAIRS))
        batch = loader.make_batch(stored, 0, "none")
        base = batch.condition[:, -BASE_CHANNELS:].cpu() if loader.config.train.base != "none" else None
        callback(state, Samples(stored, _drawn(loader, network, stored)[0], base))


def _measured(loader: BatchLoader, network: nn.Module, held_out: Collection, row: Row) -> Row:
    """Add to a row: distances and spread on held-out pairs, L1 on some trained on, the effect of batch statistics."""
    generated, real, valid = _all_drawn(loader, network, held_out, loader.config.train.validation_pairs)
    distance = sliced_wasserstein(generated * valid, real * valid)
    regions = _by_region(held_out, loader.config.train.validation_pairs, (generated, real, valid))
    known = _all_drawn(loader, network, loader.collection, _GAP_PAIRS)
    gap = _mode_gap(loader, network, held_out)
    spread = float((generated * valid).std() / (real * valid).std().clamp_min(1e-6))
    return replace(
        row, val_l1=l1(generated, real, valid), val_swd=distance, train_l1=l1(*known), mode_gap=gap, val_spread=spread,
        by_region={**row.by_region, "validation": regions},
    )  # fmt: skip


def _by_region(held_out: Collection, pairs: int, drawn: tuple[Tensor, Tensor, Tensor]) -> dict[str, float]:
    regions = held_out.places[held_out.spread(pairs), 0]
    shown = {number: torch.from_numpy(regions == number) for number in np.unique(regions)}
    return {held_out.regions[number].region: l1(*(part[these] for part in drawn)) for number, these in shown.items()}


def _mode_gap(loader: BatchLoader, network: nn.Module, held_out: Collection) -> float:
    """Mean difference between drawing in training mode and as deployed, levels of 255.

    Where it is large, the network that is validated and deployed is not the one that learnt.
    """
    as_deployed = _all_drawn(loader, network, held_out, _GAP_PAIRS)[0]
    in_training, _, valid = _all_drawn(loader, copy.deepcopy(network).train(), held_out, _GAP_PAIRS)
    return l1(in_training, as_deployed, valid)


def _all_drawn(
    loader: BatchLoader, network: nn.Module, collection: Collection, pairs: int
) -> tuple[Tensor, Tensor, Tensor]:
    chosen = collection.spread(pairs)
    parts = np.array_split(chosen, -(-len(chosen) // _READ_AT_ONCE))
    generated, real, valid = zip(*(_drawn(loader, network, collection.read(part)) for part in parts), strict=True)
    return torch.cat(generated), torch.cat(real), torch.cat(valid)


def _deployable(trainer: Trainer, loader: BatchLoader) -> nn.Module:
    starts = range(0, _STATISTICS_IMAGES, loader.config.train.batch)
    return trainer.inference_copy([loader.global_batch(image) for image in starts])


@torch.no_grad()
def _drawn(loader: BatchLoader, network: nn.Module, stored: StoredPairs) -> tuple[Tensor, Tensor, Tensor]:
    batch = loader.make_batch(stored, 0, "none")
    return network(batch.generator_input).float().cpu(), batch.imagery.cpu(), batch.valid.cpu()

"""Judging a run while it goes on: held-out pairs, some that were trained on beside them, and which weights are kept."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from terraform.config import Config
from terraform.learn import weights
from terraform.learn.data.augment import Batch
from terraform.learn.data.dataset import Collection, StoredPairs
from terraform.learn.data.loader import BatchMaker
from terraform.learn.data.sampling import sample_indices
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


@dataclass(frozen=True)
class Validation:
    """What a run is judged by while it goes on.

    Attributes
    ----------
    config : Config
    maker : BatchMaker
    learnt, held_out : Collection
        Pairs that are trained on, some of which are measured too, and pairs that are not.
    folder : Path
        Where the best weights are kept, under the name that the state has for them.
    callback : callable
        Shown a board.
    images_before : int, optional
        Images that the weights saw from which the run started; None where nobody knows.
    """

    config: Config
    maker: BatchMaker
    learnt: Collection
    held_out: Collection
    folder: Path
    callback: Callback
    images_before: int | None = 0

    def run(self, trainer: Trainer, state: TrainState) -> None:
        """Measure the network as it would be deployed; keep it when it is the best so far by `checkpoint_metric`.

        Nothing of it touches the run: dropout, where a network is deployed with it, draws from a generator of its own.

        Parameters
        ----------
        trainer : Trainer
        state : TrainState
            Its last row gets the results.
        """
        settings = self.config.train
        with torch.random.fork_rng():
            torch.manual_seed(self.config.seed)
            network = trainer.inference_copy(self._batches_for_statistics())
            row = self._measured(network, state.history[-1])
            score = {"swd": row.val_swd, "l1": row.val_l1}[settings.checkpoint_metric]
            assert score is not None
            row.best = float(score < state.best)
            state.history[-1] = row
            if row.best:
                state.best, state.best_images = score, state.images
                self._keep(network, state)
            stored = self.held_out.read(self.held_out.spread(_BOARD_PAIRS))
            batch = self.maker.make(stored, 0, "none")
            base = batch.tile_condition[:, -BASE_CHANNELS:].cpu() if settings.base != "none" else None
            self.callback(state, Samples(stored, self._drawn(network, stored)[0], base))

    def _keep(self, network: nn.Module, state: TrainState) -> None:
        config, made, best = self.config, self.learnt.provenance, state.best_in(self.folder)
        seen = None if self.images_before is None else self.images_before + state.images
        weights.save(best, network, config.condition, config.sheet, config.train, made, self.learnt.spec, seen)
        state.best_sha256 = sha256_of(best)

    def _measured(self, network: nn.Module, row: Row) -> Row:
        """Add to a row: distances and spread on held-out pairs, L1 on some trained on, what batch statistics change."""
        pairs = self.config.train.validation_pairs
        generated, real, valid = self._all_drawn(network, self.held_out, pairs)
        distance = sliced_wasserstein(generated * valid, real * valid)
        regions = _by_region(self.held_out, pairs, (generated, real, valid))
        known = self._all_drawn(network, self.learnt, _GAP_PAIRS)
        gap = self._mode_gap(network)
        spread = float((generated * valid).std() / (real * valid).std().clamp_min(1e-6))
        return replace(
            row, val_l1=l1(generated, real, valid), val_swd=distance, train_l1=l1(*known), mode_gap=gap,
            val_spread=spread, by_region={**row.by_region, "validation": regions},
        )  # fmt: skip

    def _mode_gap(self, network: nn.Module) -> float:
        """Mean difference between drawing in training mode and as deployed, levels of 255.

        Where it is large, the network that is validated and deployed is not the one that learnt.
        """
        as_deployed = self._all_drawn(network, self.held_out, _GAP_PAIRS)[0]
        in_training, _, valid = self._all_drawn(copy.deepcopy(network).train(), self.held_out, _GAP_PAIRS)
        return l1(in_training, as_deployed, valid)

    def _all_drawn(self, network: nn.Module, collection: Collection, pairs: int) -> tuple[Tensor, Tensor, Tensor]:
        chosen = collection.spread(pairs)
        parts = np.array_split(chosen, -(-len(chosen) // _READ_AT_ONCE))
        generated, real, valid = zip(*(self._drawn(network, collection.read(part)) for part in parts), strict=True)
        return torch.cat(generated), torch.cat(real), torch.cat(valid)

    def _batches_for_statistics(self) -> list[Batch]:
        """Make the first batches of a run, from which running statistics are estimated."""
        size, seed = self.config.train.batch, self.config.seed
        starts = range(0, _STATISTICS_IMAGES, size)
        chosen = [sample_indices(seed, image, size, len(self.learnt)) for image in starts]
        jitter = self.config.train.jitter
        return [self.maker.make(self.learnt.read(c), image, jitter) for c, image in zip(chosen, starts, strict=True)]

    @torch.no_grad()
    def _drawn(self, network: nn.Module, stored: StoredPairs) -> tuple[Tensor, Tensor, Tensor]:
        batch = self.maker.make(stored, 0, "none")
        drawn = batch.without_halo(network(batch.generator_input)).float()
        return drawn.cpu(), batch.imagery.cpu(), batch.valid.cpu()


def _by_region(held_out: Collection, pairs: int, drawn: tuple[Tensor, Tensor, Tensor]) -> dict[str, float]:
    regions = held_out.places[held_out.spread(pairs), 0]
    shown = {number: torch.from_numpy(regions == number) for number in np.unique(regions)}
    return {held_out.regions[number].region: l1(*(part[these] for part in drawn)) for number, these in shown.items()}

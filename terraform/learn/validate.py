"""Judging a run while it goes on: held-out pairs, some that were trained on beside them, and which weights are kept."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from terraform.learn import weights
from terraform.learn.data.dataset import Collection, Stored
from terraform.learn.data.loader import Feed
from terraform.learn.metrics import l1, sliced_wasserstein
from terraform.learn.runtime.checkpoint import Counters
from terraform.learn.trainer import Learner

_STATISTICS_IMAGES = 32
_BOARD_PAIRS = 6
_GAP_PAIRS = 16
_READ_AT_ONCE = 4


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


def validate(learner: Learner, feed: Feed, held_out: Collection, counters: Counters, best: Path, watch: Watch) -> None:
    """Measure the network as it would be deployed; keep it when it is the best so far by `train.checkpoint_metric`.

    Nothing of it touches the run: dropout, where a network is deployed with it, draws from a generator of its own.

    Parameters
    ----------
    held_out : Collection
    counters : Counters
        Its last row gets the results.
    best : Path
        Where the best weights are kept.
    watch : callable
        Shown a board.
    """
    with torch.random.fork_rng():
        torch.manual_seed(feed.config.seed)
        network = _deployable(learner, feed)
        row = counters.history[-1]
        row |= _measured(feed, network, held_out)
        score = row[f"val_{feed.config.train.checkpoint_metric}"]
        row["best"] = float(score < counters.best)
        if row["best"]:
            counters.best, counters.best_images = score, counters.images
            config, made = feed.config, feed.collection.provenance
            weights.save(best, network, config.condition, config.sheet, config.train, made)
        board = held_out.read(held_out.spread(_BOARD_PAIRS))
        watch(counters, Board(board, _drawn(feed, network, board)[0]))


def _measured(feed: Feed, network: nn.Module, held_out: Collection) -> dict[str, float]:
    """Distances and spread on held-out pairs; L1 on some trained on; what the statistics of a batch would change."""
    generated, real, valid = _all_drawn(feed, network, held_out, feed.config.train.validation_pairs)
    distance = sliced_wasserstein(generated * valid, real * valid)
    regions = _by_region(held_out, feed.config.train.validation_pairs, (generated, real, valid))
    known = _all_drawn(feed, network, feed.collection, _GAP_PAIRS)
    gap = _mode_gap(feed, network, held_out)
    spread = float((generated * valid).std() / (real * valid).std().clamp_min(1e-6))
    scores = {
        "val_l1": l1(generated, real, valid), "val_swd": distance, "train_l1": l1(*known), "mode_gap": gap,
        "val_spread": spread,
    }  # fmt: skip
    return scores | {f"val_l1/{name}": value for name, value in regions.items()}


def _by_region(held_out: Collection, pairs: int, drawn: tuple[Tensor, Tensor, Tensor]) -> dict[str, float]:
    regions = held_out.places[held_out.spread(pairs), 0]
    shown = {number: torch.from_numpy(regions == number) for number in np.unique(regions)}
    return {held_out.regions[number].region: l1(*(part[these] for part in drawn)) for number, these in shown.items()}


def _mode_gap(feed: Feed, network: nn.Module, held_out: Collection) -> float:
    """Mean difference between drawing in training mode and as deployed, levels of 255.

    Where it is large, the network that is validated and deployed is not the one that learnt.
    """
    as_deployed = _all_drawn(feed, network, held_out, _GAP_PAIRS)[0]
    in_training, _, valid = _all_drawn(feed, copy.deepcopy(network).train(), held_out, _GAP_PAIRS)
    return l1(in_training, as_deployed, valid)


def _all_drawn(feed: Feed, network: nn.Module, collection: Collection, pairs: int) -> tuple[Tensor, Tensor, Tensor]:
    chosen = collection.spread(pairs)
    parts = np.array_split(chosen, -(-len(chosen) // _READ_AT_ONCE))
    generated, real, valid = zip(*(_drawn(feed, network, collection.read(part)) for part in parts), strict=True)
    return torch.cat(generated), torch.cat(real), torch.cat(valid)


def _deployable(learner: Learner, feed: Feed) -> nn.Module:
    starts = range(0, _STATISTICS_IMAGES, feed.config.train.batch)
    return learner.deployable([feed.whole(image) for image in starts])


@torch.no_grad()
def _drawn(feed: Feed, network: nn.Module, stored: Stored) -> tuple[Tensor, Tensor, Tensor]:
    batch = feed.made(stored, 0, "none")
    return network(batch.seen).float().cpu(), batch.imagery.cpu(), batch.valid.cpu()

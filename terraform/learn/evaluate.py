"""Judge a trained generator on held-out pairs, beside the colour table and real imagery."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from terraform import provenance
from terraform.config import Config
from terraform.errors import InputError
from terraform.learn import baseline, metrics, weights
from terraform.learn.baseline import LookupBaseline
from terraform.learn.data.augment import no_augmentation, prepare
from terraform.learn.data.dataset import Collection, StoredPairs, by_role
from terraform.learn.weights import TrainedGenerator
from terraform.storage.atomic_write import write_text

_PAIRS = 128
_BOARD_PAIRS = 8


class EvaluatedPairs(NamedTuple):
    """Held-out pairs with what was drawn of them.

    Attributes
    ----------
    stored : StoredPairs
    generated, table : (N, 3, 256, 256) float32, [-1, 1]
    """

    stored: StoredPairs
    generated: Tensor
    table: Tensor


Callback = Callable[[str, EvaluatedPairs], None]
"""Told of a role and of some of its pairs: it draws boards."""


def evaluate(
    weights_file: Path, folders: Mapping[str, Sequence[Path]], output: Path, config: Config, watch: Callback
) -> None:
    """Measure on validation and test regions and write `metrics.json` into `output`.

    Parameters
    ----------
    folders : mapping of role to folders of pairs
        The colour table is fitted to "train".

    Raises
    ------
    InputError
        There are no held-out pairs.
    """
    trained = weights.load(weights_file)
    roles = by_role(folders)
    held_out = {role: roles[role] for role in ("validation", "test") if role in roles}
    if not held_out or "train" not in roles:
        raise InputError("there are no held-out pairs to judge: give a region the role validation or test")
    table = baseline.fit(roles["train"])
    results: dict[str, Any] = {}
    for role, collection in held_out.items():
        results[role] = {
            "regions": [pairs.region for pairs in collection.regions],
            **_measured(trained, table, collection),
        }
        watch(role, _drawn(trained, table, collection.read(collection.spread(_BOARD_PAIRS))))
    made = provenance.merge([trained.provenance, *(c.provenance for c in held_out.values())])
    document = {"licence": made.licence, "attribution": made.attribution, "run": config.run, **results}
    write_text(output / "metrics.json", json.dumps(document, indent=2) + "\n")


def _measured(trained: TrainedGenerator, table: LookupBaseline, collection: Collection) -> dict[str, Any]:
    chosen = collection.spread(_PAIRS)
    parts = [collection.read(part) for part in np.array_split(chosen, -(-len(chosen) // 4))]
    drawn = [_drawn(trained, table, part) for part in parts]
    real = torch.cat([part.imagery.permute(0, 3, 1, 2) / 127.5 - 1 for part in parts])
    valid = torch.cat([(part.imagery > 0).any(3)[:, None].float() for part in parts])
    sets = {
        "generated": torch.cat([judged.generated for judged in drawn]),
        "table": torch.cat([judged.table for judged in drawn]),
    }
    kinds = torch.cat([baseline.terrain_classes(part) for part in parts])
    return {
        "pairs": len(chosen),
        **{name: _scores(values, real, valid, kinds) for name, values in sets.items()},
        "real": _floor(real),
    }


def _scores(drawn: Tensor, real: Tensor, valid: Tensor, kinds: Tensor) -> dict[str, Any]:
    return {
        "l1": metrics.l1(drawn, real, valid),
        "colour_given_relief": metrics.colour_given_relief(drawn, real, kinds),
        **metrics.fidelity(drawn * valid, real * valid),
        "swd": metrics.sliced_wasserstein(drawn * valid, real * valid),
        "spectrum_db": metrics.spectrum_distance(drawn * valid, real * valid),
        "checkerboard": metrics.checkerboard(drawn),
        "deviation": float(drawn.std()) * 127.5,
    }


def _floor(real: Tensor) -> dict[str, Any]:
    """Real against real: one half of the pairs against the other, which is as close as strangers come."""
    half = len(real) // 2
    one, other = real[0 : 2 * half : 2], real[1 : 2 * half : 2]
    return {
        "swd": metrics.sliced_wasserstein(one, other),
        "spectrum_db": metrics.spectrum_distance(one, other),
        "checkerboard": metrics.checkerboard(real),
        "deviation": float(real.std()) * 127.5,
    }


def _drawn(trained: TrainedGenerator, table: LookupBaseline, stored: StoredPairs) -> EvaluatedPairs:
    settings = trained.settings
    batch = prepare(stored, no_augmentation(len(stored.imagery)), "none", settings, trained.condition, trained.sheet)
    with torch.no_grad():
        return EvaluatedPairs(stored, trained.network(batch.generator_input), table.draw(stored))

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
from terraform.learn import baseline as table
from terraform.learn import metrics, weights
from terraform.learn.baseline import ColourTable
from terraform.learn.data.augment import plain_draw, prepare
from terraform.learn.data.dataset import Collection, Stored, by_role
from terraform.learn.weights import Trained
from terraform.storage.atomic_write import write_text

_PAIRS = 128
_BOARD_PAIRS = 8


class Judged(NamedTuple):
    """Held-out pairs with what was drawn of them.

    Attributes
    ----------
    stored : Stored
    generated, table : (N, 3, 256, 256) float32, [-1, 1]
    """

    stored: Stored
    generated: Tensor
    table: Tensor


Watch = Callable[[str, Judged], None]
"""Told of a role and of some of its pairs: it draws boards."""


def evaluate(
    weights_file: Path, folders: Mapping[str, Sequence[Path]], output: Path, config: Config, watch: Watch
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
    straw_man = table.fit(roles["train"])
    results: dict[str, Any] = {}
    for role, collection in held_out.items():
        results[role] = {
            "regions": [pairs.region for pairs in collection.regions],
            **_measured(trained, straw_man, collection),
        }
        watch(role, _drawn(trained, straw_man, collection.read(collection.spread(_BOARD_PAIRS))))
    made = provenance.merge([trained.provenance, *(c.provenance for c in held_out.values())])
    document = {"licence": made.licence, "attribution": made.attribution, "run": config.run, **results}
    write_text(output / "metrics.json", json.dumps(document, indent=2) + "\n")


def _measured(trained: Trained, straw_man: ColourTable, collection: Collection) -> dict[str, Any]:
    chosen = collection.spread(_PAIRS)
    parts = [collection.read(part) for part in np.array_split(chosen, -(-len(chosen) // 4))]
    drawn = [_drawn(trained, straw_man, part) for part in parts]
    real = torch.cat([part.imagery.permute(0, 3, 1, 2) / 127.5 - 1 for part in parts])
    valid = torch.cat([(part.imagery > 0).any(3)[:, None].float() for part in parts])
    sets = {
        "generated": torch.cat([judged.generated for judged in drawn]),
        "table": torch.cat([judged.table for judged in drawn]),
    }
    kinds = torch.cat([table.kinds_of(part) for part in parts])
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


def _drawn(trained: Trained, straw_man: ColourTable, stored: Stored) -> Judged:
    settings = trained.settings
    batch = prepare(stored, plain_draw(len(stored.imagery)), "none", settings.noise, trained.condition, trained.sheet)
    with torch.no_grad():
        return Judged(stored, trained.network(batch.seen), straw_man.draw(stored))

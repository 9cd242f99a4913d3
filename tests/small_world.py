"""Pairs of two small regions, settings with which a run of them takes a second, and how two runs are compared."""

import json

import pytest
import torch
from safetensors.torch import load_file

from benchmarks.world import make_pairs
from terraform.config import parse
from terraform.learn import train as training
from terraform.learn import validate as validation


def make_world(root, pairs=6):
    """Folders of pairs by role: `pairs` to train on, two held out."""
    return {"train": [make_pairs(root / "one", pairs)], "validation": [make_pairs(root / "two", 2, seed=50)]}


def config(condition=None, **over):
    """A small run: two images a step, a state at every step."""
    settings = {
        "width": 4, "discriminator_width": 4, "total_images": 12, "batch": 2, "checkpoint_every": 2,
        "validate_every": 6, "validation_pairs": 2, "ema_decay": 0.9, "workers": 0, **over,
    }  # fmt: skip
    return parse({"train": settings, "condition": condition or {}})


def run(world, output, settings, resume=False, watch=lambda state, samples: None, tints=None):
    """Train."""
    return training.train(world, output, settings, resume, watch, tints)


def few_pairs(patch):
    """Let validations look at two pairs: enough to tell one network from another."""
    for name in ("_STATISTICS_IMAGES", "_GAP_PAIRS", "_BOARD_PAIRS"):
        patch.setattr(validation, name, 2)


def run_in_child(world, output, settings, rows=100):
    """Train in a process of its own, with one thread and few pairs to look at."""
    torch.set_num_threads(1)
    training._ROWS = rows
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        run(world, output, settings)


def outcome(output):
    """All tensors and counters of the last state, weights and history; without the clock."""
    state = max(output.glob("state/*/images-*.safetensors"))
    counters = json.loads(state.with_suffix(".json").read_text())
    counters.pop("sha256"), counters.pop("best_sha256")  # safetensors orders its header by chance
    for row in (counters, *counters["history"]):
        row.pop("seconds"), row.pop("waited")
    return load_file(state), load_file(output / "weights.safetensors"), counters


def same(one, other):
    """Two outcomes, byte by byte."""
    tensors = [(a, b) for mine, theirs in zip(one[:2], other[:2], strict=True) for a, b in named_alike(mine, theirs)]
    return all(torch.equal(a.view(torch.uint8), b.view(torch.uint8)) for a, b in tensors) and one[2] == other[2]


def named_alike(mine, theirs):
    assert mine.keys() == theirs.keys()
    return [(mine[name].reshape(-1), theirs[name].reshape(-1)) for name in mine]

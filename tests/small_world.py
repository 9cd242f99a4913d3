"""Pairs of two small regions, and settings with which a run of them takes a second."""

from benchmarks.world import make_pairs
from terraform.config import parse
from terraform.learn import train as training


def make_world(root, pairs=6):
    """Folders of pairs by role: `pairs` to train on, two held out."""
    return {"train": [make_pairs(root / "one", pairs)], "validation": [make_pairs(root / "two", 2, seed=50)]}


def config(condition=None, **over):
    """A small run: two images a step, a state at every step."""
    settings = {
        "width": 4, "discriminator_width": 4, "images": 12, "batch": 2, "state_every": 2, "validate_every": 6,
        "validation_pairs": 2, "average": 0.9, "workers": 0, **over,
    }  # fmt: skip
    return parse({"train": settings, "condition": condition or {}})


def run(world, output, settings, resume=False, watch=lambda counters, board: None):
    """Train."""
    return training.train(world, output, settings, resume, watch)

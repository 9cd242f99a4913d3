"""A trained generator in half precision, to be handed on: half the bytes, the same picture to a level."""

import copy
from pathlib import Path

import torch
from torch import nn

from terraform.errors import IntegrityError
from terraform.learn import weights
from terraform.storage.hashing import sha256_of
from terraform.storage.sections import MODELS_TITLE, as_part, replace_sections

_SIDE_PX = 256
_MOST_LEVELS = 2.0
"""Levels of 255 by which half precision may differ anywhere: more means values that half precision cannot hold."""


_CARD = """## {name}

* made by `{made_by}`
* half precision, {size:,} bytes, sha256 `{digest}`; it draws within {difference:.2g} levels of 255 of the original

{card}
"""


def publish(source: Path, output: Path, made_by: str) -> float:
    """Write a generator in half precision, once both draw the same from random input, and its card into `README.md`.

    Parameters
    ----------
    source : Path
        As `train` writes them. `card.md` beside it goes into the card.
    output : Path
    made_by : str
        The command that made it, for the card.

    Returns
    -------
    float
        Largest difference between the two pictures, levels of 255.

    Raises
    ------
    InputError
        The weights cannot be read.
    IntegrityError
        Half precision draws something else.
    """
    trained = weights.load(source)
    network = copy.deepcopy(trained.network).half()
    difference = _difference(trained, copy.deepcopy(network).float())
    if not difference <= _MOST_LEVELS:
        raise IntegrityError(
            f"{source} in half precision would draw up to {difference:g} levels of 255 off: some of its values are "
            "beyond half precision; hand on the file itself"
        )
    weights.save(
        output, network, trained.condition, trained.sheet, trained.settings, trained.provenance, trained.spec,
        trained.images,
    )  # fmt: skip
    size, digest, card = output.stat().st_size, sha256_of(output), source.with_name("card.md")
    told = as_part(card.read_text(encoding="utf-8")) if card.is_file() else ""
    told = told.replace(f"--weights {source.name} ", f"--weights {output} ")
    section = _CARD.format(
        name=output.name, made_by=made_by, size=size, digest=digest, difference=difference, card=told
    )
    replace_sections(output.with_name("README.md"), MODELS_TITLE, {output.name: section})
    return difference


@torch.no_grad()
def _difference(trained: weights.TrainedGenerator, other: nn.Module) -> float:
    seen = torch.randn(1, trained.channels, _SIDE_PX, _SIDE_PX, generator=torch.Generator().manual_seed(0))
    return float((trained.network(seen) - other(seen)).abs().max()) * 127.5

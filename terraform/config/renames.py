"""Settings that have changed their name: read under the old one for this version, with a line that says so."""

import copy
import sys
from collections.abc import Mapping
from typing import Any

from terraform.errors import ConfigError

RENAMES: Mapping[str, str] = {
    "train.rate": "train.learning_rate",
    "train.discriminator_rate": "train.discriminator_learning_rate",
    "train.average": "train.ema_decay",
    "train.images": "train.total_images",
    "train.state_every": "train.checkpoint_every",
    "train.best_by": "train.checkpoint_metric",
    "train.decay_from": "train.decay_start",
    "train.lambda_features": "train.lambda_feature_matching",
    "train.patience": "train.max_bad_steps",
}
"""Old path to new path, dotted, from the top of the configuration."""


def current(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give the settings of one file their present names, with one line on stderr for each that had its old one.

    A file is renamed before it is merged with others, or an old name in an overlay would lose to the new one below it.

    Parameters
    ----------
    document : mapping
        A configuration, checked or not.
    name : str
        What the lines call it.

    Returns
    -------
    dict
        A copy, with present names.

    Raises
    ------
    ConfigError
        A setting stands there under both names.
    """
    made = copy.deepcopy(dict(document))
    for old, new in RENAMES.items():
        if _move(made, old, new, name):
            print(f"{name}: {old} is called {new} now: rename it, the next version reads the new name only",
                  file=sys.stderr, flush=True)  # fmt: skip
    return made


def renamed(section: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of one section, as weights and saved states hold them, their present names.

    Parameters
    ----------
    section : str
        Its dotted path in the configuration, such as "train".
    settings : mapping
        As they were written by this version or the one before.

    Returns
    -------
    dict
        A copy, with present names.
    """
    names = {old.removeprefix(f"{section}."): new.removeprefix(f"{section}.")
             for old, new in RENAMES.items() if old.startswith(f"{section}.")}  # fmt: skip
    return {names.get(key, key): value for key, value in settings.items()}


def _move(document: dict[str, Any], old: str, new: str, name: str) -> bool:
    """Whether there was something to move."""
    *sections, key = old.split(".")
    place: Any = document
    for section in sections:
        place = place.get(section) if isinstance(place, dict) else None
    if not isinstance(place, dict) or key not in place:
        return False
    value = place.pop(key)
    *sections, key = new.split(".")
    place = document
    for section in sections:
        place = place.setdefault(section, {})
        if not isinstance(place, dict):
            raise ConfigError(f"{name}: {old} is {new} now, and {section} is not a section: remove one of them")
    if key in place:
        raise ConfigError(f"{name}: {new} is set twice, once by its old name {old}: keep {new}")
    place[key] = value
    return True

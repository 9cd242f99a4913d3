"""Which run a saved state belongs to: settings and pairs, so that other ones start afresh and never mix."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from terraform.config import Config, renamed
from terraform.digest import stage_digest
from terraform.errors import ConfigError, InputError
from terraform.learn.data.dataset import Collection
from terraform.learn.runtime.checkpoint import require_format
from terraform.storage.atomic_write import make_folder, write_text


def run_fingerprint(config: Config, roles: Mapping[str, Collection]) -> dict[str, Any]:
    """List what a run's weights depend on: settings and pairs; not the device, nor who reads and how often it is saved.

    Pairs are named by the time of their cutting: cut anew from another raster, they have the same polygon and number.
    """
    pairs = {
        role: {
            pairs.region: [pairs.provenance.created, len(pairs), *pairs.climate_created] for pairs in collection.regions
        }
        for role, collection in roles.items()
    }
    return {**config.of_training(), "pairs": pairs, "code": stage_digest("train")}


def checkpoint_folder(output: Path, identity: dict[str, Any], resume: bool, writes: bool = True) -> Path:
    """Where the states of a run lie, by the digest of what it depends on; made where this process `writes`.

    Raises
    ------
    InputError, ConfigError
        `resume`, and there is no state, or only that of a run with other settings or of another format.
    """
    text = json.dumps(identity, sort_keys=True)
    states = output / "state"
    folder = states / hashlib.sha256(text.encode()).hexdigest()[:12]
    if resume and not (folder / "settings.json").is_file():
        others = sorted(states.glob("*/settings.json"))
        if not others:
            raise InputError(f"{states} holds no state to resume: leave out --resume to start")
        require_format(others[-1].parent)
        old = json.loads(others[-1].read_text())
        differences = _differences({**old, "train": renamed("train", old["train"])}, identity)
        raise ConfigError(
            f"{others[-1].parent} was run with other settings: {'; '.join(differences)}: set them back, or leave out "
            "--resume to start afresh"
        )
    if writes:
        make_folder(folder)
        write_text(folder / "settings.json", text)
    return folder


def _differences(old: Any, new: Any, path: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(set(old) | set(new))
        return [line for key in keys for line in _differences(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))]
    return [] if old == new else [f"{path} was {old!r} and is {new!r}"]

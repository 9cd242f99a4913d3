"""Which run a saved state belongs to: settings and pairs, so that other ones start afresh and never mix."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from terraform.config import Config, renamed
from terraform.digest import stage_digest
from terraform.errors import ConfigError, InputError
from terraform.learn.data.dataset import Collection
from terraform.learn.runtime.checkpoint import require_format
from terraform.storage.atomic_write import atomic_write, make_folder, write_text
from terraform.storage.hashing import sha256_of


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
    start = config.train.start_from
    own = {} if start is None else {"start_from": _digest_of(Path(start))}
    known = next((collection.tints for collection in roles.values()), None)
    if known is not None:
        own["tints"] = known.digest
    return {**config.of_training(), **own, "pairs": pairs, "code": stage_digest("train")}


def _digest_of(weights: Path) -> str:
    if not weights.is_file():
        raise InputError(f"train.start_from: {weights} does not exist: name a weights file, or leave it out")
    return sha256_of(weights)


def checkpoint_folder(output: Path, identity: dict[str, Any], resume: bool, writes: bool = True) -> Path:
    """Where the states of a run lie, by the digest of what it depends on; made where this process `writes`.

    Raises
    ------
    InputError, ConfigError
        `resume`, and there is no state, or only that of a run with other settings or of another format.
    """
    text, states = json.dumps(identity, sort_keys=True), output / "state"
    folder = _folder(states, text)
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


def _folder(states: Path, text: str) -> Path:
    return states / hashlib.sha256(text.encode()).hexdigest()[:12]


def carry_over(output: Path, identity: dict[str, Any], writes: bool = True) -> int:
    """Carry the last state of a shorter run over to a longer one, which then resumes from it.

    Parameters
    ----------
    output : Path
        Folder of the model.
    identity : dict
        What the longer run depends on; the shorter one differs in `train.total_images` alone.
    writes : bool
        Of several processes all check, so that all end where it cannot be, and the first alone writes.

    Returns
    -------
    int
        Images that the state has seen; 0 where the longer run has a state of its own.

    Raises
    ------
    InputError, ConfigError
        There is no state, or only those of runs with other settings, or none is shorter.
    """
    states = output / "state"
    folder = _folder(states, json.dumps(identity, sort_keys=True))
    if any(folder.glob("images-*.json")):
        return 0
    others = [path.parent for path in sorted(states.glob("*/settings.json")) if any(path.parent.glob("images-*.json"))]
    if not others:
        raise InputError(f"{states} holds no state to continue: leave out --continue to start")
    wrong = {other: _hindrances(other, identity) for other in others}
    fitting = [other for other in others if not wrong[other]]
    if not fitting:
        other = max(others, key=_seen)
        raise ConfigError(
            f"{other} cannot be continued: {'; '.join(wrong[other])}. Only train.total_images may change, and grow: "
            "set the others back, or leave out --continue to start afresh"
        )
    longest = max(fitting, key=_seen)
    require_format(longest)
    if not writes:
        return _seen(longest)
    make_folder(folder)
    for path in sorted(longest.glob("*.safetensors")) + sorted(longest.glob("images-*.json")):
        with atomic_write(folder / path.name) as temporary:
            shutil.copyfile(path, temporary)
    write_text(folder / "settings.json", json.dumps(identity, sort_keys=True))
    return _seen(longest)


def _seen(folder: Path) -> int:
    """Count the images that the last state of a folder has seen."""
    return max(int(path.stem.partition("-")[2]) for path in folder.glob("images-*.json"))


def _hindrances(folder: Path, identity: dict[str, Any]) -> list[str]:
    """Say why a run cannot be continued with other settings."""
    old = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    old = {**old, "train": renamed("train", old["train"])}
    shorter = {**old, "train": {**old["train"], "total_images": identity["train"]["total_images"]}}
    found = _differences(shorter, identity)
    if old["train"]["total_images"] > identity["train"]["total_images"]:
        found.append(f"train.total_images was {old['train']['total_images']:,} and is less")
    return found


def _differences(old: Any, new: Any, path: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(set(old) | set(new))
        return [line for key in keys for line in _differences(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))]
    return [] if old == new else [f"{path} was {old!r} and is {new!r}"]

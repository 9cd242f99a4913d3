"""The tiles that judging networks learn from, and where what they learnt is kept: trained once for the same pairs."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from terraform import provenance
from terraform.digest import code_digest
from terraform.geo.heights import SEA, VOID
from terraform.learn.data.dataset import Collection
from terraform.storage.atomic_write import atomic_write

_TILES = 320
_LEARNING_RATE = 2e-3
_Network = TypeVar("_Network", bound=nn.Module)


class Lesson(NamedTuple):
    """Real tiles to learn from.

    Attributes
    ----------
    imagery : (N, 256, 256, 3) uint8
    metres : (N, 256, 256) int16
        Heights; 0 where there are none.
    land : (N, 256, 256) bool
        Land of known height and colour.
    """

    imagery: Tensor
    metres: Tensor
    land: Tensor


def lesson_of(training: Collection) -> Lesson:
    """Read tiles to learn from, spread over the training regions."""
    rows = []
    for pair in training.spread(_TILES):
        stored = training.read([pair])
        heights = stored.elevation[:, stored.inner, stored.inner]
        land = (heights != SEA) & (heights != VOID) & (stored.imagery > 0).any(3)
        rows.append((stored.imagery, torch.where((heights == SEA) | (heights == VOID), 0, heights), land))
    return Lesson(*(torch.cat(part) for part in zip(*rows, strict=True)))


def pictures(imagery: Tensor) -> Tensor:
    """(N, H, W, 3) uint8 as (N, 3, H, W) float32, [-1, 1]."""
    return imagery.permute(0, 3, 1, 2) / 127.5 - 1


def descend(network: nn.Module, steps: int, loss_of: Callable[[], Tensor]) -> None:
    """Let a judging network learn: Adam, its rate falling linearly to zero.

    Parameters
    ----------
    network : nn.Module
        Learns in place.
    steps : int
    loss_of : callable
        Draws a batch and computes its loss.
    """
    optimiser = torch.optim.Adam(network.parameters(), _LEARNING_RATE)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * (1 - step / steps)
        loss = loss_of()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def remembered(
    path: Path, network: Callable[[], _Network], training: Collection, steps: int, seed: int,
    learn: Callable[[_Network], None],
) -> _Network:  # fmt: skip
    """Load what a judging network learnt from the same pairs by the same code, or let it learn and keep it.

    Deterministic, and the caller's random numbers are left as they were.

    Parameters
    ----------
    path : Path
        Of weights, which carry licence and attribution of the pairs.
    network : callable
        Makes the network.
    training : Collection
    steps, seed : int
    learn : callable
        Trains the network in place.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _remembered(path, network(), training, [steps, seed], learn)


def _remembered(
    path: Path, network: _Network, training: Collection, how: list[int], learn: Callable[[_Network], None]
) -> _Network:
    made = training.provenance
    places = [[pairs.region, len(pairs), pairs.provenance.details] for pairs in training.regions]
    told = json.dumps([places, how, code_digest([type(network).__module__])], default=str)
    key = hashlib.sha256(told.encode()).hexdigest()
    kept = _kept(path, key)
    if kept is not None:
        network.load_state_dict(kept)
        return network.eval()
    learn(network)
    header = {"key": key, "provenance": provenance.to_json(made), **made.tags()}
    with atomic_write(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, temporary, header)
    return network.eval()


def _kept(path: Path, key: str) -> dict[str, Tensor] | None:
    try:
        with safe_open(path, "pt") as file:
            if (file.metadata() or {}).get("key") != key:
                return None
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None

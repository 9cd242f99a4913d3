"""What a generator is judged beside: real ground, and the pictures that need no generator, or another one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform.config import Condition, Train
from terraform.evaluation.colour import terrain_classes
from terraform.evaluation.colour_table import LookupBaseline
from terraform.evaluation.judges.learning import pictures
from terraform.evaluation.judges.recoverability import high_pass
from terraform.geo.heights import SEA, VOID
from terraform.geo.tile_spec import TileSpec
from terraform.learn.data.augment import no_augmentation, prepare
from terraform.learn.data.dataset import Collection, StoredPairs
from terraform.learn.weights import TrainedGenerator
from terraform.pairs.relief import HILLSHADE_CONTRAST

Chosen = NDArray[np.int64]

_AT_ONCE = 4
_HILLSHADE = Condition(channels=["hillshade", "sea"])


class TileColours(Protocol):
    """Base colours of a whole body: `terraform.mosaic.base.base_map.BaseMap`."""

    def sample(self, tiles: NDArray[Any], spec: TileSpec) -> NDArray[np.uint8]:
        """Sample at the cells of tiles, (N, 2, 20, 20, 3), as pairs hold them."""
        ...


@dataclass(frozen=True)
class Judged:
    """The pairs that are judged.

    Attributes
    ----------
    collection : Collection
    chosen : (N,) int64
        Pairs of the collection.
    planet : TileColours, optional
        Base colours of the whole body, instead of the pairs' own, which are smooth real colours.
    """

    collection: Collection
    chosen: Chosen
    planet: TileColours | None

    def parts(self) -> Iterator[StoredPairs]:
        """Read them, four at a time."""
        for first in range(0, len(self.chosen), _AT_ONCE):
            yield self.read(self.chosen[first : first + _AT_ONCE])

    def read(self, chosen: Chosen) -> StoredPairs:
        """Read pairs of the collection, with the base colours that hold."""
        stored = self.collection.read(chosen)
        if self.planet is None:
            return stored
        base = self.planet.sample(self.collection.tiles(chosen), self.collection.spec)
        return stored._replace(base=torch.from_numpy(base))


class Ground(NamedTuple):
    """What is known of judged pairs.

    Attributes
    ----------
    real, base : (N, 3, 256, 256) float32, [-1, 1]
        Imagery; base colours, enlarged.
    hillshade : (N, 1, 256, 256) float32
    sea : (N, 1, 256, 256) bool
    valid : (N, 1, 256, 256) float32
        1 where imagery is known.
    kinds : (N, 256, 256) int64
        Kind of terrain (`terraform.evaluation.colour.terrain_classes`).
    relief, known_relief : (N, 1, 64, 64) float32
        High-pass relief, and where it is known (`terraform.evaluation.judges.recoverability.high_pass`).
    """

    real: Tensor
    base: Tensor
    hillshade: Tensor
    sea: Tensor
    valid: Tensor
    kinds: Tensor
    relief: Tensor
    known_relief: Tensor


def ground_of(judged: Judged, trained: TrainedGenerator) -> Ground:
    """Read what is known of judged pairs; the encoding of the generator says how the sun stands."""
    spec, rows = judged.collection.spec, []
    for stored in judged.parts():
        plain = Train(noise=0, base="channels")
        shaded = prepare(stored, no_augmentation(len(stored.imagery)), "none", plain, _HILLSHADE, trained.sheet, spec)
        condition, valid = shaded.condition, (stored.imagery > 0).any(3)[:, None].float()
        kinds, heights = terrain_classes(stored, spec.pixel_m), stored.elevation[:, stored.inner, stored.inner]
        land = (heights != SEA) & (heights != VOID) & (valid[:, 0] > 0)
        relief = high_pass(torch.where(land, heights, 0), land, spec.pixel_m)
        sea = condition[:, 1:2] > 0.5
        rows.append((shaded.imagery, condition[:, 2:], condition[:, :1], sea, valid, kinds, *relief))
    return Ground(*(torch.cat(part) for part in zip(*rows, strict=True)))


@torch.no_grad()
def generated(judged: Judged, trained: TrainedGenerator, ground: Ground) -> Tensor:
    """Draw the judged pairs with a generator, (N, 3, 256, 256) float32 in [-1, 1].

    A network that draws with the statistics of its batch, as pix2pix as published, draws them one by one.
    """
    spec, settings, drawn = judged.collection.spec, trained.settings_of_pairs, []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for stored in judged.parts():
            plain = no_augmentation(len(stored.imagery))
            batch = prepare(stored, plain, "none", settings, trained.condition, trained.sheet, spec)
            seen = torch.split(batch.generator_input, 1 if trained.network.training else _AT_ONCE)
            drawn.append(batch.without_halo(torch.cat([trained.network(part) for part in seen])))
    return trained.with_sea(torch.cat(drawn).float(), ground.base, ground.sea)


def from_table(judged: Judged, table: LookupBaseline) -> Tensor:
    """Draw the judged pairs with the colour table, (N, 3, 256, 256) float32 in [-1, 1]."""
    return torch.cat([table.draw(stored) for stored in judged.parts()])


def shade(base: Tensor, hillshade: Tensor) -> Tensor:
    """Shade base colours by relief, as the light of the imagery's sun does on flat and on sloping ground.

    Parameters
    ----------
    base : (N, 3, H, W) float32, [-1, 1]
    hillshade : (N, 1, H, W) float32
        The channel of that name.

    Returns
    -------
    (N, 3, H, W) float32, [-1, 1]
    """
    facing = torch.atanh(hillshade.clamp(-0.999, 0.999)) / HILLSHADE_CONTRAST
    return ((base + 1) * (1 + facing) - 1).clamp(-1, 1)


def imagery_of(collection: Collection, chosen: Sequence[int] | Chosen) -> Tensor:
    """Read real imagery, (N, 3, 256, 256) float32 in [-1, 1]."""
    parts = [chosen[first : first + 32] for first in range(0, len(chosen), 32)]
    return torch.cat([pictures(collection.read(part).imagery) for part in parts])


def other_region(training: Collection, count: int, seed: int) -> Tensor:
    """Read real imagery of regions that were trained on, in no order: what a perfect forger of other places shows.

    Parameters
    ----------
    training : Collection
    count : int
        Pictures; more than there are pairs repeat some.
    seed : int

    Returns
    -------
    (count, 3, 256, 256) float32, [-1, 1]
    """
    shuffled = np.random.default_rng(seed).permutation(training.spread(count))
    return imagery_of(training, np.resize(shuffled, count))

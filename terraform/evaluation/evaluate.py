"""Judge a trained generator on held-out pairs, beside straw men and real imagery."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform import provenance
from terraform.config import Condition, Config, Train
from terraform.errors import InputError
from terraform.evaluation import schema
from terraform.evaluation.schema import METRICS, Evaluation, Role, Score, Scores, Weights
from terraform.geo.tile_spec import TileSpec
from terraform.learn import baseline, metrics, weights
from terraform.learn.baseline import LookupBaseline
from terraform.learn.data.augment import no_augmentation, prepare
from terraform.learn.data.dataset import Collection, StoredPairs, by_role
from terraform.learn.weights import TrainedGenerator
from terraform.storage.hashing import sha256_of

_PAIRS = 128
_BOARD_PAIRS = 8


class EvaluatedPairs(NamedTuple):
    """Held-out pairs with what was generated for them.

    Attributes
    ----------
    stored : StoredPairs
    pictures : dict of title to (N, 3, 256, 256) float32, [-1, 1]
        "generated", and the baselines "table" (colours by height and latitude), "base" (base colours, enlarged) and
        "base_hillshade" (the same under the imagery's sun).
    sea : (N, 1, 256, 256) bool
    """

    stored: StoredPairs
    pictures: dict[str, Tensor]
    sea: Tensor


class TileColours(Protocol):
    """Base colours of a whole body: `terraform.mosaic.base.base_map.BaseMap`."""

    def sample(self, tiles: NDArray[Any], spec: TileSpec) -> NDArray[np.uint8]:
        """Sample at the cells of tiles, (N, 2, 20, 20, 3), as pairs hold them."""
        ...


Callback = Callable[[str, EvaluatedPairs], None]
"""Called with a role and some of its pairs: it draws boards."""


def evaluate(
    weights_file: Path,
    folders: Mapping[str, Sequence[Path]],
    output: Path,
    config: Config,
    callback: Callback,
    planet: TileColours | None = None,
) -> None:
    """Measure on validation and test regions and write `metrics.json` and `metrics.csv` into `output`.

    Parameters
    ----------
    weights_file : Path
    folders : mapping of role to folders of pairs
        The colour table is fitted to "train".
    output : Path
        Folder.
    config : Config
    callback : callable
    planet : TileColours, optional
        Base colours of the whole body, instead of the pairs' own, which are smooth real colours.

    Raises
    ------
    InputError
        There are no held-out pairs.
    """
    trained = weights.load(weights_file)
    roles = by_role(folders, trained.condition.needs_climate)
    held_out = {role: roles[role] for role in ("validation", "test") if role in roles}
    if not held_out or "train" not in roles:
        raise InputError("there are no held-out pairs to judge: give a region the role validation or test")
    for collection in roles.values():
        if collection.spec != trained.spec:
            raise InputError(
                f"{weights_file} learnt from tiles of {trained.spec}, the pairs of {collection.regions[0].region} have "
                f"{collection.spec}: judge it on pairs that were cut alike"
            )
    judge = _Judge(trained, baseline.fit(roles["train"]), planet)
    measured: dict[str, Role] = {}
    for role, collection in held_out.items():
        measured[role] = judge.measure(collection)
        callback(role, judge.generate(collection, collection.spread(_BOARD_PAIRS)))
    made = provenance.merge([trained.provenance, *(c.provenance for c in held_out.values())])
    judged = Weights(sha256=sha256_of(weights_file), network=trained.settings.network, images=None)
    document = Evaluation(
        format=schema.FORMAT, run=config.run, licence=made.licence, attribution=made.attribution, weights=judged,
        seeds=1, metrics=METRICS, roles=measured,
    )  # fmt: skip
    schema.write(document, output)


class _Judge(NamedTuple):
    """A generator, what it is compared with, and where its base colours come from."""

    trained: TrainedGenerator
    table: LookupBaseline
    planet: TileColours | None

    def measure(self, collection: Collection) -> Role:
        """Score every set of pictures of at most 128 pairs, and real imagery against itself."""
        chosen = collection.spread(_PAIRS)
        parts = [self.generate(collection, part) for part in np.array_split(chosen, -(-len(chosen) // 4))]
        real = torch.cat([part.stored.imagery.permute(0, 3, 1, 2) / 127.5 - 1 for part in parts])
        valid = torch.cat([(part.stored.imagery > 0).any(3)[:, None].float() for part in parts])
        classes = torch.cat([baseline.terrain_classes(part.stored, collection.spec.pixel_m) for part in parts])
        sea = torch.cat([part.sea for part in parts])
        sets = {name: torch.cat([part.pictures[name] for part in parts]) for name in parts[0].pictures}
        scores = {name: _scores(pictures, real, valid, classes) for name, pictures in sets.items()}
        for name, pictures in {**sets, "real": real}.items():
            drift = metrics.base_drift(pictures, sets["base"], sea, valid, collection.spec.pixel_m)
            scores.setdefault(name, _floor(real))["base_drift"] = drift
        regions = [pairs.region for pairs in collection.regions]
        return Role(regions=regions, pairs=len(chosen), blocks=len(regions), scores=_as_scores(scores))

    @torch.no_grad()
    def generate(self, collection: Collection, chosen: np.ndarray[Any, np.dtype[np.int64]]) -> EvaluatedPairs:
        """Draw pairs with the generator and with the baselines."""
        stored, spec = collection.read(chosen), collection.spec
        if self.planet is not None:
            stored = stored._replace(base=torch.from_numpy(self.planet.sample(collection.tiles(chosen), spec)))
        trained, settings, plain = self.trained, self.trained.settings_of_pairs, no_augmentation(len(chosen))
        batch = prepare(stored, plain, "none", settings, trained.condition, trained.sheet, spec)
        shaded = prepare(
            stored, plain, "none", Train(noise=0, base="channels"), _HILLSHADE, trained.sheet, collection.spec
        )
        base, sea = shaded.condition[:, 2:], shaded.condition[:, 1:2] > 0.5
        drawn = trained.with_sea(batch.without_halo(trained.network(batch.generator_input)), base, sea)
        pictures = {
            "generated": drawn, "table": self.table.draw(stored), "base": base,
            "base_hillshade": baseline.shade(base, shaded.condition[:, :1]),
        }  # fmt: skip
        return EvaluatedPairs(stored, pictures, sea)


_HILLSHADE = Condition(channels=["hillshade", "sea"])


def _as_scores(measured: Mapping[str, Mapping[str, Any]]) -> Scores:
    return {
        pictures: {name: Score(value=float(value)) for name, value in values.items()}
        for pictures, values in measured.items()
    }


def _scores(drawn: Tensor, real: Tensor, valid: Tensor, kinds: Tensor) -> dict[str, Any]:
    return {
        "l1": metrics.l1(drawn, real, valid),
        "colour_given_relief": metrics.colour_given_relief(drawn, real, kinds),
        **metrics.fidelity(drawn * valid, real * valid),
        "swd": metrics.sliced_wasserstein(drawn * valid, real * valid),
        "spectrum_db": metrics.spectrum_distance(drawn * valid, real * valid),
        **_peaks(drawn),
        "deviation": float(drawn.std()) * 127.5,
    }


def _floor(real: Tensor) -> dict[str, Any]:
    """Real against real: one half of the pairs against the other, which is as close as strangers come."""
    half = len(real) // 2
    one, other = real[0 : 2 * half : 2], real[1 : 2 * half : 2]
    return {
        "swd": metrics.sliced_wasserstein(one, other),
        "spectrum_db": metrics.spectrum_distance(one, other),
        **_peaks(real),
        "deviation": float(real.std()) * 127.5,
    }


def _peaks(pictures: Tensor) -> dict[str, float]:
    return {f"checkerboard_{period}": value for period, value in metrics.checkerboard(pictures).items()}

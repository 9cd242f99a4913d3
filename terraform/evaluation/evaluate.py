"""Judge a trained generator on held-out pairs, beside straw men and real imagery."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from terraform import provenance
from terraform.config import Config
from terraform.errors import ConfigError, InputError
from terraform.evaluation import colour_table, resampling, schema, straw_men
from terraform.evaluation.colour_table import LookupBaseline
from terraform.evaluation.comparison import Compared, Judges
from terraform.evaluation.diversity import thumbnails
from terraform.evaluation.judges.encoder import encoder_of
from terraform.evaluation.judges.learning import lesson_of
from terraform.evaluation.judges.published import choose_encoder, described, read_encoder
from terraform.evaluation.judges.recoverability import reader_of
from terraform.evaluation.mars.judge import Drawn, judge_mars
from terraform.evaluation.resampling import Doubles, Statistic
from terraform.evaluation.schema import METRICS, EncoderUsed, Evaluation, Role, Score, Scores, Weights
from terraform.evaluation.straw_men import Ground, Judged, TileColours
from terraform.evaluation.windows import windows
from terraform.learn import weights
from terraform.learn.data.dataset import Collection, StoredPairs, by_role
from terraform.learn.weights import TrainedGenerator
from terraform.pairs.tints import TintMap
from terraform.storage.hashing import sha256_of

_TRAINING_TILES = 400
_BOARD_PAIRS = 8
_RANKED_BY = ("l1", "swd", "spectrum_db", "colour_given_relief")
_OF_A_RANK = 3


class Board(NamedTuple):
    """Some tiles, to be drawn as rows.

    Attributes
    ----------
    name : str
        "fixed", or the metric by which they are the best, the median and the worst.
    captions : list of str
        One a row.
    stored : StoredPairs
        N pairs.
    pictures : dict of str to (N, 3, 256, 256) float32, [-1, 1]
        "base", "generated" and every other set but "real".
    """

    name: str
    captions: list[str]
    stored: StoredPairs
    pictures: dict[str, Tensor]


Callback = Callable[[str, Board], None]
"""Called with a role and a board: it draws it."""


def evaluate(
    weights_file: Path,
    folders: Mapping[str, Sequence[Path]],
    output: Path,
    config: Config,
    callback: Callback,
    planet: TileColours | None = None,
    drawn: Drawn | None = None,
    tints: TintMap | None = None,
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
        Of which `evaluation`, `run` and `seed` are asked.
    callback : callable
    planet : TileColours, optional
        Base colours of the whole body, instead of the pairs' own, which are smooth real colours.
    drawn : Drawn, optional
        Mosaics of Mars, to be judged too.
    tints : TintMap, optional
        Of the body that the pairs are of, for generators that know them.

    Raises
    ------
    InputError
        There are no held-out pairs, or weights and pairs do not fit.
    """
    trained = weights.load(weights_file)
    rivals = {name: weights.load(Path(path)) for name, path in config.evaluation.rivals.items()}
    seeds = {path: weights.load(Path(path)) for path in config.evaluation.seeds}
    _check_seeds(weights_file, trained, seeds)
    roles = by_role(folders, any(one.condition.needs_climate for one in (trained, *rivals.values())), tints)
    held_out = {role: roles[role] for role in ("validation", "test") if role in roles}
    if not held_out or "train" not in roles:
        raise InputError("there are no held-out pairs to judge: give a region the role validation or test")
    files = {str(weights_file): trained} | {config.evaluation.rivals[name]: rival for name, rival in rivals.items()}
    for file, generator in files.items():
        _check_size(file, generator, roles)
    judge = _Judge({"generated": trained, **rivals}, list(seeds.values()), roles["train"], config, planet, output)
    measured: dict[str, Role] = {}
    for role, collection in held_out.items():
        measured[role], boards = judge.measure(collection)
        for board in boards:
            callback(role, board)
    made = provenance.merge([trained.provenance, *(c.provenance for c in held_out.values())])
    judged = Weights(sha256=sha256_of(weights_file), network=trained.settings.network, images=trained.images)
    document = Evaluation(
        format=schema.FORMAT, run=config.run, licence=made.licence, attribution=made.attribution, weights=judged,
        seeds=1 + len(seeds), encoder=judge.encoder, metrics=METRICS, roles=measured,
    )  # fmt: skip
    if drawn is not None:
        mars = judge_mars(drawn, judge.judges, roles["train"], config, output)
        if mars is None:
            print("Mars is not judged: its mosaics hold fewer than two whole tiles with land", file=sys.stderr)
        else:
            document = document.model_copy(update={"mars": mars})
    schema.write(document, output)


def _check_seeds(file: Path, trained: TrainedGenerator, others: Mapping[str, TrainedGenerator]) -> None:
    """Refuse weights under `evaluation.seeds` of another recipe, and the same weights twice."""
    known = {sha256_of(file): str(file)}
    for path, other in others.items():
        digest = sha256_of(Path(path))
        if digest in known:
            raise ConfigError(f"evaluation.seeds: {path} holds the weights of {known[digest]}: name each training once")
        known[digest] = path
        same = (other.settings, other.condition, other.sheet, other.spec)
        if same != (trained.settings, trained.condition, trained.sheet, trained.spec):
            raise ConfigError(
                f"evaluation.seeds: {path} learnt with other settings than {file}: name trainings that differ in "
                "`seed` alone, and others under evaluation.rivals"
            )


def _check_size(file: str, trained: TrainedGenerator, roles: Mapping[str, Collection]) -> None:
    for collection in roles.values():
        if collection.spec != trained.spec:
            raise InputError(
                f"{file} learnt from tiles of {trained.spec}, the pairs of {collection.regions[0].region} have "
                f"{collection.spec}: judge it on pairs that were cut alike"
            )


class _Judge:
    """Generators, and what they are compared with."""

    def __init__(
        self, generators: Mapping[str, TrainedGenerator], seeds: Sequence[TrainedGenerator], training: Collection,
        config: Config, planet: TileColours | None, folder: Path,
    ) -> None:  # fmt: skip
        self.generators, self.seeds, self.training, self.config = generators, seeds, training, config
        self.planet = planet
        self.table: LookupBaseline = colour_table.fit(training)
        self.judges, self.encoder = _judges(training, config, folder)
        self.known = thumbnails(straw_men.imagery_of(training, training.spread(_TRAINING_TILES)))

    def measure(self, collection: Collection) -> tuple[Role, list[Board]]:
        """Score every set of pictures of some pairs, and choose tiles to show."""
        judged = Judged(collection, collection.spread(self.config.evaluation.pairs), self.planet)
        ground = straw_men.ground_of(judged, self.generators["generated"])
        blocks = resampling.blocks_of(collection, judged.chosen)
        times = resampling.multiplicities(blocks, self.config.seed)
        compared = Compared(ground, self.known, self.judges, collection.spec.pixel_m)
        scores: Scores = {}
        boards: dict[str, Board] = {}
        for name, pictures in self._sets(judged, ground):
            found = compared.statistics(pictures)
            scores[name] = {metric: resampling.score(one, times) for metric, one in found.items()}
            if name == "generated" and self.seeds:
                others = [compared.statistics(straw_men.generated(judged, one, ground)) for one in self.seeds]
                scores[name] = _over_seeds([found, *others], times)
            if not boards:
                rows = _chosen(found, len(judged.chosen))
                boards = {board: _board(board, chosen, judged) for board, chosen in rows.items()}
            for board, chosen in rows.items():
                boards[board].pictures[name] = pictures[list(chosen)].clone()
        floor = compared.floor()
        scores["real"] = {metric: resampling.score(one, times) for metric, one in floor.items()}
        self._add_windows(scores, judged)
        regions = [pairs.region for pairs in collection.regions]
        role = Role(regions=regions, pairs=len(judged.chosen), blocks=int(blocks.max()) + 1, scores=scores)
        return role, list(boards.values())

    def _sets(self, judged: Judged, ground: Ground) -> Iterator[tuple[str, Tensor]]:
        """Draw the sets of pictures one after the other."""
        for name, trained in self.generators.items():
            yield name, straw_men.generated(judged, trained, ground)
        yield "other_region", straw_men.other_region(self.training, len(judged.chosen), self.config.seed)
        yield "table", straw_men.from_table(judged, self.table)
        yield "base", ground.base
        yield "base_hillshade", straw_men.shade(ground.base, ground.hillshade)

    def _add_windows(self, scores: Scores, judged: Judged) -> None:
        for name, trained in self.generators.items():
            found = windows(trained, judged)
            if found is not None:
                scores[name] |= {
                    "tile_invariance": Score(value=found.tile_invariance), "seam": Score(value=found.seam)
                }  # fmt: skip
                scores["real"].setdefault("seam", Score(value=found.real_seam))


def _over_seeds(found: Sequence[Mapping[str, Statistic]], times: Doubles) -> dict[str, Score]:
    """Score the mean over trainings, with the number of each."""
    scores = {}
    for metric in found[0]:
        each = [statistics[metric] for statistics in found]
        whole = resampling.score(resampling.mean_of(each), times)
        scores[metric] = whole.model_copy(update={"seeds": [one.value for one in each]})
    return scores


def _judges(training: Collection, config: Config, folder: Path) -> tuple[Judges, EncoderUsed]:
    """Train the judging networks, or read what they learnt from the same pairs before, or is published."""
    lesson, steps, seed = lesson_of(training), config.evaluation.judge_steps, config.seed
    file = choose_encoder(config.evaluation.encoder, training)
    if file is None:
        file = folder / "encoder.safetensors"
        encoder = encoder_of(file, training, lesson, steps, seed)
        used = described(file, training.provenance)
    else:
        encoder, used = read_encoder(file)
    reader = reader_of(folder / "relief-reader.safetensors", training, lesson, steps, seed)
    return Judges(encoder, reader), used


def _chosen(found: Mapping[str, Statistic], count: int) -> dict[str, dict[int, str]]:
    """Choose tiles for each board, with a caption each: fixed ones, then by each main metric.

    Parameters
    ----------
    found : mapping of metric to Statistic
        Of what was generated.
    count : int
        Tiles that were judged.
    """
    fixed = np.unique(np.linspace(0, count - 1, min(_BOARD_PAIRS, count)).round().astype(int)).tolist()
    alone = np.eye(count)
    ranks = {name: found[name].replicate for name in _RANKED_BY}
    of_tiles = {name: replicate(alone) for name, replicate in ranks.items() if replicate is not None}
    return {"fixed": dict.fromkeys(fixed, ""), **{name: _ranked(values) for name, values in of_tiles.items()}}


def _ranked(values: Doubles) -> dict[int, str]:
    """Choose the best, the median and the worst tiles by a metric of which less is better."""
    order, few = np.argsort(values, kind="stable"), min(_OF_A_RANK, max(1, len(values) // 3))
    middle = (len(order) - few) // 2
    ranks = {"best": order[:few], "median": order[middle : middle + few], "worst": order[::-1][:few]}
    return {int(tile): f"{rank}: {values[tile]:.3g}" for rank, tiles in ranks.items() for tile in tiles}


def _board(name: str, rows: Mapping[int, str], judged: Judged) -> Board:
    return Board(name, list(rows.values()), judged.read(judged.chosen[list(rows)]), {})

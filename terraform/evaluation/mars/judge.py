"""Judge what was drawn on Mars, where there is no truth: beside real Earth of like relief and of like climate.

Of every distance the floor is the same distance between real Earth and other real Earth, matched alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from terraform.config import Config
from terraform.evaluation import resampling
from terraform.evaluation.colour import colour_given_relief, deviation
from terraform.evaluation.comparison import Judges
from terraform.evaluation.diversity import diversity
from terraform.evaluation.judges.learning import Lesson, lesson_of, pictures
from terraform.evaluation.judges.recoverability import high_pass, recoverability
from terraform.evaluation.kernel import kernel_distance
from terraform.evaluation.mars import outside as lying
from terraform.evaluation.mars.tiles import MarsTiles, Mosaic, sample
from terraform.evaluation.resampling import Doubles, Statistic
from terraform.evaluation.schema import Mars, Outside
from terraform.evaluation.spectrum import checkerboard, spectrum
from terraform.learn.data.dataset import Collection
from terraform.planet.rasters import StoredClimate, read_climate

MAP = "mars-outside.png"
_WARMTH_C = (-10.0, 0.0, 10.0, 20.0)
_RAIN_MM = (150.0, 400.0, 800.0)


@dataclass(frozen=True)
class Drawn:
    """What was drawn on Mars.

    Attributes
    ----------
    mosaics : sequence of Mosaic
    climates : pair of Path, optional
        `climate.tif` of Mars and of Earth.
    """

    mosaics: Sequence[Mosaic]
    climates: tuple[Path, Path] | None


def judge_mars(drawn: Drawn, judges: Judges, training: Collection, config: Config, folder: Path) -> Mars | None:
    """Score tiles of mosaics, and draw where Mars lies outside what Earth taught.

    Parameters
    ----------
    drawn : Drawn
    judges : Judges
    training : Collection
        Real Earth to compare with.
    config : Config
        Of which `mosaics.elevation`, `evaluation.pairs` and `seed` are asked.
    folder : Path
        Where the map goes.

    Returns
    -------
    Mars or None
        None where the mosaics hold fewer than two whole tiles with land.
    """
    earth, settings = lesson_of(training), config.mosaics.elevation
    most = min(config.evaluation.pairs, len(earth.imagery) // 2)
    shoreline_m = None if settings.policy == "clip" else settings.shoreline_m
    mars = sample(drawn.mosaics, shoreline_m, training.spec, most, config.seed)
    if mars is None:
        return None
    times = resampling.multiplicities(mars.blocks, config.seed)
    statistics = _of_relief(mars, earth, judges, training.spec.pixel_m)
    found = None
    if drawn.climates is not None:
        there, here = (read_climate(path)[0] for path in drawn.climates)
        _add_colours(statistics, mars, earth, (_at(there, mars.places), _at(here, _middles(training, earth))))
        share = lying.outside(lying.ground_of(there), lying.ground_of(here))
        lying.draw(folder / MAP, share)
        found = Outside(climate=share.climate_share, relief=share.relief_share, map=MAP)
    scores = {
        name: {metric: resampling.score(one, times) for metric, one in row.items()} for name, row in statistics.items()
    }
    regions, count = [mosaic.region for mosaic in drawn.mosaics], len(mars.blocks)
    judged = Mars(regions=regions, tiles=count, scores=scores)
    return judged if found is None else judged.model_copy(update={"outside": found})


def _of_relief(mars: MarsTiles, earth: Lesson, judges: Judges, pixel_m: float) -> dict[str, dict[str, Statistic]]:
    """Compare with Earth of like relief: "generated", and "real", which is such Earth beside other such Earth."""
    wanted, there = (_ruggedness(part, pixel_m) for part in (mars.tiles, earth))
    alike = matched(wanted, there)
    other = matched(wanted, there, without=alike)
    drawn, one, two = (pictures(part) for part in (mars.tiles.imagery, earth.imagery[alike], earth.imagery[other]))
    ours, theirs, others = (judges.encoder.features(part) for part in (drawn, one, two))
    floor = kernel_distance(theirs, others)
    read = recoverability(judges.reader.read(drawn), *high_pass(mars.tiles.metres, mars.tiles.land, pixel_m))
    real = recoverability(judges.reader.read(one), *high_pass(earth.metres[alike], earth.land[alike], pixel_m))
    return {
        "generated": {
            "kernel_distance": _minus(kernel_distance(ours, theirs), floor), **spectrum(drawn, one),
            **checkerboard(drawn), "recoverability": read, "diversity": diversity(ours.mean(1), theirs.mean(1)),
            "deviation": deviation(drawn),
        },
        "real": {
            "kernel_distance": floor, **spectrum(two, one), **checkerboard(one), "recoverability": real,
            "diversity": diversity(others.mean(1), theirs.mean(1)), "deviation": deviation(one),
        },
    }  # fmt: skip


def _add_colours(
    statistics: dict[str, dict[str, Statistic]], mars: MarsTiles, earth: Lesson, climates: tuple[Doubles, Doubles]
) -> None:
    """Compare the colours of land with those of Earth's land of like climate."""
    there, here = climates
    alike = matched(there, here)
    other = matched(there, here, without=alike)
    kind = torch.from_numpy(_class_of(there))[:, None, None]
    land = mars.tiles.land
    drawn, one, two = (pictures(part) for part in (mars.tiles.imagery, earth.imagery[alike], earth.imagery[other]))
    for name, shown, known in (
        ("generated", drawn, land & earth.land[alike]), ("real", two, earth.land[other] & earth.land[alike]),
    ):  # fmt: skip
        kinds = torch.where(known, kind, -1)
        statistics[name]["colour_given_climate"] = colour_given_relief(shown, one, kinds)


def matched(wanted: Doubles, offered: Doubles, without: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Choose for each row the nearest row of others, none twice: the hardest to match first.

    Parameters
    ----------
    wanted, offered : (N, K) and (M, K) float64
        M at least N, or twice N where some are taken.
    without : (N,) int64, optional
        Rows that are taken.

    Returns
    -------
    (N,) int64
    """
    scale = np.maximum(offered.std(0), 1e-9)
    apart = np.asarray(torch.cdist(torch.from_numpy(wanted / scale), torch.from_numpy(offered / scale)))
    if without is not None:
        apart[:, without] = np.inf
    chosen = np.zeros(len(wanted), np.int64)
    for row in np.argsort(-apart.min(1), kind="stable"):
        chosen[row] = apart[row].argmin()
        apart[:, chosen[row]] = np.inf
    return chosen


def _ruggedness(tiles: Lesson, pixel_m: float) -> Doubles:
    """Describe the relief of tiles: deviation of its high-pass, of broad heights, and the share of land; (N, 3)."""
    relief, known = high_pass(tiles.metres, tiles.land, pixel_m)
    share = known.mean((1, 2, 3))
    fine = ((relief**2).sum((1, 2, 3)) / known.sum((1, 2, 3)).clamp_min(1)).sqrt()
    broad = torch.log1p(tiles.metres.float().flatten(1).std(1) / 50)
    return np.asarray(torch.stack([fine, broad, share], 1).double())


def _middles(training: Collection, earth: Lesson) -> Doubles:
    """Find longitude and latitude of the middles of the tiles of `lesson_of`, (N, 2)."""
    tiles = training.tiles(training.spread(len(earth.imagery)))
    return np.stack([(tiles["west"] + tiles["east"]) / 2, tiles["latitude"]], 1)


def _at(climate: StoredClimate, places: Doubles) -> Doubles:
    """Look up the year's temperature and the logarithm of its rain at places, (N, 2)."""
    grid = climate.grid
    rows = np.clip(((90 - places[:, 1]) / grid.cell_deg).astype(int), 0, grid.height - 1)
    columns = np.floor((places[:, 0] + 180) / grid.cell_deg).astype(int) % grid.width
    monthly = climate.monthly
    warmth, rain = (part[rows, columns].astype(np.float64) for part in (
        monthly.annual_temperature, monthly.annual_precipitation))  # fmt: skip
    return np.stack([warmth, np.log(np.maximum(rain, 0) + 50)], 1)


def _class_of(climate: Doubles) -> NDArray[np.int64]:
    """Find the classes of warmth and rain of tiles, (N,)."""
    rain = np.exp(climate[:, 1]) - 50
    warmth = np.digitize(climate[:, 0], _WARMTH_C)
    return np.asarray(warmth * (len(_RAIN_MM) + 1) + np.digitize(rain, _RAIN_MM), np.int64)


def _minus(one: Statistic, floor: Statistic) -> Statistic:
    """Subtract a floor, resampled alike."""
    a, b = one.replicate, floor.replicate
    both = None if a is None or b is None else (lambda weights: a(weights) - b(weights))
    return Statistic(one.value - floor.value, both)

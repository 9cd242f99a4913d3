"""What stronger detail is worth on land that training never saw (`train.detail_gain`).

`python -m benchmarks.detail_gain WEIGHTS PAIRS --base results/planet/RUN/earth/base.tif` draws tiles of nw and italy
with the pairs' own base colours and with those that were predicted without them, at several strengths of the detail,
and prints the sliced Wasserstein distance, L1, and the deviation of all pixels over that of real ones.
"""

import argparse
import copy
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from terraform.evaluation import straw_men
from terraform.evaluation.straw_men import Judged
from terraform.evaluation.texture import texture
from terraform.geo.bodies import EARTH
from terraform.learn import weights
from terraform.learn.data.dataset import collect
from terraform.learn.models.generators import strengthen
from terraform.mosaic.base.choice import tints_beside
from terraform.mosaic.base.reading import read_base
from terraform.planet.tints import read_tints

REGIONS = ("nw", "italy")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detail_gain", description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("pairs", type=Path, help="results/pairs of `make real`")
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--gains", type=float, nargs="+", default=[1.0, 1.1, 1.2, 1.3])
    parser.add_argument("--tiles", type=int, default=40)
    options = parser.parse_args()
    trained = weights.load(options.weights)
    beside = tints_beside(options.base)
    tints = read_tints(beside, EARTH) if beside is not None and trained.condition.tints else None
    planet = read_base(options.base, EARTH)
    print(
        "| region, base colours | gain | sliced Wasserstein | L1, levels | deviation over real's |\n" + "|---" * 5 + "|"
    )
    for region in REGIONS:
        pairs = collect([options.pairs / region], (), trained.condition.needs_climate, tints)
        for name, base in (("own", None), ("predicted", planet)):
            judged = Judged(pairs, pairs.spread(options.tiles), base)
            ground = straw_men.ground_of(judged, trained)
            for gain in options.gains:
                network = copy.deepcopy(trained.network)
                strengthen(network, gain / trained.settings.detail_gain)
                drawn = straw_men.generated(judged, replace(trained, network=network), ground)
                print(f"| {region}, {name} | {gain:g} | {_row(drawn, ground.real)} |", flush=True)


def _row(drawn: Tensor, real: Tensor) -> str:
    distance = texture(drawn, real)["swd"].value
    return f"{distance:.0f} | {(drawn - real).abs().mean() * 127.5:.1f} | {drawn.std() / real.std():.2f}"


if __name__ == "__main__":
    with torch.no_grad():
        main()

"""Intervals: of whole blocks, around the value, as wide as the blocks differ."""

import numpy as np
import pytest
import torch

from terraform.evaluation import resampling
from terraform.evaluation.colour import colour_given_relief
from terraform.evaluation.diversity import diversity, thumbnails
from terraform.evaluation.fidelity import fidelity
from terraform.evaluation.resampling import Statistic, mean, mean_of, multiplicities, ratio, score
from terraform.evaluation.spectrum import checkerboard, spectrum
from terraform.evaluation.texture import texture


def test_weights_of_one_draw_hold_whole_blocks():
    blocks = np.repeat(np.arange(6), 5)
    weights = multiplicities(blocks, 0)
    assert weights.shape == (200, 30)
    assert (weights.reshape(200, 6, 5) == weights.reshape(200, 6, 5)[..., :1]).all()
    assert (weights[:, ::5].sum(1) == 6).all()


def test_the_interval_of_a_mean_is_that_of_its_blocks():
    draw = np.random.default_rng(0)
    values = np.repeat(draw.normal(10, 2, 40), 5)
    found = score(mean(values), multiplicities(np.repeat(np.arange(40), 5), 0))
    wide = 1.96 * 2 / np.sqrt(40)
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(2 * wide, rel=0.35)
    alone = score(mean(values), multiplicities(np.arange(200), 0))  # as if neighbours knew nothing of each other
    assert alone.high - alone.low < 0.6 * (found.high - found.low)


def test_the_interval_of_a_mean_over_trainings_is_that_of_the_mean():
    one, other = np.repeat([1.0, 4, 2, 8, 5, 7], 5), np.repeat([3.0, 1, 9, 2, 6, 5], 5)
    weights = multiplicities(np.repeat(np.arange(6), 5), 0)
    together, plain = score(mean_of([mean(one), mean(other)]), weights), score(mean((one + other) / 2), weights)
    assert (together.value, together.low, together.high) == pytest.approx((plain.value, plain.low, plain.high))
    assert score(mean_of([mean(one), Statistic(4.0)]), weights).low is None


def test_few_blocks_give_no_interval():
    assert score(mean([1.0, 2.0, 3.0]), multiplicities(np.arange(3), 0)).low is None
    assert score(Statistic(1.0), multiplicities(np.arange(30), 0)).low is None


def test_a_draw_that_holds_no_tile_of_a_metric_is_left_out():
    """Of the floor every second tile is looked at: a draw of few blocks may hold none of them."""
    values, weights = np.array([1.0, 2, 3, 4, 5]), multiplicities(np.arange(5), 0)
    found = score(mean(values), weights)
    never = np.where(np.arange(5) < 2, values, np.nan)  # of three tiles nothing is known

    def of_known(times):
        return (times[:, :2] @ never[:2]) / times[:, :2].sum(1)  # 0 / 0 where neither was drawn

    partly = score(Statistic(1.5, of_known), weights)
    assert found.low < found.high and 0 <= partly.low <= 1.5 <= partly.high
    assert score(Statistic(1.5, lambda times: np.full(len(times), np.nan)), weights).low is None


def test_intervals_are_the_same_in_every_run():
    statistic, blocks = ratio(np.arange(9.0), np.ones(9)), np.arange(9)
    assert score(statistic, multiplicities(blocks, 1)) == score(statistic, multiplicities(blocks, 1))


@pytest.mark.parametrize("metric", ["l1", "psnr_db", "ssim", "spectrum_db", "checkerboard_2", "colour", "apart"])
def test_a_resampled_set_measures_what_that_set_measures(real, stranger, metric):
    def measured(times):
        a, b = stranger[times], real[times]
        if metric == "colour":
            return colour_given_relief(a, b, torch.zeros(len(a), 256, 256, dtype=torch.int64))
        if metric == "apart":
            return diversity(thumbnails(a), thumbnails(b))
        valid = torch.ones(len(a), 1, 256, 256)
        of = {"sp": spectrum, "ch": lambda a, b: checkerboard(a)}.get(metric[:2])
        return (of(a, b) if of else fidelity(a, b, valid))[metric]

    times = [0, 0, 0, 1, 2, 3]
    weights = np.bincount(times, minlength=4)[None].astype(float)
    assert measured(list(range(4))).replicate(weights)[0] == pytest.approx(measured(times).value, rel=1e-3)


def test_resampled_texture_is_counted_in_bins(real, stranger):
    found = texture(torch.cat([stranger[:2], real[2:]]), real)
    whole, alike = np.array([[1.0, 1, 1, 1], [0, 0, 1, 1]])
    for name in ("swd", "swd_1", "swd_4"):
        assert found[name].replicate(whole[None])[0] == pytest.approx(found[name].value, rel=0.05)
        assert found[name].replicate(alike[None])[0] == 0  # of the second half, which is the same in both


def test_blocks_are_neighbours_of_one_region(tmp_path):
    from benchmarks.world import make_pairs
    from terraform.learn.data.dataset import collect

    collection = collect([make_pairs(tmp_path / "one", 7), make_pairs(tmp_path / "two", 2, seed=50)])
    assert resampling.blocks_of(collection, np.arange(9)).tolist() == [0, 0, 0, 1, 1, 1, 2, 3, 3]

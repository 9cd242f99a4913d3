"""Metrics on pictures whose answer is known: each moves the right way, the further the stronger the damage."""

from functools import cache

import numpy as np
import pytest
import torch

from terraform.evaluation.colour import base_drift, colour_given_relief, deviation
from terraform.evaluation.diversity import diversity, nearest_tile, thumbnails
from terraform.evaluation.fidelity import fidelity
from terraform.evaluation.spectrum import checkerboard, radial_power, spectrum
from terraform.evaluation.texture import texture
from terraform.learn import metrics

VALID = torch.ones(4, 1, 256, 256)
KINDS = torch.zeros(4, 256, 256, dtype=torch.int64)
STRENGTHS = (0, 1, 2, 4)
RISES = {
    "l1": ["blur", "recolour", "lattice", "constant", "shift"],
    "swd": ["blur", "recolour", "lattice", "constant"],
    "swd_1": ["blur", "lattice", "constant"],
    "swd_4": ["recolour", "constant"],
    "spectrum_db": ["blur", "constant"],
    "spectrum_db_high": ["blur", "constant"],
    "checkerboard_2": ["stripes"],
    "colour_given_relief": ["recolour", "constant"],
    "base_drift": ["recolour"],
}
FALLS = {
    "psnr_db": ["blur", "recolour", "lattice", "constant", "shift"],
    "ssim": ["blur", "lattice", "constant", "shift"],
    "ms_ssim": ["blur", "lattice", "constant", "shift"],
    "deviation": ["blur", "constant"],
    "diversity": ["constant"],
}


@pytest.fixture(scope="module")
def measured(real, damaged):
    """Every metric of the pictures under a damage of a strength, each set measured once."""

    @cache
    def of(damage, strength):
        pictures = damaged(damage, strength)
        found = {
            **fidelity(pictures, real, VALID), **texture(pictures, real), **spectrum(pictures, real),
            **checkerboard(pictures), "colour_given_relief": colour_given_relief(pictures, real, KINDS),
            "base_drift": base_drift(pictures, real, KINDS[:, None] > 0, VALID, 200.0),
            "deviation": deviation(pictures), "diversity": diversity(thumbnails(pictures), thumbnails(real)),
        }  # fmt: skip
        return {name: statistic.value for name, statistic in found.items()}

    return lambda damage, strength: of(damage if strength else "none", strength)


def cases(table):
    return [(name, damage) for name, damages in table.items() for damage in damages]


@pytest.mark.parametrize(("metric", "damage"), cases(RISES))
def test_what_is_worse_measures_more(measured, metric, damage):
    found = [measured(damage, strength)[metric] for strength in STRENGTHS]
    assert found == sorted(found) and found[0] < 0.9 * found[1], found


@pytest.mark.parametrize(("metric", "damage"), cases(FALLS))
def test_what_is_worse_measures_less(measured, metric, damage):
    found = [measured(damage, strength)[metric] for strength in STRENGTHS]
    assert found == sorted(found, reverse=True) and found[1] < found[0], found


def test_the_same_is_perfect(real):
    found = {**fidelity(real, real, VALID), **texture(real, real), **spectrum(real, real)}
    assert found["ssim"].value == pytest.approx(1) and found["ms_ssim"].value == pytest.approx(1)
    assert all(found[name].value == 0 for name in found if name.startswith(("l1", "swd", "spectrum")))
    assert diversity(thumbnails(real), thumbnails(real)).value == 1


def test_texture_knows_no_place(measured):
    shifted = measured("shift", 4)
    assert shifted["swd"] < 0.4 * measured("blur", 1)["swd"]
    assert shifted["spectrum_db"] < 0.5


def test_a_blur_takes_the_finest_level_and_the_high_band_most(measured):
    found = measured("blur", 1)
    levels = [found[f"swd_{level}"] for level in (1, 2, 3, 4)]
    assert levels == sorted(levels, reverse=True)
    assert found["spectrum_db_high"] > found["spectrum_db_mid"] > found["spectrum_db_low"]
    assert found["spectrum_db_low"] < 0.5


def test_the_whole_is_what_a_validation_measures(real, stranger):
    found = texture(stranger, real)
    assert found["swd"].value == pytest.approx(metrics.sliced_wasserstein(stranger, real), rel=1e-5)
    assert found["swd"].value == pytest.approx(np.mean([found[f"swd_{level}"].value for level in (1, 2, 3, 4)]))


@pytest.mark.parametrize("period", [2, 4, 8, 16])
def test_a_lattice_shows_at_its_own_period(real, period):
    wave = torch.cos(2 * torch.pi * torch.arange(256) / period) / 4
    found = {name: one.value for name, one in checkerboard(real + wave).items()}
    assert max(found, key=found.get) == f"checkerboard_{period}" and found[f"checkerboard_{period}"] > 5
    assert all(value < 2.5 for name, value in found.items() if name != f"checkerboard_{period}")


def test_spectrum_of_a_known_wave():
    wave = torch.sin(2 * torch.pi * 20 * torch.arange(256) / 256).expand(1, 3, 256, 256) / 2
    assert int(np.argmax(radial_power(wave)[0])) == 20


def test_colour_given_relief_asks_for_the_colours_of_a_place_not_for_its_pixels():
    torch.manual_seed(0)
    bright = torch.rand(1, 3, 128, 128) / 4
    bright[..., 64:] += 0.5  # the mountains of this world are bright
    kinds = torch.zeros(1, 128, 128, dtype=torch.int64)
    kinds[..., 64:] = 1
    turned, swapped = bright.flip(2), bright.flip(3)
    assert colour_given_relief(turned, bright, kinds).value < 0.01
    assert colour_given_relief(swapped, bright, kinds).value == pytest.approx(0.5 * 127.5, rel=0.02)
    assert colour_given_relief(bright - 1, bright, torch.full_like(kinds, -1)).value == 0  # unknown ground


def test_few_pixels_of_a_kind_are_no_colours_of_it():
    bright = torch.rand(1, 3, 128, 128) / 4
    kinds = torch.zeros(1, 128, 128, dtype=torch.int64)
    kinds[0, :4, :4] = 7
    changed = bright.clone()
    changed[..., :4, :4] = -1
    assert colour_given_relief(changed, bright, kinds).value == 0


def test_drift_is_of_smooth_colours_only():
    torch.manual_seed(0)
    base = torch.rand(1, 3, 1, 1).expand(1, 3, 256, 256) - 0.5
    sea, valid = torch.zeros(1, 1, 256, 256, dtype=torch.bool), torch.ones(1, 1, 256, 256)
    grain = torch.randn(1, 3, 256, 256) / 4
    assert base_drift(base + grain, base, sea, valid, 200.0).value < 1
    assert base_drift(base + 0.1, base, sea, valid, 200.0).value == pytest.approx(12.75, rel=1e-3)
    sea[..., 128:] = True
    both = base_drift(base + torch.where(sea, 0.1, -0.1), base, sea, valid, 200.0)
    assert both.value == pytest.approx(12.75, rel=1e-2)


def test_one_picture_again_and_again_has_no_diversity(real):
    small = thumbnails(real)
    assert diversity(small[:1].expand(4, -1), small).value == pytest.approx(0, abs=1e-6)


def test_what_was_learnt_by_heart_is_near(real, stranger):
    known = thumbnails(real)
    assert nearest_tile(known, known).value == 0
    far = nearest_tile(thumbnails(stranger), known).value
    mixed = nearest_tile(torch.cat([known[:2], thumbnails(stranger[:2])]), known).value
    assert 0 < mixed < far

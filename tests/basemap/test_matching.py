"""Colour matching finds a known quadratic."""

import numpy as np
import pytest

from terraform.basemap.matching import match, match_anchored
from terraform.errors import InputError


def quadratic(rgb: np.ndarray) -> np.ndarray:
    r, g, b = rgb.T
    return np.stack([0.02 + 0.8 * r + 0.1 * g * b, 0.7 * g - 0.1 * r * r + 0.2, 0.05 + 0.7 * b + 0.2 * r * g], 1)


def test_recovers_a_known_quadratic():
    rng = np.random.default_rng(0)
    source = rng.random((4000, 3)).astype(np.float32)
    target = quadratic(source).astype(np.float32)
    fitted = match(source, target, ridge=1e-9)
    fresh = rng.random((100, 3)).astype(np.float32)
    np.testing.assert_allclose(fitted(fresh), quadratic(fresh), atol=1e-4)
    assert fitted.after < 1e-4 < fitted.before


def test_equal_sources_stay_as_they_are():
    source = np.random.default_rng(1).random((500, 3)).astype(np.float32)
    fitted = match(source, source)
    assert fitted.before == 0
    np.testing.assert_allclose(fitted(source), source, atol=1e-6)


def test_weights_choose_the_ground():
    rng = np.random.default_rng(2)
    source = rng.random((2000, 3)).astype(np.float32)
    target = np.where(np.arange(2000)[:, None] < 1000, source * 0.5, source)
    fitted = match(source, target, weight=(np.arange(2000) < 1000).astype(np.float32), ridge=1e-9)
    np.testing.assert_allclose(fitted(source), source * 0.5, atol=1e-3)


def test_anchored_black_and_snow_stay_where_no_ground_shows_them():
    source = (0.2 + 0.2 * np.random.default_rng(5).random((500, 3))).astype(np.float32)
    ends = np.repeat(np.array([[0], [0.9], [1]], np.float32), 3, axis=1)
    free, anchored = (fitting(source, source * 0.8) for fitting in (match, match_anchored))
    assert np.abs(anchored(ends) - ends).max() < 0.05 < np.abs(free(ends) - ends).max()
    assert np.abs(anchored(source) - source * 0.8).max() < 0.02


def test_result_is_a_colour():
    source = np.random.default_rng(3).random((100, 3)).astype(np.float32) * 0.2
    fitted = match(source, source * 4)
    far = fitted(np.ones((4, 5, 3), np.float32))
    assert far.shape == (4, 5, 3)
    assert far.dtype == np.float32
    assert far.max() <= 1


def test_too_few_or_void_samples_are_refused():
    few = np.zeros((9, 3), np.float32)
    with pytest.raises(InputError, match="at least 10"):
        match(few, few)
    many = np.full((20, 3), np.nan, np.float32)
    with pytest.raises(InputError, match="voids"):
        match(many, many)

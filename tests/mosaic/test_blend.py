"""Cross-fades: broad colours turn into each other, fine texture keeps its power."""

import numpy as np
import pytest
import torch

from terraform.mosaic import blend as fade
from terraform.mosaic.blend import Layer
from terraform.pairs.smoothing import smooth

ROWS, COLUMNS = 64, 600


def texture(seed):
    """Like imagery: broad and fine parts, mean 120."""
    noise = torch.from_numpy(np.random.default_rng(seed).normal(0, 1, (3, 1, ROWS, COLUMNS)).astype(np.float32))
    return (25 * noise + 200 * smooth(noise, 12) + 120)[:, 0]


def shares():
    rise = torch.linspace(0, 1, ROWS)[:, None]
    return [1 - rise, rise]


def fine_power(colours, rows, width_px=8.0):
    return float((colours - smooth(colours[:, None], width_px)[:, 0])[:, rows].square().mean())


@pytest.mark.parametrize("common", [0.0, 0.5, 0.9])
def test_nine_tenths_of_the_fine_power_stay(common):
    shared, (a, b) = texture(0), (texture(1), texture(2))
    a, b = (common**0.5 * shared + (1 - common) ** 0.5 * own for own in (a, b))
    for rows in (slice(0, 64), slice(8, 24), slice(24, 40), slice(40, 56)):
        mixed = fade.blend([Layer(a, None), Layer(b, None)], shares()).colours
        for width_px in (2.0, 8.0):
            left = fine_power(mixed, rows, width_px) / max(fine_power(part, rows, width_px) for part in (a, b))
            assert 0.9 <= left <= 1.1
    plain = sum(part * share for part, share in zip((a, b), shares(), strict=True))
    if common == 0:
        assert fine_power(plain, slice(24, 40)) < 0.6 * fine_power(a, slice(24, 40))


def test_a_landscape_of_uneven_strength_keeps_as_much_beside_a_livelier_one():
    """As two bands are: what is lively lies in patches, and one has narrower pixels, so steps livelier by a tenth."""
    patches = torch.exp(6 * smooth(torch.from_numpy(np.random.default_rng(16).normal(0, 1, (1, 1, ROWS, COLUMNS))), 10))
    a, b = (120 + (texture(seed) - 120) * patches[0].float() * louder for seed, louder in ((9, 1), (10, 1.06)))
    mixed = fade.blend([Layer(a, None), Layer(b, None)], shares()).colours
    steps = [float(part.diff(dim=2).square().mean()) for part in (a, b, mixed)]
    assert steps[1] / steps[0] > 1.05
    assert 0.9 <= steps[2] / steps[1] <= 1.0


def test_equal_pictures_stay_as_they_are():
    a = texture(3)
    mixed = fade.blend([Layer(a, None), Layer(a.clone(), None)], shares()).colours
    assert float((mixed - a).abs().max()) < 0.01


def test_broad_colours_are_averaged():
    light, dark = torch.full((3, ROWS, COLUMNS), 200.0), torch.full((3, ROWS, COLUMNS), 100.0)
    mixed = fade.blend([Layer(light, None), Layer(dark, None)], shares()).colours
    np.testing.assert_allclose(mixed[0, :, 5], 200 - 100 * np.linspace(0, 1, ROWS), atol=0.6)


def test_a_void_in_one_of_them_is_no_texture():
    a, known = texture(4), torch.ones(ROWS, COLUMNS)
    known[:, 300:] = 0
    mixed = fade.blend([Layer(a * known, known), Layer(a, None)], shares())
    whole = mixed.colours / mixed.coverage
    assert float((whole - a)[:, 1:].abs().max()) < 0.5

"""What a validation measures."""

import pytest
import torch

from terraform.learn import metrics


def test_texture_knows_the_same_from_the_smooth():
    torch.manual_seed(0)
    real = torch.randn(4, 3, 64, 64).clamp(-1, 1) / 3
    soft = torch.nn.functional.avg_pool2d(real, 3, 1, 1)
    assert metrics.sliced_wasserstein(real, real) == 0
    assert metrics.sliced_wasserstein(soft, real) > 100


def test_distance_of_two_sets_of_numbers():
    one = torch.tensor([[0.0, 1.0, 2.0]])
    assert metrics.wasserstein(one, one.flip(1)) == 0
    assert metrics.wasserstein(one + 0.5, one) == pytest.approx(500)

"""The order of pairs and their jitter are functions of the image number."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from terraform.learn.data import sampling as order


@given(st.integers(0, 99), st.integers(1, 40), st.integers(0, 200))
@settings(max_examples=40, deadline=None)
def test_every_epoch_shows_every_pair_once(seed, size, first_epoch):
    chosen = order.sample_indices(seed, first_epoch * size, size, size)
    assert sorted(chosen) == list(range(size))


@given(st.lists(st.integers(1, 7), min_size=2, max_size=6))
@settings(max_examples=20, deadline=None)
def test_draws_do_not_depend_on_how_images_are_batched(batches):
    edges = np.cumsum([0, *batches])
    whole = order.augmentation_params(3, 0, int(edges[-1]))
    for first, last in pairwise(edges):
        for all_of_it, part in zip(whole, order.augmentation_params(3, int(first), int(last - first)), strict=True):
            assert (all_of_it[first:last] == part).all()

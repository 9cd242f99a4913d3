"""Pairs read by many at once: threads share a file without a common place in it, and a fork shares nothing else."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from terraform.pairs.store import Stack, save_array

SHAPE = (32, 32)
COUNT = 200


def stack(folder):
    values = np.random.default_rng(0).integers(-30_000, 30_000, (COUNT, *SHAPE)).astype(np.int16)
    save_array(folder / "a.npy", values)
    return values, Stack(folder / "a.npy", SHAPE, np.dtype(np.int16))


def test_threads_that_read_at_once_get_what_they_ask_for(tmp_path):
    values, stored = stack(tmp_path)
    wanted = np.random.default_rng(1).integers(0, COUNT, 4000).tolist()
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda index: bool((stored[index] == values[index]).all()), wanted))


def test_a_forked_reader_does_not_move_its_parents_place(tmp_path):
    values, stored = stack(tmp_path)
    children = []
    for number in range(4):
        child = os.fork()
        if not child:
            right = all((stored[index] == values[index]).all() for index in range(number, COUNT, 4))
            os._exit(0 if right else 1)
        children.append(child)
    assert all((stored[index] == values[index]).all() for index in range(COUNT))
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4

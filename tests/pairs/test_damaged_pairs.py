"""Headers of .npy files that are damaged: numpy reads them with Python's parser, whose errors are no users' errors."""

import random

import numpy as np
import pytest

from terraform.errors import InputError
from terraform.mosaic.array import read_heights
from terraform.pairs.store import Stack, save_array

SHAPE = (4, 4)


def damaged(path, seed):
    """Overwrite a few of the first 128 bytes."""
    draw = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(draw.randint(1, 6)):
        content[draw.randrange(128)] = draw.choice(b"{}()[],:'\"\\9L- \n\0\xff" + bytes([draw.randrange(256)]))
    path.write_bytes(content)


@pytest.mark.parametrize("seed", range(300))
def test_a_damaged_header_is_refused_or_read(tmp_path, seed):
    save_array(tmp_path / "a.npy", np.ones((3, *SHAPE), np.int16))
    damaged(tmp_path / "a.npy", seed)
    try:
        assert Stack(tmp_path / "a.npy", SHAPE, np.dtype(np.int16))[0].shape == SHAPE
    except InputError as refused:
        assert "cut the region again" in str(refused)
    except IndexError:
        pass  # no array at all


@pytest.mark.parametrize("seed", range(300))
def test_a_damaged_elevation_is_refused_or_read(tmp_path, seed):
    save_array(tmp_path / "e.npy", np.ones(SHAPE, np.int16))
    damaged(tmp_path / "e.npy", seed)
    try:
        assert read_heights(tmp_path / "e.npy", None, 1.0).metres.ndim == 2
    except InputError as refused:
        assert "e.npy" in str(refused)


def test_what_is_saved_is_what_numpy_reads(tmp_path):
    records = np.array([(1, 2.5)], [("a", "<i4"), ("b", "<f8")])
    for array in (np.arange(12).reshape(3, 4).T, records):
        save_array(tmp_path / "a.npy", array)
        assert (np.load(tmp_path / "a.npy", allow_pickle=False) == array).all()

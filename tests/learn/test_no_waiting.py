"""Making a batch asks the GPU for nothing: with tensors without values, which cannot be looked at, it runs through."""

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from terraform.config import Condition, Sheet, Train
from terraform.learn.data.augment import prepare
from terraform.learn.data.dataset import StoredPairs
from terraform.learn.data.sampling import augmentation_params
from terraform.learn.runtime import device as transfer
from terraform.pairs import relief

GPU = torch.device("cuda")
EVERYTHING = Condition(
    channels=[
        "elevation", "slope", "position_2km", "hillshade", "sea", "sea_distance", "latitude", "temperature",
        "air_temperature",
    ],
    tints=True,
)  # fmt: skip


@pytest.fixture
def without_values(monkeypatch):
    """Tensors that have a shape and a device and nothing else: no GPU is needed, and looking at one raises."""
    monkeypatch.setattr(transfer, "pin", lambda tensor, device: tensor)
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield
    relief._table.cache_clear()


def stored():
    heights, colours = (2, 384, 384), (2, 256, 256, 3)
    return StoredPairs(
        torch.empty(heights, dtype=torch.int16, device=GPU),
        torch.empty(colours, dtype=torch.uint8, device=GPU),
        torch.empty(2, 2, 20, 20, 3, dtype=torch.uint8, device=GPU),
        torch.empty(2, 384, device=GPU),
        torch.empty(2, 20, 20, device=GPU),
        torch.empty(2, device=GPU),
        torch.empty(2, 3, 9, 20, 20, dtype=torch.uint8, device=GPU),
        torch.empty(2, 9, device=GPU),
    )


def made(condition):
    settings = Train(noise=1, vertical_jitter=0.1, base="added")
    return prepare(stored(), augmentation_params(0, 0, 2), "resize", settings, condition, Sheet())


def test_looking_at_such_a_tensor_raises(without_values):
    with pytest.raises(DataDependentOutputException):
        bool(torch.ones(3, device=GPU).any())


@pytest.mark.parametrize("condition", [EVERYTHING, Condition(encoding="turbo")], ids=["relief", "turbo"])
def test_a_batch_is_made_without_looking(without_values, condition):
    batch = made(condition)
    assert {part.device.type for part in batch} == {"cuda"}
    assert batch.imagery.shape == (2, 3, 256, 256)

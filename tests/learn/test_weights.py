"""Weights hold their own configuration; what is damaged or old."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from terraform.config import Condition, Sheet, Train
from terraform.errors import InputError
from terraform.learn import weights
from terraform.learn.models.generators import build_generator
from terraform.pairs.relief import channels_of
from terraform.provenance import Credit, Provenance

MADE = Provenance((Credit("sample", "CC0-1.0", "synthetic", True),), {"pairs": 1, "regions": ["a"]})


def test_weights_hold_their_own_configuration(tmp_path):
    condition, settings_ = Condition(channels=["elevation", "slope"]), Train(width=8, noise=1)
    net = build_generator(settings_, channels_of(condition) + 1).eval()
    weights.save(tmp_path / "w.safetensors", net, condition, Sheet(), settings_, MADE)
    trained = weights.load(tmp_path / "w.safetensors")
    seen = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert (trained.network(seen) == net(seen)).all()
    assert trained.condition == condition
    assert trained.provenance.licence == "CC0-1.0"


@pytest.mark.parametrize("damage", [b"", b"not weights at all", None])
def test_damaged_weights_are_refused(tmp_path, damage):
    path = tmp_path / "w.safetensors"
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(InputError, match="train"):
        weights.load(path)


def test_weights_of_the_format_before_still_load():
    """A file of format 2, whose settings have their names of then."""
    trained = weights.load(Path(__file__).parent / "files/weights-format-2.safetensors")
    assert not trained.needs_base and trained.channels == 3
    assert (trained.settings.learning_rate, trained.settings.lambda_feature_matching) == (1e-3, 5)
    with torch.no_grad():
        drawn = trained.network(torch.linspace(-1, 1, 3 * 32 * 32).view(1, 3, 32, 32))
    expected = [-0.5663341, -0.3187461, -0.3139913, -0.3092220, -0.2869972, -0.1407309, -0.1304386, -0.1201194]
    assert drawn[0, :, ::9, ::9].flatten()[:8].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.fixture
def saved(tmp_path):
    condition, settings_ = Condition(channels=["elevation"]), Train(network="cnn", width=4, noise=0)
    path = tmp_path / "w.safetensors"
    weights.save(path, build_generator(settings_, channels_of(condition)), condition, Sheet(), settings_, MADE)
    return path


def changed(path, tensors=lambda values: values, **header):
    with safe_open(path, "pt") as file:
        old, values = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file({name: tensors(value) for name, value in values.items()}, path, {**old, **header})
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: values.int(), "is torch.int32, expected torch.float32"),
        (lambda values: values.to(torch.complex64), "is torch.complex64, expected"),
        (lambda values: values.double(), "is torch.float64, expected"),
        (lambda values: torch.full_like(values, float("nan")), "holds non-finite values"),
        (lambda values: torch.full_like(values, float("inf")), "holds non-finite values"),
    ],
)
def test_values_of_another_type_or_none_are_refused(saved, change, message):
    with pytest.raises(InputError, match=message):
        weights.load(changed(saved, change))


@pytest.mark.parametrize("key", ["provenance", "train", "condition", "sheet"])
@pytest.mark.parametrize("text", ["[" * 200_000, "9" * 5000, "[]", "null", "1", "{", ""])
def test_a_stranger_s_description_is_refused(saved, key, text):
    with pytest.raises(InputError, match=r"w\.safetensors"):
        weights.load(changed(saved, **{key: text}))

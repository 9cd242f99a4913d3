"""A generator as ONNX draws what the generator draws."""

import pytest
import torch

from terraform.config import Condition, Sheet, Train
from terraform.errors import ConfigError, InputError, IntegrityError
from terraform.learn import onnx, weights
from terraform.learn.models.generators import build_generator
from terraform.provenance import Credit, Provenance

pytest.importorskip("onnxscript", reason="the extra `onnx` is not installed")
runtime = pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")

MADE = Provenance((Credit("sample", "CC0-1.0", "an invented world", True),), {"pairs": 1, "regions": ["a"]})
CONDITION = Condition(channels=["elevation", "slope"])


def trained(folder, **settings):
    """Weights whose values are large enough for every layer to matter."""
    torch.manual_seed(0)
    train = Train(width=8, noise=1, **settings)
    network = build_generator(train, weights.input_channels(CONDITION, train)).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    weights.save(folder / "w.safetensors", network, CONDITION, Sheet(), train, MADE)
    return folder / "w.safetensors", network


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({}, (3, 3, 96, 160)),
        ({"base": "added"}, (3, 6, 96, 160)),
        ({"norm": "batch"}, (1, 3, 128, 64)),
        ({"network": "cnn"}, (2, 3, 64, 80)),
        ({"network": "unet256", "norm": "instance"}, (1, 3, 256, 256)),
    ],
    ids=["unet_fc", "unet_fc-base", "unet_fc-batch", "cnn", "unet256-instance"],
)
def test_what_is_exported_draws_the_same(tmp_path, settings, shape):
    path, network = trained(tmp_path, **settings)
    told = onnx.export(path, tmp_path / "w.onnx")
    session = runtime.InferenceSession(tmp_path / "w.onnx")
    seen = torch.rand(shape) * 2 - 1
    with torch.no_grad():
        expected = network(seen)
    assert expected.std() > 1e-3
    assert torch.allclose(torch.from_numpy(session.run(None, {"seen": seen.numpy()})[0]), expected, atol=1e-4)
    assert told < 0.01
    says = session.get_modelmeta().custom_metadata_map
    assert "an invented world" in says["provenance"]
    assert Condition.model_validate_json(says["condition"]) == CONDITION


def test_what_draws_otherwise_is_not_published(tmp_path, monkeypatch):
    path, _ = trained(tmp_path)
    monkeypatch.setattr(onnx, "_difference", lambda *given: 2.0)
    with pytest.raises(IntegrityError, match="up to 2 levels of 255 off"):
        onnx.export(path, tmp_path / "w.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


def test_what_draws_at_random_is_refused(tmp_path):
    path, _ = trained(tmp_path, network="unet256", norm="batch")
    with pytest.raises(InputError, match="dropout"):
        onnx.export(path, tmp_path / "w.onnx")


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"\.onnx"):
        onnx.export(tmp_path / "w.safetensors", tmp_path / "w.pt")


def test_without_the_packages_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"terraform-planets\[onnx\]"):
        onnx.export(tmp_path / "w.safetensors", tmp_path / "w.onnx")

"""`train.deterministic`: what torch is told on a GPU, and that no layer has a backward pass without a fixed order."""

import os

import pytest
import torch
from small_world import config, few_pairs, make_world, outcome, run, same
from torch import nn

from terraform.config import Condition, Train
from terraform.learn.models.discriminators import build_discriminator
from terraform.learn.models.generators import build_generator
from terraform.learn.runtime.device import choose_device
from terraform.pairs.relief import channels_of

UNORDERED = (
    nn.ReflectionPad2d,
    nn.ReplicationPad2d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d,
    nn.FractionalMaxPool2d,
)
"""Their backward passes on CUDA add up in any order (torch.use_deterministic_algorithms lists them)."""


@pytest.fixture
def gpu(monkeypatch):
    """A machine that says it has a GPU; what torch is told is put back."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    yield
    torch.use_deterministic_algorithms(before[0])
    torch.backends.cudnn.benchmark = before[1]
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


@pytest.mark.parametrize("wanted", [True, False])
def test_torch_is_told_before_anything_runs(gpu, wanted):
    device = choose_device(Train(deterministic=wanted, device="cuda"))
    assert device.type == "cuda"
    assert torch.are_deterministic_algorithms_enabled() == wanted
    assert torch.backends.cudnn.benchmark != wanted
    assert (os.environ.get("CUBLAS_WORKSPACE_CONFIG") == ":4096:8") == wanted


@pytest.mark.parametrize("network", ["cnn", "unet256", "unet_fc"])
@pytest.mark.parametrize("discriminator", ["patch70", "multiscale"])
def test_no_layer_adds_up_in_any_order(network, discriminator):
    settings = Train(network=network, discriminator=discriminator, width=4, discriminator_width=4)
    channels = channels_of(Condition()) + settings.noise
    modules = [build_generator(settings, channels), build_discriminator(settings, channels)]
    for module in (part for whole in modules for part in whole.modules()):
        assert not isinstance(module, UNORDERED), module
        assert not (isinstance(module, nn.Upsample) and module.mode != "nearest"), module
        assert getattr(module, "padding_mode", "zeros") == "zeros", module


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_two_runs_of_one_seed_are_equal_to_the_byte_and_of_another_are_not(tmp_path, monkeypatch, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    few_pairs(monkeypatch)
    world, made = make_world(tmp_path / "world", 4), {}
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        settings = config(total_images=4, deterministic=True, device=device).model_copy(update={"seed": seed})
        run(world, tmp_path / name, settings)
        made[name] = outcome(tmp_path / name)
    assert same(made["one"], made["again"])
    assert not same(made["one"], made["other"])

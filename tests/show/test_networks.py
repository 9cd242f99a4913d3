"""The drawings of the networks show what is built."""

import re
from pathlib import Path

import pytest
from servers.processes import program
from torch import nn

from terraform.config import Condition, Train
from terraform.errors import ConfigError
from terraform.pairs.relief import channels_of
from terraform.show import networks

DOCS = Path(__file__).parents[2] / "docs" / "networks"
KINDS = (nn.Conv2d, nn.ConvTranspose2d)


def boxes(text):
    """What a drawing says is a convolution, with its output's shape."""
    return re.findall(r">(?:Parametrized)?(?:Resize)?(Conv(?:Transpose)?2d)<", text)


def convolutions(network):
    return [module for module in network.modules() if isinstance(module, KINDS)]


@pytest.mark.parametrize("name", ["unet_fc", "unet256", "cnn", "multiscale", "patch70"])
def test_the_drawing_in_docs_is_of_the_network(name):
    """As many convolutions as the network has, and as many channels at its mouth."""
    network, seen = networks.networks(channels_of(Condition()), Train())[name]
    text = (DOCS / f"{name}.svg").read_text(encoding="utf-8")
    hidden = 2 if name == "unet_fc" else 0  # those of the residual block in the middle, drawn as one box
    assert len(boxes(text)) == len(convolutions(network)) - hidden
    assert f"(1, {seen}, 256, 256)" in text


def test_networks_are_drawn(tmp_path):
    pytest.importorskip("torchview", reason="the extra `drawings` is not installed")
    program("dot")
    settings = Train(width=8, discriminator_width=4)
    for path in networks.draw(tmp_path, 2, settings):
        _, seen = networks.networks(2, settings)[path.stem]
        assert f"(1, {seen}, 256, 256)" in path.read_text(encoding="utf-8")
        assert boxes(path.read_text(encoding="utf-8"))
    assert len(list(tmp_path.iterdir())) == 5


def test_without_graphviz_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "find_spec", lambda name: name)
    monkeypatch.setattr(networks.shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match="apt install graphviz"):
        networks.draw(tmp_path, 2, Train())

"""What is handed on in half precision draws what the generator draws."""

import hashlib

import pytest
import torch

from terraform.config import Condition, Sheet, Train
from terraform.errors import IntegrityError
from terraform.learn import weights
from terraform.learn.models.generators import build_generator
from terraform.learn.publish import publish
from terraform.provenance import Credit, Provenance

MADE = Provenance((Credit("sample", "CC0-1.0", "an invented world", True),), {"pairs": 1, "regions": ["a"]})
TRAIN, CONDITION = Train(width=8, base="added"), Condition(channels=["elevation"])


def trained(path, change=lambda network: None):
    torch.manual_seed(0)
    network = build_generator(TRAIN, weights.input_channels(CONDITION, TRAIN)).eval()
    change(network)
    weights.save(path, network, CONDITION, Sheet(), TRAIN, MADE)
    return network


def test_half_the_bytes_the_same_picture_and_the_card(tmp_path):
    network = trained(tmp_path / "run" / "weights.safetensors")
    (tmp_path / "run" / "card.md").write_text(
        "---\na: 1\n---\n\n# a card\n\n## Uses\n\ndraw --weights weights.safetensors -o x\n", "utf-8"
    )
    output = tmp_path / "models" / "generator.safetensors"
    told = publish(tmp_path / "run" / "weights.safetensors", output, "make it")
    published = weights.load(output)
    assert output.stat().st_size < 0.6 * (tmp_path / "run" / "weights.safetensors").stat().st_size
    card = (tmp_path / "models" / "README.md").read_text(encoding="utf-8").partition("## generator.safetensors\n")[2]
    assert "\na card\n\n### Uses\n" in card and "a: 1" not in card and "`make it`" in card
    assert f"draw --weights {output} -o x" in card
    assert hashlib.sha256(output.read_bytes()).hexdigest() in card
    seen = torch.rand(1, published.channels, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        difference = (published.network(seen) - network(seen)).abs().max() * 127.5
    assert 0 < difference < 1
    assert 0 < told < 1
    assert published.provenance.licence == "CC0-1.0"


def test_what_half_precision_cannot_hold_is_not_published(tmp_path):
    trained(tmp_path / "weights.safetensors", lambda network: network.last.weight.data.fill_(1e5))
    with pytest.raises(IntegrityError, match="half precision"):
        publish(tmp_path / "weights.safetensors", tmp_path / "published.safetensors", "make it")
    assert not (tmp_path / "published.safetensors").exists()

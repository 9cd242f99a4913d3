"""The published encoder: which one judges, what is said of it, and that others are refused."""

import pytest
import torch

from benchmarks.world import make_pairs
from terraform.errors import InputError
from terraform.evaluation.judges import published
from terraform.evaluation.judges.encoder import encoder_of
from terraform.evaluation.judges.learning import lesson_of
from terraform.evaluation.judges.published import choose_encoder, publish, read_encoder
from terraform.learn.data.dataset import collect
from terraform.provenance import Credit, Provenance
from terraform.storage.hashing import sha256_of


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """A few pairs."""
    return collect([make_pairs(tmp_path_factory.mktemp("pairs") / "one", 4)])


@pytest.fixture(scope="module")
def handed_on(training, tmp_path_factory):
    """An encoder that was published."""
    path = tmp_path_factory.mktemp("models") / "encoder.safetensors"
    publish(training, path, 3, 0, "make models-encoder")
    return path


class Learnt:
    """Pairs of which no more is asked than where they come from."""

    def __init__(self, synthetic):
        self.provenance = Provenance((Credit("files", "CC-BY-4.0", "somebody", synthetic),))


def test_real_imagery_is_judged_by_the_published_encoder_and_synthetic_by_its_own(handed_on, monkeypatch):
    monkeypatch.setattr(published, "published", lambda name: handed_on)
    assert choose_encoder(None, Learnt(synthetic=False)) == handed_on
    assert choose_encoder(None, Learnt(synthetic=True)) is None
    assert choose_encoder("own", Learnt(synthetic=False)) is None
    assert choose_encoder(str(handed_on), Learnt(synthetic=True)) == handed_on
    with pytest.raises(InputError, match=r"evaluation\.encoder: none\.safetensors does not exist"):
        choose_encoder("none.safetensors", Learnt(synthetic=True))


def test_what_is_published_is_what_was_learnt_and_says_from_what(training, handed_on, tmp_path):
    encoder, used = read_encoder(handed_on)
    learnt = encoder_of(tmp_path / "own.safetensors", training, lesson_of(training), 3, 0)
    assert all(torch.equal(value, learnt.state_dict()[name]) for name, value in encoder.state_dict().items())
    assert used.sha256 == sha256_of(handed_on) and used.regions == training.provenance.details["regions"] != []
    card = (handed_on.parent / "README.md").read_text()
    assert used.sha256 in card and training.provenance.licence in card


def test_what_is_no_encoder_is_refused(handed_on, tmp_path):
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(handed_on.read_bytes()[:1000])
    with pytest.raises(InputError, match="no encoder that `publish-encoder` wrote"):
        read_encoder(torn)


def test_the_encoder_of_the_repository_is_read():
    encoder, used = read_encoder(published.published(published.ENCODER))
    assert used.regions == ["andes", "cali", "nepal", "tanzania"]
    assert encoder.features(torch.zeros(1, 3, 256, 256)).isfinite().all()

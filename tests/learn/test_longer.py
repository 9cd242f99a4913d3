"""Second thoughts of those who train: longer, from other weights; what is finished is kept meanwhile."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from small_world import config, few_pairs, make_world, run

from terraform.errors import ConfigError, InputError
from terraform.learn import weights
from terraform.learn.data.dataset import by_role
from terraform.learn.fingerprint import carry_over, run_fingerprint
from terraform.learn.models.generators import build_generator
from terraform.learn.runtime import keeping
from terraform.learn.starting import start_from_weights
from terraform.learn.trainer import Trainer
from terraform.provenance import Credit, Provenance


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def finished(world, tmp_path_factory):
    output = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        run(world, output, config(total_images=8))
    return output


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    few_pairs(monkeypatch)


def identity(world, settings):
    return run_fingerprint(settings, by_role(world))


def test_a_finished_run_is_continued(world, finished, tmp_path):
    finished, longer = shutil.copytree(finished, tmp_path / "copy"), config(total_images=12)
    assert carry_over(finished, identity(world, longer)) == 8
    state = run(world, finished, longer, resume=True)
    assert state.images == 12 and state.history[0].images <= 8
    assert carry_over(finished, identity(world, longer)) == 0, "it has states of its own now"


@pytest.mark.parametrize(
    ("over", "said"),
    [({"total_images": 4}, "was 8 and is less"), ({"total_images": 40, "learning_rate": 0.5}, "learning_rate")],
)
def test_what_cannot_be_continued_is_told(world, finished, over, said):
    with pytest.raises(ConfigError, match=said):
        carry_over(finished, identity(world, config(**over)))


def test_nothing_to_continue(world, tmp_path):
    with pytest.raises(InputError, match="no state to continue"):
        carry_over(tmp_path, identity(world, config()))


def test_finished_weights_are_kept_until_new_ones_are_published(finished, tmp_path):
    finished = shutil.copytree(finished, tmp_path / "copy")
    weights, earlier = finished / keeping.PUBLISHED, finished / keeping.EARLIER
    whole = weights.read_bytes()
    assert keeping.keep_earlier(finished) is None, "they are still there"
    weights.unlink()
    assert keeping.keep_earlier(finished) == earlier and earlier.read_bytes() == whole
    keeping.drop_earlier(finished)
    assert earlier.exists(), "nothing is published yet"
    weights.write_bytes(whole)
    keeping.drop_earlier(finished)
    assert not earlier.exists()
    assert keeping.keep_earlier(tmp_path) is None


def test_training_starts_from_other_weights(world, finished, tmp_path):
    start = str(finished / "weights.safetensors")
    settings = config(total_images=2, start_from=start, learning_rate=1e-12, ema_decay=0.0)
    run(world, tmp_path, settings)
    before, after = load_file(start), load_file(tmp_path / "weights.safetensors")
    assert all(torch.allclose(before[name], after[name], atol=1e-4) for name in before)
    assert (
        weights.load(tmp_path / "weights.safetensors").images
        == weights.load(finished / "weights.safetensors").images + 2
    )
    plain = config(total_images=2)
    assert "start_from" not in plain.of_training()["train"]
    assert identity(world, settings)["start_from"] != identity(world, plain).get("start_from")


@pytest.mark.parametrize("network", ["unet_fc", "unet256", "cnn"])
def test_a_channel_that_the_weights_do_not_know_changes_nothing_at_first(tmp_path, network):
    norm = {"norm": "batch"} if network != "unet_fc" else {}
    few, more = ["elevation", "sea"], ["elevation", "slope", "sea"]
    made = Provenance((Credit("sample", "CC0-1.0", "an invented world", True),))
    old = config({"channels": few}, network=network, **norm)
    torch.manual_seed(3)
    generator = build_generator(old.train, 2 + old.train.noise).eval()
    weights.save(tmp_path / "w", generator, old.condition, old.sheet, old.train, made)
    new = config({"channels": more}, network=network, start_from=str(tmp_path / "w"), **norm)
    trainer = Trainer(new.train, 3, 0, torch.device("cpu"))
    assert "to which slope is new" in start_from_weights(trainer, new)
    seen = torch.rand(1, 2 + old.train.noise, 256, 256)
    wider = torch.cat([seen[:, :1], torch.rand(1, 1, 256, 256), seen[:, 1:]], 1)
    with torch.no_grad():
        drawn, again = generator(seen), trainer.generator.eval()(wider)
    assert torch.allclose(drawn, again, atol=1e-5) and drawn.std() > 0


@pytest.mark.parametrize(
    ("over", "condition", "said"),
    [
        ({"width": 8}, None, r"another network: .* \(here "),
        ({}, {"channels": ["elevation"]}, "set condition.channels"),
        ({"start_from": "none.safetensors"}, None, "does not exist"),
    ],
)
def test_other_weights_that_do_not_fit_are_refused_by_name(world, finished, tmp_path, over, condition, said):
    settings = config(condition, **{"start_from": str(finished / "weights.safetensors"), **over})
    with pytest.raises((ConfigError, InputError), match=said):
        run(world, tmp_path, settings)


def test_settings_of_runs_before_are_the_same():
    """A setting that nobody uses makes no finished run anew."""
    assert "start_from" not in json.dumps(config().of_training())

"""Detail that is drawn stronger than it was learnt."""

import pytest
import torch
from safetensors.torch import load_file
from small_world import config, few_pairs, make_world, run

from terraform.config import Train, parse
from terraform.errors import ConfigError
from terraform.learn import train as training
from terraform.learn.models.generators import add_residual, build_generator, strengthen

ADDED = Train(width=4, base="added", noise=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Pairs for training and validation."""
    return make_world(tmp_path_factory.mktemp("world"))


def test_what_is_added_to_base_colours_is_that_much_stronger():
    torch.manual_seed(1)
    plain, strong = build_generator(ADDED, 5 + 1).eval(), build_generator(ADDED, 5 + 1).eval()
    plain.colours.weight.data.zero_()  # what it makes of each pixel alone
    strong.load_state_dict(plain.state_dict())
    strengthen(strong, 1.5)
    seen = torch.rand(1, 6, 64, 64) - 0.5
    base = seen[:, 2:5]
    with torch.no_grad():
        drawn, wanted = strong(seen), add_residual(base, 1.5 * residual_of(plain(seen), base))
    assert torch.allclose(drawn, wanted, atol=1e-4) and not torch.allclose(drawn, plain(seen), atol=1e-2)


def residual_of(drawn, base):
    """Undo `add_residual`."""
    return torch.atanh(0.9 * drawn) - torch.atanh(0.9 * base)


def test_weights_are_written_stronger_and_learn_on_from_what_was_learnt(world, tmp_path, monkeypatch):
    few_pairs(monkeypatch)
    settings = {"base": "added", "total_images": 2, "validate_every": 2}
    run(world, tmp_path / "plain", config(**settings))
    run(world, tmp_path / "strong", config(**settings, detail_gain=1.5))
    start = str(tmp_path / "strong/weights.safetensors")
    still = {"learning_rate": 1e-12, "ema_decay": 0.0, "start_from": start}
    run(world, tmp_path / "again", config(**{**settings, **still}))
    plain, strong, again = (load_file(tmp_path / name / "weights.safetensors") for name in ("plain", "strong", "again"))
    for name, learnt in plain.items():
        assert torch.allclose(strong[name], learnt * (1.5 if name.startswith("last.") else 1), atol=1e-6)
        assert torch.allclose(again[name], learnt, atol=1e-6)


def test_a_share_of_the_start_is_kept_also_by_a_run_that_is_resumed(world, tmp_path, monkeypatch):
    few_pairs(monkeypatch)
    common = {"base": "added", "validate_every": 4, "checkpoint_every": 2, "detail_gain": 1.5}
    run(world, tmp_path / "start", config(**common, total_images=2))
    common["start_from"] = str(tmp_path / "start/weights.safetensors")
    for name, share in (("learnt", 0.0), ("half", 0.5), ("resumed", 0.5)):
        settings = config(**common, total_images=4, start_share=share)
        if name == "resumed":
            with monkeypatch.context() as patch, pytest.raises(InterruptedError):
                patch.setattr(training, "_save", save_and_stop(training._save))
                run(world, tmp_path / name, settings)
        run(world, tmp_path / name, settings)
    start, learnt, half, resumed = (
        load_file(tmp_path / name / "weights.safetensors") for name in ("start", "learnt", "half", "resumed")
    )
    assert any(not torch.allclose(start[name], learnt[name], atol=1e-4) for name in start)
    for name, value in half.items():
        assert torch.allclose(value, (start[name] + learnt[name]) / 2, atol=1e-5)
        assert torch.equal(value, resumed[name])


def save_and_stop(save):
    """Save a state, and end the run."""

    def saved(*arguments):
        save(*arguments)
        raise InterruptedError

    return saved


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ConfigError, match=r"start_share is 0\.5, and there are no weights"):
        parse({"train": {"start_share": 0.5}})


def test_runs_of_before_keep_their_name():
    assert not {"detail_gain", "start_share"} & set(Train().of_learning())
    assert Train(detail_gain=1.5).of_learning()["detail_gain"] == 1.5


@pytest.mark.parametrize("other", [{}, {"base": "channels"}, {"base": "none", "network": "cnn"}])
def test_nothing_is_strengthened_where_nothing_is_added(other):
    with pytest.raises(ConfigError, match=r"detail_gain is 1\.2"):
        parse({"train": {**other, "detail_gain": 1.2}})

"""Settings under the name they had before: read, with one line each, wherever they stand."""

import pytest

from terraform.config import Config, load, parse, renamed
from terraform.config.renames import RENAMES
from terraform.errors import ConfigError
from terraform.workflow.plan import read_config

OLD = {
    "rate": 0.01, "discriminator_rate": 0.02, "average": 0.5, "images": 9, "state_every": 3, "best_by": "l1",
    "decay_from": 0.25, "lambda_features": 2.0, "patience": 4,
}  # fmt: skip


def test_every_old_name_is_read_and_one_line_says_its_new_one(capsys):
    train = parse({"train": OLD}).train
    assert (train.learning_rate, train.discriminator_learning_rate, train.ema_decay) == (0.01, 0.02, 0.5)
    assert (train.total_images, train.checkpoint_every, train.checkpoint_metric) == (9, 3, "l1")
    assert (train.decay_start, train.lambda_feature_matching, train.max_bad_steps) == (0.25, 2.0, 4)
    lines = capsys.readouterr().err.splitlines()
    assert sorted(line.split(": rename it")[0] for line in lines) == sorted(
        f"config.yaml: {old} is called {new} now" for old, new in RENAMES.items() if old.startswith("train.")
    )


def test_every_new_name_is_a_setting():
    for new in RENAMES.values():
        place = Config()
        for name in new.split("."):
            place = getattr(place, name)


def test_an_old_name_in_an_overlay_wins_over_the_new_one_below_it(tmp_path, capsys):
    base, over = tmp_path / "config.yaml", tmp_path / "over.yaml"
    base.write_text("train: {learning_rate: 0.1, total_images: 5}\n")
    over.write_text("train: {rate: 0.2}\n")
    for config in (load(base, over), read_config(base, [over], {})):
        assert (config.train.learning_rate, config.train.total_images) == (0.2, 5)
    assert capsys.readouterr().err.count("over.yaml: train.rate is called train.learning_rate now") == 2
    assert read_config(base, [over], {"train": {"rate": "3e-1"}}).train.learning_rate == 0.3
    assert "--config: train.rate" in capsys.readouterr().err


def test_both_names_in_one_file_are_refused():
    with pytest.raises(ConfigError, match=r"train\.learning_rate is set twice, once by its old name train\.rate"):
        parse({"train": {"rate": 1, "learning_rate": 2}})


def test_a_mistake_under_an_old_name_is_told_under_the_new_one():
    with pytest.raises(ConfigError, match=r"train\.learning_rate: given -1"):
        parse({"train": {"rate": -1}})


def test_a_section_of_the_earlier_format_gets_its_present_names(capsys):
    assert renamed("train", {**OLD, "width": 8}) == {
        **{RENAMES[f"train.{old}"].removeprefix("train."): value for old, value in OLD.items()}, "width": 8,
    }  # fmt: skip
    assert capsys.readouterr().err == ""

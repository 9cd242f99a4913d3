"""Configurations that break parsers, and settings that would break what comes after them."""

import os

import pytest

from terraform.config import Condition, load, parse
from terraform.config.strict_yaml import plain, read_yaml
from terraform.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: !!int foo", "uses tags"), ("a: !!float x", "uses tags"), ("a: !!bool maybe", "uses tags"),
        ("a: !!timestamp x", "uses tags"), ("a: !!map x", "uses tags"), ("a: ! x", "uses tags"),
        ("seed: " + "9" * 5000, "a number of 5000 digits"), ("a: " + "[" * 100_000, "nested more than 50 deep"),
        ("{" * 30_000, "nested more than 50 deep"),
        ("\n".join(" " * depth + "a:" for depth in range(1200)), "nested more than 50 deep"),
        ("- " * 3000, "nested more than 50 deep"), ("? " * 3000, "nested more than 50 deep"),
    ],
    ids=range(12),
)  # fmt: skip
def test_yaml_that_breaks_parsers_is_refused_at_once(tmp_path, text, message):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_yaml(tmp_path / "config.yaml")


def test_long_numbers_of_the_command_line_are_refused():
    with pytest.raises(ConfigError, match="5000 digits"):
        plain({"seed": "9" * 5000})


def test_a_pipe_is_no_configuration(tmp_path):
    """Opened as a file it would be waited for, for ever."""
    os.mkfifo(tmp_path / "config.yaml")
    with pytest.raises(ConfigError, match="no regular file"):
        load(tmp_path / "config.yaml")


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    (tmp_path / "config.yaml").write_text("run: mine\n", encoding="utf-8-sig")
    assert load(tmp_path / "config.yaml").run == "mine"


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": 2**63}, {"condition": {"channels": []}}, {"condition": {"channels": ["slope"] * 33}},
        {"condition": {"resolution_m": 1e9}}, {"train": {"learning_rate": 1e30}},
        {"train": {"discriminator_learning_rate": 2}}, {"train": {"batch": 10**9}},
        {"train": {"validation_pairs": 10**9}}, {"train": {"lambda_l1": 1e30}}, {"train": {"total_images": 10**13}},
        {"mosaics": {"window_px": 10**9}}, {"mosaics": {"elevation": {"shoreline_m": 1e30}}},
        {"climate": {"mars": {"rotation_s": 1e300}}}, {"basemap": {"training": {"batch": 10**10}}},
        {"downloads": {"backoff_s": 1e9}},
    ],
)  # fmt: skip
def test_settings_that_would_break_what_comes_after_are_refused(wrong):
    with pytest.raises(ConfigError, match=r"given|expected"):
        parse(wrong)


def test_the_largest_seed_is_one_that_torch_takes():
    import torch

    torch.Generator().manual_seed(parse({"seed": 2**63 - 1}).seed)


def test_a_resolution_of_a_stranger_does_not_ask_for_memory():
    """Weights carry their condition; a Gaussian of 1e9 m would be terabytes."""
    with pytest.raises(ValueError, match="resolution_m"):
        Condition.model_validate_json('{"resolution_m": 1e9}')


@pytest.mark.parametrize("url", ["https://user:CANARY@h/wms", "https://h/wms?key=CANARY", "https://h/#CANARY",
                                 "https://CANARY@h/", "https://[CANARY/"])  # fmt: skip
@pytest.mark.parametrize("name", ["base_url", "base_urll"])
def test_an_address_with_a_secret_is_refused_before_it_is_written_anywhere(url, name):
    source = {"source": "s2cloudless", name: url}
    with pytest.raises(ConfigError) as refused:
        parse({"sources": {"earth": {"imagery": source}}})
    assert "CANARY" not in str(refused.value)


def test_an_address_of_a_mirror_is_taken():
    source = {"source": "s2cloudless", "base_url": "http://127.0.0.1:8000/wms"}
    assert parse({"sources": {"earth": {"imagery": source}}}).sources.earth.imagery.base_url == source["base_url"]

"""Provenance: what is derived carries every source's credit and the most restrictive licence."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terraform.errors import ConfigError, InputError
from terraform.provenance import (
    Credit,
    Provenance,
    beside,
    from_json,
    merge,
    most_restrictive,
    read,
    to_json,
    write,
)

FREE = Credit("sample", "CC0-1.0", "synthetic", synthetic=True)
BOUND = Credit("s2cloudless", "CC-BY-NC-SA-4.0", "Sentinel-2 cloudless by EOX")
UNKNOWN = Credit("files", "LicenseRef-Unknown", "own rasters")


@given(st.lists(st.sampled_from(["CC0-1.0", "MIT", "CC-BY-4.0", "CC-BY-NC-SA-4.0"]), min_size=1))
def test_the_most_restrictive_licence_wins_in_any_order(licences: list[str]) -> None:
    order = ["CC0-1.0", "MIT", "CC-BY-4.0", "CC-BY-NC-SA-4.0"]
    assert most_restrictive(licences) == max(licences, key=order.index)


def test_what_is_unlisted_is_the_most_restrictive() -> None:
    assert most_restrictive(["CC-BY-NC-SA-4.0", "LicenseRef-Mine", "CC0-1.0"]) == "LicenseRef-Mine"
    assert most_restrictive(["CC-BY-NC-SA-4.0", "LicenseRef-Unknown"]) == "LicenseRef-Unknown"
    with pytest.raises(ConfigError, match="every source states one"):
        most_restrictive([])


def test_merging_keeps_every_credit_once() -> None:
    merged = merge([Provenance((FREE,)), Provenance((BOUND, FREE)), Provenance((UNKNOWN,))], run="default")
    assert merged.credits == (FREE, BOUND, UNKNOWN)
    assert merged.licence == "LicenseRef-Unknown"
    assert merged.attribution == "synthetic; Sentinel-2 cloudless by EOX; own rasters"
    assert merged.synthetic
    assert merged.details == {"run": "default"}


def test_tags_tell_the_licence_and_what_is_invented() -> None:
    tags = merge([Provenance((FREE,)), Provenance((BOUND,))]).tags()
    assert tags["LICENCE"] == "CC-BY-NC-SA-4.0" and tags["SYNTHETIC_INPUT"] == "true"
    assert Provenance((BOUND,)).tags()["SYNTHETIC_INPUT"] == "false"


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers() | st.lists(st.booleans())))
def test_json_and_back(details: dict[str, object]) -> None:
    made = Provenance((FREE, BOUND), details)
    assert from_json(to_json(made)) == made
    assert json.loads(to_json(made))["licence"] == "CC-BY-NC-SA-4.0"


def test_files_and_back(tmp_path: Path) -> None:
    made = Provenance((BOUND,), {"a": 1})
    write(made, beside(tmp_path / "imagery.tif"))
    assert read(tmp_path / "imagery.json") == made


@pytest.mark.parametrize("text", [None, "", "{}", "[1]", '{"credits": [{"name": 1}], "details": {}}', "\x00"])
def test_what_is_no_provenance_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=r"a\.json holds no provenance"):
        read(tmp_path / "a.json")


GOOD = {"credits": [{"source": "a", "licence": "CC0-1.0", "attribution": "us", "synthetic": False}], "details": {},
        "code_version": "1", "created": "then"}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        [], None, 1, {}, {"credits": 1}, {"credits": [1]}, {"credits": ["a"]}, {"details": []}, {"created": 7},
        {"credits": [{"source": "a", "licence": 1, "attribution": "us"}]},
        {"credits": [{"source": "a", "licence": "CC0-1.0", "attribution": ["us"]}]},
        {"credits": [{"source": "a", "licence": "CC0-1.0", "attribution": "\ud800"}]},
    ],
)  # fmt: skip
def test_a_stranger_s_provenance_is_refused_before_anything_is_made_from_it(tmp_path: Path, wrong: object) -> None:
    assert from_json(json.dumps(GOOD)).licence == "CC0-1.0"
    document = GOOD | wrong if isinstance(wrong, dict) and wrong else wrong
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="holds no provenance"):
        read(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["[" * 200_000, "9" * 5000, "\xff", "nothing"])
def test_a_provenance_that_breaks_parsers_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="holds no provenance"):
        read(tmp_path / "a.json")

"""The document of an evaluation: written, read, refused."""

import csv
import json

import pytest

from terraform.errors import InputError
from terraform.evaluation import schema
from terraform.evaluation.schema import METRICS, Evaluation, Mars, Role, Score, Weights


@pytest.fixture
def written(tmp_path):
    scores = {"generated": {"l1": Score(value=12.5, low=11, high=14), "seam": Score(value=1.0)}}
    document = Evaluation(
        format=2, run="small", licence="CC0-1.0", attribution="nobody", weights=Weights(
            sha256="0" * 64, network="cnn", images=None), seeds=1, metrics=METRICS,
        roles={"validation": Role(regions=["nw"], pairs=3, blocks=2, scores=scores)},
        mars=Mars(regions=["crater"], tiles=2, scores={"generated": {"deviation": Score(value=30)}}),
    )  # fmt: skip
    schema.write(document, tmp_path)
    return document, tmp_path


def test_what_is_written_is_read(written):
    document, folder = written
    assert schema.read(folder / "metrics.json") == document


def test_a_number_without_an_interval_has_none(written):
    scores = json.loads((written[1] / "metrics.json").read_text())["roles"]["validation"]["scores"]
    assert scores["generated"] == {"l1": {"value": 12.5, "low": 11.0, "high": 14.0}, "seam": {"value": 1.0}}


def test_the_table_has_a_row_a_score(written):
    with (written[1] / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["role"], row["metric"], row["low"]) for row in rows] == [
        ("validation", "l1", "11.0"), ("validation", "seam", ""), ("mars", "deviation", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"run": "old", "validation": {}}', "format 1, this version reads 2"),
        ('{"format": 3}', "format 3"),
        ('{"format": 2}', "is damaged"),
        ("{", "cannot be read"),
        ("[]", "format unknown"),
    ],
)
def test_another_document_is_refused(tmp_path, text, said):
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(InputError, match=said) as error:
        schema.read(tmp_path / "metrics.json")
    assert "python -m terraform evaluate" in str(error.value)


def test_a_missing_document_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        schema.read(tmp_path / "metrics.json")

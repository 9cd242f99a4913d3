"""The comparator computes what our trainer computes: same losses from the same weights on the same pairs."""

import json

import pytest
import torch
from torch import nn

from benchmarks import __main__ as table
from benchmarks import gpu, growth, measure
from benchmarks.plain import Pix2Pix
from benchmarks.training import settings
from terraform.learn.data.augment import Batch
from terraform.learn.trainer import Trainer


def without_dropout(network):
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return network


def test_batch_1_is_the_same_mathematics():
    wanted = settings(1, "fp32", width=4, discriminator_width=4, decay_start=1.0)
    ours, theirs = (Trainer(wanted.train, 3, 0, torch.device("cpu")) for _ in range(2))
    without_dropout(ours.generator)
    plain = Pix2Pix(without_dropout(theirs.generator).to(memory_format=torch.contiguous_format), theirs.discriminator)
    for number in range(6):
        torch.manual_seed(number)
        condition, target = torch.rand(2, 1, 3, 256, 256) * 2 - 1
        expected = plain.step(condition, target)
        ours.step(Batch(condition, torch.zeros(1, 0, 256, 256), target, torch.ones(1, 1, 256, 256)), 0.0)
        assert ours.stats.read().losses == pytest.approx(expected, rel=2e-4)
        ours.stats.clear()


def test_sides_take_turns_and_the_slower_one_is_found():
    calls = []

    def side(name, work):
        def run():
            calls.append(name)
            sum(range(work))

        return run

    spent = measure.interleaved({"little": side("little", 10_000), "much": side("much", 2_000_000)}, rounds=3)
    assert calls == ["little", "much"] * 4
    assert spent["much"] > spent["little"]


def test_the_gpu_benchmark_says_when_there_is_none(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main() == 0
    assert "not measured" in capsys.readouterr().err


def test_reading_pairs_does_not_depend_on_their_number(tmp_path, capsys):
    growth.main((50, 500))
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"name", "ratio", "goal", "machine"} <= line.keys()
    assert line["peak_mb"]["500"] < line["peak_mb"]["50"] * 1.5


def test_what_got_slower_since_the_table_was_written_is_told(tmp_path, capsys, monkeypatch):
    document, ratios = tmp_path / "performance.md", {"cutting": 0.5, "drawing": 2.0}
    document.write_text("Text\n<!-- measured: start -->\n<!-- measured: end -->\nmore\n")
    monkeypatch.setattr("sys.argv", ["benchmarks", "growth", "--write", str(document)])
    monkeypatch.setattr(table, "_results", lambda _: [
        {"benchmark": "growth", "name": name, "ratio": ratio, "goal": 1.0, "machine": "a machine", "beside": 1}
        for name, ratio in ratios.items()
    ])  # fmt: skip
    for after, expected in (
        ({}, "nothing got slower than performance.md says"),
        ({"cutting": 0.44, "drawing": 1.9}, "slower: cutting: 0.44 instead of 0.50"),
        ({"cutting": 0.44, "drawing": 1.0}, "slower: drawing: 1.00 instead of 1.90"),
    ):
        ratios |= after
        assert table.main() == 0
        told = capsys.readouterr().out.splitlines()
        assert told[-1] == expected and sum("slower" in line for line in told) == 1
    assert document.read_text().startswith("Text\n") and document.read_text().endswith("more\n")

"""What a run says of itself where one of its networks has given up."""

import csv

import pytest
import torch
from small_world import config, few_pairs, make_world, run

from terraform.learn.runtime import history
from terraform.learn.runtime.checkpoint import Row, TrainState

NOTHING = {"images": 2, "seconds": 1, "waited": 0, "epochs": 1, "lr": 1e-3, "g_l1": 0.1, "skipped": 0}
FINE = {"g_adv": 1.2, "d_real": 0.4, "d_fake": 0.5}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, []),
        ({"val_spread": 0.8}, []),
        ({"val_spread": 0.1}, ["one colour for everything"]),
        ({"d_real": 0.001, "d_fake": 0.002}, ["never wrong"]),
        ({"d_real": 0.0, "d_fake": 0.0}, ["never wrong"]),  # hinge
        ({"d_real": 0.001, "d_fake": 0.3}, []),
        ({"g_adv": 0.0, "d_real": 0.0, "d_fake": 0.0}, []),  # no discriminator
        ({"g_adv": float("nan"), "d_real": float("nan"), "d_fake": float("nan")}, []),
        ({"val_spread": 0.1, "d_real": 0.0, "d_fake": 0.0}, ["one colour for everything", "never wrong"]),
    ],
)
def test_networks_that_have_given_up_are_told_of(row, said):
    warnings = history.warnings(TrainState(history=[Row(**NOTHING | FINE | row)]))
    assert [any(part in warning for warning in warnings) for part in said] == [True] * len(said)
    assert len(warnings) == len(said)


def test_a_generator_of_one_colour_is_told_of(tmp_path, monkeypatch, capsys):
    """A run whose generator draws one grey whatever it sees."""
    from terraform.learn import trainer

    class Grey(torch.nn.Module):
        stride, halo_px, tile_safe = 1, 0, True

        def __init__(self):
            super().__init__()
            self.level = torch.nn.Parameter(torch.zeros(3))

        def forward(self, x):
            return self.level.view(1, 3, 1, 1).expand(x.shape[0], 3, *x.shape[2:])

    monkeypatch.setattr(trainer, "build_generator", lambda settings, channels: Grey())
    few_pairs(monkeypatch)
    run(make_world(tmp_path / "pairs"), tmp_path, config(total_images=4))
    assert "one colour for everything" in capsys.readouterr().out
    rows = [row for row in csv.DictReader((tmp_path / "history.csv").open()) if row["val_spread"]]
    assert rows and all(float(row["val_spread"]) < 0.01 for row in rows)

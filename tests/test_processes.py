"""Two processes learn as one: the same order, the same weights up to rounding, nothing lost, nothing twice."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from small_world import config, make_world

from terraform.errors import ConfigError
from terraform.learn.dataset import collect
from terraform.learn.feeding import Feed
from terraform.learn.processes import Processes, joined

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("pairs"))


def test_parts_make_up_the_batch(world):
    settings = config(batch=4, images=24)
    collection = collect(world["train"])
    whole = list(Feed(collection, settings, CPU).batches(0))
    parts = [list(Feed(collection, settings, CPU, Processes(rank, 2)).batches(0)) for rank in (0, 1)]
    for fed, one, other in zip(whole, *parts, strict=True):
        assert fed.image == one.image == other.image
        assert list(fed.pairs) == [*one.pairs, *other.pairs]
        for all_of_it, *halves in zip(fed.batch, one.batch, other.batch, strict=True):
            assert torch.equal(all_of_it, torch.cat(halves))


def test_a_batch_that_cannot_be_divided(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match="multiple of 3"):
        joined(CPU, 4)


def trained(world, folder, settings, launcher):
    """The command line, as a user starts it."""
    document = {"train": settings.train.model_dump(), "split": {"train": ["one"], "validation": ["two"]}}
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    folders = [str(path) for paths in world.values() for path in paths]
    command = [sys.executable, "-m", *launcher, "terraform", "train", "--output", str(folder), *folders]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [*command, "--config", str(folder / "config.yaml")], capture_output=True, text=True, check=False,
        env=environment, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    state = max(folder.glob("state/*/images-*.safetensors"))
    return load_file(state), done.stdout


def test_two_processes_learn_what_one_does(world, tmp_path):
    settings = config(batch=4, images=16, validate_every=16, rate=1e-4, discriminator_rate=1e-4)
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    alone, _ = trained(world, tmp_path / "alone", settings, [])
    together, output = trained(world, tmp_path / "together", settings, torchrun)
    assert "2 processes" in output
    assert output.count("16/16 images") == 1
    kernels = [
        key for key in alone if key.startswith(("generator", "discriminator", "average")) and alone[key].dim() == 4
    ]
    moved = [(alone[key].double() - together[key].double()).abs() for key in kernels]
    # Four steps of Adam move a value by 4e-4. Where a gradient is nothing but rounding, so is its sign.
    assert max(float(part.max()) for part in moved) <= 8e-4
    assert np.mean([float(part.mean()) for part in moved]) < 2e-5
    assert losses_of(tmp_path / "alone") == pytest.approx(losses_of(tmp_path / "together"), rel=1e-3)


def losses_of(folder):
    rows = [line.split(",") for line in (folder / "history.csv").read_text().splitlines()[1:]]
    return [float(value) for row in rows for value in row[2:6]]

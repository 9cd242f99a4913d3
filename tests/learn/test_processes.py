"""Two processes learn as one: the same order, the same weights up to rounding, nothing lost, nothing twice."""

import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml
from children import child_of, status_of
from small_world import config, few_pairs, make_world, outcome, run, run_in_child, same

from terraform.errors import ConfigError
from terraform.learn.data.dataset import by_role, collect
from terraform.learn.data.loader import BatchLoader
from terraform.learn.fingerprint import carry_over, run_fingerprint
from terraform.learn.runtime.distributed import Processes, init
from terraform.learn.trainer import Trainer

CPU = torch.device("cpu")
PUBLISHED = {"network": "unet256", "norm": "instance", "discriminator": "multiscale", "lambda_feature_matching": 0}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("pairs"))


def test_parts_make_up_the_batch(world):
    settings = config(batch=4, total_images=24)
    collection = collect(world["train"])
    whole = list(BatchLoader(collection, settings, CPU).batches(0))
    parts = [list(BatchLoader(collection, settings, CPU, Processes(rank, 2)).batches(0)) for rank in (0, 1)]
    for fed, one, other in zip(whole, *parts, strict=True):
        assert fed.image == one.image == other.image
        assert list(fed.pairs) == [*one.pairs, *other.pairs]
        for all_of_it, *halves in zip(fed.batch, one.batch, other.batch, strict=True):
            assert torch.equal(all_of_it, torch.cat(halves))


def test_a_batch_that_cannot_be_divided(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match="multiple of 3"):
        init(CPU, 4)


@pytest.mark.parametrize("over", [{"norm": "batch"}, {"norm": "renorm"}, {"discriminator": "patch70"}])
def test_batch_statistics_of_several_processors_are_refused(over):
    settings = config(**{"discriminator": "none", **over}).train
    with pytest.raises(ConfigError, match="on GPUs only"):
        Trainer(settings, 2, 0, CPU, Processes(0, 2))


def started(world, folder, settings, *options):
    """The command line, as a user starts two processes."""
    document = {"train": settings.train.model_dump(), "split": {"train": ["one"], "validation": ["two"]}}
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    folders = [str(path) for paths in world.values() for path in paths]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *torchrun, "-m", "terraform", "train", *options, "--output", str(folder), *folders]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [*command, "--config", str(folder / "config.yaml")], capture_output=True, text=True, check=False,
        env=environment, timeout=280,
    )  # fmt: skip


def launched(world, folder, settings, *options):
    done = started(world, folder, settings, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_processes_learn_what_one_does(world, tmp_path):
    settings = config(
        batch=4, total_images=16, validate_every=16, learning_rate=1e-4, discriminator_learning_rate=1e-4,
        discriminator="multiscale",
    )  # fmt: skip
    run(world, tmp_path / "alone", settings)
    output = launched(world, tmp_path / "together", settings)
    assert "2 processes" in output
    assert output.count("16/16 images") == 1
    close(*(outcome(tmp_path / name)[0] for name in ("alone", "together")))
    assert losses_of(tmp_path / "alone") == pytest.approx(losses_of(tmp_path / "together"), rel=1e-3)


def test_two_processes_continue_a_finished_run(world, tmp_path):
    shorter = config(batch=4, total_images=8, validate_every=8, discriminator="none")
    longer = config(batch=4, total_images=16, validate_every=8, discriminator="none")
    run(world, tmp_path / "alone", shorter)
    whole = tmp_path / "together"
    launched(world, whole, shorter)
    carry_over(tmp_path / "alone", run_fingerprint(longer, by_role(world)))
    run(world, tmp_path / "alone", longer, resume=True)
    output = launched(world, whole, longer, "--continue")
    assert output.count("continued from 8 images") == 1
    assert "2 processes, cpu; 8 of 16 images seen" in output
    close(*(outcome(tmp_path / name)[0] for name in ("alone", "together")))
    done = started(world, whole, config(batch=4, total_images=4), "--continue")
    assert "cannot be continued: train.discriminator was 'none'" in done.stderr
    assert "exitcode  : -9" not in done.stderr, "the second process waited for the first, and had to be killed"


def close(one, other):
    """Compare two states by their kernels.

    Four steps of Adam move a value by 4e-4, and where a gradient is nothing but rounding, so is its sign.
    """
    kernels = [key for key in one if key.startswith(("generator", "discriminator", "average")) and one[key].dim() == 4]
    moved = [(one[key].double() - other[key].double()).abs() for key in kernels]
    assert max(float(part.max()) for part in moved) <= 8e-4
    assert np.mean([float(part.mean()) for part in moved]) < 2e-5


def losses_of(folder):
    rows = [line.split(",") for line in (folder / "history.csv").read_text().splitlines()[1:]]
    return [float(value) for row in rows for value in row[2:6]]


@pytest.fixture
def quick(monkeypatch):
    torch.set_num_threads(1)
    few_pairs(monkeypatch)


def one_of_two(rank, port, world, output, settings, dies_in):
    """Learn as one of two processes; the second dies by SIGKILL in a step, if one is named."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    real = Trainer.step

    def stepped(self, *given):
        if rank == 1 and self.steps == dies_in:
            os.kill(os.getpid(), signal.SIGKILL)
        real(self, *given)

    Trainer.step = stepped
    run_in_child(world, output, settings)


def statuses_of_two(world, output, settings, dies_in=None):
    """Two processes that learn together."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = [child_of(one_of_two, rank, port, world, output, settings, dies_in) for rank in (0, 1)]
    return [status_of(child) for child in children]


def test_dropout_of_two_processes_is_that_of_one(world, tmp_path, quick):
    """Each draws the pattern of the whole batch; with patterns of their own they end a hundred times as far apart."""
    settings = config(
        batch=4, total_images=16, validate_every=16, learning_rate=1e-4, discriminator_learning_rate=1e-4, **PUBLISHED
    )
    run(world, tmp_path / "alone", settings)
    assert statuses_of_two(world, tmp_path / "together", settings) == [0, 0]
    close(*(outcome(tmp_path / name)[0] for name in ("alone", "together")))


@pytest.mark.parametrize(
    "networks", [{"base": "added", "discriminator": "multiscale"}, PUBLISHED], ids=["unet_fc", "unet256"]
)
def test_two_processes_killed_go_on_exactly(world, tmp_path, quick, networks):
    """One dies, the other cannot go on alone; both started again end where they would have ended."""
    settings = config(batch=4, total_images=16, checkpoint_every=4, validate_every=8, **networks)
    assert statuses_of_two(world, tmp_path / "whole", settings) == [0, 0]
    for step in (1, 2):
        assert statuses_of_two(world, tmp_path / "killed", settings, step)[1] == -signal.SIGKILL
    assert statuses_of_two(world, tmp_path / "killed", settings) == [0, 0]
    assert same(outcome(tmp_path / "whole"), outcome(tmp_path / "killed"))

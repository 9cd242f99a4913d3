"""Whose locks are left: those of a Snakemake that was killed go, those of a living one stay; `clean` asks both."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from terraform.errors import ResourceError
from terraform.learn.runtime.lock import exclusive_run
from terraform.workflow import cleanup
from terraform.workflow.stale_locks import LOCK, hold_working_folder, is_dry_run

HOLDING = """
import sys, time
from terraform.workflow.stale_locks import hold_working_folder
held = hold_working_folder(["snakemake"])
print(held is not None, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def locked(folder):
    """Locks as Snakemake leaves them."""
    (folder / ".snakemake/locks").mkdir(parents=True)
    paths = [folder / f".snakemake/locks/0.{what}.lock" for what in ("input", "output")]
    for path in paths:
        path.write_text("results/a\n")
    return paths


@pytest.fixture
def holder(folder):
    """Another process that works in the folder."""
    child = subprocess.Popen([sys.executable, "-c", HOLDING], cwd=folder, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"True\n"
    yield child
    child.kill()
    child.wait()


def test_locks_of_the_dead_go(locked):
    with hold_working_folder(["snakemake", "train"]):
        assert not any(path.exists() for path in locked)


def test_locks_of_the_living_stay_until_it_is_killed(holder, locked):
    assert hold_working_folder(["snakemake", "train"]) is None
    assert all(path.exists() for path in locked)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with hold_working_folder(["snakemake", "train"]):
        assert not any(path.exists() for path in locked)


def test_locks_of_another_machine_stay(locked):
    """A shared file system may not carry locks from one machine to another."""
    LOCK.write_text(f"process 1 on not-{socket.gethostname()}, since then\n")
    with hold_working_folder(["snakemake", "train"]):
        assert all(path.exists() for path in locked)


@pytest.mark.parametrize(("argument", "dry"), [("-n", True), ("-np", True), ("--dry-run", True), ("--dryrun", True),
                                               ("train", False), ("--nolock", False), ("-p", False)])  # fmt: skip
def test_a_dry_run_holds_nothing(folder, argument, dry):
    assert is_dry_run(argument) == dry
    assert (hold_working_folder(["snakemake", argument]) is None) == dry
    assert LOCK.exists() != dry


def test_nothing_is_removed_under_a_workflow(holder, folder):
    (folder / "results").mkdir()
    with pytest.raises(ResourceError, match=rf"in use by process {holder.pid} on .*nothing was removed"):
        cleanup.remove([folder / "results"])
    assert (folder / "results").exists()


def test_nothing_is_removed_under_a_training(folder):
    for name in ("pairs", "results"):
        (folder / name).mkdir()
    with exclusive_run(folder / "results/model/default"):
        with pytest.raises(ResourceError, match=rf"model/default is in use by process {os.getpid()}"):
            cleanup.remove([folder / "pairs", folder / "results"])
        assert (folder / "pairs").exists() and (folder / "results/model/default").exists()
    cleanup.remove([folder / "pairs", folder / "results"])
    assert not (folder / "pairs").exists() and not (folder / "results").exists()

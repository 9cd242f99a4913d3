"""The tiny world, made once for all processes that run tests."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from canary import secrets
from tiny_world import make_world, run


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A world in which everything has been made, once for all processes that run tests, by one who has secrets."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder = shared / "finished-world"
    with (shared / "finished-world.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make_world(folder)
            home = shared / "finished-world-home"
            shutil.rmtree(home, ignore_errors=True)
            (folder / "done").write_text(run(folder, "all", environment=secrets(home)), encoding="utf-8")
    return folder


@pytest.fixture
def world(finished, tmp_path) -> Path:
    """One's own copy of the finished world."""
    return Path(shutil.copytree(finished, tmp_path / "world"))

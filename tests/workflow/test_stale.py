"""`clean --stale`: what the dead have left goes, what anyone may still need stays."""

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from terraform.__main__ import app
from terraform.errors import ResourceError
from terraform.storage import locks
from terraform.storage.atomic_write import _HOST, _MARK
from terraform.storage.locks import exclusive, holder_of
from terraform.workflow import stale


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "config.yaml").write_text("run: mine\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def dead() -> int:
    """Id of a process that is gone."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def put(path: str, text: str = "x") -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    return Path(path)


def held_by(pid: int, host: str = "") -> str:
    return f"process {pid} on {host or socket.gethostname()}, since 2026-01-01 00:00:00\n"


def listed() -> set[str]:
    return {str(left.path) for left in stale.leftovers("mine")}


def clean(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["clean", "--stale", *arguments])
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done.output


def test_what_is_stale_is_listed_and_goes_with_yes_alone(folder, dead):
    gone = [
        put(f"results/model/mine/.weights{_MARK}{dead}-{_HOST}.safetensors"),
        put(f".config{_MARK}{dead}-{_HOST}.yaml"),
        put("results/model/old/state/a/images-1.safetensors"), put("results/mars/old/korolev/.terraformed.strips/0"),
        put("results/model/mine/.lock", held_by(dead)), put(".snakemake/locks/0.input.lock"),
        put(".sources.lock.json.lock", held_by(dead)),
    ]  # fmt: skip
    kept = [
        put(f"results/model/mine/.weights{_MARK}{os.getpid()}-{_HOST}.safetensors"),
        put("results/model/mine/state/a/images-1.safetensors"), put("results/model/old/weights.safetensors"),
        put("results/mars/mine/korolev/.terraformed.strips/0"), put("results/mars/old/korolev/terraformed.tif"),
        put("resources/cache/mola/.lock", held_by(dead, "another-machine")), put("sources.lock.json"),
        put("requirements.lock"),
    ]  # fmt: skip
    said = clean()
    assert "nothing was removed" in said and all(path.exists() for path in gone)
    assert "results/model/old/state  (states of run old" in said
    assert len(said.splitlines()) == len(gone) + 1
    clean("--yes")
    assert [path for path in gone if path.exists()] == []
    assert all(path.exists() for path in kept)
    assert "nothing to remove" in clean("--yes")


def test_what_is_in_use_is_no_leftover(dead):
    put("results/model/old/state/a/images-1.safetensors")
    put(".snakemake/locks/0.input.lock")
    with exclusive(Path("results/model/old/.lock")), exclusive(Path(".snakemake/terraform.lock")):
        assert listed() == set()
    assert listed() == {"results/model/old/state", ".snakemake/locks/0.input.lock"}


def test_what_came_into_use_after_it_was_listed_stays():
    put("results/model/old/state/a/images-1.safetensors")
    put("results/model/old/.lock")
    left = stale.leftovers("mine")
    with exclusive(Path("results/model/old/.lock")), pytest.raises(ResourceError, match="in use by process"):
        stale.remove(left)
    assert Path("results/model/old/state/a/images-1.safetensors").exists()


def test_no_link_is_followed(tmp_path_factory, dead):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / f".a{_MARK}{dead}-{_HOST}.txt").write_text("x")
    Path("results").symlink_to(elsewhere)
    assert listed() == set()


def test_downloads_and_stale_are_asked_for_one_at_a_time():
    done = CliRunner().invoke(app, ["clean", "--stale", "--downloads"])
    assert "choose one" in str(done.exception)


def test_a_lock_that_was_removed_while_it_was_waited_for_is_taken_anew(folder, monkeypatch):
    """As by `clean --stale` between opening and locking: two would else hold locks of one name."""
    path, take, taken = folder / ".lock", locks._take, []

    def take_late(file, *rest):
        if not taken:
            path.unlink()
        taken.append(file)
        take(file, *rest)

    monkeypatch.setattr(locks, "_take", take_late)
    with exclusive(path):
        assert len(taken) == 2
        with path.open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert holder_of(path) is not None
    assert holder_of(path) is None

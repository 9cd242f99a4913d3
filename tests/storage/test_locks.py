"""Locks: one holder at a time, released however the holder ends."""

import errno
import fcntl
import os
import signal

import pytest
from children import child_of, event

from terraform.errors import ResourceError
from terraform.storage.hashing import sha256_of
from terraform.storage.locks import exclusive


def refuse(holder):
    raise ResourceError(f"in use by {holder}")


def hold(path, held):
    with exclusive(path):
        held.set()
        signal.pause()


def child_that_holds(path):
    """A process that holds a lock until it is killed; returns when it holds it."""
    held = event()
    child = child_of(hold, path, held)
    held.wait()
    return child


def test_a_second_process_is_told_who_holds_it_and_killing_the_holder_releases_it(tmp_path):
    path = tmp_path / "new" / "lock"
    child = child_that_holds(path)
    try:
        with (
            pytest.raises(ResourceError, match=rf"in use by process {child.pid} on .*, since \d{{4}}-"),
            exclusive(path, refuse),
        ):
            pass
    finally:
        child.kill()
        child.join()
    with exclusive(path, refuse):
        assert path.read_text().startswith(f"process {os.getpid()} ")


def test_who_does_not_refuse_waits(tmp_path):
    path, told = tmp_path / "lock", []
    child = child_that_holds(path)

    def say(holder):
        told.append(holder)
        child.kill()

    with exclusive(path, say):
        child.join()
        with pytest.raises(ResourceError, match="in use"), exclusive(path, refuse):
            pass
    assert told[0].startswith(f"process {child.pid} ")


def test_an_error_within_releases_it(tmp_path):
    with pytest.raises(ValueError), exclusive(tmp_path / "lock"):
        raise ValueError
    with exclusive(tmp_path / "lock", refuse):
        pass


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="cannot be written"), exclusive(tmp_path / "file" / "lock"):
        pass


def test_the_digest_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_without_locks_work_goes_on_and_a_warning_says_so(tmp_path, monkeypatch, capsys):
    def none_here(file, operation):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", none_here)
    with exclusive(tmp_path / "lock"):
        assert "has no locks" in capsys.readouterr().err

"""The cache: whole entries or none, damage found, one process at a time."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from servers.nginx import Nginx
from servers.remote_file import parts_of

from terraform.errors import ConfigError, RemoteError
from terraform.sources.remote.cache import Cache
from terraform.sources.remote.ranges import part
from terraform.sources.remote.response import BINARY


def test_entries_are_there_whole_or_not_at_all(tmp_path: Path) -> None:
    cache = Cache(tmp_path, "test", "v1")
    assert cache.read("a", "b") is None
    cache.write(b"content", "a", "b")
    assert cache.read("a", "b") == b"content" and cache.has("a", "b")
    assert Cache(tmp_path, "test", "v2").read("a", "b") is None


@pytest.mark.parametrize("harm", ["truncate", "zeros", "flip", "empty"])
def test_damage_on_the_disk_is_found_and_fetched_again(tmp_path: Path, harm: str) -> None:
    cache = Cache(tmp_path, "test", "v1")
    cache.write(b"content" * 100, "a")
    path = cache.path("a")
    stored = path.read_bytes()
    changed = {"truncate": stored[:50], "zeros": bytes(len(stored)), "flip": stored[:-1] + b"?", "empty": b""}[harm]
    path.write_bytes(changed)
    assert cache.read("a") is None and not cache.has("a")


@pytest.mark.parametrize("name", ["..", "../x", "/etc", "", ".hidden", "a/b", "a\0b", "x" * 300])
def test_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        Cache(tmp_path, "test", "v1").path(name)
    with pytest.raises(ConfigError):
        Cache(tmp_path, name, "v1")


def test_one_process_at_a_time_asks_a_source(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom terraform.sources.remote.cache import Cache\n"
        "with Cache(Path(sys.argv[1]), 'test', 'v1').exclusive():\n    print('in', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "in\n"
    entered = threading.Event()

    def enter() -> None:
        with Cache(tmp_path, "test", "v2").exclusive():
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.3)
    os.kill(child.pid, signal.SIGKILL)
    assert entered.wait(5)
    child.wait()
    thread.join()


def test_binary_parts_may_be_of_any_content(server: Nginx) -> None:
    made, url = parts_of(server.url)
    with pytest.raises(RemoteError, match="image/tiff"):
        part(made, url, 0, 10, BINARY)

"""Starting programs for the time of a test, and ending them by their own pid."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

PACKAGES = {
    "nginx": "nginx-light",
    "mapserv": "cgi-mapserver",
    "mapcache": "mapcache-cgi",
    "dot": "graphviz",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
    "munged": "munge",
    "sbatch": "slurm-client",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
}
"""Programs that tests start, and the Debian packages that bring them: those of packages.txt."""

_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/lib/cgi-bin"])
_KILL_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def program(name: str) -> str:
    """Path of a program. Without it the test is skipped; with TERRAFORM_REQUIRE_SERVERS set it fails."""
    path = shutil.which(name, path=_PLACES)
    if path is None:
        reason = f"{name} is missing: apt-get install {PACKAGES[name]}"
        if os.environ.get("TERRAFORM_REQUIRE_SERVERS"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return path


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Running:
    """Programs under way. They end with `stop`, or when the tests' own process dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, command: list[str], environment: dict[str, str] | None = None, **options: Any) -> None:
        """Start a program; what it says goes to a log of its name."""
        log = (self._folder / f"{Path(command[0]).name}.out").open("ab")
        child = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, **(environment or {})},
            preexec_fn=_die_with_parent, cwd=self._folder, **options,
        )  # fmt: skip
        log.close()
        self._children.append(child)

    @property
    def pids(self) -> list[int]:
        """Of each program, in the order in which they were started."""
        return [child.pid for child in self._children]

    @property
    def alive(self) -> bool:
        """None has ended."""
        return all(child.poll() is None for child in self._children)

    def stop(self) -> None:
        """Kill each by its pid: an idle FastCGI `mapserv` ignores SIGTERM."""
        for child in self._children:
            child.kill()
        for child in self._children:
            child.wait()
        self._children.clear()

    def said(self) -> str:
        """What the programs wrote, for a failure's message."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("*.out")))


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_KILL_WITH_PARENT, signal.SIGKILL)

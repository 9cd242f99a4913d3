"""nginx with byte ranges: what a public bucket does, and its access log to assert on."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

_CONFIG = """
daemon off; master_process off; pid {run}/nginx.pid; error_log {run}/error.log warn;
events {{ worker_connections 256; }}
http {{
  client_body_temp_path {run}/t1; proxy_temp_path {run}/t2; fastcgi_temp_path {run}/t3; uwsgi_temp_path {run}/t4;
  scgi_temp_path {run}/t5;
  types {{ image/tiff tif tiff; image/png png; image/jpeg jpg; text/plain txt; text/html html; }}
  default_type application/octet-stream;
  log_format told '$request_method $uri $status $body_bytes_sent $connection "$http_range" "$http_user_agent"';
  access_log {run}/access.log told;
  server {{
    listen 127.0.0.1:{port};
    root {files};
    location /norange/ {{ alias {files}/; max_ranges 0; }}
    location /throttled/ {{ alias {files}/; limit_rate 200k; }}
    {more}
  }}
}}
"""
_LINE = re.compile(r'(\S+) (\S+) (\d+) (\d+) (\d+) "([^"]*)" "([^"]*)"')


class Hit(NamedTuple):
    """One line of the access log."""

    method: str
    path: str
    status: int
    bytes: int
    connection: int
    range: str
    agent: str


class Nginx(NamedTuple):
    """A running server: its address, the folder that it serves, its log."""

    url: str
    files: Path
    log: Path

    def hits(self) -> list[Hit]:
        """What was asked so far, oldest first."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        found = [match.groups() for line in lines if (match := _LINE.fullmatch(line))]
        return [Hit(m, p, int(s), int(b), int(c), "" if r == "-" else r, a) for m, p, s, b, c, r, a in found]

    def forget(self) -> None:
        """Begin the log anew."""
        if self.log.exists():
            with self.log.open("r+") as file:
                file.truncate(0)


def free_port() -> int:
    """A port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx(run: Path, files: Path, more: str = "") -> Iterator[Nginx]:
    """Serve a folder, until the block ends.

    Parameters
    ----------
    run : Path
        A folder for the server's own files.
    files : Path
        What it serves, with ranges; without them below /norange/, slowly below /throttled/.
    more : str
        More of the `server` block of the configuration.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    run.mkdir(parents=True, exist_ok=True)
    # The workers run as root's nobody, who cannot enter pytest's own folders; one process as oneself can.
    config, port = run / "nginx.conf", free_port()
    config.write_text(_CONFIG.format(run=run, files=files, port=port, more=more))
    process = subprocess.Popen([program, "-c", str(config), "-p", str(run)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield Nginx(f"http://127.0.0.1:{port}", files, run / "access.log")
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError(f"nginx ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("nginx does not answer")

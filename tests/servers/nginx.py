"""nginx with byte ranges: what a public bucket does, and its access log to assert on."""

import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from servers.processes import Running, free_port, program

_CONFIG = """
daemon off; master_process off; pid {run}/nginx.pid; error_log {run}/error.log warn;
events {{ worker_connections 256; }}
http {{
  client_body_temp_path {run}/t1; proxy_temp_path {run}/t2; fastcgi_temp_path {run}/t3; uwsgi_temp_path {run}/t4;
  scgi_temp_path {run}/t5;
  types {{ image/tiff tif tiff; image/png png; image/jpeg jpg; text/plain txt; text/html html; }}
  default_type application/octet-stream;
  log_format told '$request_method $request_uri $status $body_bytes_sent $connection "$http_range" "$http_user_agent"';
  access_log {run}/access.log told;
  server {{
    listen 127.0.0.1:{port};
    root {files};
    location /norange/ {{ alias {files}/; max_ranges 0; }}
    location /throttled/ {{ alias {files}/; limit_rate 200k; }}
    location = /mark {{ return 200 {port}; }}
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
        """What was asked so far, oldest first; a request that was just answered is among them."""
        mark = f"/mark?{time.monotonic_ns()}"
        urllib.request.urlopen(self.url + mark, timeout=10).close()
        end = time.monotonic() + 5
        while mark not in (text := self.log.read_text()) and time.monotonic() < end:
            time.sleep(0.01)
        found = [match.groups() for line in text.splitlines() if (match := _LINE.fullmatch(line))]
        hits = [Hit(m, p, int(s), int(b), int(c), "" if r == "-" else r, a) for m, p, s, b, c, r, a in found]
        return [hit for hit in hits if not hit.path.startswith("/mark")]

    def forget(self) -> None:
        """Begin the log anew."""
        self.hits()
        with self.log.open("r+") as file:
            file.truncate(0)


@contextmanager
def nginx(run: Path, files: Path, more: str = "", port: int | None = None) -> Iterator[Nginx]:
    """Serve a folder, until the block ends.

    Parameters
    ----------
    run : Path
        A folder for the server's own files.
    files : Path
        What it serves, with ranges; without them below /norange/, slowly below /throttled/.
    more : str
        More of the `server` block of the configuration.
    port : int, optional
        Where to listen, when something else has to know it before; by default where nobody does.
    """
    binary = program("nginx")
    run.mkdir(parents=True, exist_ok=True)
    running = Running(run)
    try:
        yield _started(binary, running, run, files, more, port)
    finally:
        running.stop()


def _started(binary: str, running: Running, run: Path, files: Path, more: str, port: int | None) -> Nginx:
    for _ in range(5):
        chosen = port or free_port()
        config = run / "nginx.conf"
        # Workers would run as nobody, who cannot enter pytest's own folders; one process as oneself can.
        config.write_text(_CONFIG.format(run=run, files=files, port=chosen, more=more))
        running.start([binary, "-c", str(config), "-p", str(run), "-e", str(run / "error.log")])
        server = Nginx(f"http://127.0.0.1:{chosen}", files, run / "access.log")
        if _answers(server, running):
            return server
        running.stop()  # somebody took the port in between
    raise RuntimeError(f"nginx does not start:\n{running.said()}{(run / 'error.log').read_text()}")


def _answers(server: Nginx, running: Running) -> bool:
    end = time.monotonic() + 20
    while running.alive and time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{server.url}/mark", timeout=5).close()
        except OSError:
            time.sleep(0.02)
        else:
            return running.alive
    return False

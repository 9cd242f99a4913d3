"""A reverse proxy on loopback that breaks what it is told to break: the faults of real networks and services."""

import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

What = Literal[
    "pass",
    "status",
    "redirect",
    "drop",
    "truncate",
    "short",
    "slow",
    "stall",
    "norange",
    "html",
    "corrupt",
    "swap",
    "longer",
]
_OWN = {"host", "connection"}
_OF_THE_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


@dataclass
class Fault:
    """What happens to requests whose path and query match.

    Attributes
    ----------
    what : str
        pass: nothing. status: answer with `code`, `headers`, `body`. redirect: to `body`. drop: close without an
        answer. truncate: close after `after` bytes of the body. short: half of the body, as if that were all. slow:
        `pause_s` between small pieces. stall: the header, then silence for `pause_s`. norange: the whole file for a
        range. html: a page with status 200. corrupt: 64 bytes in the middle inverted. swap: another ETag than before.
        longer: junk after the body.
    match : str
        Regular expression.
    times : int
        How often; then the proxy passes on what it gets.
    """

    what: What
    match: str = ""
    times: int = 1_000_000
    code: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes = "out of order"
    after: int | None = None
    pause_s: float = 0.05
    kind: str = "text/plain"


@dataclass
class Asked:
    """A request that reached the proxy, when, and the fault that met it."""

    path: str
    headers: Mapping[str, str]
    at_s: float
    fault: str | None


class Proxy:
    """A running proxy: its address, the faults to come, what was asked."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.active = 0
        self.most_active = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def breaks(self, *faults: Fault) -> None:
        """Set the faults to come, the first that matches is used, and forget what was asked."""
        self.faults, self.asked, self.most_active = list(faults), [], 0

    def meet(self, path: str, headers: Mapping[str, str]) -> Fault | None:
        """Note a request, and say what is to happen to it."""
        with self._lock:
            self.active += 1
            self.most_active = max(self.most_active, self.active)
            found = next((f for f in self.faults if f.times > 0 and re.search(f.match, path)), None)
            if found is not None:
                found.times -= 1
            self.asked.append(Asked(path, dict(headers), time.monotonic(), found.what if found else None))
            return found

    def done(self) -> None:
        """A request is answered."""
        with self._lock:
            self.active -= 1

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up is what these tests are about."""


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fault = proxy.meet(self.path, self.headers)
            try:
                self._answer(fault)
            except OSError:
                self.close_connection = True
            finally:
                proxy.done()

        do_HEAD = do_POST = do_GET

        def _answer(self, fault: Fault | None) -> None:
            what = fault.what if fault else "pass"
            if fault and what in ("status", "redirect", "html"):
                return self._say(fault)
            if what == "drop":
                return self._hang_up()
            status, headers, body = self._from_upstream(without_range=what == "norange")
            if what == "corrupt":
                middle = len(body) // 2
                body = body[:middle] + bytes(b ^ 0xFF for b in body[middle : middle + 64]) + body[middle + 64 :]
            if what == "short":
                body = body[: len(body) // 2]
            if what == "longer":
                body += b"junk" * 1000
            if what == "swap":
                headers = {**headers, "ETag": '"another"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
            self._send(status, headers, body, fault)

        def _say(self, fault: Fault) -> None:
            if fault.what == "redirect":
                code, headers, body = 302, {"Location": str(fault.body)}, b""
            elif fault.what == "html":
                code, headers, body = 200, {"Content-Type": "text/html"}, f"<html><p>{fault.body}</p></html>".encode()
            else:
                body = fault.body.encode() if isinstance(fault.body, str) else fault.body
                code, headers = fault.code, {"Content-Type": fault.kind, **fault.headers}
            self._send(code, headers, body, None)

        def _send(self, status: int, headers: Mapping[str, str], body: bytes, fault: Fault | None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            what = fault.what if fault else "pass"
            if fault and what == "truncate":
                self.wfile.write(body[: len(body) // 2 if fault.after is None else fault.after])
                return self._hang_up()
            if fault and what == "stall":
                time.sleep(fault.pause_s)
            if fault and what == "slow":
                for start in range(0, len(body), 512):
                    self.wfile.write(body[start : start + 512])
                    time.sleep(fault.pause_s)
                return
            if self.command != "HEAD":
                self.wfile.write(body)

        def _from_upstream(self, without_range: bool) -> tuple[int, dict[str, str], bytes]:
            upstream = urlsplit(proxy.upstream)
            size = int(self.headers.get("Content-Length", 0))
            sent = self.rfile.read(size) if size else None
            drop = _OWN | ({"range"} if without_range else set())
            headers = {name: value for name, value in self.headers.items() if name.lower() not in drop}
            connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=30)
            try:
                connection.request(self.command, upstream.path + self.path, sent, headers)
                answer = connection.getresponse()
                kept = {n: v for n, v in answer.getheaders() if n.lower() not in _OF_THE_HOP}
                return answer.status, kept, answer.read()
            finally:
                connection.close()

        def _hang_up(self) -> None:
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """A proxy before a server, until the block ends."""
    with Proxy(upstream).running() as running:
        yield running

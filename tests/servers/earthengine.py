"""Earth Engine's REST on loopback, for the real client: sign-in, discovery, algorithms, pixels, quotas.

The discovery document and the algorithms are those that the installed client carries for its own tests.
"""

import io
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ee
import numpy as np

from servers.ee_expressions import Refused, picture
from servers.ee_ground import grid_of

LARGEST_BYTES = 48 * 2**20
LARGEST_SIDE = 32_768
_SHIPPED = Path(ee.__file__).parent / "tests"
_STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One request as the client sent it."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    at: float


@dataclass
class Fault:
    """What happens to the next `times` calls whose path matches."""

    match: str
    times: int
    status: int
    message: str
    headers: dict[str, str]
    kind: str
    body: bytes


@dataclass
class _State:
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)
    allowed: int = 40
    largest_bytes: int = LARGEST_BYTES
    now: int = 0
    sent_bytes: int = 0
    most_at_once: int = 0
    delay_s: float = 0.0
    project: str = "demo-project"


class EarthEngine:
    """The running stand-in.

    Attributes
    ----------
    url : str
        What to give to the client as `url`.
    project : str
        The one project that is registered.
    """

    def __init__(self) -> None:
        self._state = _State()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": self._state}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.project = self._state.project
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def calls(self) -> list[Call]:
        """All requests so far."""
        with self._state.lock:
            return list(self._state.calls)

    def pixels(self) -> list[dict[str, Any]]:
        """The bodies of all requests for pixels so far: expression, grid, format."""
        return [call.body for call in self.calls if call.path.endswith("image:computePixels")]

    @property
    def sent_bytes(self) -> int:
        """Bytes of all bodies that were sent so far."""
        return self._state.sent_bytes

    @property
    def most_at_once(self) -> int:
        """The largest number of pixel requests that were under way together."""
        return self._state.most_at_once

    def fail(
        self, match: str, status: int = 503, times: int = 1_000_000, message: str = "broken on purpose",
        kind: str = "status", body: bytes = b"", **headers: str,
    ) -> None:  # fmt: skip
        """Break the next `times` calls that match; kinds: status, drop, truncate, html, stall, body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self._state.lock:
            self._state.faults.append(Fault(match, times, status, message, named, kind, body))

    def break_after(self, served: int, status: int, message: str, retry_after: str) -> None:
        """Serve some requests for pixels, then fail all."""
        self.fail("computePixels", times=served, kind="serve")
        self.fail("computePixels", status, message=message, Retry_After=retry_after)

    def limit(self, allowed: int = 40, delay_s: float = 0.0, largest_bytes: int = LARGEST_BYTES) -> None:
        """Answer 429 to more than `allowed` pixel requests at once, let each last `delay_s`, refuse larger ones."""
        self._state.allowed, self._state.delay_s, self._state.largest_bytes = allowed, delay_s, largest_bytes

    def heal(self) -> None:
        """As it was at the start."""
        with self._state.lock:
            self._state.faults.clear()
            self._state.calls.clear()
            self._state.most_at_once = self._state.sent_bytes = 0
        self.limit()

    def stop(self) -> None:
        """End it; what stalls is let go."""
        self._state.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: _State

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(size)
        if len(text) < size:  # whoever asked was killed meanwhile
            self.close_connection = True
            return
        is_json = "json" in self.headers.get("Content-Type", "")
        self._serve(json.loads(text) if is_json and text else text.decode(errors="replace"))

    def _serve(self, body: Any) -> None:
        path = urlsplit(self.path).path
        fault = self._noted(Call(self.command, path, dict(self.headers.items()), body, time.monotonic()))
        try:
            if fault is None or fault.kind in ("stall", "serve"):
                if fault is not None and fault.kind == "stall":
                    self.state.over.wait(30)
                self._route(path, body)
            else:
                self._broken(fault)
        except OSError:
            self.close_connection = True

    def _noted(self, call: Call) -> Fault | None:
        with self.state.lock:
            self.state.calls.append(call)
            fits = (fault for fault in self.state.faults if fault.times > 0 and re.search(fault.match, call.path))
            fault = next(fits, None)
            if fault is not None:
                fault.times -= 1
        return fault

    def _broken(self, fault: Fault) -> None:
        if fault.kind == "status":
            self._error(fault.status, fault.message, fault.headers)
        elif fault.kind == "html":
            self._send(200, b"<html><body>Please log in</body></html>", "text/html")
        elif fault.kind == "body":
            self._send(200, fault.body, "application/octet-stream")
        elif fault.kind == "truncate":
            self._send(200, b"x" * 500, "application/octet-stream", declared=100_000)
            self.close_connection = True
        else:
            self.close_connection = True
            self.connection.close()

    def _route(self, path: str, body: Any) -> None:
        if path == "/$discovery/rest":
            self._send(200, _DISCOVERY)
        elif path == "/token":
            self._send(
                200, json.dumps({"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"}).encode()
            )
        elif self.headers.get("Authorization") != "Bearer a-token":
            self._error(401, "Request is missing required authentication credential.")
        elif f"/projects/{self.state.project}/" not in path:
            self._error(403, f"Caller does not have required permission to use project {path.split('/')[3]}.")
        elif path.endswith("/algorithms"):
            self._send(200, _ALGORITHMS)
        elif path.endswith("/image:computePixels"):
            self._pixels(body)
        else:
            self._error(404, f"{path} is not imitated here")

    def _pixels(self, body: dict[str, Any]) -> None:
        with self.state.lock:
            self.state.now += 1
            self.state.most_at_once = max(self.state.most_at_once, self.state.now)
            too_many = self.state.now > self.state.allowed
        try:
            if too_many:
                self._error(429, "Too many concurrent aggregations.", {"Retry-After": "1"})
            else:
                time.sleep(self.state.delay_s)
                self._send(200, _npy(body, self.state.largest_bytes), "application/octet-stream")
        except Refused as refused:
            self._error(400, str(refused))
        finally:
            with self.state.lock:
                self.state.now -= 1

    def _error(self, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        text = json.dumps({"error": {"code": code, "message": message, "status": _STATUS.get(code, "UNKNOWN")}})
        self._send(code, text.encode(), headers=headers)

    def _send(
        self, code: int, body: bytes, type_: str = "application/json; charset=UTF-8",
        headers: dict[str, str] | None = None, declared: int | None = None,
    ) -> None:  # fmt: skip
        self.send_response(code)
        self.send_header("Content-Type", type_)
        self.send_header("Content-Length", str(len(body) if declared is None else declared))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        with self.state.lock:
            self.state.sent_bytes += len(body)
        self.wfile.write(body)


def _npy(asked: dict[str, Any], largest_bytes: int) -> bytes:
    """The answer to computePixels: a structured array, masked pixels 0."""
    size = asked["grid"]["dimensions"]
    wide, high = size["width"], size["height"]
    if max(wide, high) > LARGEST_SIDE:
        raise Refused(f"Pixel grid dimensions ({wide}x{high}) must be less than or equal to {LARGEST_SIDE}.")
    types = _types(asked)
    total = wide * high * sum(np.dtype(kind).itemsize for kind in types.values())
    if total > largest_bytes:
        raise Refused(f"Total request size ({total} bytes) must be less than or equal to {largest_bytes} bytes.")
    if asked["fileFormat"] != "NPY" or asked["grid"]["crsCode"] != "EPSG:4326":
        raise Refused("only NPY in EPSG:4326 is imitated here")
    bands = picture(asked["expression"]).bands(grid_of(asked["grid"]))
    made = np.zeros((high, wide), [(name, types[name]) for name in types])
    for name in types:
        made[name] = np.where(bands[name].mask, bands[name].values, 0)
    text = io.BytesIO()
    np.save(text, made)
    return text.getvalue()


def _types(asked: dict[str, Any]) -> dict[str, str]:
    """Type of each band: int16 unless the expression makes it a byte."""
    text = json.dumps(asked["expression"])
    byte = "toByte" in text or "toUint8" in text
    return {name: "u1" if byte and name != "land" and name != "elevation" else "<i2" for name in asked["bandIds"]}


_DISCOVERY = (
    (_SHIPPED / "cloud_api_discovery_document.json").read_text().replace("v1alpha/", "v1/").replace('"v1alpha"', '"v1"')
).encode()  # fmt: skip
_ALGORITHMS = (_SHIPPED / "algorithms.json").read_bytes()

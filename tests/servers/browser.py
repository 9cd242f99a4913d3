"""Chromium without a window, driven by the WebDriver protocol (W3C) of Debian's chromedriver."""

import base64
import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from servers.processes import Running, free_port, program

_ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--force-color-profile=srgb", "--no-first-run",
]  # fmt: skip


class Browser:
    """One window.

    Parameters
    ----------
    address : str
        Of chromedriver, with the session.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, method: str, place: str, body: dict[str, Any] | None = None) -> Any:
        """Send one command; its value."""
        return _ask(method, f"{self._address}/{place}", body)

    def open(self, address: str, width: int = 1200, height: int = 760) -> None:
        """Open a page in a window whose inside is so large, and wait until it says that it is ready."""
        self.ask("POST", "goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        })  # fmt: skip
        # The same page with another fragment would not be loaded anew.
        self.ask("POST", "url", {"url": "about:blank"})
        self.ask("POST", "url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run the body of a function in the page; what it returns."""
        return self.ask("POST", "execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, condition: str, seconds: float = 20.0) -> None:
        """Wait until an expression holds in the page."""
        end = time.monotonic() + seconds
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < end, f"never so: {condition}; {self.complaints()}"
            time.sleep(0.05)

    def picture(self) -> np.ndarray:
        """What the window shows, (H, W, 3) int."""
        shown = base64.b64decode(self.ask("GET", "screenshot"))
        return np.asarray(Image.open(io.BytesIO(shown)).convert("RGB")).astype(int)

    def pointer(self, *steps: dict[str, Any], kind: str = "mouse") -> None:
        """Move, press and release a pointer."""
        pointer = {"type": "pointer", "id": "hand", "parameters": {"pointerType": kind}, "actions": list(steps)}
        self.ask("POST", "actions", {"actions": [pointer]})

    def move(self, x: float, y: float) -> None:
        """Move the mouse to a place in the window."""
        self.pointer({"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)})

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press at a place, move to another in steps, release."""
        steps = [tuple(round(a + (b - a) * k / 4) for a, b in zip(start, end, strict=True)) for k in range(5)]
        moves = [{"type": "pointerMove", "duration": 20, "x": x, "y": y} for x, y in steps]
        self.pointer(moves[0], {"type": "pointerDown", "button": 0}, *moves[1:], {"type": "pointerUp", "button": 0})

    def choose(self, name: str, value: Any) -> None:
        """Give an input or a select of that id a value, as a user does."""
        self.run(
            "const input = document.getElementById(arguments[0]); input.value = arguments[1];"
            "for (const kind of ['input', 'change']) input.dispatchEvent(new Event(kind));",
            name,
            value,
        )

    def click(self, name: str) -> None:
        """Click on the element of that id."""
        self.run("document.getElementById(arguments[0]).click()", name)

    def middle(self, selector: str) -> tuple[int, int]:
        """The middle of an element, pixels of the window."""
        box = self.run(
            "const box = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [box.left + box.width / 2, box.top + box.height / 2];",
            selector,
        )
        return round(box[0]), round(box[1])

    def complaints(self) -> list[str]:
        """Errors of the console and of scripts since the last call."""
        log = self.ask("POST", "se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last call."""
        log = self.ask("POST", "se/log", {"type": "performance"})
        told = [json.loads(entry["message"])["message"] for entry in log]
        return [one["params"]["request"]["url"] for one in told if one["method"] == "Network.requestWillBeSent"]


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Start a browser with a profile of its own in a folder."""
    program("chromium")
    running, port = Running(folder), free_port()
    running.start([program("chromedriver"), f"--port={port}", "--silent"])
    root = f"http://127.0.0.1:{port}"
    try:
        _wait_for(root)
        arguments = [*_ARGUMENTS, f"--user-data-dir={folder / 'profile'}"]
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments, "binary": program("chromium")},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        made = _ask("POST", f"{root}/session", {"capabilities": {"alwaysMatch": wanted}})
        browser = Browser(f"{root}/session/{made['sessionId']}")
        try:
            yield browser
        finally:
            browser.ask("DELETE", "")
    finally:
        running.stop()


def _wait_for(root: str) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            _ask("GET", f"{root}/status", None)
            return
        except OSError:
            assert time.monotonic() < end, "chromedriver does not answer"
            time.sleep(0.1)


def _ask(method: str, address: str, body: dict[str, Any] | None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address.rstrip("/"), data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {address}: {error.read().decode()[:600]}") from None

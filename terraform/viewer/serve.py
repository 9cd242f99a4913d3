"""Serve a folder on loopback with byte ranges."""

import re
import webbrowser
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from terraform.errors import ConfigError, InputError, ResourceError

_CHUNK = 1 << 20
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def serve(folder: Path, port: int, browser: bool) -> None:
    """Serve a viewer until it is interrupted.

    Parameters
    ----------
    folder : Path
        Holds `index.html`.
    port : int
        0 for any that is free.
    browser : bool
        Open it in the browser.

    Raises
    ------
    InputError
        There is no viewer.
    ResourceError
        The port is taken.
    """
    with viewer_server(folder, port) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        print(f"{address} (Ctrl+C ends it)", flush=True)
        if browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


def viewer_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Listen on loopback; `serve_forever` then answers.

    Raises
    ------
    InputError
        There is no viewer.
    ResourceError
        The port is taken.
    """
    if not (folder / "index.html").is_file():
        raise InputError(f"{folder} holds no viewer: make it with `snakemake --cores 8 viewer`")
    if not 0 <= port <= 65535:
        raise ConfigError(f"port {port} is none: 0 to 65535")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(RangeHandler, directory=str(folder.resolve())))
    except OSError as error:
        raise ResourceError(f"port {port} cannot be used ({error.strerror}): leave --port out for a free one") from None


class RangeHandler(SimpleHTTPRequestHandler):
    """Answers requests for files of one folder; of a range with that part alone (RFC 9110, 14.2), of folders not."""

    protocol_version = "HTTP/1.1"
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".webp": "image/webp", ".js": "text/javascript"}

    def send_head(self) -> Any:
        """Send the header of an answer and open its file at the place where it begins."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.resolve().is_relative_to(self.directory) or not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        size = path.stat().st_size
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        first, last = _wanted(found, size) if found else (0, size - 1)
        if first > last and size:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        self.send_response(HTTPStatus.PARTIAL_CONTENT if found else HTTPStatus.OK)
        if found:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self._describe(path, last - first + 1)
        self._left = last - first + 1
        file = path.open("rb")
        file.seek(first)
        return file

    def _describe(self, path: Path, length: int) -> None:
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send as many bytes as were promised."""
        while self._left > 0 and (part := source.read(min(self._left, _CHUNK))):
            outputfile.write(part)
            self._left -= len(part)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: a map asks for hundreds of tiles."""


def _wanted(found: re.Match[str], size: int) -> tuple[int, int]:
    """First and last byte of a range; of one that cannot be, the first is behind the last."""
    begin, end = found.groups()
    if not begin:
        return (size - min(int(end), size), size - 1) if end and int(end) else (1, 0)
    return int(begin), min(int(end), size - 1) if end else size - 1

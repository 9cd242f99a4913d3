"""Responses whose body is still to be read, what their body is, and the ways in which one is of no use."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from terraform.errors import RemoteError
from terraform.sources.remote.hosts import redact_url

_PLAIN = {
    "ReadTimeoutError": "it does not answer in time",
    "ConnectTimeoutError": "it cannot be reached in time",
    "NameResolutionError": "its name cannot be resolved",
    "NewConnectionError": "it cannot be reached",
    "ProtocolError": "the connection broke",
    "IncompleteRead": "the answer ended early",
    "EmptyPoolError": "no connection became free",
    "ProxyError": "the proxy of HTTPS_PROXY refuses or cannot be reached",
}


class NotFound(RemoteError):
    """The service says that there is no such thing (404, 410)."""


class Resumable(RemoteError):
    """It did not come to an end, and can be resumed.

    Attributes
    ----------
    reason : str
        What went wrong, without what to do.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(
            f"{reason}. Nothing that was fetched is lost: run the same command again later to resume{hint}"
        )
        self.reason = reason


class InvalidResponse(Exception):
    """An answer that is not what was asked for, though another attempt may bring it."""


class RetryLater(Exception):
    """Another attempt may heal it, `after_s` seconds later where the service asks for that."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


@dataclass(frozen=True)
class Response:
    """An answer whose body is still to be read, in `chunks`, within the deadline."""

    status: int
    headers: Mapping[str, str]
    url: str
    chunks: Iterator[bytes]

    def read_all(self, most: int) -> bytes:
        """Read the body.

        Raises
        ------
        RemoteError
            It is larger than `most` bytes.
        """
        declared = self.headers.get("Content-Length", "")
        size = int(declared) if declared.isdigit() else 0
        body = bytearray()
        while size <= most and (chunk := next(self.chunks, b"")):
            body += chunk
            size = len(body)
        if size > most:
            raise RemoteError(
                f"{redact_url(self.url)} sends {size:,} bytes or more where at most {most:,} are expected: "
                "look at it in a browser, it is not what it should be"
            )
        return bytes(body)


def describe_error(error: Exception) -> str:
    """Describe what went wrong, without what urllib3 says of objects and whole addresses."""
    if isinstance(error, InvalidResponse | RetryLater):
        return str(error)
    return _PLAIN.get(type(error).__name__, type(error).__name__)


@dataclass(frozen=True)
class ContentType:
    """A kind of content.

    Attributes
    ----------
    name : str
        For messages.
    media_types : tuple of str
        Content-Types with which servers send it; stores of files often say octet-stream.
    magic : tuple of bytes
        How it begins; empty where it has no sign of its own.
    """

    name: str
    media_types: tuple[str, ...]
    magic: tuple[bytes, ...] = ()


_STORED = ("application/octet-stream", "binary/octet-stream")

TIFF = ContentType("a TIFF", ("image/tiff", "image/x-tiff", *_STORED), (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))
PNG = ContentType("a PNG", ("image/png", *_STORED), (b"\x89PNG\r\n\x1a\n",))
JPEG = ContentType("a JPEG", ("image/jpeg", "image/jpg", *_STORED), (b"\xff\xd8\xff",))
TEXT = ContentType("a text", ("text/plain", *_STORED))
XML = ContentType("XML", ("text/xml", "application/xml", "application/vnd.ogc.wms_xml"), (b"<", b"\xef\xbb\xbf<"))
BINARY = ContentType("data", _STORED)


def media_type(headers_value: str | None) -> str:
    """Extract the bare type of a Content-Type header, lower-case; empty where there is none."""
    return (headers_value or "").partition(";")[0].strip().lower()


def type_mismatch(content_type: ContentType, given_type: str | None, start: bytes | None) -> str | None:
    """Say what speaks against a body being of a content type; None where nothing does.

    A type that is not known counts against it where it is a page's, or where the content has no sign of its own.

    Parameters
    ----------
    given_type : str or None
        The Content-Type header.
    start : bytes or None
        The first bytes of the whole file; None where a part from its middle came.
    """
    said = _telling(media_type(given_type), content_type)
    if said and said not in content_type.media_types:
        return f"its Content-Type is {said}"
    if start is not None and content_type.magic and not start.startswith(content_type.magic):
        return f"it begins with {start[:8]!r}"
    return None


def _telling(said: str, content_type: ContentType) -> str:
    """Keep a type where it tells something.

    Stores of files give binary files all sorts of types, but a page or a report is always text of some kind.
    """
    text = said.startswith("text/") or any(word in said for word in ("xml", "json", "html"))
    return said if text or not content_type.magic else ""


def plain_text(body: bytes, most: int = 300) -> str:
    """Extract what a server says in an error page or an exception report: its text without the markup, in one line."""
    text = body[:20_000].decode("utf-8", "replace")
    if "<" in text:
        text = re.sub(r"<(script|style)\b.*?(</\1>|$)", " ", text, flags=re.DOTALL | re.IGNORECASE)
        text = re.sub(r"<!\[CDATA\[(.*?)\]\]>", r"\1", text, flags=re.DOTALL)
        text = re.sub(r"<[^>]*>", " ", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= most else text[:most] + " ..."

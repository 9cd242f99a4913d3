"""What a body is: recognised by its first bytes, and where it is something else, what the server says in it."""

import re
from dataclasses import dataclass


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
    """The bare type of a Content-Type header, lower-case; empty where there is none."""
    return (headers_value or "").partition(";")[0].strip().lower()


def type_mismatch(content_type: ContentType, given_type: str | None, start: bytes | None) -> str | None:
    """What speaks against a body being of a kind, or None.

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
    """A type, where it tells something: stores of files give binary files all sorts of types, but a page or a report is
    always text of some kind."""
    text = said.startswith("text/") or any(word in said for word in ("xml", "json", "html"))
    return said if text or not content_type.magic else ""


def plain_text(body: bytes, most: int = 300) -> str:
    """What a server says in an error page or an exception report: its text without the markup, in one line."""
    text = body[:20_000].decode("utf-8", "replace")
    if "<" in text:
        text = re.sub(r"<(script|style)\b.*?(</\1>|$)", " ", text, flags=re.DOTALL | re.IGNORECASE)
        text = re.sub(r"<!\[CDATA\[(.*?)\]\]>", r"\1", text, flags=re.DOTALL)
        text = re.sub(r"<[^>]*>", " ", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= most else text[:most] + " ..."

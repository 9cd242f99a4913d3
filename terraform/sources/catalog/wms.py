"""What a WMS says of itself in its capabilities: its layers, whom to name, what it allows (OGC 01-068r3, 06-042)."""

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree

from terraform.errors import ConfigError, RemoteError
from terraform.sources.remote.content import plain_text

_SHORT = 500


class LayerInfo(NamedTuple):
    """What concerns one layer; texts are empty and sizes None where nothing is said.

    Attributes
    ----------
    version : str
        Of the document: services may answer an older one than was asked for.
    attribution, constraints : str
        Whom to name, and what is allowed.
    largest_px : int or None
        Largest side of a picture (1.3.0 only).
    """

    version: str
    attribution: str
    constraints: str
    largest_px: int | None


def read_capabilities(document: bytes, layer: str) -> LayerInfo:
    """Read capabilities.

    Raises
    ------
    RemoteError
        They are no capabilities.
    ConfigError
        The layer is not among them.
    """
    root = _parsed(document)
    layers = {element.text: element for element in _all(root, "Name") if element.text}
    if layer not in layers:
        alike = sorted(name for name in layers if name.startswith(layer.partition("-")[0])) or sorted(layers)
        raise ConfigError(f"the service has no layer {layer!r}: it offers {', '.join(alike[:20]) or 'none'}")
    attribution = next((title for a in _all(root, "Attribution") for title in _all(a, "Title")), None)
    largest = next(_all(root, "MaxWidth"), None)
    return LayerInfo(
        root.get("version", ""),
        _text(attribution),
        _text(next(_all(root, "AccessConstraints"), None)),
        int(_text(largest)) if _text(largest).isdigit() else None,
    )


def _parsed(document: bytes) -> ElementTree.Element:
    # A document type is usual in 1.1.1, entities of its own are not: they read files, or grow without end.
    if b"<!ENTITY" in document.replace(b"\0", b""):
        raise RemoteError("the service's capabilities define entities: refused, they could read files of this machine")
    try:
        root = ElementTree.fromstring(document)  # noqa: S314  (without entities; the size is bounded)
    except ElementTree.ParseError as error:
        raise RemoteError(f"the service's capabilities cannot be read ({error}): {plain_text(document)}") from None
    if root.tag.rpartition("}")[2] not in ("WMT_MS_Capabilities", "WMS_Capabilities"):
        raise RemoteError(f"the service sends no capabilities: {plain_text(document)}")
    return root


def _all(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    """Elements of a local name, whatever their namespace."""
    return (element for element in root.iter() if element.tag.rpartition("}")[2] == name)


def _text(element: ElementTree.Element | None) -> str:
    return " ".join((element.text or "").split())[:_SHORT] if element is not None else ""

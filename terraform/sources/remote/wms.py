"""Web Map Services: what one says of itself (OGC 01-068r3, 06-042), and its pictures, decoded and checked."""

import io
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from terraform.errors import ConfigError, RemoteError
from terraform.sources.remote.response import InvalidResponse, plain_text

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


_BLOCK = 32
_SEAM = 0.1
_MOST_BLANK = 0.25
"""Largest share of blocks of one colour that a service gives where it has nothing. In 71,000 blocks of real mosaics
with sea, snow and salt there is none."""


def decode_jpeg(body: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The pixels of a JPEG, (H, W, 3); where nothing is shown, black: void.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns that were asked for: a picture of another size is not even unpacked.

    Raises
    ------
    InvalidResponse
        It is damaged, of another size, or blank in large parts.
    """
    rgb = _unpacked(body, shape)
    blank = _blank(rgb)
    if blank.mean() > _MOST_BLANK:
        raise InvalidResponse(
            f"{blank.mean():.0%} of the picture are blank: the service has nothing there, or failed on the way"
        )
    void = np.repeat(np.repeat(blank, _BLOCK, 0), _BLOCK, 1)[: shape[0], : shape[1]]
    # Black in all bands means void: what is black and seen becomes the darkest grey.
    rgb = np.where((rgb == 0).all(axis=-1, keepdims=True), np.uint8(1), rgb)
    rgb[void] = 0
    return rgb


def _unpacked(body: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(body), formats=["JPEG"]) as picture:
            if picture.size != (shape[1], shape[0]):
                raise InvalidResponse(
                    f"asked for {shape[1]} x {shape[0]} pixels, it sends {picture.size[0]} x {picture.size[1]}"
                )
            return np.array(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidResponse(f"the picture is damaged ({error})") from None


def _blank(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Blocks that are white, black, or the grey with which decoders fill what is missing, but for their seam."""
    shown = ~((rgb == 255).all(-1) | (rgb <= 2).all(-1) | (rgb == 128).all(-1))
    down, across = (np.arange(0, size, _BLOCK) for size in shown.shape)
    count = np.add.reduceat(np.add.reduceat(shown, down, 0, dtype=np.int32), across, 1)
    area = np.diff(down, append=shown.shape[0])[:, None] * np.diff(across, append=shown.shape[1])
    return np.asarray(count < _SEAM * area)

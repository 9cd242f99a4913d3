"""Web Map Services: what one says of itself (OGC 01-068r3, 06-042), and its pictures, decoded and checked."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from terraform.errors import ConfigError, RemoteError
from terraform.geo.planet_grid import PlanetGrid
from terraform.sources.remote.response import JPEG, InvalidResponse, plain_text
from terraform.sources.remote.store import RemoteStore

_SHORT = 500


class PictureWindow(NamedTuple):
    """Rows and columns of a planet grid, each from the first to the one after the last."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left


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
        _size(_text(largest)),
    )


def _size(text: str) -> int | None:
    """Read a size in pixels; `isdigit` alone would take a superscript."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _parsed(document: bytes) -> ElementTree.Element:
    # A document type is usual in 1.1.1, entities of its own are not: they read files, or grow without end.
    if b"<!ENTITY" in document.replace(b"\0", b""):
        raise RemoteError("the service's capabilities define entities: refused, they could read files of this machine")
    try:
        root = ElementTree.fromstring(document)  # noqa: S314  (without entities; the size is bounded)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the latter two of its encoding
        raise RemoteError(f"the service's capabilities cannot be read ({error}): {plain_text(document)}") from None
    if root.tag.rpartition("}")[2] not in ("WMT_MS_Capabilities", "WMS_Capabilities"):
        raise RemoteError(f"the service sends no capabilities: {plain_text(document)}")
    return root


def _all(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    """Find the elements of a local name in any namespace."""
    return (element for element in root.iter() if element.tag.rpartition("}")[2] == name)


def _text(element: ElementTree.Element | None) -> str:
    return " ".join((element.text or "").split())[:_SHORT] if element is not None else ""


_BLOCK = 32
_SEAM = 0.1
MOST_BLANK = 0.25
"""Largest share of blocks of one colour that a service gives where it has nothing. In 71,000 blocks of real mosaics
with sea, snow and salt there is none."""


def decode_jpeg(body: bytes, shape: tuple[int, int], most_blank: float = MOST_BLANK) -> NDArray[np.uint8]:
    """Decode a JPEG, (H, W, 3) uint8; where nothing is shown, black: void.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns that were asked for: a picture of another size is not even unpacked.
    most_blank : float
        Largest share of the picture that may be void.

    Raises
    ------
    InvalidResponse
        It is damaged, of another size, or blank in large parts.
    """
    rgb = _unpacked(body, shape)
    blank = _blank(rgb)
    if blank.mean() > most_blank:
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


@dataclass(frozen=True)
class PlanetPictures:
    """Pictures of a WMS that cover a whole body, one pixel a cell.

    Attributes
    ----------
    store : RemoteStore
        Its cache is of one layer at one time.
    base_url : str
    parameters : mapping
        LAYERS, VERSION and all else that GetMap takes, except the place.
    grid : PlanetGrid
    request_px : int
        Largest side of a picture, pixels.
    """

    store: RemoteStore
    base_url: str
    parameters: Mapping[str, str]
    grid: PlanetGrid
    request_px: int

    def missing(self) -> list[PictureWindow]:
        """Those that the cache does not hold."""
        return [window for window in self.windows() if not self.store.cache.has(*self._names(window))]

    def windows(self) -> list[PictureWindow]:
        """All pictures, row by row from the north-west."""
        rows, columns = (_cut(size, self.request_px) for size in self.grid.shape)
        return [PictureWindow(*row, *column) for row in rows for column in columns]

    def fetch(self) -> None:
        """Fetch the pictures that the cache lacks; each is decoded before it is kept.

        Raises
        ------
        RemoteError
            The service refuses, fails, or sends something else than a sound picture.
        """
        self.store.map(self._fetch, self.missing())

    def strips(self) -> Iterator[NDArray[np.uint8]]:
        """Decode the pictures, north to south: (h, W, 3) uint8, black is void."""
        for _, row in groupby(self.windows(), key=lambda window: window.top):
            yield np.concatenate([decode_jpeg(self._kept(window), window.shape, 1.0) for window in row], axis=1)

    def digest(self) -> str:
        """SHA-256 of the pictures' SHA-256s."""
        return self.store.cache.digest(map(self._names, self.windows()))

    def _kept(self, window: PictureWindow) -> bytes:
        return self.store.cache.require(*self._names(window))

    def _fetch(self, window: PictureWindow) -> None:
        (height, width), step = window.shape, self.grid.cell_deg
        west, north = window.left * step - 180, 90 - window.top * step
        east, south = west + width * step, north - height * step
        newer = self.parameters["VERSION"] == "1.3.0"
        corners = (south, west, north, east) if newer else (west, south, east, north)
        asked = {
            "SERVICE": "WMS", "REQUEST": "GetMap", "STYLES": "", **self.parameters,
            "CRS" if newer else "SRS": "EPSG:4326", "BBOX": ",".join(f"{edge:.12g}" for edge in corners),
            "WIDTH": width, "HEIGHT": height, "FORMAT": "image/jpeg",
        }  # fmt: skip
        url = f"{self.base_url}?{urlencode(asked, safe=':,/')}"
        # On the sea and at the poles whole pictures are empty: what is missing shows when all is there.
        most = max(65_536, 4 * height * width)
        body = self.store.client.get(url, JPEG, most, lambda got: decode_jpeg(got, window.shape, 1.0))
        self.store.cache.write(body, *self._names(window))

    def _names(self, window: PictureWindow) -> tuple[str, str]:
        height, width = window.shape
        return f"planet-{self.grid.height}", f"r{window.top}c{window.left}-{height}x{width}.jpg"


def _cut(size: int, most: int) -> list[tuple[int, int]]:
    return [(start, min(start + most, size)) for start in range(0, size, most)]

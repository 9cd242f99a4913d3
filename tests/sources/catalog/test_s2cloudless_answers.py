"""What a map service may answer: pictures that are none, exceptions, capabilities."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from servers.cloudless import HERE, fetched, settings
from servers.faults import Fault, Proxy
from servers.maps import LOST, Maps

from terraform.errors import RemoteError
from terraform.sources import source_named
from terraform.sources.remote.response import JPEG, InvalidResponse
from terraform.sources.remote.wms import decode_jpeg, read_capabilities


def jpeg(shape: tuple[int, int], fill: Callable[[NDArray[np.uint8]], None] = lambda rgb: None) -> bytes:
    rgb = np.random.default_rng(1).integers(40, 200, (*shape, 3)).astype(np.uint8)
    fill(rgb)
    text = io.BytesIO()
    Image.fromarray(rgb).save(text, "JPEG", quality=95)
    return text.getvalue()


def painted(value: int, part: float) -> Callable[[NDArray[np.uint8]], None]:
    def fill(rgb: NDArray[np.uint8]) -> None:
        rgb[round(rgb.shape[0] * (1 - part)) :] = value

    return fill


SIZE = (160, 256)
BAD = {
    "black": (jpeg(SIZE, painted(0, 1)), "100% of the picture are blank"),
    "white": (jpeg(SIZE, painted(255, 1)), "100% of the picture are blank"),
    "grey": (jpeg(SIZE, painted(128, 1)), "100% of the picture are blank"),
    "half black": (jpeg(SIZE, painted(0, 0.4)), "40% of the picture are blank"),
    "half white": (jpeg(SIZE, painted(255, 0.4)), "40% of the picture are blank"),
    "cut short": (jpeg(SIZE)[:-9000], "the picture is damaged"),
    "one pixel less": (jpeg((160, 255)), "asked for 256 x 160 pixels, it sends 255 x 160"),
    "huge": (jpeg(SIZE).replace(b"\0\xa0\1\0", b"\x1f\x40\x1f\x40", 1), "it sends 8000 x 8000"),
    "no end": (b"\xff\xd8\xff\xe0", "the picture is damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_pictures_that_are_none_are_refused(name: str) -> None:
    body, reason = BAD[name]
    with pytest.raises(InvalidResponse, match=reason):
        decode_jpeg(body, SIZE)


def test_a_sound_picture_is_taken_with_its_small_gaps_as_void() -> None:
    def fill(rgb: NDArray[np.uint8]) -> None:
        rgb[:32, :32] = 255

    rgb = decode_jpeg(jpeg(SIZE, fill), SIZE)
    assert not rgb[:32, :32].any() and rgb[:, 32:].any(axis=-1).all()
    dark = decode_jpeg(jpeg(SIZE, painted(5, 1)), SIZE)  # a dark sea is no gap
    assert dark.any(axis=-1).all()


@pytest.mark.parametrize("kind", ["text/xml", "application/vnd.ogc.se_xml", "text/html", "image/jpeg"])
def test_an_exception_with_status_200_is_told_in_the_services_words(
    kind: str, broken_maps: Proxy, tmp_path: Path
) -> None:
    body = "<ServiceExceptionReport><ServiceException>Too many layers</ServiceException></ServiceExceptionReport>"
    broken_maps.breaks(Fault("status", "GetMap", code=200, body=body, kind=kind))
    with pytest.raises(RemoteError, match="Too many layers") as told:
        fetched(settings(f"{broken_maps.url}/wms", tmp_path), HERE, tmp_path)
    assert told.value.exit_code == 4
    assert not list((tmp_path / "cache").rglob("*.jpg")) and not (tmp_path / "imagery.tif").exists()


def test_what_mapcache_refuses_is_told(maps: Maps, tmp_path: Path) -> None:
    config = settings(maps.cached_wms, tmp_path, request_px=2048)
    url = config.sources.earth.imagery.base_url
    source = source_named("s2cloudless", config.sources.earth.imagery, config)
    place = "LAYERS=s2cloudless-2020&STYLES=&SRS=EPSG:4326&BBOX=10,45,11,46&WIDTH=2049&HEIGHT=10&FORMAT=image/jpeg"
    with pytest.raises(RemoteError, match=r"refuses \(status 400\): .*over configured maxsize limit"):
        source.store.client.get(f"{url}?SERVICE=WMS&REQUEST=GetMap&VERSION=1.1.1&{place}", JPEG, 100_000)


def test_a_cache_whose_own_source_has_gone_is_told(maps: Maps, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match=r"status 502: .*requested URL returned.*again later to resume") as told:
        fetched(settings(maps.cached_wms, tmp_path, year=LOST), HERE, tmp_path)
    assert told.value.exit_code == 4 and not list((tmp_path / "cache").rglob("*.jpg"))


def test_capabilities_of_both_versions_are_read(maps: Maps) -> None:
    import urllib.request

    for version, largest in (("1.1.1", None), ("1.3.0", 4096)):
        url = f"{maps.wms}?SERVICE=WMS&REQUEST=GetCapabilities&VERSION={version}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            offer = read_capabilities(answer.read(), "s2cloudless-2020")
        assert offer.version == version and offer.largest_px == largest
        assert offer.constraints == "CC BY-NC-SA 4.0"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_capabilities_cannot_read_files(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary5f1d")
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE r [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
        "<WMT_MS_Capabilities><Layer><Name>&x;</Name></Layer></WMT_MS_Capabilities>"
    )
    with pytest.raises(RemoteError, match="define entities"):
        read_capabilities(text.encode(encoding), "s2cloudless")


@pytest.mark.parametrize("text", ["<html><p>log in</p></html>", "no xml", "<a>"])
def test_what_is_no_capabilities_is_told(text: str) -> None:
    with pytest.raises(RemoteError, match="capabilities"):
        read_capabilities(text.encode(), "s2cloudless")

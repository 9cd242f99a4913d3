"""TIFFs in every form that the sources could have, read in parts, against GDAL; and forged ones."""

import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

from terraform.errors import InputError, IntegrityError, RemoteError
from terraform.sources.remote_raster.blocks import check
from terraform.sources.remote_raster.file import runs
from terraform.sources.remote_raster.tiff import RangedTiff

RNG = np.random.default_rng(0)

FORMS: list[tuple[str, dict[str, Any]]] = [
    ("int16", {"compress": "deflate", "predictor": 2, "tiled": True}),
    ("int16", {"compress": "deflate", "tiled": True}),
    ("int16", {"compress": "lzw", "predictor": 2, "tiled": True}),
    ("int16", {"compress": "zstd", "tiled": True}),
    ("int16", {"compress": "deflate", "predictor": 2, "blockysize": 48}),
    ("int16", {"blockysize": 1}),
    ("int16", {"blockysize": 48, "bigtiff": "YES"}),
    ("uint16", {"compress": "deflate", "predictor": 2, "tiled": True, "bigtiff": "YES"}),
    ("float32", {"compress": "deflate", "predictor": 3, "tiled": True}),
    ("float32", {"compress": "deflate", "predictor": 2, "tiled": True}),
    ("float32", {"compress": "lzw", "predictor": 3, "tiled": True}),
    ("uint8", {"compress": "deflate", "tiled": True}),
    ("int16", {"compress": "deflate", "predictor": 2, "tiled": True, "ENDIANNESS": "BIG"}),
    ("float32", {"compress": "deflate", "predictor": 3, "tiled": True, "ENDIANNESS": "BIG"}),
    ("int16", {"blockysize": 1, "ENDIANNESS": "BIG", "bigtiff": "YES"}),
]


def written(path: Path, dtype: str, **form: Any) -> NDArray[Any]:
    ground = np.cumsum(RNG.integers(-3, 4, (301, 203)), axis=1)
    data = ((ground - ground.min()) % 256 if dtype == "uint8" else ground - ground.min()).astype(dtype)
    if form.get("tiled"):
        form |= {"blockxsize": 64, "blockysize": 32}
    with rasterio.open(
        path, "w", driver="GTiff", height=301, width=203, count=1, dtype=dtype, crs="EPSG:4326", nodata=-9.0
        if dtype != "uint8" and dtype != "uint16" else 0, transform=Affine(0.1, 0, 8, 0, -0.2, 47), **form,
    ) as dataset:  # fmt: skip
        dataset.write(data, 1)
    return data


def ranged(content: bytes) -> RangedTiff:
    return RangedTiff(lambda start, length: content[start : start + length], len(content), "a.tif")


@pytest.mark.parametrize(("dtype", "form"), FORMS)
def test_every_form_is_what_gdal_reads(tmp_path: Path, dtype: str, form: dict[str, Any]) -> None:
    data = written(tmp_path / "a.tif", dtype, **form)
    content = (tmp_path / "a.tif").read_bytes()
    tiff = ranged(content)
    made = tiff.layout
    assert (made.height, made.width) == data.shape and made.transform == Affine(0.1, 0, 8, 0, -0.2, 47)
    assert made.crs.to_epsg() == 4326 and made.nodata == (0 if dtype.startswith("u") else -9)
    whole = np.zeros((made.down * made.block_height, made.across * made.block_width), dtype)
    for number, (start, size) in enumerate(tiff.locate(range(made.across * made.down))):
        check(content[start : start + size], made, number, "a block")
        block = tiff.decode(number, content[start : start + size])
        y, x = divmod(number, made.across)
        whole[y * made.block_height :, x * made.block_width :][: block.shape[0], : block.shape[1]] = block
    assert (whole[:301, :203] == data).all()


def test_places_of_some_blocks_are_read_without_the_others(tmp_path: Path) -> None:
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", height=20_000, width=8, count=1, dtype="int16", blockysize=1,
        crs="EPSG:4326", transform=Affine(0.1, 0, 8, 0, -0.001, 47), bigtiff="YES",
    ) as dataset:  # fmt: skip
        dataset.write(np.arange(160_000, dtype=np.int16).reshape(1, 20_000, 8))
    content = (tmp_path / "a.tif").read_bytes()
    asked: list[int] = []

    def read(start: int, length: int) -> bytes:
        asked.append(length)
        return content[start : start + length]

    tiff = RangedTiff(read, len(content), "a.tif")
    places = tiff.locate(range(9_000, 9_100))
    for number, (start, size) in zip(range(9_000, 9_100), places, strict=True):
        row = np.frombuffer(content[start : start + size], "<i2")
        assert (row == np.arange(8 * number, 8 * number + 8).astype(np.int16)).all()
    assert sum(asked) < 40_000 < 16 * 20_000


def test_pixels_that_are_points_lie_half_a_pixel_off(tmp_path: Path) -> None:
    with rasterio.Env(GTIFF_POINT_GEO_IGNORE=False), rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", height=8, width=8, count=1, dtype="int16", crs="EPSG:4326",
        transform=Affine(0.1, 0, 8, 0, -0.2, 47),
    ) as dataset:  # fmt: skip
        dataset.update_tags(AREA_OR_POINT="Point")
        dataset.write(np.zeros((1, 8, 8), np.int16))
    made = ranged((tmp_path / "a.tif").read_bytes()).layout
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert made.transform.almost_equals(dataset.transform)


@pytest.mark.parametrize("number", range(0, 21, 5))
def test_any_damage_to_a_deflate_block_is_found(tmp_path: Path, number: int) -> None:
    written(tmp_path / "a.tif", "float32", compress="deflate", predictor=3, tiled=True)
    content = (tmp_path / "a.tif").read_bytes()
    tiff = ranged(content)
    made, [(start, size)] = tiff.layout, tiff.locate([number])
    packed = content[start : start + size]
    for at in np.linspace(0, size - 1, 40).astype(int):
        damaged = packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :]
        with pytest.raises(IntegrityError, match="is damaged"):
            check(damaged, made, number, "the block")
    for cut in (packed[:-1], packed[: size // 2], b"\0" * size):
        with pytest.raises(IntegrityError, match="is damaged"):
            check(cut, made, number, "the block")


def test_a_block_that_unpacks_to_more_than_it_should_is_not_unpacked_on(tmp_path: Path) -> None:
    written(tmp_path / "a.tif", "int16", compress="deflate", tiled=True)
    made = ranged((tmp_path / "a.tif").read_bytes()).layout
    bomb = zlib.compress(bytes(50_000_000), 9)
    with pytest.raises(IntegrityError, match="4097 bytes of 4096"):
        check(bomb, made, 0, "the block")


def plain(**tags: int) -> bytes:
    """A small TIFF made by hand, with some tags changed."""
    known = {"width": (256, 8), "height": (257, 8), "bits": (258, 16), "packed": (259, 1), "offset": (273, 0),
             "bands": (277, 1), "rows": (278, 8), "count": (279, 128), "kind": (339, 2)}  # fmt: skip
    entries = [(tag, tags.get(name, value)) for name, (tag, value) in known.items()]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries) + 2)
    at = 8 + 2 + 12 * (len(entries) + 2) + 4
    body = b"".join(struct.pack("<HHII", tag, 4, 1, at + 72 if tag == 273 else value) for tag, value in entries)
    body += struct.pack("<HHII", 33550, 12, 3, at) + struct.pack("<HHII", 33922, 12, 6, at + 24) + bytes(4)
    return head + body + struct.pack("<9d", 0.1, 0.1, 0, 0, 0, 0, 8, 47, 0) + bytes(128)


def test_the_small_tiff_of_these_tests_is_right() -> None:
    assert ranged(plain()).layout.transform == Affine(0.1, 0, 8, 0, -0.1, 47)


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"width": 4_000_000_000, "height": 4_000_000_000, "rows": 1}, "Too large image size"),
        ({"width": 200_000, "height": 150_000, "rows": 1}, "pixels in blocks"),
        ({"height": 4000, "rows": 1}, "its size needs 4000"),
        ({"width": 0}, "zero"),
        ({"bands": 3}, "3 bands"),
        ({"bits": 12}, "12 bits"),
        ({"kind": 9}, "SampleFormat"),
    ],
)
def test_forged_headers_are_refused(tags: dict[str, int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        assert ranged(plain(**tags)).layout


def test_what_is_no_tiff_is_refused() -> None:
    for content in (b"", b"<html>", b"II*\0" + bytes(20), b"\x89PNG\r\n\x1a\n" + bytes(20)):
        with pytest.raises(InputError, match="not a TIFF that can be read in parts"):
            assert ranged(content).layout


def test_an_unknown_packing_is_refused() -> None:
    made = replace(ranged(plain()).layout, compression="JPEG")
    with pytest.raises(IntegrityError, match="packed by JPEG"):
        check(b"x", made, 0, "the block")


def test_blocks_side_by_side_come_with_one_request() -> None:
    spans = {0: (0, 10), 1: (10, 20), 2: (25, 30), 3: (100, 110), 4: (110, 120)}
    assert runs([0, 1, 2, 3, 4], spans.__getitem__, most=1000) == [[0, 1], [2], [3, 4]]
    assert runs([4, 2, 0, 1], spans.__getitem__, most=1000, gap=5) == [[0, 1, 2], [4]]
    assert runs([0, 1, 2], spans.__getitem__, most=20, gap=5) == [[0, 1], [2]]


def test_what_goes_wrong_while_gdal_reads_is_what_is_raised() -> None:
    def read(start: int, length: int) -> bytes:
        raise RemoteError("the line is cut")

    with pytest.raises(RemoteError, match="the line is cut"):
        assert RangedTiff(read, 100_000, "a.tif").layout


def test_a_directory_of_many_megabytes_is_not_read() -> None:
    content = plain(offset=8)
    entries = struct.unpack_from("<H", content, 8)[0]
    # The list of offsets claims a thousand million entries.
    at = next(10 + 12 * i for i in range(entries) if struct.unpack_from("<H", content, 10 + 12 * i)[0] == 273)
    forged = content[: at + 4] + struct.pack("<I", 1_000_000_000) + content[at + 8 :]
    asked: list[int] = []

    def read(start: int, length: int) -> bytes:
        asked.append(length)
        return forged[start : start + length]

    with pytest.raises(InputError, match="can be read in parts"):
        assert RangedTiff(read, 20_000_000_000, "a.tif").layout
    assert sum(asked) < 1 << 20

"""Terrain tiles from a real server: Mercator, the antimeridian, the sea, pictures that are not tiles."""

import hashlib
import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from servers.buckets import terrarium
from servers.faults import Fault, Proxy
from servers.nginx import Nginx

from terraform import provenance
from terraform.config import Config, parse
from terraform.errors import RemoteError
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import SEA
from terraform.geo.raster import grid_of, opened, read
from terraform.geo.regions import Region, rectangle
from terraform.geo.resample import Axis
from terraform.sources import Request, source_named
from terraform.sources.catalog.terrarium import decode_tile
from terraform.sources.fetch import settings_of

FAST = {"attempts": 3, "backoff_s": 0.01, "read_timeout_s": 2, "connect_timeout_s": 2, "deadline_s": 20}
ZOOM = 9


def gentle(lon: Any, lat: Any) -> Any:
    return 1000 + 400 * np.sin(2 * np.pi * np.asarray(lon) / 2) + 300 * np.cos(2 * np.pi * np.asarray(lat) / 1.5)


def window(west: float, south: float, east: float, north: float) -> RasterGrid:
    tall, wide = round((north - south) / 0.0018), round((east - west) / 0.0018)
    return RasterGrid(EARTH, Axis(north, (south - north) / tall, tall), Axis(west, (east - west) / wide, wide))


def config(url: str, here: Path) -> Config:
    section = {"source": "terrarium", "base_url": url, "hosts": [], "zoom": ZOOM}
    return parse({"downloads": {**FAST, "cache": str(here)}, "sources": {"earth": {"elevation": section}}})


def fetched(settings: Config, grid: RasterGrid, path: Path) -> tuple[NDArray[Any], RasterGrid]:
    edges = (grid.longitudes.origin, grid.latitudes.end, grid.longitudes.end, grid.latitudes.origin)
    asked = Region("here", EARTH, "train", "Here", rectangle(*edges))
    source = source_named("terrarium", settings_of(settings, asked, "elevation"), settings)
    provenance.write(source.fetch(Request(asked, "elevation", grid), path), path.with_suffix(".json"))
    with opened(path) as dataset:
        return read(dataset), grid_of(dataset)


@pytest.fixture
def served(file_server: Nginx, tmp_path: Path) -> Path:
    folder = file_server.files / f"terrain-{tmp_path.name}"
    folder.mkdir()
    return folder


def tiles_round(folder: Path, lon: float, lat: float, **more: Any) -> list[Path]:
    count = 1 << ZOOM
    x = int((lon + 180) / 360 * count)
    y = int((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * count)
    around = [((x + i) % count, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return [terrarium(folder, ZOOM, *tile, **{"heights": gentle, **more}) for tile in around]


@pytest.mark.parametrize(("lon", "lat"), [(8.4, 46.2), (-70.3, -33.2), (0.1, 0.1)])
def test_heights_are_where_they_belong(
    file_server: Nginx, served: Path, tmp_path: Path, lon: float, lat: float
) -> None:
    tiles_round(served, lon, lat)
    settings = config(f"{file_server.url}/{served.name}", tmp_path / "c")
    values, made = fetched(settings, window(lon - 0.4, lat - 0.3, lon + 0.4, lat + 0.3), tmp_path / "e.tif")
    x, y = np.meshgrid(made.longitudes.centres(), made.latitudes.centres())
    # A pixel of zoom 9 is 306 m on the equator: a tenth of it on this slope is 0.4 m, and metres are rounded.
    assert np.abs(values - gentle(x, y)).max() < 1.5
    about = provenance.read(tmp_path / "e.json")
    assert about.licence == "LicenseRef-Terrain-Tiles" and "ArcticDEM" in about.attribution
    assert_names_its_tiles(served, about.details)


def assert_names_its_tiles(served: Path, told: dict[str, Any]) -> None:
    """Whoever has the tiles can check what was used: the digest of their digests, column by column."""
    tiles = [served / f"{ZOOM}/{x}/{y}.png" for x in told["x"] for y in told["y"]]
    digests = [hashlib.sha256(tile.read_bytes()).digest() for tile in tiles]
    assert told["tiles"] == len(tiles) and told["tiles_sha256"] == hashlib.sha256(b"".join(digests)).hexdigest()
    assert told["url"].endswith(f"{served.name}/{ZOOM}/{{x}}/{{y}}.png")


def test_the_antimeridian_is_crossed(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    tiles_round(served, 179.9, -16.5)
    tiles_round(served, -179.9, -16.5)
    settings = config(f"{file_server.url}/{served.name}", tmp_path / "c")
    values, made = fetched(settings, window(179.6, -16.7, 180.4, -16.3), tmp_path / "e.tif")
    x, y = np.meshgrid(made.longitudes.centres(), made.latitudes.centres())
    assert np.abs(values - gentle(x, y)).max() < 1.5


def test_the_floor_of_the_sea_is_sea(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    tiles_round(served, 8.4, 46.2, heights=lambda lon, lat: np.where(lon < 8.4, gentle(lon, lat), -4000.0))
    settings = config(f"{file_server.url}/{served.name}", tmp_path / "c")
    values, made = fetched(settings, window(8.2, 46.1, 8.6, 46.3), tmp_path / "e.tif")
    lon = np.broadcast_to(made.longitudes.centres(), values.shape)
    assert (values[lon > 8.405] == SEA).all() and (values[lon < 8.395] > 0).all()


def test_tiles_are_fetched_once(file_server: Nginx, served: Path, tmp_path: Path) -> None:
    tiles_round(served, 8.4, 46.2)
    settings = config(f"{file_server.url}/{served.name}", tmp_path / "c")
    grid = window(8.2, 46.1, 8.6, 46.3)
    fetched(settings, grid, tmp_path / "e.tif")
    assert 0 < len(file_server.hits()) == len({hit.path for hit in file_server.hits()})
    file_server.forget()
    fetched(settings, grid, tmp_path / "again.tif")
    assert file_server.hits() == []


@pytest.mark.parametrize("what", ["drop", "truncate", "html", "stall"])
def test_a_fault_in_between_is_survived(broken_files: Proxy, served: Path, tmp_path: Path, what: Any) -> None:
    tiles_round(served, 8.4, 46.2)
    broken_files.breaks(Fault(what, times=2, pause_s=3))
    settings = config(f"{broken_files.url}/{served.name}", tmp_path / "c")
    values, made = fetched(settings, window(8.2, 46.1, 8.6, 46.3), tmp_path / "e.tif")
    x, y = np.meshgrid(made.longitudes.centres(), made.latitudes.centres())
    assert np.abs(values - gentle(x, y)).max() < 1.5


@pytest.mark.parametrize("what", ["corrupt", "short"])
def test_half_a_picture_is_an_error_and_not_kept(broken_files: Proxy, served: Path, tmp_path: Path, what: Any) -> None:
    tiles_round(served, 8.4, 46.2)
    broken_files.breaks(Fault(what))
    settings = config(f"{broken_files.url}/{served.name}", tmp_path / "c")
    with pytest.raises(RemoteError, match="no sound PNG"):
        fetched(settings, window(8.2, 46.1, 8.6, 46.3), tmp_path / "e.tif")
    broken_files.breaks()
    fetched(settings, window(8.2, 46.1, 8.6, 46.3), tmp_path / "e.tif")


def forged(width: int, height: int) -> bytes:
    """The header of a picture of any size, with hardly any data."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def test_pictures_of_another_size_are_not_unpacked() -> None:
    for size in ((255, 256), (512, 512), (9_000, 9_000)):
        with pytest.raises(RemoteError, match=r"pixels, expected 256 x 256"):
            decode_tile(forged(*size), "a tile")
    with pytest.raises(RemoteError, match="bomb"):
        decode_tile(forged(100_000, 100_000), "a tile")


def test_only_png_is_opened() -> None:
    memory = io.BytesIO()
    Image.new("RGB", (256, 256)).save(memory, "GIF")
    with pytest.raises(RemoteError, match="no sound PNG"):
        decode_tile(memory.getvalue(), "a tile")


def test_the_code_of_heights_is_exact() -> None:
    heights = np.array([-11_000.5, -0.00390625, 0.0, 8848.99609375])
    code = np.rint((heights + 32768) * 256).astype(np.int64)
    rgb = np.zeros((256, 256, 3), np.uint8)
    rgb[0, :4] = np.stack([code >> 16, code >> 8 & 255, code & 255], axis=-1)
    memory = io.BytesIO()
    Image.fromarray(rgb).save(memory, "PNG")
    assert (decode_tile(memory.getvalue(), "a tile")[0, :4] == heights).all()


def test_any_damage_to_a_tile_is_found(tmp_path: Path) -> None:
    png = terrarium(tmp_path, ZOOM, 268, 181, heights=gentle).read_bytes()
    draw = random.Random(0)
    assert decode_tile(png, "a tile").shape == (256, 256)
    for _ in range(200):
        at, bit = draw.randrange(len(png)), 1 << draw.randrange(8)
        damaged = png[:at] + bytes([png[at] ^ bit]) + png[at + 1 :]
        with pytest.raises(RemoteError):
            decode_tile(damaged, "a tile")

"""MapServer and MapCache behind nginx: WMS and WMTS with the layer names and addresses of Sentinel-2 cloudless."""

import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

from servers.nginx import Nginx, nginx
from servers.processes import Running, free_port, program
from servers.surface import colour

PIXEL_DEG = 0.001
ATTRIBUTION = (
    "Sentinel-2 cloudless - https://s2maps.eu by EOX IT Services GmbH "
    "(Contains modified Copernicus Sentinel data {year})"
)

_LAYER = """
  LAYER
    NAME "{name}-{number}" GROUP "{name}" TYPE RASTER STATUS ON DATA "{path}"
    PROCESSING "RESAMPLE=BILINEAR"
    PROJECTION "init=epsg:4326" END
    METADATA "wms_title" "Sentinel-2 cloudless layer for {year} by EOX - 4326" "wms_group_title" "{name}" END
  END"""

_WORLD = """
  LAYER
    NAME "{name}" TYPE RASTER STATUS ON DATA "{path}" PROCESSING "RESAMPLE=AVERAGE"
    PROJECTION "init=epsg:4326" END
    METADATA "wms_title" "{name}" END
  END"""

_TIMED = """
  LAYER
    NAME "{name}" TYPE RASTER STATUS ON DATA "{work}/world-%TIME%.tif" PROCESSING "RESAMPLE=AVERAGE"
    PROJECTION "init=epsg:4326" END
    VALIDATION "TIME" "^2004-(01|07)-01$" "default_TIME" "2004-01-01" END
    METADATA "wms_title" "{name}" END
  END"""

BLUE_MARBLE, WORLD_YEAR = "BlueMarbleNG", 2023
"""A layer of the whole world whose blue tells the month, and a year of Sentinel-2 cloudless with all of the world."""

_SOCKETS = {"/wms": "mapserv.sock", "/mapcache": "mapcache.sock"}

_PROGRAM = """
    location {path} {{
      fastcgi_split_path_info ^({path})(.*)$;
      fastcgi_param SCRIPT_NAME $fastcgi_script_name; fastcgi_param PATH_INFO $fastcgi_path_info;
      fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param SERVER_NAME 127.0.0.1; fastcgi_param SERVER_PORT {port}; fastcgi_param HTTP_HOST 127.0.0.1:{port};
      fastcgi_pass unix:{socket};
    }}"""

_MAP = """MAP
  NAME "EOXLIKE" STATUS ON SIZE 256 256 MAXSIZE {largest} EXTENT -180 -90 180 90 UNITS DD IMAGECOLOR 255 255 255
  PROJECTION "init=epsg:4326" END
  OUTPUTFORMAT NAME "jpeg" DRIVER AGG/JPEG MIMETYPE "image/jpeg" IMAGEMODE RGB FORMATOPTION "QUALITY=95" END
  OUTPUTFORMAT NAME "png" DRIVER AGG/PNG MIMETYPE "image/png" IMAGEMODE RGB END
  WEB METADATA
    "wms_title" "stand-in for a map service" "wms_onlineresource" "{url}/wms?" "wms_enable_request" "*"
    "wms_srs" "EPSG:4326 EPSG:3857 CRS:84" "wms_accessconstraints" "CC BY-NC-SA 4.0"
    "wms_attribution_title" "{attribution}"
  END END
{layers}
END
"""

_CACHED = """
  <source name="{name}" type="wms">
    <getmap><params><FORMAT>image/png</FORMAT><LAYERS>{name}</LAYERS></params></getmap><http><url>{url}?</url></http>
  </source>
  <tileset name="{name}">
    <source>{name}</source><cache>disk</cache><grid>WGS84</grid><format>jpeg95</format><metatile>2 2</metatile>
  </tileset>"""

_CACHE = """<?xml version="1.0" encoding="UTF-8"?>
<mapcache>
  <metadata><title>stand-in for a cached map service</title><url>{url}/mapcache/</url></metadata>
  <cache name="disk" type="disk"><base>{work}/tiles</base></cache>
  <format name="jpeg95" type="JPEG"><quality>95</quality></format>{layers}
  <default_format>jpeg95</default_format>
  <service type="wms" enabled="true">
    <full_wms>assemble</full_wms><resample_mode>bilinear</resample_mode><format>jpeg95</format><maxsize>2048</maxsize>
  </service>
  <service type="wmts" enabled="true"/>
  <errors>report</errors>
  <lock_dir>{work}</lock_dir>
</mapcache>
"""


@dataclass(frozen=True)
class Patch:
    """A piece of the world that the service has a picture of; elsewhere it answers in white."""

    west: float
    south: float
    east: float
    north: float
    years: tuple[int, ...]


LOST = 2018
"""A year that MapCache offers, though the server that it draws from has gone."""

PATCHES = (
    Patch(10.0, 45.0, 11.2, 46.2, (2016, 2020, 2021)),
    Patch(179.4, -17.2, 180.0, -16.4, (2020,)),
    Patch(-180.0, -17.2, -179.4, -16.4, (2020,)),
)


def layer_of(year: int) -> str:
    """The service's name for a year in EPSG:4326."""
    return "s2cloudless" if year == 2016 else f"s2cloudless-{year}"


@dataclass(frozen=True)
class Maps:
    """The running service.

    Attributes
    ----------
    nginx : Nginx
        Has the access log.
    """

    nginx: Nginx

    @property
    def wms(self) -> str:
        """MapServer's WMS: 1.1.1 and 1.3.0; errors are HTTP 200 with XML; nothing above 4096 pixels."""
        return f"{self.nginx.url}/wms"

    @property
    def cached_wms(self) -> str:
        """MapCache's WMS: errors are HTTP 400 or 404 with XML; nothing above 2048 pixels."""
        return f"{self.nginx.url}/mapcache/wms"

    @property
    def wmts(self) -> str:
        """MapCache's tiles."""
        return f"{self.nginx.url}/mapcache/wmts/1.0.0"


@contextmanager
def maps(run: Path, patches: tuple[Patch, ...] = PATCHES) -> Iterator[Maps]:
    """Serve pictures of patches of the world, until the block ends."""
    mapserv, mapcache = program("mapserv"), program("mapcache")
    run.mkdir(parents=True, exist_ok=True)
    port = free_port()
    _configure(run, f"http://127.0.0.1:{port}", patches)
    running = Running(run)
    more = "".join(_PROGRAM.format(path=path, socket=run / name, port=port) for path, name in _SOCKETS.items())
    try:
        _serve(running, run / _SOCKETS["/wms"], mapserv, {"MAPSERVER_CONFIG_FILE": f"{run}/mapserver.conf"})
        _serve(running, run / _SOCKETS["/mapcache"], mapcache, {"MAPCACHE_CONFIG_FILE": f"{run}/mapcache.xml"})
        with nginx(run, run / "files", more, port) as server:
            service = Maps(server)
            _check(service, running)
            yield service
    finally:
        running.stop()


def _configure(run: Path, url: str, patches: tuple[Patch, ...]) -> None:
    layers = _painted(run, patches) + _worlds(run)
    _write(run / "mapserver.conf", f'CONFIG ENV MS_MAP_PATTERN "^{run}/" MS_MAPFILE "{run}/world.map" END END\n')
    attribution = ATTRIBUTION.format(year=2020)
    _write(run / "world.map", _MAP.format(largest=4096, url=url, attribution=attribution, layers="".join(layers)))
    names = sorted({layer_of(year) for patch in patches for year in patch.years})
    cached = "".join(_CACHED.format(name=name, url=f"{url}/wms") for name in names)
    cached += _CACHED.format(name=layer_of(LOST), url=f"{url}/gone")
    _write(run / "mapcache.xml", _CACHE.format(url=url, work=run, layers=cached))


def _serve(running: Running, place: Path, binary: str, environment: dict[str, str], processes: int = 2) -> None:
    """A FastCGI program listens on its standard input: no launcher is needed, and its pid is ours."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place))
        server.listen(128)
        for _ in range(processes):
            running.start([binary], environment, stdin=server.fileno())


def _check(service: Maps, running: Running) -> None:
    query = "?SERVICE=WMS&VERSION=1.1.1&REQUEST=GetCapabilities"
    for url in (service.wms, service.cached_wms):
        with urllib.request.urlopen(url + query, timeout=20) as answer:
            if b"s2cloudless" not in (text := answer.read()):
                raise RuntimeError(f"{url} shows no layer: {text!r}\n{running.said()}")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _painted(work: Path, patches: tuple[Patch, ...]) -> list[str]:
    """Draw every patch of every year and describe it as a layer."""
    layers = []
    for number, patch in enumerate(patches):
        for year in patch.years:
            path = work / f"{layer_of(year)}-{number}.tif"
            _draw(path, patch, year)
            name = layer_of(year)
            layers.append(_LAYER.format(name=name, number=number, year=year, path=path))
    return layers


def _draw(path: Path, patch: Patch, year: int) -> None:
    columns, rows = round((patch.east - patch.west) / PIXEL_DEG), round((patch.north - patch.south) / PIXEL_DEG)
    lon = patch.west + (np.arange(columns) + 0.5) * PIXEL_DEG
    lat = patch.north - (np.arange(rows) + 0.5) * PIXEL_DEG
    rgb = colour(lon, lat[:, None], year)
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=3, dtype="uint8", crs="EPSG:4326", tiled=True,
        transform=Affine(PIXEL_DEG, 0, patch.west, 0, -PIXEL_DEG, patch.north), photometric="RGB",
    ) as dataset:  # fmt: skip
        dataset.write(np.moveaxis(rgb, -1, 0))


def _worlds(work: Path) -> list[str]:
    """The whole world in one layer: for a year of s2cloudless, and for two months of Blue Marble by TIME."""
    path = work / "world.tif"
    _draw_world(path, 200)
    layers = [_WORLD.format(name=layer_of(WORLD_YEAR), path=path)]
    for month in (1, 7):
        _draw_world(work / f"world-2004-{month:02}-01.tif", world_blue(month))
    return [*layers, _TIMED.format(name=BLUE_MARBLE, work=work)]


def world_blue(month: int) -> int:
    """The blue of every pixel of Blue Marble in a month."""
    return 40 + 15 * month


def world_colour(lon_deg: Any, lat_deg: Any) -> NDArray[np.float64]:
    """Red and green of the layers of the whole world, (..., 2), slow enough for cells of a degree."""
    red = 128 + 90 * np.sin(np.radians(2 * np.asarray(lon_deg)))
    green = 128 + 90 * np.sin(np.radians(2 * np.asarray(lat_deg)))
    return np.stack(np.broadcast_arrays(red, green), axis=-1)


def _draw_world(path: Path, blue: int) -> None:
    lon, lat = -180 + (np.arange(1440) + 0.5) / 4, 90 - (np.arange(720) + 0.5) / 4
    two = world_colour(lon, lat[:, None])
    rgb = np.concatenate([two, np.full((720, 1440, 1), blue)], axis=-1)
    with rasterio.open(
        path, "w", driver="GTiff", width=1440, height=720, count=3, dtype="uint8", crs="EPSG:4326", photometric="RGB",
        transform=Affine(0.25, 0, -180, 0, -0.25, 90),
    ) as dataset:  # fmt: skip
        dataset.write(np.moveaxis(np.rint(rgb).astype(np.uint8), -1, 0))

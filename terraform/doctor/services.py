"""The accounts that configured sources need, and a small request to each of them."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, get_args
from urllib.parse import urlencode, urlsplit

import numpy as np

from terraform.config import Config, EarthEngineSource, MolaSource, RemoteSource, S2CloudlessSource, WorldClimSource
from terraform.doctor import Finding
from terraform.errors import RemoteError, TerraformError
from terraform.geo.bodies import BODIES
from terraform.geo.grid import RasterGrid
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.raster import opened, read
from terraform.geo.regions import Region, rectangle
from terraform.geo.resample import Axis
from terraform.geo.tile_spec import DEFAULT_TILE
from terraform.provenance import Provenance
from terraform.sources import Kind, PlanetKind, PlanetRequest, Request, planet_source_named, source_named
from terraform.sources.catalog.s2cloudless import layer_of
from terraform.sources.remote.client import Client
from terraform.sources.remote.hosts import Access
from terraform.sources.remote.response import JPEG, XML, Response, Resumable
from terraform.sources.remote.wms import decode_jpeg, read_capabilities

_SIDE_PX = 24
_PLACES = {"earth": (10.4, 45.45), "mars": (20.0, 10.0)}
"""South-western corners of the windows that are asked for: the Po plain; the highlands of Arabia."""
_AT_HAND = {
    "opentopography": "SRTM_GL1/SRTM_GL1_srtm.vrt",
    "copernicus": "tileList.txt",
    "mola": "Mars_MGS_MOLA_DEM_mosaic_global_463m.tif",
    "hrsc_mola": "Mars_HRSC_MOLA_BlendDEM_Global_200mp_v2.tif",
    "terrarium": "0/0/0.png",
    "worldclim": "wc2.1_10m_prec.zip",
}
"""Something that each store must have, to ask the first bytes of."""


class Use(NamedTuple):
    """A source as the configuration uses it."""

    body: str
    kind: PlanetKind
    settings: RemoteSource
    planet: bool = False


def remote(config: Config) -> list[Use]:
    """List the remote sources of a configuration."""
    uses: list[Use] = []
    kinds: tuple[Kind, ...] = ("elevation", "imagery")
    for body in BODIES:
        for kind in kinds:
            settings = getattr(getattr(config.sources, body), kind, None)
            if isinstance(settings, RemoteSource):
                uses.append(Use(body, kind, settings))
        for whole in get_args(PlanetKind):
            settings = getattr(getattr(config.sources, body).planet, whole, None)
            if isinstance(settings, RemoteSource):
                uses.append(Use(body, whole, settings, planet=True))
    return uses


def accounts(config: Config) -> Iterator[Finding]:
    """Credentials and project, where a source needs them; neither is shown."""
    from terraform.sources.catalog.earthengine.account import find_credentials

    engines = [use for use in remote(config) if isinstance(use.settings, EarthEngineSource)]
    if not engines:
        yield Finding("accounts", "ok", "no configured source needs one")
        return
    try:
        find_credentials()
    except RemoteError as error:
        yield Finding("earth engine account", "failure", str(error), "the message says what to do")
    else:
        yield Finding("earth engine account", "ok", "credentials and a project are there; --online tries them")


def online(config: Config) -> Iterator[tuple[str, Callable[[], Iterator[Finding]]]]:
    """Make a check of each remote source: how it answers, and a small window through the source's own code."""
    uses = remote(config)
    if not uses:
        yield "services", partial(_none)
    brief = {"attempts": min(2, config.downloads.attempts), "deadline_s": min(60.0, config.downloads.deadline_s)}
    hasty = config.model_copy(update={"downloads": config.downloads.model_copy(update=brief)})
    for use in uses:
        name = f"{use.settings.source} ({'planet ' if use.planet else ''}{use.body} {use.kind})"
        yield name, partial(_asked_for, name, use, hasty)


def _asked_for(name: str, use: Use, config: Config) -> Iterator[Finding]:
    """One thing after the other; a service that does not answer is asked no more."""
    try:
        if isinstance(use.settings, S2CloudlessSource):
            yield from _map_service(name, use.settings, config)
        elif use.settings.source in _AT_HAND and not (use.planet and isinstance(use.settings, MolaSource)):
            yield from _store(name, *_at_hand(use.settings), config)
        if not isinstance(use.settings, WorldClimSource):
            # Its archives come whole, or not at all.
            yield from _window(name, use, config)
    except Resumable as error:
        yield Finding(
            name, "failure", error.reason, "look whether this machine reaches it (network, HTTPS_PROXY), or try later"
        )


def _none() -> Iterator[Finding]:
    yield Finding("services", "ok", "no configured source is remote")


def _client(settings: RemoteSource, config: Config) -> Client:
    return Client(Access(settings.source, settings.base_url, settings.hosts, settings.connections), config.downloads)


def _at_hand(settings: RemoteSource) -> tuple[RemoteSource, str]:
    """Name a store, and something that it must have."""
    if isinstance(settings, MolaSource) and settings.product == "128ppd":
        return settings.model_copy(update={"base_url": settings.archive_url}), "megt44n000hb.img"
    return settings, _AT_HAND[settings.source]


def _store(name: str, settings: RemoteSource, path: str, config: Config) -> Iterator[Finding]:
    """Ask for the first bytes of something that must be there: ranges, redirects."""
    client = _client(settings, config)
    url = client.access.url(path)

    def receive(response: Response) -> tuple[int, str, bytes]:
        return response.status, response.url, next(response.chunks, b"")

    status, final, _ = client.request(url, receive, 16, lambda: {"Range": "bytes=0-15"})
    moved = urlsplit(final).netloc != urlsplit(url).netloc
    says = f"answers ranges with status {status}" + (f"; redirects to {urlsplit(final).netloc}" if moved else "")
    if status != 206:
        yield Finding(name, "failure", says, "set base_url to a store that serves byte ranges")
    else:
        remedy = f"set base_url to {urlsplit(final).netloc} to save a request each time" if moved else ""
        yield Finding(name, "warning" if moved else "ok", says, remedy)


def _map_service(name: str, settings: S2CloudlessSource, config: Config) -> Iterator[Finding]:
    """Ask a WMS what it offers, and try what it really allows."""
    client = _client(settings, config)
    layer, base = layer_of(settings.year), settings.base_url
    for version in ("1.1.1", "1.3.0"):
        asked = urlencode({"SERVICE": "WMS", "VERSION": version, "REQUEST": "GetCapabilities"})
        offer = read_capabilities(client.get(f"{base}?{asked}", XML, 16 << 20), layer)
        size = f"pictures of at most {offer.largest_px}" if offer.largest_px else "no largest size told"
        yield Finding(
            f"{name} capabilities", "ok", f"asked for {version}, it answers {offer.version}; has {layer}; {size}; "
            f"conditions: {offer.constraints or 'none told'}; attribution: {offer.attribution or 'none told'}",
        )  # fmt: skip
    yield _axes(name, settings, client)
    for side in (settings.request_px, 2048, 4096):
        state = "failure" if side == settings.request_px else "warning"
        yield _size(name, settings, client, side, state == "failure")


def _picture(settings: S2CloudlessSource, client: Client, version: str, width: int, height: int) -> np.ndarray:
    west, south = _PLACES["earth"]
    east, north = west + 0.3, south + 0.3 * height / width
    corners = (south, west, north, east) if version == "1.3.0" else (west, south, east, north)
    asked = {
        "SERVICE": "WMS", "VERSION": version, "REQUEST": "GetMap", "LAYERS": layer_of(settings.year), "STYLES": "",
        "CRS" if version == "1.3.0" else "SRS": "EPSG:4326", "BBOX": ",".join(f"{edge:.10g}" for edge in corners),
        "WIDTH": width, "HEIGHT": height, "FORMAT": "image/jpeg",
    }  # fmt: skip
    body = client.get(f"{settings.base_url}?{urlencode(asked, safe=':,/')}", JPEG, 16 << 20)
    return decode_jpeg(body, (height, width)).astype(np.int16)


def _axes(name: str, settings: S2CloudlessSource, client: Client) -> Finding:
    """Both versions show the same place, each with its own order of axes."""
    old, new = (_picture(settings, client, version, 128, 128) for version in ("1.1.1", "1.3.0"))
    difference = float(np.abs(old - new).mean())
    if difference < 3:
        return Finding(f"{name} axes", "ok", "1.1.1 and 1.3.0 show the same place")
    return Finding(
        f"{name} axes", "warning", f"1.1.1 and 1.3.0 differ by {difference:.0f} of 255", "stay with version: 1.1.1"
    )


def _size(name: str, settings: S2CloudlessSource, client: Client, side: int, needed: bool) -> Finding:
    try:
        _picture(settings, client, settings.version, side, 32)
    except TerraformError as error:
        if needed:
            return Finding(f"{name} size", "failure", f"{side} pixels wide: {error}", "set a smaller request_px")
        return Finding(f"{name} size", "ok", f"{side} pixels wide: refused, and not needed")
    return Finding(f"{name} size", "ok", f"{side} pixels wide: allowed")


def _window(name: str, use: Use, config: Config) -> Iterator[Finding]:
    """Fetch a small window by the source's own code, with an empty cache: it checks all that a download promises."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = config.downloads.model_copy(update={"cache": f"{folder}/cache", "lock": f"{folder}/lock.json"})
        made = _fetched(use, config.model_copy(update={"downloads": fresh}), Path(folder, "probe.tif"))
        with opened(Path(folder, "probe.tif")) as dataset:
            values = read(dataset)
    rows, columns = values.shape[:2]
    yield Finding(
        name, "ok", f"{rows} x {columns} pixels of {values.min()} to {values.max()}; licence {made.licence}: "
        f"{made.attribution}",
    )  # fmt: skip


def _fetched(use: Use, config: Config, path: Path) -> Provenance:
    """Fetch a small window, or the whole body at one cell a degree."""
    if use.planet:
        request = PlanetRequest(use.kind, PlanetGrid(BODIES[use.body], 1))
        return planet_source_named(use.settings.source, use.settings, config).fetch_planet(request, path)
    return source_named(use.settings.source, use.settings, config).fetch(_asked(use), path)


def _asked(use: Use) -> Request:
    body = BODIES[use.body]
    west, south = _PLACES[use.body]
    step = DEFAULT_TILE.pixel_m / body.metres_per_degree
    span = _SIDE_PX * step
    region = Region("doctor", body, "train", "A small window", rectangle(west, south, west + span, south + span))
    grid = RasterGrid(body, Axis(south + span, -step, _SIDE_PX), Axis(west, step, _SIDE_PX))
    return Request(region, "imagery" if use.kind == "imagery" else "elevation", grid)

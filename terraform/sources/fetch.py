"""Fetch one raster of a region: choose the source, write what it gives, and note where it comes from."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from terraform.config import AnyPlanetSource, AnySource, Config, FilesSource
from terraform.errors import ConfigError, RemoteError
from terraform.geo.bodies import Body
from terraform.geo.grid import download_grid
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.regions import Region
from terraform.geo.tile_spec import TileSpec
from terraform.provenance import Provenance, beside, merge, write
from terraform.sources import Kind, PlanetKind, PlanetRequest, Request, planet_source_named, source_named
from terraform.sources.remote.version_lock import VersionLock
from terraform.storage.atomic_write import remove_file, write_text
from terraform.storage.hashing import sha256_of

S = TypeVar("S")


def fetch(config: Config, region: Region, kind: Kind, destination: Path) -> Provenance:
    """Publish the elevation or the imagery of a region, and its provenance beside it (`.json`).

    Parameters
    ----------
    config : Config
        Says the source of each body and kind, and the folder that `{rasters}` stands for.
    region : Region
    kind : {"elevation", "imagery"}
    destination : Path
        The GeoTIFF to make.

    Returns
    -------
    Provenance
        Its details hold no folder of this machine.

    Raises
    ------
    ConfigError
        There is no source of that kind for the body.
    InputError, RemoteError, ResourceError
        What the source or the disk says.
    """
    settings = settings_of(config, region, kind)
    grid = download_grid(region, TileSpec.of(config.tile))
    made = source_named(settings.source, settings, config).fetch(Request(region, kind, grid), destination)
    window = {
        "west": grid.longitudes.origin, "south": grid.latitudes.end,
        "east": grid.longitudes.end, "north": grid.latitudes.origin,
    }  # fmt: skip
    details = {
        "source": settings.source, "what": kind, "body": region.body.name, "region": region.name,
        "fingerprint": region.fingerprint, "window": window, "sha256": sha256_of(destination),
    }  # fmt: skip
    provenance = merge([made], **(made.details | details))
    write(provenance, beside(destination))
    return provenance


def accept_changes(config: Config, source: str) -> list[str]:
    """Forget which versions of a source's files were locked, and what was kept of them; name what was forgotten.

    Its files are then fetched again, and their new versions are locked.
    """
    gone = VersionLock(Path(config.downloads.lock)).forget(f"{source}/")
    kept = Path(config.downloads.cache) / source
    for folder in sorted(kept.iterdir()) if kept.is_dir() else []:
        if folder.is_dir():
            shutil.rmtree(folder)
            gone.append(str(folder))
    return gone


def fetch_planet(config: Config, body: Body, kind: PlanetKind, destination: Path) -> Provenance:
    """Publish a raster of a whole body, and its provenance beside it (`.json`).

    Parameters
    ----------
    config : Config
        Says the source of each body and kind, and the size of the cells.
    body : Body
    kind : {"elevation", "imagery", "temperature", "precipitation"}
    destination : Path
        The GeoTIFF to make: plate carree, row 0 at 90 N, column 0 at 180 W (`terraform.sources.PlanetRequest`).

    Returns
    -------
    Provenance
        Its details hold no folder of this machine.

    Raises
    ------
    ConfigError
        There is no source of that kind for the body.
    InputError, RemoteError, ResourceError
        What the source or the disk says.
    """
    settings = planet_settings_of(config, body, kind)
    request = planet_request(config, body, kind)
    made = planet_source_named(settings.source, settings, config).fetch_planet(request, destination)
    details = {
        "source": settings.source, "kind": kind, "body": body.name, "planet": True,
        "cells_per_degree": request.grid.cells_per_degree, "sha256": sha256_of(destination),
    }  # fmt: skip
    provenance = merge([made], **(made.details | details))
    write(provenance, beside(destination))
    return provenance


def planet_request(config: Config, body: Body, kind: PlanetKind) -> PlanetRequest:
    """Say what is asked of the source of a planet raster."""
    cells = getattr(config.sources, body.name).planet.cells_per_degree
    return PlanetRequest(kind, PlanetGrid(body, cells))


def planet_settings_of(config: Config, body: Body, kind: PlanetKind) -> AnyPlanetSource:
    """Find the settings of the source of a planet raster, with `{rasters}` replaced.

    Raises
    ------
    ConfigError
        There is no source of that kind for the body.
    """
    settings: AnyPlanetSource | None = getattr(getattr(config.sources, body.name).planet, kind, None)
    if settings is None:
        raise ConfigError(f"sources.{body.name}.planet has no {kind}: name a source for it")
    return _with_folder(settings, config)


def settings_of(config: Config, region: Region, kind: Kind) -> AnySource:
    """Find the settings of the source that serves a region, with `{rasters}` replaced.

    Raises
    ------
    ConfigError
        There is no source of that kind for the body.
    """
    settings: AnySource | None = getattr(getattr(config.sources, region.body.name), kind, None)
    if settings is None:
        raise ConfigError(
            f"sources.{region.body.name} has no {kind}: region {region.name!r} of {region.body.name} has elevation only"
        )
    return _with_folder(settings, config)


def _with_folder(settings: S, config: Config) -> S:
    if not isinstance(settings, FilesSource):
        return settings
    paths = [settings.path] if isinstance(settings.path, str) else settings.path
    # Braces in the folder's own name are no placeholders.
    folder = config.rasters.replace("{", "{{").replace("}", "}}")
    return settings.model_copy(update={"path": [path.replace("{rasters}", folder) for path in paths]})


@contextmanager
def skip_after_refusal(raster: Path, attempt: int) -> Iterator[None]:
    """Ask a service, unless an earlier attempt of the same run was refused.

    Snakemake tries a job again after any end of it. A job that was killed resumes; one whose service asked to come
    back later does not ask again at once.

    Parameters
    ----------
    raster : Path
        What is fetched.
    attempt : int
        1 asks in any case.

    Raises
    ------
    RemoteError
        An earlier attempt was refused, with the reason given then; or this one is.
    """
    note = raster.with_name(f".{raster.name}.refused")
    if attempt > 1 and note.exists():
        raise RemoteError(note.read_text(encoding="utf-8"))
    remove_file(note)
    try:
        yield
    except RemoteError as error:
        write_text(note, str(error))
        raise

"""From regions to a terraformed Mars with earth.yaml: all data come from servers on loopback, only addresses change."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from safetensors import safe_open
from servers.accounts import CANARY, key_file
from servers.buckets import planet, srtm, srtm_list
from servers.earthengine import EarthEngine
from servers.maps import Maps, Patch, maps
from servers.nginx import Hit, Nginx, nginx
from servers.surface import colour, height_m

from terraform import provenance
from terraform.geo.grid import rows_of
from terraform.geo.regions import load_regions
from terraform.geo.tile_spec import TileSpec

ROOT = Path(__file__).parents[2]
MAP = "Mars_MGS_MOLA_DEM_mosaic_global_463m.tif"
GROUND = Patch(9.0, 44.3, 12.4, 45.8, (2020,))
SETTINGS = {
    "run": "tiny",
    "train": {
        "network": "cnn", "width": 4, "discriminator": "none", "total_images": 8, "batch": 2, "validate_every": 8,
        "checkpoint_every": 4, "validation_pairs": 2, "device": "cpu",
    },
    "mosaics": {"window_px": 256},
    "downloads": {"attempts": 3, "backoff_s": 0.01, "read_timeout_s": 60},
}  # fmt: skip
CORNERS = {
    "lombardy": ("earth", "train", 9.3, 44.6, 1.4, 0.9), "garda": ("earth", "validation", 10.9, 44.7, 0.7, 0.45),
    "arabia": ("mars", "mosaic", 20.0, 10.0, 0.8, 0.8),
}  # fmt: skip


def feature(name: str, body: str, role: str, west: float, south: float, width: float, height: float) -> dict[str, Any]:
    east, north = west + width, south + height
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"name": name, "body": body, "role": role}, "geometry": geometry}


def mirrored(overlay: Path, addresses: dict[str, str], into: Path) -> Path:
    """An overlay of the repository with other addresses, and nothing else changed."""
    document = yaml.safe_load(overlay.read_text(encoding="utf-8"))
    # What it leaves out of the repository's regions is not in the tests' own.
    document = {"sources": document["sources"]}
    for body in document["sources"].values():
        body.pop("planet", None)  # whole bodies: tests/sources
        for source in body.values():
            source["base_url"] = addresses[source["source"]]
    path = into / overlay.name
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def quiet_python(folder: Path) -> Path:
    """A folder for PYTHONPATH: names outside this machine do not resolve, so that no test leaves loopback."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import socket\n"
        "real = socket.getaddrinfo\n"
        "def only_here(host, *rest, **more):\n"
        "    if host not in ('127.0.0.1', 'localhost', None):\n"
        "        raise socket.gaierror(f'{host} is outside')\n"
        "    return real(host, *rest, **more)\n"
        "socket.getaddrinfo = only_here\n"
    )
    return folder


class World:
    """A folder with the workflow, and the servers that it reaches."""

    def __init__(self, folder: Path, files: Nginx, pictures: Maps, engine: EarthEngine) -> None:
        self.folder, self.files, self.pictures, self.engine = folder, files, pictures, engine
        self.out = ""
        self._key = key_file(folder.parent, engine)
        self._python = quiet_python(folder.parent / "python")

    def run(self, *arguments: str) -> str:
        environment = {
            **os.environ, "PYTHONPATH": str(self._python), "HOME": str(self.folder.parent),
            "GOOGLE_APPLICATION_CREDENTIALS": str(self._key), "EARTHENGINE_PROJECT": self.engine.project,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
            cwd=self.folder, capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        logs = "".join(f"\n== {path}\n{path.read_text()}" for path in sorted((self.folder / "logs").rglob("*.log")))
        assert done.returncode == 0, done.stderr + logs
        self.out += done.stdout + done.stderr
        return done.stdout + done.stderr

    def asked(self) -> list[Hit]:
        # The cache of maps asks its own server.
        return [*self.files.hits(), *(hit for hit in self.pictures.nginx.hits() if hit.path.startswith("/mapcache"))]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    base = tmp_path
    served = base / "served"
    for west in (9, 10, 11):
        for south in (44, 45):
            srtm(served, south, west)
    srtm_list(served)
    planet(served / MAP, 1000, 2000, False, lambda lon, lat: height_m(lon / 60, lat / 60) - 3000)
    folder = base / "world"
    folder.mkdir()
    for name in ("workflow", "terraform", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "environment.yaml"):
        shutil.copy2(ROOT / name, folder / name)
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    features = [feature(name, *rest) for name, rest in CORNERS.items()]
    (folder / "regions.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    engine = EarthEngine()
    with nginx(base / "nginx", served) as files, maps(base / "maps", (GROUND,)) as pictures:
        made = World(folder, files, pictures, engine)
        addresses = {"opentopography": files.url, "s2cloudless": pictures.cached_wms, "mola": files.url,
                     "earthengine": engine.url}  # fmt: skip
        mirrored(ROOT / "workflow/config/earth.yaml", addresses, folder)
        mirrored(ROOT / "workflow/config/earthengine.yaml", addresses, folder)
        pictures.nginx.forget()
        made.run("train", "mosaics", "--configfile", "earth.yaml")
        yield made
    engine.stop()


def check_that_both_halves_of_every_tile_show_their_place(world: World) -> None:
    regions = load_regions(world.folder / "regions.geojson")
    for name in ("lombardy", "garda"):
        pairs = world.folder / "results/pairs" / name
        elevation, imagery, table = (np.load(pairs / f"{part}.npy") for part in ("elevation", "imagery", "tiles"))
        assert len(elevation) == len(imagery) == len(table) >= 1
        rows = rows_of(regions[name])
        for metres, rgb, tile in zip(elevation, imagery, table, strict=True):
            row, spec = rows[tile["row"]], TileSpec()
            lat, lon = row.latitudes(spec.margin_px).centres(), row.longitudes(spec.margin_px).centres()
            lon = lon[tile["column"] * spec.tile_px :][: spec.side_px]
            assert np.abs(metres - height_m(lon, lat[:, None])).max() < 12
            inner = spec.inner
            assert np.abs(rgb - colour(lon[inner], lat[inner, None], 2020).astype(float)).mean() < 2


def check_that_a_mosaic_of_mars_came_of_it_with_all_credits(world: World) -> None:
    mosaic = world.folder / "results/mars/tiny/arabia/terraformed.tif"
    with rasterio.open(mosaic) as dataset:
        tags, crs = dataset.tags(), dataset.crs.to_wkt()
        assert dataset.count >= 3 and (dataset.read(1) > 0).any()
    assert "Mars" in crs and tags["LICENCE"] == "CC-BY-NC-SA-4.0" and tags["SYNTHETIC_INPUT"] == "false"
    for name in ("SRTM", "EOX", "MOLA"):
        assert name in tags["ATTRIBUTION"]
    for what in ("earth/garda/elevation", "earth/garda/imagery", "mars/arabia/elevation"):
        check_that_a_download_says_where_it_is_from(world.folder / f"resources/{what}.json")


def check_that_pairs_weights_and_card_carry_the_most_restrictive_licence(world: World) -> None:
    results = world.folder / "results"
    pairs = provenance.read(results / "pairs/lombardy/provenance.json")
    with safe_open(results / "model/tiny/weights.safetensors", "np") as weights:
        told = weights.metadata()
    card = (results / "model/tiny/card.md").read_text(encoding="utf-8")
    assert pairs.licence == told["LICENCE"] == "CC-BY-NC-SA-4.0" and f"**{pairs.licence}**" in card
    for text in (pairs.attribution, told["ATTRIBUTION"], card):
        assert "SRTM" in text and "EOX" in text and "2020" in text


def check_that_a_download_says_where_it_is_from(path: Path) -> None:
    made = provenance.read(path)
    told = made.details
    assert {"source", "sha256", "window", "region"} <= set(told) and {"version", "year", "asset"} & set(told)
    urls = [told["url"]] if "url" in told else [file["url"] for file in told["files"]]
    assert urls and all(url.startswith("http://127.0.0.1:") and "?" not in url for url in urls)
    assert told["sha256"] == hashlib.sha256(path.with_suffix(".tif").read_bytes()).hexdigest()
    assert made.licence and made.attribution and made.created and not made.synthetic


def check_that_a_second_run_asks_for_nothing(world: World) -> None:
    before = len(world.asked())
    assert "Nothing to be done" in world.run("train", "mosaics", "--configfile", "earth.yaml")
    for resource in (world.folder / "resources").rglob("*.tif"):
        if "cache" not in resource.parts:
            resource.unlink()
    world.run("pairs", "--configfile", "earth.yaml")
    # Everything is in the cache; only whether the one big file is still the same may be asked.
    assert len(world.asked()) - before <= 2


def check_that_every_request_names_us_and_takes_a_part(world: World) -> None:
    hits = world.asked()
    assert hits and all(hit.agent.startswith("terraform-planets/") for hit in hits)
    tiles = [hit for hit in hits if hit.path.endswith(".tif")]
    assert tiles and all(hit.status == 206 for hit in tiles)


def check_that_earth_engine_takes_the_place_of_the_bucket_and_no_secret_is_written(world: World) -> None:
    name = "garda"
    target = f"resources/earth/{name}/elevation.tif"
    world.run(target, "--configfile", "earth.yaml", "earthengine.yaml")
    world.run(target, "--report", "report.html", "--configfile", "earth.yaml", "earthengine.yaml")
    made = provenance.read(world.folder / f"resources/earth/{name}/elevation.json")
    assert made.details["asset"] == "USGS/SRTMGL1_003" and world.engine.pixels()
    check_that_a_download_says_where_it_is_from(world.folder / f"resources/earth/{name}/elevation.json")
    with rasterio.open(world.folder / f"resources/earth/{name}/elevation.tif") as dataset:
        assert 250 < np.median(dataset.read(1)) < 1750
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    assert (
        (world.folder / "report.html") in files
        and any(".snakemake" in path.parts for path in files)
        and any(path.suffix == ".log" for path in files)
    )
    secrets = [CANARY.encode(), b"a-token", world.engine.project.encode(), b"PRIVATE KEY"]
    for path in files:
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path
    assert not any(secret.decode() in world.out for secret in secrets)


@pytest.mark.minutes
@pytest.mark.timeout(1800)  # 85 s of processor time, on a busy machine many times that
def test_from_regions_to_mars(world: World) -> None:
    """One run for all that is asserted on it."""
    check_that_both_halves_of_every_tile_show_their_place(world)
    check_that_a_mosaic_of_mars_came_of_it_with_all_credits(world)
    check_that_pairs_weights_and_card_carry_the_most_restrictive_licence(world)
    check_that_every_request_names_us_and_takes_a_part(world)
    check_that_a_second_run_asks_for_nothing(world)
    check_that_earth_engine_takes_the_place_of_the_bucket_and_no_secret_is_written(world)

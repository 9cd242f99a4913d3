"""Planet rasters from services: where each cell lies, what is asked, what stands in the lock and the provenance."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from servers.buckets import megdr_planet, terrarium, worldclim
from servers.faults import Fault, Proxy
from servers.maps import BLUE_MARBLE, WORLD_YEAR, Maps, world_blue, world_colour
from servers.nginx import Nginx

from terraform.config import parse
from terraform.errors import ConfigError, InputError, IntegrityError, RemoteError
from terraform.geo.bodies import EARTH
from terraform.geo.heights import VOID
from terraform.provenance import most_restrictive
from terraform.sources import planet_source_named
from terraform.sources.estimate import estimate_planets
from terraform.sources.fetch import planet_request, planet_settings_of

LAT = (90 - (np.arange(180) + 0.5))[:, None]
LON = (-180 + (np.arange(360) + 0.5))[None, :]


def slow(lon: Any, lat: Any) -> Any:
    """Heights of a planet, with a sea floor, continuous across the antimeridian."""
    return 1000 + 3000 * np.sin(np.radians(lon)) * np.cos(np.radians(lat)) - 1500 * np.sin(np.radians(2 * lat))


def needed(config: Any, body: Any, kind: Any) -> Any:
    settings = planet_settings_of(config, body, kind)
    return planet_source_named(settings.source, settings, config).estimate_planet(planet_request(config, body, kind))


def gets(hits: list[Any]) -> list[str]:
    return [hit.path for hit in hits if "GetMap" in hit.path]


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_the_whole_of_s2cloudless_in_few_pictures(version: str, maps: Maps, planet_config, fetched) -> None:
    config = planet_config(
        "earth", "imagery", source="s2cloudless", base_url=maps.wms, year=WORLD_YEAR, version=version, request_px=150
    )
    assert needed(config, EARTH, "imagery").requests == 6 + 1 and maps.nginx.hits() == []
    made = fetched(config, "earth", "imagery")
    assert np.abs(made.values[..., :2] - world_colour(LON, LAT)).mean() < 3 and (made.values[..., 2] > 180).all()
    assert len(gets(maps.nginx.hits())) == 6
    assert needed(config, EARTH, "imagery").requests == 0
    assert made.provenance.licence == "CC-BY-NC-SA-4.0" and made.provenance.details["windows"] == 6


@pytest.mark.parametrize("month", [1, 7])
def test_blue_marble_of_a_month(month: int, maps: Maps, planet_config, fetched) -> None:
    config = planet_config("earth", "imagery", source="blue_marble", base_url=maps.wms, month=month, request_px=200)
    assert needed(config, EARTH, "imagery").requests == 2
    made = fetched(config, "earth", "imagery")
    assert np.abs(made.values[..., 2].astype(int) - world_blue(month)).max() <= 4
    assert np.abs(made.values[..., :2] - world_colour(LON, LAT)).mean() < 3
    asked = gets(maps.nginx.hits())
    assert len(asked) == 2 and all(f"TIME=2004-{month:02}-01" in path and BLUE_MARBLE in path for path in asked)
    assert (
        made.provenance.licence == "LicenseRef-Public-Domain" and made.provenance.details["month"] == f"2004-{month:02}"
    )


def test_blue_marble_of_several_months_is_the_darkest_of_them(maps: Maps, planet_config, fetched) -> None:
    config = planet_config(
        "earth", "imagery", source="blue_marble", base_url=maps.wms, darkest_of=[7, 1], request_px=200
    )
    assert needed(config, EARTH, "imagery").requests == 4
    made = fetched(config, "earth", "imagery")
    assert np.abs(made.values[..., 2].astype(int) - world_blue(1)).max() <= 4
    asked = gets(maps.nginx.hits())
    assert [sum(f"TIME=2004-{month:02}-01" in path for path in asked) for month in (1, 7)] == [2, 2]
    details = made.provenance.details
    assert details["month"] == 0 and details["darkest_of"] == ["2004-07", "2004-01"]
    assert len(set(details["pictures_sha256"])) == 2 and needed(config, EARTH, "imagery").requests == 0


def test_a_picture_that_broke_off_is_asked_for_again(broken_maps: Proxy, planet_config, fetched) -> None:
    config = planet_config("earth", "imagery", source="blue_marble", base_url=f"{broken_maps.url}/wms", request_px=200)
    broken_maps.breaks(Fault("truncate", "GetMap", times=1))
    made = fetched(config, "earth", "imagery")
    assert np.abs(made.values[..., 2].astype(int) - world_blue(7)).max() <= 4


def test_a_report_instead_of_a_picture_is_told(maps: Maps, planet_config, fetched) -> None:
    config = planet_config("earth", "imagery", source="blue_marble", base_url=maps.wms, layer="nothing")
    with pytest.raises(RemoteError, match=r"(?i)layer"):
        fetched(config, "earth", "imagery")


def test_terrarium_at_low_zoom_has_the_sea_floor_and_reaches_the_poles(
    file_server: Nginx, tmp_path: Path, planet_config, fetched
) -> None:
    folder = file_server.files / f"terrain-{tmp_path.name}"
    for x in range(2):
        for y in range(2):
            terrarium(folder, 1, x, y, heights=slow)
    config = planet_config(
        "earth", "elevation", source="terrarium", base_url=f"{file_server.url}/{folder.name}", hosts=[]
    )
    assert needed(config, EARTH, "elevation").requests == 4
    made = fetched(config, "earth", "elevation")
    inside = slice(6, -6)
    assert np.abs(made.values - slow(LON, LAT))[inside].max() < 60 and made.values.min() < -1000
    assert not (made.values == VOID).any() and (made.values[0] == made.values[2]).all()
    assert made.provenance.details["version"] == "zoom 1" and needed(config, EARTH, "elevation").requests == 0


def test_the_whole_of_mola_is_one_small_map(file_server: Nginx, tmp_path: Path, planet_config, fetched) -> None:
    folder = file_server.files / f"mola-{tmp_path.name}"
    megdr_planet(folder, 4, slow)
    settings = {"source": "mola", "archive_url": f"{file_server.url}/{folder.name}/meg128", "hosts": []}
    settings["base_url"] = settings["archive_url"]
    config = planet_config("mars", "elevation", **settings)
    body = parse({}).sources.mars
    assert body.planet.elevation.source == "sample"
    made = fetched(config, "mars", "elevation")
    off = np.abs(made.values - slow(LON, LAT))
    assert off[2:-2].max() < 4 and off.max() < 12  # beyond a pole there is nothing to average with
    assert sum(hit.bytes for hit in file_server.hits()) < 1.05 * 2 * 720 * 1440
    assert "megt90n000cb.img" in (tmp_path / "lock.json").read_text()
    record = made.provenance.details["files"][0]
    assert record["bytes"] == 2 * 720 * 1440 and record["url"].endswith("/meg004/megt90n000cb.img")
    (folder / "meg004/megt90n000cb.img").write_bytes(bytes(100))
    with pytest.raises(IntegrityError, match="that part of MEGDR has"):
        fetched(planet_config("mars", "elevation", **settings | {"source": "mola"}).model_copy(
            update={"downloads": config.downloads.model_copy(update={"cache": str(tmp_path / "other")})}
        ), "mars", "elevation")  # fmt: skip


def warm(month: int, lon: Any, lat: Any) -> Any:
    return 25 - 0.4 * np.abs(lat) + month + 0 * lon


def test_worldclim_is_fetched_once_and_locked(file_server: Nginx, tmp_path: Path, planet_config, fetched) -> None:
    folder = file_server.files / f"worldclim-{tmp_path.name}"
    worldclim(folder, "wc2.1_10m_tavg", warm, "float32", -3.4e38)
    worldclim(folder, "wc2.1_10m_prec", lambda month, lon, lat: 10.0 * month + 0 * lon * lat, "int16", -32768)
    settings = {"source": "worldclim", "base_url": f"{file_server.url}/{folder.name}", "hosts": []}
    config = planet_config("earth", "temperature", **settings)
    assert not needed(config, EARTH, "temperature").exact
    made = fetched(config, "earth", "temperature")
    expected = np.stack([warm(month, LON, LAT) for month in range(1, 13)], axis=-1)
    assert np.abs(made.values * 0.1 - expected)[2:-2, 22:-2].max() < 0.11 and (made.values[:, :19] == VOID).all()
    rain = fetched(planet_config("earth", "precipitation", **settings), "earth", "precipitation")
    assert (rain.values[:, 30:350] == 10 * np.arange(1, 13)).all()
    assert made.provenance.licence == "LicenseRef-WorldClim"
    assert most_restrictive(["CC-BY-NC-SA-4.0", "LicenseRef-WorldClim"]) == "LicenseRef-WorldClim"
    before = len(file_server.hits())
    fetched(config, "earth", "temperature")
    assert len(file_server.hits()) == before and needed(config, EARTH, "temperature").requests == 0
    archive = tmp_path / "cache/worldclim/2.1-10m/wc2.1_10m_tavg.zip"
    archive.write_bytes(archive.read_bytes()[:-50])
    with pytest.raises(IntegrityError, match=r"worldclim/wc2\.1_10m_tavg\.zip is not the file"):
        fetched(config, "earth", "temperature")


def test_an_archive_without_the_months_is_refused(file_server: Nginx, tmp_path: Path, planet_config, fetched) -> None:
    folder = file_server.files / f"odd-{tmp_path.name}"
    folder.mkdir()
    (folder / "wc2.1_10m_prec.zip").write_bytes(b"PK\x03\x04" + bytes(1000))
    config = planet_config(
        "earth", "precipitation", source="worldclim", base_url=f"{file_server.url}/{folder.name}", hosts=[]
    )
    with pytest.raises(InputError, match="is no archive of WorldClim"):
        fetched(config, "earth", "precipitation")


@pytest.mark.parametrize(
    ("body", "kind", "source"),
    [("mars", "elevation", "terrarium"), ("earth", "temperature", "s2cloudless"), ("earth", "imagery", "mola"),
     ("earth", "elevation", "worldclim"), ("earth", "elevation", "blue_marble")],
)  # fmt: skip
def test_what_a_source_does_not_have_is_refused(body: str, kind: Any, source: str, planet_config, fetched) -> None:
    with pytest.raises(
        ConfigError, match=rf"{source} has no {kind} of the whole of {body}.*sources\.{body}\.planet\.{kind}"
    ):
        fetched(planet_config(body, kind, source=source), body, kind)


def test_a_source_of_regions_alone_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"given 'opentopography', expected one of sample, files, terrarium"):
        parse({"sources": {"earth": {"planet": {"elevation": {"source": "opentopography"}}}}})


@pytest.mark.parametrize("kind", ["elevation", "imagery", "temperature", "precipitation"])
def test_the_synthetic_earth_has_all_kinds_offline(kind: Any, planet_config, fetched) -> None:
    made = fetched(planet_config("earth", kind, cells=0.5, source="sample"), "earth", kind)
    assert made.provenance.synthetic and not (made.values == (0 if kind == "imagery" else VOID)).all(axis=-1).any()


def test_a_plan_names_what_planets_need(planet_config, tmp_path: Path) -> None:
    config = planet_config("earth", "imagery", cells=12, source="blue_marble")
    found = {(row.body, row.kind): row.estimate for row in estimate_planets(config, tmp_path)}
    assert found["earth", "imagery"].requests == 15 and found["earth", "imagery"].service == "blue_marble"
    assert found["mars", "elevation"].requests == 0 and ("mars", "temperature") not in found

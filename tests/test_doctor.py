"""The doctor: what it finds of a machine, of accounts and of services, and that it tells no secret."""

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers.accounts import CANARY, key_file, sign_in
from servers.buckets import copernicus, copernicus_list, megdr, megdr_planet, planet, srtm, srtm_list, worldclim
from servers.earthengine import EarthEngine
from servers.faults import Fault, Proxy
from servers.maps import Maps
from servers.nginx import Nginx
from typer.testing import CliRunner, Result

from terraform import __main__ as command_line
from terraform.doctor import machine
from terraform.errors import RemoteError

FAST = {"attempts": 2, "backoff_s": 0.01, "connect_timeout_s": 2, "read_timeout_s": 10, "deadline_s": 20}
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(place: Path, **sources: dict[str, Any]) -> None:
    """config.yaml with some sources, such as earth_elevation={"source": ...}."""
    tree: dict[str, Any] = {}
    for name, settings in sources.items():
        body, what = name.split("_")
        tree.setdefault(body, {})[what] = settings
    (place / "config.yaml").write_text(yaml.safe_dump({"downloads": FAST, "sources": tree}))


def doctor(*options: str) -> Result:
    return CliRunner().invoke(command_line.app, ["doctor", *options])


def findings(*options: str) -> dict[str, dict[str, str]]:
    done = doctor("--json", *options)
    document = json.loads(done.stdout)
    assert done.exit_code == (0 if document["ok"] else 1)
    assert document["ok"] == all(one["state"] != "failure" for one in document["findings"])
    assert all(one["remedy"] for one in document["findings"] if one["state"] == "failure")
    return {one["name"]: one for one in document["findings"]}


def test_this_machine_is_well(place: Path) -> None:
    found = findings()
    assert {"python", "numpy", "torch", "snakemake", "gdal", "proj", "mars", "memory", "/dev/shm", "gpu"} <= set(found)
    assert found["numpy"]["says"] == metadata.version("numpy")
    assert [name for name, one in found.items() if one["state"] == "failure"] == []
    told = doctor()
    assert told.exit_code == 0 and "ok      numpy:" in told.stdout and "->" not in told.stdout.replace("warning", "")


def test_a_wrong_version_is_told_with_its_bounds(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.9" if name == "rasterio" else real(name))
    found = findings()["rasterio"]
    assert found["state"] == "failure" and ">=1.4" in found["says"] and "make setup" in found["remedy"]

    def absent(name: str) -> str:
        if name == "shapely":
            raise metadata.PackageNotFoundError
        return real(name)

    monkeypatch.setattr(metadata, "version", absent)
    assert "not installed" in findings()["shapely"]["says"]


@pytest.mark.parametrize(("free_gb", "state"), [(0.5, "failure"), (5, "warning"), (50, "ok")])
def test_a_full_disk(free_gb: float, state: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100e9, 0, free_gb * 1e9))
    assert findings()["disk for results"]["state"] == state


def test_little_shared_memory(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shutil.disk_usage
    small = Usage(64e6, 0, 64e6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: small if path == machine._SHARED else real(path))
    found = findings()["/dev/shm"]
    assert found["state"] == "warning" and "--shm-size" in found["remedy"] and "0.06 GB" in found["says"]


def test_a_card_that_is_wanted_and_not_there(place: Path) -> None:
    import torch

    (place / "config.yaml").write_text("train: {device: cuda}\n")
    assert findings()["gpu"]["state"] == ("ok" if torch.cuda.is_available() else "failure")


def doctor_with(torch: Path, place: Path) -> tuple[dict[str, str], bool]:
    """What is found of a graphics card where another torch comes first, and whether torch was imported."""
    code = (
        "import json, sys\nfrom terraform.config import Config\n"
        "from terraform.doctor import as_json, examine, machine\n"
        "machine._DRIVERS = ()\n"
        "found = as_json(examine('gpu', lambda: machine.graphics(Config())))['findings']\n"
        "print(json.dumps([found[0], 'torch' in sys.modules]))"
    )
    paths = os.pathsep.join([str(torch), str(Path(machine.__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place, env={**os.environ, "PYTHONPATH": paths},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    finding, imported = json.loads(done.stdout)
    return finding, imported


def test_without_a_driver_torch_is_loaded_but_not_imported(place: Path) -> None:
    finding, imported = doctor_with(place / "nothing", place)
    assert finding["state"] == "ok" and finding["says"].startswith("none") and not imported


@pytest.mark.parametrize("library", [None, b"cut off"])
def test_a_broken_torch_is_found(library: bytes | None, place: Path) -> None:
    package = place / "broken/torch"
    (package / "lib").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('libtorch_cpu.so: file too short')\n")
    if library is not None:
        (package / "lib/libtorch_python.so").write_bytes(library)
    finding, _ = doctor_with(place / "broken", place)
    assert finding["state"] == "failure" and finding["remedy"]


def test_foreign_data_of_proj_and_mixed_planets(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(machine._MARS_CRS, "IAU_2015:99999", "nothing")
    assert findings()["crs IAU_2015:99999"]["state"] == "failure"
    monkeypatch.setenv("PROJ_IGNORE_CELESTIAL_BODY", "YES")
    assert findings()["planets apart"]["remedy"] == "unset it"


def test_a_check_that_breaks_is_a_finding_without_its_text(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise RuntimeError(f"/home/{CANARY}")

    monkeypatch.setattr(machine, "memory", broken)
    done = doctor()
    assert done.exit_code == 1 and "FAILURE memory: the check itself failed (RuntimeError)" in done.stdout
    assert CANARY not in done.output


def test_a_wrong_configuration_is_one_message(place: Path) -> None:
    (place / "config.yaml").write_text("sources: {earth: {elevation: {source: nasa}}}\n")
    done = doctor()
    assert done.exit_code != 0 and done.exception is not None and "nasa" in str(done.exception)


ENGINE = {"source": "earthengine"}


def test_an_account_is_missed_only_where_it_is_needed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(monkeypatch, place, None)
    assert findings()["accounts"]["state"] == "ok"
    configured(place, earth_elevation=ENGINE)
    found = findings()["earth engine account"]
    assert found["state"] == "failure" and "GOOGLE_APPLICATION_CREDENTIALS" in found["says"]


def test_earth_engine_is_tried_and_nothing_secret_is_told(
    earth_engine: EarthEngine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, place, key_file(place, earth_engine))
    configured(place, earth_elevation={**ENGINE, "base_url": earth_engine.url})
    found = findings("--online")
    assert found["earth engine account"]["state"] == "ok"
    assert (
        "24 pixels" in found["earthengine (earth elevation)"]["says"]
        or "pixels of" in (found["earthengine (earth elevation)"]["says"])
    )
    assert len(earth_engine.pixels()) == 1
    for said in (doctor("--online").output, doctor("--online", "--json").output):
        assert CANARY not in said and earth_engine.project not in said and "a-token" not in said
    monkeypatch.setenv("EARTHENGINE_PROJECT", f"{CANARY}-project")
    done = doctor("--online")
    assert done.exit_code == 1 and "register the project" in done.output and CANARY not in done.output


def test_a_map_service_is_asked_what_it_allows(maps: Maps, place: Path) -> None:
    for url, largest in ((maps.wms, 4096), (maps.cached_wms, 2048)):
        configured(place, earth_imagery={"source": "s2cloudless", "base_url": url})
        done = json.loads(doctor("--online", "--json").stdout)
        said = "\n".join(f"{one['state']} {one['name']}: {one['says']}" for one in done["findings"])
        assert done["ok"], said
        assert "1.1.1 and 1.3.0 show the same place" in said
        assert f"{largest} pixels wide: allowed" in said
        assert ("4096 pixels wide: refused" in said) == (largest == 2048)
        if largest == 4096:
            assert "it answers 1.3.0; has s2cloudless-2020; pictures of at most 4096" in said
            assert "conditions: CC BY-NC-SA 4.0" in said
        else:
            assert "asked for 1.3.0, it answers 1.1.1" in said
        assert "licence CC-BY-NC-SA-4.0" in said


def test_a_login_page_is_no_map_service(broken_maps: Proxy, place: Path) -> None:
    configured(place, earth_imagery={"source": "s2cloudless", "base_url": f"{broken_maps.url}/wms"})
    broken_maps.breaks(Fault("html", body="log in first"))
    found = findings("--online")["s2cloudless (earth imagery)"]
    assert found["state"] == "failure" and "log in first" in found["says"]


def test_stores_without_an_account(file_server: Nginx, place: Path) -> None:
    folder = file_server.files / place.name
    srtm(folder, 45, 10)
    srtm_list(folder)
    name = "Mars_MGS_MOLA_DEM_mosaic_global_463m.tif"
    planet(folder / name, 500, 1000, False)
    url = f"{file_server.url}/{place.name}"
    configured(
        place, earth_elevation={"source": "opentopography", "base_url": url},
        mars_elevation={"source": "mola", "base_url": url},
    )  # fmt: skip
    found = findings("--online")
    for what in ("opentopography (earth elevation)", "mola (mars elevation)"):
        assert found[what]["state"] == "ok" and "licence LicenseRef-Public-Domain" in found[what]["says"]
    said = doctor("--online").output
    assert said.count("answers ranges with status 206") == 2
    configured(place, mars_elevation={"source": "mola", "base_url": f"{file_server.url}/norange/{place.name}"})
    assert "answers ranges with status 200" in doctor("--online").output
    configured(place, mars_elevation={"source": "mola", "base_url": f"{url}/nothing"})
    assert findings("--online")["mola (mars elevation)"]["state"] == "failure"


def test_the_archive_of_mola_is_asked_where_it_is(file_server: Nginx, place: Path) -> None:
    megdr(file_server.files / place.name, 44, 0, (0, 5632))
    url = f"{file_server.url}/{place.name}"
    configured(
        place, mars_elevation={"source": "mola", "product": "128ppd", "archive_url": url, "base_url": f"{url}/no"}
    )
    said = doctor("--online")
    assert said.exit_code == 0 and "answers ranges with status 206" in said.output


def test_a_store_that_redirects_is_told(file_server: Nginx, broken_files: Proxy, place: Path) -> None:
    folder = file_server.files / place.name
    copernicus(folder, 45, 10)
    copernicus_list(folder)
    url = f"{broken_files.url}/{place.name}"
    configured(place, earth_elevation={"source": "copernicus", "base_url": url, "coarse_url": url})
    broken_files.breaks(Fault("redirect", "tileList", times=1, body=f"{url}/tileList.txt?again"))
    found = doctor("--online").output
    assert "answers ranges with status 206" in found and "redirects" not in found  # to itself
    broken_files.breaks(Fault("redirect", "tileList", body=f"{file_server.url}/{place.name}/tileList.txt"))
    said = doctor("--online")
    assert said.exit_code == 1 and "refused to go to" in said.output  # to a host that is not on the list


def test_a_service_that_does_not_answer_is_one_finding(place: Path) -> None:
    configured(place, earth_elevation={"source": "opentopography", "base_url": "http://127.0.0.1:9"})
    said = doctor("--online")
    assert said.exit_code == 1 and said.output.count("FAILURE") == 1
    assert "cannot be reached (2 attempts)\n        -> look whether this machine reaches it" in said.output


def test_the_words_of_an_error_are_kept() -> None:
    from terraform.doctor import examine

    def refused() -> Any:
        raise RemoteError("the service is closed")

    assert examine("x", refused)[0].says == "the service is closed"


def test_planets_are_tried_at_a_cell_a_degree(maps: Maps, file_server: Nginx, place: Path) -> None:
    folder = file_server.files / f"doctor-{place.name}"
    megdr_planet(folder, 4, lambda lon, lat: 100 + 0 * lon * lat)
    worldclim(folder, "wc2.1_10m_prec", lambda month, lon, lat: 10 + 0 * lon * lat, "int16", -32768)
    url = f"{file_server.url}/{folder.name}"
    mola = {"source": "mola", "hosts": [], "base_url": url, "archive_url": f"{url}/meg128"}
    rain = {"source": "worldclim", "hosts": [], "base_url": url}
    earth = {"imagery": {"source": "blue_marble", "base_url": maps.wms}, "precipitation": rain}
    configured(place, earth_planet=earth, mars_planet={"elevation": mola})
    found = findings("--online")
    assert (
        "180 x 360 pixels of 100 to 100; licence LicenseRef-Public-Domain"
        in found["mola (planet mars elevation)"]["says"]
    )
    assert "180 x 360 pixels" in found["blue_marble (planet earth imagery)"]["says"]
    assert "answers ranges with status 206" in found["worldclim (planet earth precipitation)"]["says"]
    assert {one["state"] for name, one in found.items() if "planet" in name} == {"ok"}

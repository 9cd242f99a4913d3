"""A canary where secrets could be: in nothing that a run writes or says may it turn up."""

import subprocess
import sys
from pathlib import Path

import pytest
from canary import CANARY, holders, secrets
from servers.buckets import srtm, srtm_list
from servers.faults import Fault, Proxy
from servers.nginx import Nginx

from terraform.config import parse
from terraform.errors import ConfigError
from terraform.sources.remote.hosts import Access

ROOT = Path(__file__).parents[2]
SIGNED = f"X-Amz-Signature={CANARY}&X-Amz-Credential={CANARY}"
REGION = """{"type": "FeatureCollection", "features": [{"type": "Feature",
 "properties": {"name": "here", "body": "earth", "role": "train"},
 "geometry": {"type": "Polygon", "coordinates": [[[8.3,45.3],[8.6,45.3],[8.6,45.5],[8.3,45.5],[8.3,45.3]]]}},
 {"type": "Feature", "properties": {"name": "there", "body": "earth", "role": "validation"},
 "geometry": {"type": "Polygon", "coordinates": [[[9.3,45.3],[9.6,45.3],[9.6,45.5],[9.3,45.5],[9.3,45.3]]]}}]}"""


def workplace(here: Path, url: str) -> None:
    for name in ("Snakefile", "workflow", "terraform", "environment.yaml"):
        (here / name).symlink_to(ROOT / name)
    (here / "regions.geojson").write_text(REGION)
    (here / "config.yaml").write_text(
        "downloads: {attempts: 2, backoff_s: 0.01}\nmosaics: {regions: []}\n"
        f"sources: {{earth: {{elevation: {{source: opentopography, base_url: '{url}', hosts: []}}}}}}\n"
    )


def snakemake(here: Path, environment: dict[str, str], *targets: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "-p", "--verbose", *targets]
    return subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)


def test_no_secret_is_in_anything_that_a_whole_run_writes_or_says(finished: Path) -> None:
    """Fetching to mosaics, planets, evaluation and report, made by one whose environment and home hold secrets."""
    made = ["resources/earth/andes/elevation.tif", "results/pairs/andes/provenance.json", "results/report.html",
            "results/model/tiny/weights.safetensors", "results/model/tiny/card.md", "done",
            "results/planet/tiny/mars/base.tif", "results/mars/tiny/crater/item.json",
            "results/evaluation/tiny/metrics.json"]  # fmt: skip
    assert [name for name in made if not (finished / name).is_file()] == []
    assert any((finished / "logs").rglob("*.log")) and any((finished / ".snakemake/log").iterdir())
    assert holders(finished) == []


def test_no_secret_is_in_anything_that_a_failing_download_writes(
    file_server: Nginx, broken_files: Proxy, tmp_path: Path
) -> None:
    folder = file_server.files / "secrets"
    for west in (7, 8, 9, 10):
        for south in (44, 45):
            srtm(folder, south, west)
    srtm_list(folder)
    # As buckets behind a signing gateway do: each address leads to a signed one, and one of these fails.
    bucket = f"{broken_files.url}/secrets"
    here = tmp_path / "run"
    here.mkdir()
    workplace(here, bucket)
    broken_files.breaks(
        Fault("status", match=rf"N45E008\.tif\?.*{CANARY}", code=403, times=1, body="no"),
        *[Fault("redirect", match=rf"{name}\.tif$", body=f"{name}.tif?{SIGNED}") for name in tiles()],
    )
    environment = secrets(tmp_path / "home")
    first = snakemake(here, environment, "resources/earth/here/elevation.tif")
    log = (here / "logs/fetch_raster/earth/here/elevation.log").read_text()
    assert first.returncode != 0 and "refuses (status 403)" in log
    second = snakemake(here, environment, "resources/earth/here/elevation.tif")
    assert second.returncode == 0, second.stderr[-2000:]
    assert any(CANARY in asked.path for asked in broken_files.asked)
    assert holders(here) == []
    assert CANARY not in first.stdout + first.stderr + second.stdout + second.stderr
    # The search itself finds what is there.
    (here / "planted.txt").write_text(CANARY)
    assert len(holders(here)) == 1


def tiles() -> list[str]:
    return [f"N{south}E{west:03}" for south in (44, 45) for west in (7, 8, 9, 10)]


@pytest.mark.parametrize(
    "url",
    [f"https://me:{CANARY}@data.example/x", f"https://data.example/x?key={CANARY}", f"https://data.example/#{CANARY}",
     f"ftp://me:{CANARY}@data.example", f"https://me:{CANARY}@[bad"],
)  # fmt: skip
def test_an_address_with_a_secret_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError) as told:
        Access("test", url, ("data.example",))
    assert CANARY not in str(told.value)


@pytest.mark.parametrize("name", ["api_key", "token", "password", "client_secret", "API_KEY"])
def test_a_secret_in_the_configuration_is_refused_without_repeating_it(name: str) -> None:
    section = {"source": "opentopography", name: CANARY}
    with pytest.raises(ConfigError, match=f"{name}: unknown setting") as told:
        parse({"sources": {"earth": {"elevation": section}}})
    assert CANARY not in str(told.value)

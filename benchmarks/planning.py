"""Time to plan the workflow as regions grow: a dry run of four regions and of a thousand more."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import report

ROOT = Path(__file__).parents[1]
_SIDE_DEG = 1.2
_LINKED = ("Snakefile", "workflow", "terraform", "environment.yaml")


def regions(count: int) -> dict[str, Any]:
    """Make a collection of small regions of Earth, the first one held out."""
    places = [(lon, lat) for lon in range(-180, 178, 4) for lat in range(-60, 60, 8)][:count]
    features = [_feature(f"r{number:04}", *place, "train" if number else "validation")
                for number, place in enumerate(places)]  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def _feature(name: str, west: float, south: float, role: str) -> dict[str, Any]:
    east, north = west + _SIDE_DEG, south + _SIDE_DEG
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties = {"name": name, "body": "earth", "role": role}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def planned(folder: Path, count: int) -> float:
    """Seconds that a dry run of `count` regions takes."""
    folder.mkdir()
    for name in _LINKED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "regions.geojson").write_text(json.dumps(regions(count)))
    (folder / "config.yaml").write_text("mosaics: {regions: []}\n")
    started = time.monotonic()
    command = [sys.executable, "-m", "snakemake", "-n", "-q", "--cores", "2", "pairs"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.monotonic() - started


def main() -> None:
    """Seconds for a thousand regions, over the fifteen that are allowed."""
    with tempfile.TemporaryDirectory() as scratch:
        few, many = planned(Path(scratch) / "few", 4), planned(Path(scratch) / "many", 1000)
    report("planning a thousand regions, over 15 s", many / 15, 1, four_s=few, thousand_s=many)


if __name__ == "__main__":
    main()

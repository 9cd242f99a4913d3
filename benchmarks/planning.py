"""Time of the processor to plan the workflow as regions grow: a dry run of four regions and of a thousand."""

import json
import resource
import subprocess
import sys
import tempfile
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
    """CPU seconds that a dry run of `count` regions takes."""
    folder.mkdir()
    for name in _LINKED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "regions.geojson").write_text(json.dumps(regions(count)))
    (folder / "config.yaml").write_text("mosaics: {regions: []}\n")
    before = _spent()
    command = [sys.executable, "-m", "snakemake", "-n", "-q", "--cores", "2", "pairs"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return _spent() - before


def _spent() -> float:
    """CPU seconds of all child processes so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def main() -> None:
    """Compare the fifteen CPU seconds that are allowed with those of a thousand regions."""
    with tempfile.TemporaryDirectory() as scratch:
        few, many = planned(Path(scratch) / "few", 4), planned(Path(scratch) / "many", 1000)
    report("15 CPU s over planning a thousand regions", 15 / many, 1, four_s=few, thousand_s=many)


if __name__ == "__main__":
    main()

"""A whole band killed and gone on with: the file is that of a run that was left alone, byte for byte."""

import hashlib
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from benchmarks.seams import embedded
from terraform.geo.bodies import MARS
from terraform.mars.bands import Globe, strips

_BAND = 4


def main(weights: Path, width_deg: float = 360.0) -> None:
    """Draw the band and some of its neighbours; kill the drawing while its second strip is drawn; run it again.

    Parameters
    ----------
    width_deg : float
        How much of the band: 360 is all round.
    """
    globe = Globe(MARS.radius_m)
    band = strips(globe, 16)[_BAND]
    north, south = (90 - globe.pixel_deg * row for row in (band.first, band.last))
    with TemporaryDirectory() as name:
        folder = Path(name)
        _, elevation = embedded("band", (-180.0, south, width_deg - 180.0, north), folder)
        whole, again = folder / "whole.tif", folder / "again.tif"
        print(_finished(_command(weights, elevation, whole)), end="", flush=True)
        _killed(_command(weights, elevation, again))
        print(f"killed; left behind: {sorted(path.name for path in folder.glob('.again.strips/*'))}")
        print(_finished(_command(weights, elevation, again)), end="")
        one, other = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (whole, again))
        print(
            f"{whole.stat().st_size:,} bytes, sha256 {one[:16]} and {other[:16]}: {'equal' * (one == other) or 'NOT'}"
        )


def _command(weights: Path, elevation: Path, output: Path) -> list[str]:
    given = ["--weights", weights, "--elevation", elevation, "--output", output, "--config", "config.yaml"]
    return [sys.executable, "-m", "terraform", "generate", "--device", "cpu", *map(str, given)]


def _finished(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _killed(command: list[str]) -> None:
    """End it with SIGKILL while its second strip is drawn: as long after the first as that took."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as drawing:
        assert drawing.stdout is not None
        first = drawing.stdout.readline()
        sleep(float(first.split()[-2]))
        drawing.kill()
        if drawing.wait() != -9:
            raise SystemExit("it ended before it could be killed")

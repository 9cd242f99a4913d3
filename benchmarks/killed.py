"""A whole band killed three times and gone on with: the file is that of a run left alone, byte for byte."""

import hashlib
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from benchmarks.seams import embedded
from terraform.geo.bodies import MARS
from terraform.mosaic.bands import GlobalGrid, strips

_BAND = 4


def main(weights: Path, width_deg: float = 360.0) -> None:
    """Draw the band and the edges of its neighbours; kill the same drawing in three places; run it to its end.

    Parameters
    ----------
    width_deg : float
        How much of the band: 360 is all round.
    """
    globe = GlobalGrid(MARS.radius_m)
    band = strips(globe, 16)[_BAND]
    north, south = (90 - globe.pixel_deg * row for row in (band.first, band.last))
    with TemporaryDirectory() as name:
        folder = Path(name)
        _, elevation = embedded("band", (-180.0, south, width_deg - 180.0, north), folder)
        whole, again = folder / "whole.tif", folder / "again.tif"
        told = _finished(_command(weights, elevation, whole))
        print(told, end="", flush=True)
        first, second, *_ = (float(line.split()[-2]) for line in told.splitlines())
        # Before anything is complete, in the middle of the band, and while the file is written.
        for lines, seconds in ((0, first / 2), (1, second / 2), (3, 0.2)):
            print(_killed(_command(weights, elevation, again), lines, seconds), end="")
            print(f"killed; left behind: {_left(folder)}", flush=True)
        print(_finished(_command(weights, elevation, again)), end="")
        one, other = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (whole, again))
        print(
            f"{whole.stat().st_size:,} bytes, sha256 {one[:16]} and {other[:16]}: {'equal' * (one == other) or 'NOT'}"
        )


def _command(weights: Path, elevation: Path, output: Path) -> list[str]:
    given = ["--weights", weights, "--elevation", elevation, "--output", output, "--config", "config.yaml"]
    return [sys.executable, "-m", "terraform", "generate", "--device", "cpu", *map(str, given)]


def _left(folder: Path) -> list[str]:
    """List what is there of the drawing."""
    return sorted(path.name for pattern in (".again.*", ".again.strips/*.bytes") for path in folder.glob(pattern))


def _finished(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _killed(command: list[str], lines: int, seconds: float) -> str:
    """End it with SIGKILL so many seconds after that many lines; the lines."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as drawing:
        assert drawing.stdout is not None
        told = [drawing.stdout.readline() for _ in range(lines)]
        sleep(seconds)
        drawing.kill()
        if drawing.wait() != -9:
            raise SystemExit("it ended before it could be killed")
    return "".join(told)

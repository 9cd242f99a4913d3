"""A region of Earth twice: its real imagery, and what the generator draws of its relief."""

import math
from pathlib import Path
from typing import Any

from terraform import provenance
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.degree_windows import DegreeWindows
from terraform.geo.regions import Region
from terraform.viewer.credits import credits_of, made_by
from terraform.viewer.grid import regional_grid
from terraform.viewer.pictures import RasterPicture
from terraform.viewer.tiles import write_pyramid

_ROLES = {"test": "held out for testing", "validation": "held out for validation", "train": "trained on"}


def compared(name: str, mosaic: Path, download: Path, region: Region | None, output: Path) -> dict[str, Any]:
    """Write the tiles of both pictures on the imagery's pixels and describe them to the page.

    Parameters
    ----------
    name : str
        Of the region.
    mosaic : Path
        What the generator drew.
    download : Path
        A folder with `imagery.tif`.
    region : Region or None
    output : Path
        The viewer's folder.

    Raises
    ------
    InputError
        There is no imagery.
    """
    imagery = download / "imagery.tif"
    if not imagery.is_file():
        raise InputError(f"{imagery} does not exist: fetch the region's imagery, or leave its mosaic out")
    with raster.opened(imagery) as dataset:
        axes = DegreeWindows(dataset)
    grid = regional_grid(axes.west_deg, axes.north_deg, axes.pixel_deg, axes.width, axes.height)
    pyramids = {}
    for what, path in (("real", imagery), ("generated", mosaic)):
        pyramids[what] = write_pyramid(RasterPicture(path, grid), f"tiles/earth/{name}/{what}", output)
    middle = axes.north_deg - axes.height * axes.pixel_deg[1] / 2
    parts = [provenance.read(provenance.beside(imagery))] if provenance.beside(imagery).is_file() else []
    made = made_by(mosaic)
    return {
        "name": name,
        "title": region.title if region else name,
        "role": _ROLES.get(region.role, "") if region else "",
        "shrink": math.cos(math.radians(middle)),
        **pyramids,
        **credits_of([*parts, *([made] if made else [])]),
    }
